//! Whatever is sent: an event, and no panic.

use chatly_canonical::{Body, Event};
use chatly_cases::{folder, load};
use chatly_channel::{Channel as _, Delivery};
use chatly_telegram::Telegram;
use proptest::prelude::*;

fn parse(body: &[u8]) -> Vec<Event> {
    let delivery = Delivery {
        method: "POST".into(),
        body: body.to_vec(),
        ..Delivery::default()
    };
    let reply = Telegram::acknowledge(&delivery);
    assert_eq!(reply.status, 200);
    Telegram::parse(&delivery, Some("1"))
}

#[test]
fn odd_bodies_give_an_event() {
    let deep = format!(
        r#"{{"update_id":1,"message":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let inside = format!(
        r#"{{"update_id":1,"message":{{"message_id":1,"chat":{{"id":2,"type":"private"}},"text":"a","x":{}1{}}}}}"#,
        r#"{"a":"#.repeat(10_000),
        "}".repeat(10_000),
    );
    for (name, body, want) in [
        ("empty", b"".to_vec(), "unparsable"),
        ("a list", b"[{}]".to_vec(), "unparsable"),
        ("1 MB of brackets", vec![b'['; 1 << 20], "unparsable"),
        ("1 MB of braces", br#"{"a":"#.repeat(1 << 18), "unparsable"),
        ("10 000 deep", deep.into_bytes(), "unknown"),
        ("10 000 deep beside a text", inside.into_bytes(), "message"),
        (
            "invalid UTF-8",
            b"{\"update_id\":1,\"message\":\"\xff\"}".to_vec(),
            "unparsable",
        ),
        ("NUL", b"{\"update_id\":1}\0".to_vec(), "unparsable"),
        ("nothing in it", b"{}".to_vec(), "unknown"),
        ("an id alone", br#"{"update_id":1}"#.to_vec(), "unknown"),
        (
            "null",
            br#"{"update_id":1,"message":null}"#.to_vec(),
            "unknown",
        ),
        (
            "lone surrogate and NUL in a text",
            br#"{"update_id":1,"message":{"message_id":1,"chat":{"id":2},"text":"a\ud800\u0000"}}"#
                .to_vec(),
            "message",
        ),
        (
            "a text twice",
            br#"{"update_id":1,"message":{"message_id":1,"chat":{"id":2},"text":"a","text":"b"}}"#
                .to_vec(),
            "message",
        ),
        (
            "a chat without an id",
            br#"{"update_id":1,"message":{"message_id":1,"chat":{},"text":"a"}}"#.to_vec(),
            "unknown",
        ),
    ] {
        let events = parse(&body);
        let kinds: Vec<_> = events.iter().map(|event| event.body.kind()).collect();
        assert_eq!(kinds, [want], "{name}");
    }
}

#[test]
fn ids_beyond_floating_point_stay_as_they_are() {
    let body = br#"{"update_id":9007199254740993,"message":{"message_id":9007199254740993,
        "from":{"id":9007199254740995},"chat":{"id":-9007199254740997,"type":"group"},"text":"a"}}"#;
    let events = parse(body);
    assert_eq!(events[0].key, "telegram:1:9007199254740993");
    assert_eq!(events[0].chat.as_deref(), Some("-9007199254740997"));
    let sender = events[0].sender.as_ref().unwrap();
    assert_eq!(sender.identities[0].id, "9007199254740995");
    let Body::Message(message) = &events[0].body else {
        panic!("{:?}", events[0])
    };
    assert_eq!(message.id, "-9007199254740997:9007199254740993");
}

#[test]
fn an_update_with_too_many_deletions_is_kept_whole() {
    let deletion = |count: usize| {
        let ids = vec!["1"; count].join(",");
        parse(format!(r#"{{"update_id":1,"deleted_business_messages":{{"business_connection_id":"b","chat":{{"id":2}},"message_ids":[{ids}]}}}}"#).as_bytes())
    };
    assert_eq!(deletion(10_000).len(), 10_000);
    let events = deletion(10_001);
    assert_eq!((events.len(), events[0].body.kind()), (1, "unknown"));
}

#[test]
fn two_kinds_in_one_update_are_two_events() {
    let events = parse(
        br#"{"update_id":1,"message":{"message_id":1,"chat":{"id":2},"text":"a"},"poll":{"id":"3","question":"b"}}"#,
    );
    let keys: Vec<_> = events.iter().map(|event| event.key.as_str()).collect();
    assert_eq!(keys, ["telegram:1:1", "telegram:1:1:poll"]);
}

#[test]
fn a_pressed_button_is_answered_and_nothing_else_is() {
    for case in load(&folder().join("telegram")).unwrap() {
        let reply = Telegram::acknowledge(&case.delivery());
        let answered = String::from_utf8(reply.body).unwrap();
        assert_eq!(reply.status, 200);
        assert_eq!(
            answered.starts_with(r#"{"method":"answerCallbackQuery","callback_query_id":"4772"#),
            case.name.starts_with("callback_query"),
            "{}",
            case.name
        );
        assert_eq!(
            answered.is_empty(),
            !case.name.starts_with("callback_query")
        );
    }
}

#[test]
fn long_ids_that_begin_alike_have_keys_of_their_own() {
    let long = |end: &str| format!(r#"{{"a":"{}{end}"}}"#, "x".repeat(100));
    let ids = [long("1"), long("2"), long("2")].join(",");
    let keys = |ids: &str| -> Vec<String> {
        let body = format!(
            r#"{{"update_id":1,"deleted_business_messages":{{"chat":{{"id":2}},"message_ids":[{ids}]}}}}"#
        );
        let events = parse(body.as_bytes());
        events.into_iter().map(|event| event.key).collect()
    };
    let keys = keys(&ids);
    assert_eq!(keys.len(), 3);
    assert_ne!(keys[0], keys[1]);
    // The same thing named twice is one.
    assert_eq!(keys[1], keys[2]);
}

#[test]
fn what_is_written_once_is_not_copied_without_end() {
    chatly_cases::multiplied::<Telegram>("telegram").unwrap();
}

proptest! {
    #[test]
    fn any_bytes_give_an_event(body: Vec<u8>) {
        prop_assert!(!parse(&body).is_empty());
    }

    #[test]
    fn a_case_that_was_cut_or_changed_gives_an_event(at: usize, byte: u8, cut: bool, case: usize) {
        let cases = load(&folder().join("telegram")).unwrap();
        let mut body = cases[case % cases.len()].delivery().body;
        let at = at % body.len();
        if cut {
            body.truncate(at);
        } else {
            body[at] = byte;
        }
        prop_assert!(!parse(&body).is_empty());
    }
}
