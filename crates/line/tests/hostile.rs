//! Whatever is sent: an event, and no panic.

use chatly_canonical::Event;
use chatly_cases::{folder, load};
use chatly_channel::{Channel as _, Delivery};
use chatly_line::Line;
use proptest::prelude::*;

fn parse(body: &[u8]) -> Vec<Event> {
    let delivery = Delivery {
        method: "POST".into(),
        body: body.to_vec(),
        ..Delivery::default()
    };
    let _ = Line::handshake(&delivery, &[], &["secret".into()], 0);
    Line::parse(&delivery, Some("U1"))
}

fn kinds(body: &[u8]) -> Vec<&'static str> {
    parse(body).iter().map(|event| event.body.kind()).collect()
}

#[test]
fn odd_bodies_give_an_event() {
    let deep = format!(
        r#"{{"events":[{}{}]}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let inside = format!(
        r#"{{"events":[{{"type":"message","message":{{"id":"1","type":"text","text":"a","x":{}1{}}}}}]}}"#,
        r#"{"a":"#.repeat(10_000),
        "}".repeat(10_000),
    );
    let text = |json: &str| {
        format!(
            r#"{{"events":[{{"type":"message","message":{{"id":"1","type":"text",{json}}}}}]}}"#
        )
    };
    for (name, body, want) in [
        ("empty", b"".to_vec(), "unparsable"),
        ("a list", b"[{}]".to_vec(), "unparsable"),
        ("1 MB of brackets", vec![b'['; 1 << 20], "unparsable"),
        ("10 000 deep", deep.into_bytes(), "unknown"),
        ("10 000 deep beside a text", inside.into_bytes(), "message"),
        (
            "invalid UTF-8",
            b"{\"events\":[\"\xff\"]}".to_vec(),
            "unparsable",
        ),
        ("NUL", b"{\"events\":[]}\0".to_vec(), "unparsable"),
        ("nothing in it", b"{}".to_vec(), "unknown"),
        (
            "events that are no list",
            br#"{"events":{}}"#.to_vec(),
            "unknown",
        ),
        (
            "lone surrogate and NUL",
            text(r#""text":"a\ud800\u0000""#).into_bytes(),
            "message",
        ),
        (
            "a text twice",
            text(r#""text":"a","text":"b""#).into_bytes(),
            "message",
        ),
        (
            "a text that is none",
            text(r#""text":{}"#).into_bytes(),
            "unknown",
        ),
    ] {
        assert_eq!(kinds(&body), [want], "{name}");
    }
}

#[test]
fn a_broken_item_costs_no_sibling() {
    let body = br#"{"destination":"U2","events":[7,
        {"type":"message","webhookEventId":"A","message":{"type":"text","id":"1","text":"a"}},
        {"type":"message","webhookEventId":"B"}, null, {"type":"follow","webhookEventId":"C"}]}"#;
    assert_eq!(
        kinds(body),
        ["unknown", "message", "unknown", "unknown", "opt"]
    );
    let events = parse(body);
    let keys: std::collections::HashSet<_> = events.iter().map(|event| &event.key).collect();
    assert_eq!(keys.len(), events.len());
    assert!(events.iter().all(|event| event.account == "U2"));
    assert_eq!(events[2].key, "line:U2:B");
}

#[test]
fn equal_items_without_an_id_have_keys_of_their_own() {
    let events = parse(br#"{"events":[{"type":"follow"},{"type":"follow"}]}"#);
    assert_ne!(events[0].key, events[1].key);
}

#[test]
fn more_events_than_a_body_may_have_are_kept_whole() {
    let body = |count: usize| format!(r#"{{"events":[{}]}}"#, vec!["0"; count].join(","));
    assert_eq!(kinds(body(10_000).as_bytes()).len(), 10_000);
    assert_eq!(kinds(body(10_001).as_bytes()), ["unknown"]);
}

#[test]
fn what_is_written_once_is_not_copied_without_end() {
    chatly_cases::multiplied::<Line>("line").unwrap();
}

proptest! {
    #[test]
    fn any_bytes_give_an_event(body: Vec<u8>) {
        prop_assert!(!parse(&body).is_empty());
    }

    #[test]
    fn a_case_that_was_cut_or_changed_gives_an_event(at: usize, byte: u8, cut: bool, case: usize) {
        let cases = load(&folder().join("line")).unwrap();
        let case = &cases[case % cases.len()];
        prop_assume!(case.name != "no_events");
        let mut body = case.delivery().body;
        let at = at % body.len();
        if cut {
            body.truncate(at);
        } else {
            body[at] = byte;
        }
        prop_assert!(!parse(&body).is_empty());
    }
}
