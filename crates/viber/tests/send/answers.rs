//! What Viber's answers mean.

use chatly_cases::answers::{any, classify, outcomes, unrecognised};
use chatly_cases::content::text;
use chatly_channel::outbound::Outcome;
use chatly_simulator::Mood;
use chatly_viber::Viber;
use proptest::prelude::*;

use crate::{to_user, viber};

#[test]
fn a_mood_of_the_platform_is_understood() {
    let request = &viber("Chatly").render(&to_user(text("Hi"))).unwrap()[0];
    viber("Chatly").understands(
        request,
        [
            (Mood::Well, Outcome::Sent, None, None),
            (Mood::WindowClosed, Outcome::Sent, None, None),
            (Mood::Throttled, Outcome::RateLimited, Some("12"), None),
            (Mood::Failing, Outcome::Uncertain, None, None),
            (Mood::TokenExpired, Outcome::AccountStopped, Some("2"), None),
            (Mood::MediaExpired, Outcome::Refused, Some("3"), None),
        ],
    );
}

#[test]
fn a_status_decides_before_http_does() {
    for (outcome, codes) in [
        (Outcome::RateLimited, &[12][..]),
        (
            Outcome::Refused,
            &[1, 3, 4, 5, 6, 11, 13, 14, 16, 17, 18, 19, 20, 21, 22],
        ),
        (Outcome::AccountStopped, &[2, 7, 8, 9, 10, 15, 23, 24]),
        (Outcome::Retry, &[25, 999]),
    ] {
        for code in codes {
            let body = format!(r#"{{"status":{code},"status_message":"x"}}"#);
            let verdict = classify::<Viber>(200, &[], &body);
            assert_eq!(
                (verdict.outcome, verdict.code),
                (outcome, Some(code.to_string())),
                "{code}"
            );
        }
    }
    outcomes::<Viber>([
        (
            200,
            r#"{"status":0,"status_message":"ok","message_token":5741311803571721087}"#,
            Outcome::Sent,
        ),
        (500, r#"{"status":0}"#, Outcome::Uncertain),
        (502, "<html>", Outcome::Uncertain),
        (504, "<html>", Outcome::Uncertain),
        (403, r#"{"status":999}"#, Outcome::Refused),
        (403, "", Outcome::AccountStopped),
        (503, "<html>", Outcome::Retry),
        (302, "", Outcome::Retry),
        (429, "", Outcome::RateLimited),
        (401, "", Outcome::AccountStopped),
        (404, "", Outcome::Refused),
        (400, r#"{"status":999}"#, Outcome::Refused),
    ]);
    unrecognised::<Viber>(
        200,
        [
            "",
            "{}",
            "[]",
            "<html>Sign in</html>",
            r#"{"message_token":1}"#,
            r#"{"status":"ok"}"#,
        ],
    );
    let sent = classify::<Viber>(
        200,
        &[],
        r#"{"status":0,"message_token":5741311803571721087}"#,
    );
    assert_eq!(sent.message_id.as_deref(), Some("5741311803571721087"));
    let wait = classify::<Viber>(200, &[("retry-after", "3")], r#"{"status":12}"#);
    assert_eq!(wait.retry_after_ms, Some(3_000));
}

#[test]
fn a_reason_holds_no_token() {
    for (body, want) in [
        (
            r#"{"status":2,"status_message":"bad 44dafb7e0f40021e-61a47a1e6778d187-f2c5a676a07050b3"}"#,
            "HTTP 200: the account may not send until somebody acts",
        ),
        (
            r#"{"status":3,"status_message":"bad 44dafb7e0f40021e-61a47a1e6778d187-f2c5a676a07050b3 token"}"#,
            "bad … token",
        ),
        (
            r#"{"status":6,"status_message":"notSubscribed"}"#,
            "notSubscribed",
        ),
    ] {
        assert_eq!(classify::<Viber>(200, &[], body).reason, want);
    }
    let silent = classify::<Viber>(404, &[], "").reason;
    assert_eq!(silent, "HTTP 404 without an explanation");
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, wait: Vec<u8>) {
        any::<Viber>(status, body, wait);
    }
}
