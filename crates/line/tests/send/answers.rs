//! What LINE's answers mean.

use chatly_cases::answers::{any, classify, short};
use chatly_cases::content::text;
use chatly_channel::{Outcome, Verdict};
use chatly_line::Line;
use chatly_simulator::Mood;
use proptest::prelude::*;

use crate::{line, to};

#[test]
fn each_mood_is_told_from_the_others() {
    let request = &line().render(&to(text("Hi"))).unwrap()[0];
    line().understands(
        request,
        [
            (Mood::Well, Outcome::Sent, None, None),
            (Mood::Throttled, Outcome::RateLimited, Some("429"), None),
            (Mood::Failing, Outcome::Retry, Some("500"), None),
            (
                Mood::TokenExpired,
                Outcome::AccountStopped,
                Some("401"),
                None,
            ),
            // LINE has neither.
            (Mood::WindowClosed, Outcome::Sent, None, None),
            (Mood::MediaExpired, Outcome::Sent, None, None),
        ],
    );
}

#[test]
fn an_answer_is_what_its_status_and_its_words_say() {
    let accepted =
        r#"{"message":"The retry key is already accepted","sentMessages":[{"id":"461"}]}"#;
    for (status, body, want) in [
        (
            200,
            r#"{"sentMessages":[{"id":"461","quoteToken":"q"}]}"#,
            Outcome::Sent,
        ),
        (409, accepted, Outcome::Sent),
        (
            400,
            r#"{"message":"The request body has 1 error(s)"}"#,
            Outcome::Refused,
        ),
        (
            401,
            r#"{"message":"Authentication failed"}"#,
            Outcome::AccountStopped,
        ),
        (
            403,
            r#"{"message":"Not authorized to use this API"}"#,
            Outcome::AccountStopped,
        ),
        (404, "{}", Outcome::Refused),
        (413, "", Outcome::Refused),
        (
            429,
            r#"{"message":"The API rate limit has been exceeded. Try again later."}"#,
            Outcome::RateLimited,
        ),
        (
            429,
            r#"{"message":"You have reached your monthly limit."}"#,
            Outcome::AccountStopped,
        ),
        (
            500,
            r#"{"message":"Internal server error"}"#,
            Outcome::Retry,
        ),
        (504, "<html>", Outcome::Retry),
    ] {
        let verdict = classify::<Line>(status, &[], body);
        assert_eq!(verdict.outcome, want, "{status} {body}");
        let id = (want == Outcome::Sent).then_some("461");
        assert_eq!(verdict.message_id.as_deref(), id, "{status}");
    }
    let request_id = ("X-Line-Request-Id", "123e4567-e89b-42d3-a456-426655440001");
    let typing = classify::<Line>(202, &[request_id], "{}");
    assert_eq!(typing, Verdict::sent(None));
    for (headers, body) in [
        (&[][..], ""),
        (&[], "{}"),
        (&[], "[]"),
        (&[], "<html>Sign in</html>"),
        (&[], r#"{"sentMessages":[]}"#),
        (&[request_id], "<html>"),
        (&[("x-line-request-id", "")], "{}"),
    ] {
        let verdict = classify::<Line>(200, headers, body);
        assert_eq!(verdict, Verdict::unrecognised(200), "{body}");
    }
    let accepted = ("x-line-accepted-request-id", request_id.1);
    for (headers, want) in [(&[accepted][..], Outcome::Sent), (&[], Outcome::Refused)] {
        let body = r#"{"message":"The retry key is already accepted"}"#;
        assert_eq!(classify::<Line>(409, headers, body).outcome, want);
    }
    let waits = classify::<Line>(429, &[("Retry-After", "3")], "{}");
    assert_eq!(waits.retry_after_ms, Some(3_000));
    let told = classify::<Line>(
        400,
        &[],
        r#"{"message":"The request body has 1 error(s)","details":[
        {"message":"May not be empty","property":"messages[0].text"},{"message":"U4af4980629d0a1f5e2b6c7d8e9f00112"}]}"#,
    );
    assert_eq!(
        told.reason,
        "The request body has 1 error(s) (messages[0].text: May not be empty; …"
    );
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, wait: Vec<u8>, words in "\\PC*") {
        any::<Line>(status, body, wait);
        let body = serde_json::json!({ "message": words, "details": [words] });
        short(&classify::<Line>(status, &[], &body.to_string()));
    }
}
