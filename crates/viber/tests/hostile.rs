//! Bodies of senders who mean harm: an event or `unparsable`, never a panic.

use chatly_canonical::{Body, Event};
use chatly_channel::{Channel as _, Delivery};
use chatly_simulator::{Wish, find};
use chatly_viber::Viber;
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(body: &[u8]) -> Event {
    let delivery = Delivery {
        method: "POST".into(),
        body: body.to_vec(),
        ..Delivery::default()
    };
    let mut events = Viber::parse(&delivery, Some("bot"));
    assert_eq!(events.len(), 1);
    let event = events.remove(0);
    assert!(event.key.starts_with("viber:bot:"), "{}", event.key);
    let json = serde_json::to_string(&event).unwrap_or_default();
    let read: Option<Event> = serde_json::from_str(&json).ok();
    assert_eq!(serde_json::to_string(&read).unwrap_or_default(), json);
    event
}

#[test]
fn every_body_gives_one_event() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let deep_message = format!(
        r#"{{"event":"message","message_token":1,"message":{{"type":"hologram","x":{}}}}}"#,
        nested(10_000)
    );
    for (name, body, want) in [
        ("nothing", Vec::new(), "unparsable"),
        ("10 000 deep", nested(10_000).into_bytes(), "unparsable"),
        ("10 000 deep in a member", format!(r#"{{"event":{}}}"#, nested(10_000)).into_bytes(), "unknown"),
        ("10 000 deep in a message", deep_message.into_bytes(), "message"),
        ("a megabyte of brackets", "[".repeat(1 << 20).into_bytes(), "unparsable"),
        ("a megabyte of braces", "{\"a\":".repeat(200_000).into_bytes(), "unparsable"),
        ("no UTF-8", b"{\"event\":\"message\xff\"}".to_vec(), "unparsable"),
        ("a lone surrogate", br#"{"event":"message","message_token":1,"message":{"type":"text","text":"\ud800"}}"#.to_vec(), "message"),
        ("NUL", br#"{"event":"message","message_token":1,"message":{"type":"text","text":"\u0000"}}"#.to_vec(), "message"),
        ("a raw NUL", b"{\"event\":\"a\x00\"}".to_vec(), "unparsable"),
        ("names twice", br#"{"event":"seen","event":"delivered","message_token":1,"user_id":"a"}"#.to_vec(), "status"),
        ("a token that is none", br#"{"event":"delivered","message_token":1.5,"user_id":"a"}"#.to_vec(), "unknown"),
        ("a huge token", br#"{"event":"delivered","message_token":123456789012345678901234567890,"user_id":"a"}"#.to_vec(), "status"),
        ("a place that is none", br#"{"event":"message","message_token":1,"message":{"type":"location","location":{"lat":1e999,"lon":"x"}}}"#.to_vec(), "unknown"),
        ("an event that is no word", br#"{"event":{"a":1}}"#.to_vec(), "unknown"),
    ] {
        assert_eq!(parse(&body).body.kind(), want, "{name}");
    }
}

#[test]
fn a_token_never_becomes_floating_point() {
    let event = parse(br#"{"event":"message","message_token":4987381189870374001,"message":{"type":"text","text":"a"}}"#);
    assert_eq!(event.key, "viber:bot:4987381189870374001");
    let Body::Message(message) = event.body else {
        panic!("no message");
    };
    assert_eq!(message.id, "4987381189870374001");
}

#[test]
fn two_bots_and_two_steps_of_a_message_do_not_collide() {
    let platform = find("viber").unwrap();
    let key = |kind: &str, account: &str| {
        let wish = Wish {
            kind: kind.into(),
            about: Some("4987381189870374000".into()),
            ..Wish::default()
        };
        let body = platform.unsigned(&[wish]).unwrap().body;
        let delivery = Delivery {
            body,
            ..Delivery::default()
        };
        Viber::parse(&delivery, Some(account)).remove(0).key
    };
    let mut keys = std::collections::HashSet::new();
    for account in ["a", "b"] {
        for kind in ["delivered", "seen", "failed"] {
            assert_eq!(key(kind, account), key(kind, account));
            keys.insert(key(kind, account));
        }
    }
    assert_eq!(keys.len(), 6);
}

#[test]
fn every_kind_of_the_simulator_is_read_as_it_is_meant() {
    let platform = find("viber").unwrap();
    for kind in platform.kinds() {
        let wish = Wish {
            kind: kind.into(),
            at_secs: Some(1_700_000_000),
            ..Wish::default()
        };
        let event = parse(&platform.unsigned(std::slice::from_ref(&wish)).unwrap().body);
        assert_eq!(
            event.body == Body::Unknown,
            kind == "unknown_event",
            "{kind}"
        );
        assert_eq!(event.at, Some(1_700_000_000_000), "{kind}");
        if let Body::Message(message) = &event.body {
            assert_eq!(message.id, platform.message_id(&wish).unwrap());
            assert!(event.sender.is_some(), "{kind}");
        }
    }
}

/// Replaces one value somewhere in a payload.
fn mutate(value: &mut Value, at: usize, with: &Value) {
    let mut paths = vec![String::new()];
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        if let Some(Value::Object(members)) = value.pointer(&path) {
            paths.extend(members.keys().map(|key| format!("{path}/{key}")));
        }
        next += 1;
    }
    let path = paths.get(at % paths.len());
    if let Some(found) = path.and_then(|path| value.pointer_mut(path)) {
        *found = with.clone();
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!(-7)),
        Just(json!(-1.5e300)),
        Just(json!(u64::MAX)),
        Just(json!("")),
        Just(json!("text")),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, 1, "a", {}])),
    ]
}

#[test]
fn what_is_written_once_is_not_copied_without_end() {
    chatly_cases::multiplied::<Viber>("viber").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>) {
        parse(&body);
    }

    #[test]
    fn no_mutation_makes_it_panic(at in 0usize..100, changes in proptest::collection::vec((any::<usize>(), any_json()), 1..4)) {
        let platform = find("viber").unwrap();
        let kinds = platform.kinds();
        let wish = Wish { kind: kinds[at % kinds.len()].into(), ..Wish::default() };
        let body = platform.unsigned(&[wish]).unwrap().body;
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        for (at, with) in &changes {
            mutate(&mut body, *at, with);
        }
        let delivery = Delivery { body: body.to_string().into_bytes(), ..Delivery::default() };
        prop_assert_eq!(Viber::parse(&delivery, None).len(), 1);
    }

    #[test]
    fn no_cut_and_no_flipped_bit_makes_it_panic(at in 0usize..100, cut: usize, place: usize, bit in 0u8..8) {
        let platform = find("viber").unwrap();
        let kinds = platform.kinds();
        let wish = Wish { kind: kinds[at % kinds.len()].into(), text: Some("ä😀".into()), ..Wish::default() };
        let mut body = platform.unsigned(&[wish]).unwrap().body;
        let place = place % body.len();
        body[place] ^= 1 << bit;
        parse(&body);
        body.truncate(cut % body.len());
        parse(&body);
    }
}
