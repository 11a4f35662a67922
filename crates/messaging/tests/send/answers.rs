//! What the platform's answers mean.

use chatly_channel::outbound::{Content, Request};
use chatly_channel::{Outcome, Response, Verdict};
use chatly_simulator::Mood;
use serde_json::json;

use crate::{Side, classify, sender, to_person};

pub fn each_mood_of_the_platform_is_understood<C: Side>() {
    let message = to_person::<C>(Content::Text("a".into()));
    let requests = C::render(&sender::<C>(), &message).unwrap();
    let request = requests.first().unwrap();
    for (mood, outcome, code, wait) in [
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
    ] {
        let verdict = classify::<C>(request, mood);
        assert_eq!(verdict.outcome, outcome, "{mood:?}");
        assert_eq!(verdict.code.as_deref(), code, "{mood:?}");
        assert_eq!(verdict.retry_after_ms, wait, "{mood:?}");
    }
    let nobody = Request {
        body: b"{}".to_vec(),
        ..request.clone()
    };
    assert_eq!(classify::<C>(&nobody, Mood::Well).outcome, Outcome::Refused);
}

pub fn a_success_that_is_not_metas_is_not_sent_and_not_tried_again<C: Side>() {
    let answer = |body: &str| {
        C::classify(&Response {
            status: 200,
            headers: vec![],
            body: body.as_bytes().to_vec(),
        })
    };
    for body in [
        "",
        "{}",
        "[]",
        "<html>Sign in</html>",
        r#"{"recipient_id":""}"#,
        r#"{"error":{}}"#,
    ] {
        assert_eq!(answer(body), Verdict::unrecognised(200), "{body}");
    }
    for body in [r#"{"recipient_id":"1"}"#, r#"{"success":true}"#] {
        assert_eq!(answer(body), Verdict::sent(None), "{body}");
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
        let verdict = C::classify(&Response {
            status: 400,
            headers: vec![],
            body: error.to_string().into_bytes(),
        });
        assert_eq!(verdict.outcome, want, "{code} {subcode:?}");
        assert!(
            !verdict.reason.contains("25011290991234567"),
            "{}",
            verdict.reason
        );
    }
}
