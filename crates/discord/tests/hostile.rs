//! Whatever comes in: one event, and no panic.

use chatly_canonical::Event;
use chatly_channel::{Channel, Delivery, Header};
use chatly_discord::Discord;
use proptest::prelude::*;

fn parse(body: &[u8]) -> Vec<Event> {
    let delivery = Delivery {
        method: "POST".into(),
        url: "https://chat.example.org/webhooks/discord".into(),
        headers: vec![],
        body: body.to_vec(),
    };
    let reply = Discord::acknowledge(&delivery);
    assert!(matches!(reply.status, 200 | 204));
    Discord::parse(&delivery, Some("1"))
}

#[test]
fn malformed_bodies_are_kept_and_never_fatal() {
    let options = |levels: usize| {
        let nested = format!(
            "{}[]{}",
            r#"[{"name":"a","options":"#.repeat(levels),
            "}]".repeat(levels)
        );
        format!(r#"{{"type":2,"id":"1","data":{{"name":"a","options":{nested}}}}}"#)
    };
    let brackets = |levels: usize| {
        let nested = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"type":5,"id":"1","data":{{"custom_id":"a","components":{nested}}}}}"#)
    };
    for (name, body, want) in [
        ("deep options", options(10_000).into_bytes(), "message"),
        ("deep components", brackets(10_000).into_bytes(), "message"),
        (
            "a megabyte of brackets",
            "[".repeat(1 << 20).into_bytes(),
            "unparsable",
        ),
        (
            "a megabyte of objects",
            r#"{"data":"#.repeat(120_000).into_bytes(),
            "unparsable",
        ),
        ("no UTF-8", vec![b'{', b'"', 0xff, b'"', b'}'], "unparsable"),
        ("empty", vec![], "unparsable"),
        ("NUL", b"\0".to_vec(), "unparsable"),
        ("list", br#"[{"type":2}]"#.to_vec(), "unparsable"),
        (
            "lone surrogate",
            br#"{"type":2,"id":"1","data":{"name":"\ud800"}}"#.to_vec(),
            "message",
        ),
        (
            "duplicate keys",
            br#"{"type":1,"type":2,"id":"0","id":"1","data":1,"data":{"name":"a"}}"#.to_vec(),
            "message",
        ),
        (
            "an id beyond 64 bits",
            br#"{"type":2,"id":"99999999999999999999","data":{"name":"a"}}"#.to_vec(),
            "message",
        ),
        (
            "a type beyond 64 bits",
            br#"{"type":99999999999999999999,"id":"1"}"#.to_vec(),
            "unknown",
        ),
        (
            "a type that is no number",
            br#"{"type":{},"id":"1"}"#.to_vec(),
            "unknown",
        ),
    ] {
        let events = parse(&body);
        assert_eq!(events.len(), 1, "{name}");
        assert_eq!(events[0].body.kind(), want, "{name}");
    }
}

#[test]
fn what_is_written_once_is_not_copied_without_end() {
    chatly_cases::multiplied::<Discord>("discord").unwrap();
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(body: Vec<u8>, secret: String, signature: Vec<u8>, timestamp: Vec<u8>, now: u64) {
        prop_assert_eq!(parse(&body).len(), 1);
        let header = |name: &str, value| Header { name: name.into(), value };
        let headers = vec![header("x-signature-ed25519", signature), header("x-signature-timestamp", timestamp)];
        let delivery = Delivery { method: "POST".into(), url: String::new(), headers, body };
        let secrets = [secret, "00".repeat(32), "ff".repeat(32)];
        prop_assert!(Discord::verify(&delivery, &secrets, now).is_err());
        let _ = Discord::handshake(&delivery, &[], &secrets, now);
    }

    #[test]
    fn no_value_in_any_place_makes_it_panic(
        kind in 0u8..8,
        value in "(null|7|\"a\"|\\{\\}|\\[\\]|\\[\\{\\}\\]|\\{\"id\":\"1\"\\})", other in "(null|7|\"a\"|\\[\\{\"components\":\\[7\\]\\}\\])",
        word in "(APPLICATION_AUTHORIZED|ENTITLEMENT_CREATE|LOBBY_MESSAGE_CREATE|LOBBY_MESSAGE_DELETE|A)",
    ) {
        let inner = format!(r#"{{"type":"{word}","timestamp":{other},"name":"a","custom_id":{value},"values":{other},"options":{other},"components":{other},
            "data":{value},"resolved":{value},"id":{value},"user":{value},"scopes":{other},"attachments":{other}}}"#);
        for name in ["event", "data"] {
            let body = format!(r#"{{"type":{kind},"id":{value},"token":{other},"member":{value},"message":{inner},"{name}":{inner}}}"#);
            prop_assert_eq!(parse(body.as_bytes()).len(), 1);
        }
    }
}
