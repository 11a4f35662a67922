//! Nothing is sent, and an endpoint's answer has one meaning.

use chatly_canonical::Identity;
use chatly_channel::outbound::{Content, Message, Sender};
use chatly_channel::{Channel, Header, Outcome, RenderError, Response};
use chatly_simulator::{Mood, Sent, find};
use chatly_standard::Standard;

#[test]
fn no_content_can_be_put() {
    let sender = Sender {
        account: "crm".into(),
        base_url: "https://crm.example".into(),
    };
    for content in [
        Content::Text("Hi".into()),
        Content::MarkRead("1".into()),
        Content::Typing(None),
    ] {
        let message = Message {
            to: Identity::new("external", "1"),
            chat: None,
            content,
            reply_to: None,
            reference: None,
            tag: None,
        };
        let error = Standard::render(&sender, &message).unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)));
        assert!(error.to_string().contains("let a rule forward"));
    }
    assert!(Standard::describe().sends.is_empty());
}

#[test]
fn every_mood_of_an_endpoint_is_understood() {
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let sent = Sent {
        method: "POST".into(),
        path: "/".into(),
        headers: headers
            .map(|name| (name.to_owned(), "1".to_owned()))
            .to_vec(),
        body: b"{}".to_vec(),
    };
    for (mood, want, wait) in [
        (Mood::Well, Outcome::Sent, None),
        (Mood::Throttled, Outcome::RateLimited, Some(30_000)),
        (Mood::Failing, Outcome::Retry, None),
        (Mood::TokenExpired, Outcome::AccountStopped, None),
        (Mood::WindowClosed, Outcome::AccountStopped, None),
        (Mood::MediaExpired, Outcome::AccountStopped, None),
    ] {
        let answer = find("standard").unwrap().answer(&sent, mood, 1);
        let headers = answer
            .headers
            .iter()
            .map(|(name, value)| Header::new(name, value));
        let verdict = Standard::classify(&Response {
            status: answer.status,
            headers: headers.collect(),
            body: answer.body,
        });
        assert_eq!(
            (verdict.outcome, verdict.retry_after_ms),
            (want, wait),
            "{mood:?}"
        );
    }
    let unsigned = Sent {
        headers: vec![],
        ..sent
    };
    assert_eq!(
        find("standard")
            .unwrap()
            .answer(&unsigned, Mood::Well, 1)
            .status,
        401
    );
}
