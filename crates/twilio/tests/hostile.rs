//! Bodies of senders who mean harm: an event or `unparsable`, never a panic.

use chatly_canonical::{Body, Event};
use chatly_channel::{Channel as _, Delivery, Header, Refusal};
use chatly_simulator::{Wish, find};
use chatly_twilio::Twilio;
use proptest::prelude::*;

fn parse(body: &[u8]) -> Vec<Event> {
    let delivery = Delivery {
        method: "POST".into(),
        body: body.to_vec(),
        ..Delivery::default()
    };
    let events = Twilio::parse(&delivery, None);
    for event in &events {
        let json = serde_json::to_string(event).unwrap_or_default();
        let read: Option<Event> = serde_json::from_str(&json).ok();
        assert_eq!(serde_json::to_string(&read).unwrap_or_default(), json);
    }
    events
}

#[test]
fn every_body_gives_one_event() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let many = "MediaUrl0=https://a&MediaUrl1=b&".repeat(30_000);
    let files: String = (0..5_000).map(|at| format!("&MediaUrl{at}=u")).collect();
    for (name, body, want) in [
        ("nothing", Vec::new(), "unparsable"),
        ("JSON 10 000 deep", deep.into_bytes(), "unknown"),
        (
            "a megabyte of brackets",
            "[".repeat(1 << 20).into_bytes(),
            "unparsable",
        ),
        (
            "a megabyte of ampersands",
            "&".repeat(1 << 20).into_bytes(),
            "unparsable",
        ),
        (
            "a megabyte of percent signs",
            format!("a={}", "%".repeat(1 << 20)).into_bytes(),
            "unknown",
        ),
        ("no UTF-8", b"MessageSid=\xff\xfe".to_vec(), "unparsable"),
        (
            "escapes of no UTF-8",
            b"MessageSid=SM1&From=x&Body=%ff%fe%ed%a0%80".to_vec(),
            "message",
        ),
        (
            "NUL",
            b"MessageSid=SM1&From=x&Body=%00\x00".to_vec(),
            "message",
        ),
        (
            "a lone surrogate in JSON",
            br#"{"a":"\ud800"}"#.to_vec(),
            "unknown",
        ),
        (
            "names twice",
            b"MessageSid=SM1&MessageSid=SM2&From=x&Body=a&Body=b".to_vec(),
            "message",
        ),
        (
            "an empty id",
            b"MessageSid=&From=x&Body=a".to_vec(),
            "unknown",
        ),
        (
            "nobody's message",
            b"MessageSid=SM1&Body=a".to_vec(),
            "unknown",
        ),
        (
            "an event of a conversation",
            b"MessageSid=IM1&From=x&EventType=onMessageAdded".to_vec(),
            "unknown",
        ),
        ("files without end", many.into_bytes(), "unknown"),
        (
            "5 000 files",
            format!("MessageSid=SM1&From=x{files}").into_bytes(),
            "message",
        ),
        (
            "a place that is none",
            b"MessageSid=SM1&From=x&Latitude=NaN&Longitude=1e999".to_vec(),
            "message",
        ),
        ("a JSON list", b"[{}]".to_vec(), "unparsable"),
        ("a JSON string", br#""a=b""#.to_vec(), "unparsable"),
    ] {
        let kinds: Vec<_> = parse(&body).iter().map(|event| event.body.kind()).collect();
        assert_eq!(kinds, [want], "{name}");
    }
}

#[test]
fn a_place_that_is_none_stays_in_the_raw_form() {
    let events = parse(b"MessageSid=SM1&From=x&Latitude=NaN&Longitude=1");
    let Body::Message(message) = &events[0].body else {
        panic!("{events:?}");
    };
    assert_eq!(message.location, None);
    let raw = message.raw.as_ref().unwrap().get();
    assert_eq!(
        raw,
        r#"{"MessageSid":"SM1","From":"x","Latitude":"NaN","Longitude":"1"}"#
    );
}

