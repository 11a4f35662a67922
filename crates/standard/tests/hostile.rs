//! Whatever comes in: one event, and no panic.

use chatly_canonical::Event;
use chatly_channel::{Channel, Delivery, Header};
use chatly_standard::Standard;
use proptest::prelude::*;

fn parse(body: &[u8]) -> Vec<Event> {
    let delivery = Delivery {
        method: "POST".into(),
        url: "https://chat.example.org/webhooks/standard".into(),
        headers: vec![Header::new("webhook-id", "msg_1")],
        body: body.to_vec(),
    };
    Standard::parse(&delivery, Some("crm"))
}

#[test]
fn what_is_no_object_is_unparsable_and_the_rest_is_kept() {
    let deep = |levels: usize| {
        format!(
            r#"{{"type":"a","data":{}1{}}}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    for (name, body, want) in [
        ("deep", deep(10_000).into_bytes(), "external"),
        (
            "a megabyte of brackets",
            "[".repeat(1 << 20).into_bytes(),
            "unparsable",
        ),
        (
            "deep and unclosed",
            br#"{"type":"a","data":"#.repeat(50_000),
            "unparsable",
        ),
        ("no UTF-8", vec![b'{', 0xff, b'}'], "unparsable"),
        ("empty", vec![], "unparsable"),
        ("null", b"null".to_vec(), "unparsable"),
        ("number", b"1e999".to_vec(), "unparsable"),
        ("NUL", b"{\"type\":\"a\0\"}".to_vec(), "unparsable"),
        (
            "escaped NUL",
            br#"{"type":"a\u0000","data":1}"#.to_vec(),
            "external",
        ),
        (
            "lone surrogate",
            br#"{"type":"\ud800","data":"\udc00"}"#.to_vec(),
            "external",
        ),
        (
            "twice the same",
            br#"{"type":1,"type":"a","data":1,"data":2}"#.to_vec(),
            "external",
        ),
        (
            "twice, the last wrong",
            br#"{"type":"a","type":1}"#.to_vec(),
            "unknown",
        ),
    ] {
        let events = parse(&body);
        assert_eq!(events.len(), 1, "{name}");
        assert_eq!(
            (events[0].body.kind(), events[0].key.as_str()),
            (want, "standard:crm:msg_1"),
            "{name}"
        );
    }
}

#[test]
fn what_is_written_once_is_not_copied_without_end() {
    chatly_cases::multiplied::<Standard>("standard").unwrap();
}

proptest! {
    #[test]
    fn no_body_and_no_header_makes_it_panic(
        body: Vec<u8>, secret: String, now: u64,
        headers in proptest::collection::vec(("(webhook|svix)-(id|timestamp|signature)", any::<Vec<u8>>()), 0..6),
    ) {
        let headers = headers.into_iter().map(|(name, value)| Header { name, value }).collect();
        let delivery = Delivery { method: "POST".into(), url: String::new(), headers, body };
        prop_assert_eq!(Standard::parse(&delivery, None).len(), 1);
        let secrets = [secret.clone(), format!("whpk_{secret}"), format!("whsec_{secret}")];
        prop_assert!(Standard::verify(&delivery, &secrets, now).is_err());
        prop_assert!(Standard::handshake(&delivery, &secrets, &secrets, now).is_none());
    }
}
