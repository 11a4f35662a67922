//! Nothing is sent, and an endpoint's answer has one meaning.

use chatly_cases::Caller;
use chatly_cases::content::{message, text};
use chatly_channel::outbound::{Auth, Content, Request};
use chatly_channel::{Channel, Header, Outcome, RenderError};
use chatly_simulator::Mood;
use chatly_standard::Standard;

fn crm() -> Caller<Standard> {
    Caller::new("crm", "https://crm.example", "token")
}

#[test]
fn no_content_can_be_put() {
    for content in [
        text("Hi"),
        Content::MarkRead("1".into()),
        Content::Typing(None),
    ] {
        let error = crm()
            .render(&message("external", "1", content))
            .unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)));
        assert!(error.to_string().contains("let a rule forward"));
    }
    assert!(Standard::describe().sends.is_empty());
}

#[test]
fn every_mood_of_an_endpoint_is_understood() {
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let signed = Request {
        method: "POST".into(),
        url: "https://crm.example/".into(),
        headers: headers.map(|name| Header::new(name, "1")).to_vec(),
        body: b"{}".to_vec(),
        auth: Auth::None,
    };
    for (mood, want, wait) in [
        (Mood::Well, Outcome::Sent, None),
        (Mood::Throttled, Outcome::RateLimited, Some(30_000)),
        (Mood::Failing, Outcome::Retry, None),
        (Mood::TokenExpired, Outcome::AccountStopped, None),
        (Mood::WindowClosed, Outcome::AccountStopped, None),
        (Mood::MediaExpired, Outcome::AccountStopped, None),
    ] {
        let verdict = crm().send(&signed, mood);
        assert_eq!(
            (verdict.outcome, verdict.retry_after_ms),
            (want, wait),
            "{mood:?}"
        );
    }
    let unsigned = Request {
        headers: vec![],
        ..signed
    };
    assert_eq!(crm().answer(&unsigned, Mood::Well).status, 401);
}
