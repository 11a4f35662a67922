//! The golden cases in `tests/cases/messenger` and `tests/cases/instagram`.

use chatly_cases::Suite;
use chatly_channel::Channel;
use chatly_instagram::Instagram;
use chatly_messenger::Messenger;
use serde_json::{Value, json};

/// One body with the entries of all.
fn join(object: &str, bodies: &[Value]) -> Value {
    let entries = bodies
        .iter()
        .filter_map(|body| body.get("entry")?.as_array());
    json!({ "object": object, "entry": entries.flatten().collect::<Vec<_>>() })
}

#[test]
fn every_case_of_messenger_gives_its_events_in_every_disguise() {
    run::<Messenger>("messenger", |bodies| join("page", bodies)).unwrap();
}

#[test]
fn every_case_of_instagram_gives_its_events_in_every_disguise() {
    run::<Instagram>("instagram", |bodies| join("instagram", bodies)).unwrap();
}

fn run<C: Channel>(channel: &'static str, join: fn(&[Value]) -> Value) -> anyhow::Result<()> {
    let item = |item: Value| json!({ "entry": [{ "id": "1", "time": 1, "messaging": [item] }] });
    Suite {
        channel,
        join: Some(join),
        strangers: vec![
            item(json!({ "sender": { "id": "2" }, "recipient": { "id": "1" }, "timestamp": 1749416383000u64,
                "message": { "mid": "m_new", "attachments": [{ "type": "hologram2" }] } })),
            item(json!({ "sender": { "id": "2" }, "recipient": { "id": "1" }, "hologram": {} })),
            item(json!({ "sender": 7, "message": "text" })),
            item(json!(7)),
            json!({ "entry": [{ "id": "1", "changes": [{ "field": "holograms", "value": {} }] }] }),
            json!({ "entry": [{ "id": "1", "changes": [7] }] }),
        ],
        timestamps: &["timestamp", "time", "watermark", "created_time"],
    }
    .run::<C>()
}
