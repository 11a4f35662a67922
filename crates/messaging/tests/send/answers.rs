//! What the platform's answers mean.

use chatly_cases::answers::{classify, unrecognised};
use chatly_channel::outbound::{Content, Request};
use chatly_channel::{Outcome, Verdict};
use chatly_simulator::Mood;
use serde_json::json;

use crate::{Side, caller, to_person};

pub fn each_mood_of_the_platform_is_understood<C: Side>() {
    let message = to_person::<C>(Content::Text("a".into()));
    let (request, _) = caller::<C>().takes("a text", &message).remove(0);
    caller::<C>().understands(
        &request,
        [
            (Mood::Well, Outcome::Sent, None, None),
            (
                Mood::Throttled,
                Outcome::RateLimited,
                Some("613"),
                Some(60_000),
            ),
            (Mood::Failing, Outcome::Retry, Some("2"), None),
            (Mood::WindowClosed, Outcome::WindowClosed, Some("10"), None),
            (
                Mood::TokenExpired,
                Outcome::AccountStopped,
                Some("190"),
                None,
            ),
            (Mood::MediaExpired, Outcome::Refused, Some("100"), None),
        ],
    );
    let nobody = Request {
        body: b"{}".to_vec(),
        ..request
    };
    let verdict = caller::<C>().send(&nobody, Mood::Well);
    assert_eq!(verdict.outcome, Outcome::Refused);
}

pub fn a_success_that_is_not_metas_is_not_sent_and_not_tried_again<C: Side>() {
    unrecognised::<C>(
        200,
        [
            "",
            "{}",
            "[]",
            "<html>Sign in</html>",
            r#"{"recipient_id":""}"#,
            r#"{"error":{}}"#,
        ],
    );
    for body in [r#"{"recipient_id":"1"}"#, r#"{"success":true}"#] {
        let verdict = classify::<C>(200, &[], body);
        assert_eq!(verdict, Verdict::sent(None), "{body}");
    }
}

pub fn every_code_of_the_reference_has_its_outcome<C: Side>() {
    for (code, subcode, want) in [
        (1, None, Outcome::Retry),
        (2, None, Outcome::Retry),
        (1200, None, Outcome::Retry),
        (4, None, Outcome::RateLimited),
        (4, Some(2018022), Outcome::RateLimited),
        (4, Some(2018354), Outcome::Refused),
        (9, None, Outcome::RateLimited),
        (9, Some(2018352), Outcome::Refused),
        (613, None, Outcome::RateLimited),
        (80002, None, Outcome::RateLimited),
        (80006, None, Outcome::RateLimited),
        (10, Some(2018278), Outcome::WindowClosed),
        (10, Some(2534022), Outcome::WindowClosed),
        (200, Some(2018065), Outcome::WindowClosed),
        (10, None, Outcome::AccountStopped),
        (0, None, Outcome::AccountStopped),
        (3, None, Outcome::AccountStopped),
        (190, Some(463), Outcome::AccountStopped),
        (200, None, Outcome::AccountStopped),
        (368, None, Outcome::AccountStopped),
        (100, None, Outcome::Refused),
        (100, Some(2018001), Outcome::Refused),
        (230, None, Outcome::Refused),
        (551, None, Outcome::Refused),
        (551, Some(1545041), Outcome::Refused),
        (200, Some(1545041), Outcome::Refused),
        (999, None, Outcome::Refused),
    ] {
        let error = json!({ "error": { "message": "(#1) to 25011290991234567", "code": code, "error_subcode": subcode } });
        let verdict = classify::<C>(400, &[], &error.to_string());
        assert_eq!(verdict.outcome, want, "{code} {subcode:?}");
        assert!(
            !verdict.reason.contains("25011290991234567"),
            "{}",
            verdict.reason
        );
    }
}