#[test]
fn a_redelivery_has_the_same_key_and_every_step_another() {
    let platform = find("twilio").unwrap();
    let mut keys = std::collections::HashSet::new();
    let states = ["queued", "sent", "delivered", "read", "failed"];
    for kind in states {
        let wish = Wish {
            kind: kind.into(),
            about: Some("SM1".into()),
            ..Wish::default()
        };
        let body = platform.unsigned(&[wish]).unwrap().body;
        assert_eq!(parse(&body)[0].key, parse(&body)[0].key);
        keys.insert(parse(&body)[0].key.clone());
    }
    assert_eq!(keys.len(), states.len());
}

#[test]
fn every_kind_of_the_simulator_is_read_as_it_is_meant() {
    let platform = find("twilio").unwrap();
    for kind in platform.kinds() {
        for without_phone in [false, true] {
            let wish = Wish {
                kind: kind.into(),
                without_phone,
                ..Wish::default()
            };
            let events = parse(&platform.unsigned(std::slice::from_ref(&wish)).unwrap().body);
            let is_unknown = events[0].body == Body::Unknown;
            assert_eq!(is_unknown, kind.starts_with("unknown"), "{kind}");
            if let Body::Message(message) = &events[0].body {
                assert_eq!(message.id, platform.message_id(&wish).unwrap());
                assert_eq!(events[0].account, chatly_simulator::twilio::ACCOUNT);
            }
        }
    }
}

#[test]
fn what_is_written_once_is_not_copied_without_end() {
    chatly_cases::multiplied::<Twilio>("twilio").unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>) {
        prop_assert!(!parse(&body).is_empty());
    }

    #[test]
    fn no_form_makes_it_panic(
        pairs in proptest::collection::vec(
            (prop_oneof![Just("MessageSid"), Just("MessageStatus"), Just("MediaUrl0"), Just("MediaContentType7"), Just("From"),
                Just("To"), Just("WaId"), Just("Latitude"), Just("Longitude"), Just("ListId"), Just("AccountSid"), Just("x")],
             prop_oneof!["\\PC{0,12}", Just("received".to_owned()), Just("whatsapp:US.1".to_owned()), Just("1".to_owned())]), 0..12),
    ) {
        let body = chatly_channel::form::encode(pairs.iter().map(|(name, value)| (*name, value.as_str())));
        prop_assert_eq!(parse(body.as_bytes()).len(), 1);
    }

    #[test]
    fn no_cut_and_no_flipped_bit_makes_it_panic(at in 0usize..100, cut: usize, place: usize, bit in 0u8..8) {
        let platform = find("twilio").unwrap();
        let kinds = platform.kinds();
        let wish = Wish { kind: kinds[at % kinds.len()].into(), text: Some("ä😀".into()), ..Wish::default() };
        let mut body = platform.unsigned(&[wish]).unwrap().body;
        let place = place % body.len();
        body[place] ^= 1 << bit;
        prop_assert!(!parse(&body).is_empty());
        body.truncate(cut % body.len());
        prop_assert!(!parse(&body).is_empty());
    }
}

/// Parameters are sorted before anybody knows who sent them.
#[test]
fn a_form_of_more_parameters_than_twilio_sends_is_refused_unsorted() {
    let names: Vec<String> = (0..2_000).map(|n| format!("a{n}")).collect();
    let delivery = Delivery {
        method: "POST".into(),
        url: "https://chat.example.org/webhooks/twilio".into(),
        headers: vec![
            Header::new("content-type", "application/x-www-form-urlencoded"),
            Header::new("x-twilio-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ],
        body: names.join("&").into_bytes(),
    };
    let verdict = Twilio::verify(&delivery, &["secret".to_owned()], 0);
    assert!(matches!(verdict, Err(Refusal::Other(_))), "{verdict:?}");
}
