//! What becomes of deliveries that are mixed, malformed, odd or hostile.

mod hostile;
mod keys;
mod people;

use chatly_canonical::{AccountScope, Body, Event, Identity, MessageType, Party};
use chatly_channel::{Channel as _, Delivery};
use chatly_simulator::whatsapp::{self, Item, batch, raw_message};
use chatly_whatsapp::WhatsApp;
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(body: &[u8]) -> Vec<Event> {
    WhatsApp::parse(
        &Delivery {
            method: "POST".into(),
            body: body.to_vec(),
            ..Delivery::default()
        },
        None,
    )
}

fn parse_items(items: Vec<Item>) -> Vec<Event> {
    parse(&batch(vec![vec![items]]).body())
}

/// The one event of a message.
fn parse_message(message: Value) -> Event {
    let mut events = parse_items(vec![raw_message(message)]);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

/// A value of `field` with nothing around it.
fn parse_value(field: &str, value: &str) -> Vec<Event> {
    parse(
        format!(
            r#"{{"entry":[{{"id":"WABA","changes":[{{"field":"{field}","value":{value}}}]}}]}}"#
        )
        .as_bytes(),
    )
}

fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.body.kind()).collect()
}

fn ids(party: &Option<Party>) -> Vec<Identity> {
    party
        .as_ref()
        .map(|party| party.identities.clone())
        .unwrap_or_default()
}

