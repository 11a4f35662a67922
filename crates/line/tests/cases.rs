//! The golden cases in `tests/cases/line`.

use chatly_canonical::Body;
use chatly_cases::Suite;
use chatly_channel::Channel as _;
use chatly_line::Line;
use chatly_simulator::{Wish, find};
use serde_json::{Value, json};

const BOT: &str = "U8e742f61d673b39c7fff3cecb7536ef0";

/// One body with the events of all.
fn join(bodies: &[Value]) -> Value {
    let events = bodies
        .iter()
        .filter_map(|body| body.get("events")?.as_array());
    json!({ "destination": BOT, "events": events.flatten().collect::<Vec<_>>() })
}

#[test]
fn every_case_gives_its_events_in_every_disguise() {
    let body = |event: Value| json!({ "destination": BOT, "events": [event] });
    Suite {
        channel: "line",
        join: Some(join),
        strangers: vec![
            body(json!({ "type": "hologram", "webhookEventId": "01H", "timestamp": 1 })),
            body(json!("a string")),
            body(json!({ "type": "message", "message": { "id": "1", "type": "hologram" } })),
            body(json!({ "type": "message" })),
            body(json!({})),
        ],
        timestamps: &["timestamp"],
    }
    .run::<Line>()
    .unwrap();
}

#[test]
fn the_platform_plays_every_kind() {
    let platform = find("line").unwrap();
    for kind in platform.kinds() {
        let wish = Wish {
            kind: kind.into(),
            account: Some("U1".into()),
            about: Some("325708".into()),
            ..Wish::default()
        };
        let delivery = platform.unsigned(std::slice::from_ref(&wish)).unwrap();
        let events = Line::parse(&delivery.received_at("https://a.example"), None);
        assert_eq!(
            (events.len(), events[0].account.as_str()),
            (1, "U1"),
            "{kind}"
        );
        let is_known = kind != "unknown_event";
        assert_eq!(events[0].body.kind() != "unknown", is_known, "{kind}");
        assert_eq!(events[0].standby, kind == "standby");
        if let Body::Message(message) | Body::MessageEdited(message) = &events[0].body {
            assert_eq!(message.id, platform.message_id(&wish).unwrap(), "{kind}");
        }
    }
}
