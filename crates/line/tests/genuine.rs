//! The signature, by the rules that hold for every scheme, and the check of a webhook.

use chatly_cases::Genuine;
use chatly_channel::{Channel as _, Delivery, Header, Refusal};
use chatly_line::Line;
use chatly_simulator::{Wish, find};
use proptest::prelude::*;

const HEADER: &str = "x-line-signature";
const SECRET: &str = "8c570fa6dd201bb328f1c1eac23a96d8";

fn delivery(body: &[u8], signature: &str) -> Delivery {
    Delivery {
        method: "POST".into(),
        url: "https://chat.example.org/webhooks/line".into(),
        headers: vec![Header::new(HEADER, signature)],
        body: body.to_vec(),
    }
}

/// Body, channel secret and signature as LINE's page "Verify webhook signature" gives them.
fn documented() -> Delivery {
    delivery(
        br#"{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}"#,
        "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=",
    )
}

fn genuine(delivery: Delivery) -> Genuine {
    Genuine {
        delivery,
        secrets: vec![SECRET.into()],
        now: 1_749_416_383,
        headers: &[HEADER],
        proofs: &[HEADER],
        covers_body: true,
        tolerance_secs: None,
    }
}

#[test]
fn only_what_the_platform_signed_is_accepted() {
    genuine(documented()).check::<Line>().unwrap();
    let platform = find("line").unwrap();
    let wish = Wish {
        kind: "text".into(),
        text: Some("Grüße / 😀".into()),
        ..Wish::default()
    };
    let played = platform.unsigned(&[wish]).unwrap();
    let played = platform.sign(played, "https://chat.example.org", SECRET, 0);
    let played = played.received_at("https://chat.example.org");
    // LINE escapes neither what is not ASCII nor `/`.
    assert!(
        String::from_utf8(played.body.clone())
            .unwrap()
            .contains("Grüße / 😀")
    );
    genuine(played).check::<Line>().unwrap();
}

#[test]
fn a_check_of_the_webhook_is_answered_by_its_signature() {
    let secrets = [SECRET.to_owned()];
    let status = |delivery: &Delivery, secrets: &[String]| {
        Line::handshake(delivery, &[], secrets, 0).map(|reply| reply.status)
    };
    assert_eq!(status(&documented(), &secrets), Some(200));
    assert_eq!(status(&documented(), &["other".into()]), Some(401));
    assert_eq!(status(&documented(), &[" ".into()]), Some(503));
    let unsigned = Delivery {
        headers: vec![],
        ..documented()
    };
    assert_eq!(status(&unsigned, &secrets), Some(401));
    assert_eq!(Line::parse(&documented(), None), []);
    for (name, body) in [
        ("with an event", r#"{"events":[{}]}"#),
        ("no list", r#"{"events":{}}"#),
        ("no events", "{}"),
        ("no JSON", "["),
    ] {
        assert_eq!(
            status(&delivery(body.as_bytes(), ""), &secrets),
            None,
            "{name}"
        );
    }
    let get = Delivery {
        method: "GET".into(),
        ..documented()
    };
    assert_eq!(status(&get, &secrets), None);
}

#[test]
fn the_header_is_named_when_it_is_not_good() {
    let verify = |signature: &str| Line::verify(&delivery(b"{}", signature), &[SECRET.into()], 0);
    let malformed = Err(Refusal::MalformedHeader(HEADER.into()));
    assert_eq!(verify("not base64!"), malformed);
    assert_eq!(verify("aGVsbG8="), malformed);
    assert_eq!(
        verify("GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs="),
        Err(Refusal::Mismatch)
    );
}

proptest! {
    #[test]
    fn what_was_signed_verifies_and_no_change_of_it(secret in "[0-9a-f]{32}", body: Vec<u8>, at: usize, bit in 0u8..8) {
        let played = chatly_simulator::Delivery {
            method: "POST".into(), path: "/webhooks/line".into(), headers: vec![], body };
        let mut signed = find("line").unwrap().sign(played, "", &secret, 0).received_at("");
        prop_assert_eq!(Line::verify(&signed, std::slice::from_ref(&secret), 0), Ok(()));
        prop_assume!(!signed.body.is_empty());
        let at = at % signed.body.len();
        signed.body[at] ^= 1 << bit;
        prop_assert_eq!(Line::verify(&signed, &[secret], 0), Err(Refusal::Mismatch));
    }
}