#[test]
fn a_list_of_a_new_kind_beside_a_known_one_is_kept() {
    let value = r#"{"metadata":{"phone_number_id":"1"},"messages":[{"id":"wamid.A","from":"1650","type":"text","text":{"body":"a"}}],"poll_votes":[{"id":"x"}]}"#;
    let events = parse_value("messages", value);
    assert_eq!(kinds(&events), ["message", "unknown"]);
    let raw = events[1].raw.as_ref().map(|raw| raw.get().to_owned());
    assert_eq!(raw.as_deref(), Some(r#"[{"id":"x"}]"#));
}

#[test]
fn a_mixed_batch_loses_no_sibling() {
    let text = |seed| whatsapp::text("a").seed(seed);
    let sent = |id| whatsapp::status(id, "sent").unwrap();
    let broken = raw_message(json!({ "type": "text", "text": { "body": "no id" } }));
    let body = batch(vec![
        vec![
            vec![sent("wamid.1"), text(1)],
            vec![text(2), broken, text(3)],
            vec![whatsapp::kind("unknown_field").unwrap()],
        ],
        vec![
            vec![raw_message(json!("a string")), text(4)],
            vec![sent("wamid.2")],
            vec![text(5).account("2"), sent("wamid.3")],
        ],
    ]);
    let events = parse(&body.body());
    assert_eq!(
        kinds(&events),
        [
            "message", "status", "message", "unknown", "message", "unknown", "unknown", "message",
            "status", "message", "status"
        ]
    );
    let raws: Vec<&str> = events
        .iter()
        .filter_map(|event| Some(event.raw.as_ref()?.get()))
        .collect();
    assert!(
        raws.contains(&r#"{"type":"text","text":{"body":"no id"}}"#)
            && raws.contains(&r#""a string""#),
        "{raws:?}"
    );
    assert_eq!(events.last().unwrap().account, "2");
    let keys: std::collections::HashSet<_> = events.iter().map(|event| &event.key).collect();
    assert_eq!(keys.len(), events.len());
}

#[test]
fn what_is_malformed_is_unknown_and_what_is_new_is_unsupported() {
    for (name, message, want) in [
        (
            "no id",
            json!({ "type": "text", "text": { "body": "a" } }),
            "unknown",
        ),
        (
            "empty id",
            json!({ "id": "", "type": "text", "text": { "body": "a" } }),
            "unknown",
        ),
        (
            "a string for a content",
            json!({ "id": "1", "type": "text", "text": "a" }),
            "unknown",
        ),
        (
            "a text without a body",
            json!({ "id": "1", "type": "text", "text": {} }),
            "unknown",
        ),
        (
            "a place without a place",
            json!({ "id": "1", "type": "location", "location": { "latitude": 1 } }),
            "unknown",
        ),
        (
            "a reaction to nothing",
            json!({ "id": "1", "type": "reaction", "reaction": {} }),
            "unknown",
        ),
        (
            "an edit of nothing",
            json!({ "id": "1", "type": "edit", "edit": { "message": {} } }),
            "unknown",
        ),
        (
            "a deletion of nothing",
            json!({ "id": "1", "type": "revoke" }),
            "unknown",
        ),
        (
            "contacts that are none",
            json!({ "id": "1", "type": "contacts", "contacts": [7] }),
            "unknown",
        ),
        ("null", Value::Null, "unknown"),
        ("a list", json!([]), "unknown"),
        (
            "no content",
            json!({ "id": "1", "type": "interactive" }),
            "message",
        ),
        (
            "null for a content",
            json!({ "id": "1", "type": "image", "image": null }),
            "message",
        ),
        (
            "no type",
            json!({ "id": "1", "text": { "body": "a" } }),
            "message",
        ),
        (
            "a type like a field",
            json!({ "id": "1", "type": "id" }),
            "message",
        ),
        (
            "an interactive of a new kind",
            json!({ "id": "1", "type": "interactive", "interactive": { "type": "new" } }),
            "message",
        ),
    ] {
        let event = parse_message(message.clone());
        assert_eq!(event.body.kind(), want, "{name}");
        let raw = match event.body {
            Body::Message(message) => {
                assert_eq!(message.kind, MessageType::Unsupported, "{name}");
                message.raw
            }
            _ => event.raw,
        };
        assert_eq!(
            raw.unwrap().get().replace("\\/", "/"),
            message.to_string(),
            "{name}"
        );
    }
}

#[test]
fn a_body_that_is_no_json_object_is_one_unparsable_event() {
    let deep = "[".repeat(200_000);
    for (name, body, raw) in [
        ("empty", &b""[..], Some(r#""""#)),
        ("text", b"hello", Some(r#""hello""#)),
        (
            "half an object",
            br#"{"entry":["#,
            Some(r#""{\"entry\":[""#),
        ),
        ("a list", b"[ {} ]", Some("[{}]")),
        ("a number", b"1", Some("1")),
        ("not UTF-8", b"{\"a\":\"\xff\"}", None),
        (
            "deep and open",
            deep.as_bytes(),
            Some(&*format!("\"{deep}\"")),
        ),
    ] {
        let events = parse(body);
        assert_eq!(kinds(&events), ["unparsable"], "{name}");
        assert_eq!(events[0].raw.as_ref().map(|raw| raw.get()), raw, "{name}");
        assert_eq!(events[0].key, parse(body)[0].key, "{name}");
    }
    assert_ne!(parse(b"a")[0].key, parse(b"b")[0].key);
}

#[test]
fn lists_of_a_value_that_are_none_and_values_that_say_nothing_are_kept() {
    for (name, value, want) in [
        (
            "messages that are no list",
            r#"{"messages":{"id":"1"},"statuses":[{"id":"1","status":"sent"}]}"#,
            vec!["unknown", "status"],
        ),
        ("nothing", "{}", vec!["unknown"]),
        ("an empty list", r#"{"messages":[]}"#, vec!["unknown"]),
        (
            "a state nobody knows",
            r#"{"statuses":[{"id":"1","status":"warned"}]}"#,
            vec!["unknown"],
        ),
        (
            "a call's status without a type",
            r#"{"statuses":[{"id":"wacid.1","status":"REJECTED"}]}"#,
            vec!["call"],
        ),
        (
            "a call's status",
            r#"{"statuses":[{"id":"wacid.1","type":"call","status":"RINGING"}]}"#,
            vec!["call"],
        ),
        (
            "history",
            r#"{"history":[{"threads":[]},{"errors":[]}]}"#,
            vec!["unknown", "unknown"],
        ),
        (
            "a group",
            r#"{"groups":[{"group_id":"1","type":"group_create"}]}"#,
            vec!["unknown"],
        ),
        (
            "chats of long ago",
            r#"{"history":[{"threads":[7,{"messages":[{"id":"1","type":"text","text":{"body":"a"}},8]},{}],"errors":[{"code":1}]},9]}"#,
            vec![
                "unknown", "message", "unknown", "unknown", "error", "unknown",
            ],
        ),
        (
            "a group that nobody joined",
            r#"{"groups":[{"group_id":"1","type":"group_participants_add","added_participants":[7]}]}"#,
            vec!["unknown"],
        ),
    ] {
        let events = parse_value("messages", value);
        assert_eq!(kinds(&events), want, "{name}");
    }
}

#[test]
fn a_body_verifies_as_received_and_not_as_written_again() {
    let secrets = ["secret".to_owned()];
    for text in ["ä", "1/2", "😀"] {
        let delivery = whatsapp::text(text)
            .signed_with("secret")
            .received_at("https://example.org");
        assert_eq!(WhatsApp::verify(&delivery, &secrets, 0), Ok(()), "{text}");
        let value: Value = serde_json::from_slice(&delivery.body).unwrap();
        let again = Delivery {
            body: value.to_string().into_bytes(),
            ..delivery
        };
        assert!(WhatsApp::verify(&again, &secrets, 0).is_err(), "{text}");
    }
}

#[test]
fn a_stored_delivery_is_answered_with_an_empty_200() {
    let reply = WhatsApp::acknowledge(&Delivery::default());
    assert_eq!((reply.status, reply.body.len()), (200, 0));
}

#[test]
fn the_description_names_every_kind_that_is_parsed() {
    let described = WhatsApp::describe().kinds;
    let mut seen: Vec<String> = whatsapp::kinds()
        .into_iter()
        .flat_map(|name| parse_items(vec![whatsapp::kind(name).unwrap()]))
        .chain(parse(b"x"))
        .map(|event| event.body.kind().to_owned())
        .collect();
    seen.sort();
    seen.dedup();
    let mut described_sorted = described.clone();
    described_sorted.sort();
    assert_eq!(seen, described_sorted);
}
