//! Whatever comes in: an event, and no panic.

use chatly_canonical::Event;
use chatly_channel::event::MAX_EVENTS;
use chatly_channel::{Channel, Delivery, Header, form};
use chatly_slack::Slack;
use proptest::prelude::*;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn parse(content_type: &str, body: &[u8]) -> Vec<Event> {
    let delivery = Delivery {
        method: "POST".into(),
        url: "https://chat.example.org/webhooks/slack".into(),
        headers: vec![Header::new("content-type", content_type)],
        body: body.to_vec(),
    };
    let reply = Slack::acknowledge(&delivery);
    assert_eq!(reply.status, 200);
    Slack::parse(&delivery, Some("T1"))
}

#[test]
fn malformed_bodies_are_kept_and_never_fatal() {
    let deep = |levels: usize| {
        let nested = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        format!(
            r#"{{"type":"event_callback","event":{{"type":"message","channel":"C1","ts":"1.2","text":"a","files":{nested},"blocks":{nested}}}}}"#
        )
    };
    for (name, body, want) in [
        ("deep", deep(10_000).into_bytes(), "message"),
        ("a megabyte of brackets", "[".repeat(1 << 20).into_bytes(), "unparsable"),
        ("a megabyte of objects", r#"{"event":"#.repeat(120_000).into_bytes(), "unparsable"),
        ("no UTF-8", vec![b'{', b'"', 0xff, b'"', b'}'], "unparsable"),
        ("empty", vec![], "unparsable"),
        ("NUL", b"\0".to_vec(), "unparsable"),
        ("string", br#""message""#.to_vec(), "unparsable"),
        ("lone surrogate", br#"{"type":"event_callback","event":{"type":"message","channel":"C1","ts":"1.2","text":"\ud800"}}"#.to_vec(), "message"),
        ("duplicate keys", br#"{"type":"a","type":"event_callback","event":1,"event":{"type":"message","channel":"C1","ts":"1.2","text":"a"}}"#.to_vec(), "message"),
        ("numbers for words", br#"{"type":1,"team_id":[],"event":null}"#.to_vec(), "unknown"),
        ("a time beyond all times", br#"{"type":"event_callback","event":{"type":"message","channel":"C1","ts":"18446744073709551615.9","text":"a"}}"#.to_vec(), "message"),
    ] {
        let events = parse(JSON, &body);
        assert_eq!(events.len(), 1, "{name}");
        assert_eq!(events[0].body.kind(), want, "{name}");
        let as_form = form::encode([("payload", String::from_utf8_lossy(&body).as_ref())]);
        assert_eq!(parse(FORM, as_form.as_bytes()).len(), 1, "{name} as a payload");
    }
}

#[test]
fn too_many_actions_are_one_event() {
    let actions = |count: usize| {
        let list = vec!["{}"; count].join(",");
        let payload =
            format!(r#"{{"type":"block_actions","team":{{"id":"T1"}},"actions":[{list}]}}"#);
        parse(
            FORM,
            form::encode([("payload", payload.as_str())]).as_bytes(),
        )
    };
    assert_eq!(actions(MAX_EVENTS).len(), MAX_EVENTS);
    let events = actions(MAX_EVENTS + 1);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].body.kind(), "unknown");
}

#[test]
fn what_is_written_once_is_not_copied_without_end() {
    chatly_cases::multiplied::<Slack>("slack").unwrap();
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body: Vec<u8>, secret: String, now: u64, timestamp: String, signature: String) {
        prop_assert_eq!(parse(JSON, &body).len(), 1);
        prop_assert_eq!(parse(FORM, &body).len(), 1);
        let headers = vec![Header::new("x-slack-signature", &signature), Header::new("x-slack-request-timestamp", &timestamp)];
        let delivery = Delivery { method: "POST".into(), url: String::new(), headers, body };
        prop_assert!(Slack::verify(&delivery, std::slice::from_ref(&secret), now).is_err());
        prop_assert!(Slack::handshake(&delivery, &[], &[secret], now).is_none());
    }

    #[test]
    fn no_value_in_any_place_makes_it_panic(
        kind in "(message|app_mention|reaction_added|member_joined_channel|app_home_opened)",
        subtype in "(message_changed|message_deleted|file_share|channel_join|)",
        value in "(null|7|\"a\"|\\{\\}|\\[\\]|\\[\\{\\}\\]|\"1.2\")", other in "(null|7|\"a\"|\\{\\}|\\{\"id\":\"U1\"\\})",
    ) {
        let body = format!(r#"{{"type":"event_callback","authorizations":{value},"event_time":{other},"event":{{"type":"{kind}","subtype":"{subtype}",
            "channel":{value},"ts":{value},"user":{other},"files":{value},"message":{value},"item":{other},"blocks":{value},"attachments":{value}}}}}"#);
        prop_assert_eq!(parse(JSON, body.as_bytes()).len(), 1);
    }
}
