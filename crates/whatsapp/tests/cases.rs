//! The golden cases in `tests/cases/whatsapp`.

use chatly_cases::Suite;
use chatly_whatsapp::WhatsApp;
use serde_json::{Value, json};

/// One body with the entries of all.
fn join(bodies: &[Value]) -> Value {
    let entries = bodies
        .iter()
        .filter_map(|body| body.get("entry")?.as_array());
    json!({ "object": "whatsapp_business_account", "entry": entries.flatten().collect::<Vec<_>>() })
}

#[test]
fn every_case_gives_its_events_in_every_disguise() {
    let value = |messages: Value| {
        json!({ "entry": [{ "id": "1", "changes": [{ "field": "messages", "value": {
            "metadata": { "phone_number_id": "2" }, "messages": messages } }] }] })
    };
    Suite {
        channel: "whatsapp",
        join: Some(join),
        strangers: vec![
            value(json!([{ "id": "wamid.NEW", "from": "1650", "timestamp": "1749416383", "type": "hologram", "hologram": {} }])),
            value(json!([7])),
            json!({ "entry": [{ "id": "1", "changes": [{ "field": "holograms", "value": {} }] }] }),
        ],
        timestamps: &["timestamp", "expiration_timestamp", "time", "created_timestamp"],
    }
    .run::<WhatsApp>()
    .unwrap();
}
