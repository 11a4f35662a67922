//! The signature: Viber's own vector, and the rules that hold for every scheme.

use chatly_cases::Genuine;
use chatly_channel::{Channel as _, Delivery, Header, Refusal};
use chatly_simulator::{Wish, find};
use chatly_viber::Viber;
use proptest::prelude::*;

/// viber-bot-python, tests/api/test_api.py.
const TOKEN: &str = "44dafb7e0f40021e-61a47a1e6778d187-f2c5a676a07050b3";
const BODY: &str =
    r#"{"event":"webhook","timestamp":4977069964384421269,"message_token":1478683725125}"#;
const SIGNATURE: &str = "d21b343448c8aee33b8e93768ef6ceb64a6ba6163099973a2b8bd028fea510ef";

fn delivery(body: &str, signature: Option<&str>) -> Delivery {
    let header = signature.map(|it| Header::new("X-Viber-Content-Signature", it));
    Delivery {
        method: "POST".into(),
        url: "https://chat.example.org/webhooks/viber/chatly-bot".into(),
        headers: header.into_iter().collect(),
        body: body.as_bytes().to_vec(),
    }
}

fn check(delivery: Delivery, secret: &str) -> anyhow::Result<()> {
    Genuine {
        delivery,
        secrets: vec![secret.into()],
        now: 1_749_416_383,
        headers: &["x-viber-content-signature"],
        proofs: &["x-viber-content-signature"],
        covers_body: true,
        tolerance_secs: None,
    }
    .check::<Viber>()
}

#[test]
fn the_vector_of_vibers_sdk_is_accepted_and_nothing_else() {
    check(delivery(BODY, Some(SIGNATURE)), TOKEN).unwrap();
    let upper = SIGNATURE.to_uppercase();
    let prefixed = format!("sha256={SIGNATURE}");
    for signature in ["aaaaaaaaaaaaaaaaaaaaaa", upper.as_str(), prefixed.as_str()] {
        let delivery = delivery(BODY, Some(signature));
        let refusal = Refusal::MalformedHeader("x-viber-content-signature".into());
        assert_eq!(Viber::verify(&delivery, &[TOKEN.into()], 0), Err(refusal));
    }
}

#[test]
fn only_what_the_platform_signed_is_accepted() {
    let platform = find("viber").unwrap();
    for kind in ["text", "seen"] {
        let wish = Wish {
            kind: kind.into(),
            text: Some("Grüße / 😀".into()),
            ..Wish::default()
        };
        let delivery = platform.unsigned(&[wish]).unwrap();
        assert_eq!(delivery.path, "/webhooks/viber/chatly-bot");
        let delivery = platform.sign(delivery, "https://chat.example.org", "secret", 0);
        check(delivery.received_at("https://chat.example.org"), "secret").unwrap();
    }
}

#[test]
fn the_callback_of_set_webhook_is_answered_once_it_is_proven() {
    let secrets = |secret: &str| vec![secret.to_owned()];
    let long = format!("{BODY}{}", " ".repeat(5_000));
    for (name, delivery, secrets, want) in [
        (
            "genuine",
            delivery(BODY, Some(SIGNATURE)),
            secrets(TOKEN),
            Some(200),
        ),
        (
            "previous token",
            delivery(BODY, Some(SIGNATURE)),
            vec!["new".into(), TOKEN.into()],
            Some(200),
        ),
        (
            "another token",
            delivery(BODY, Some(SIGNATURE)),
            secrets("another"),
            Some(401),
        ),
        (
            "no signature",
            delivery(BODY, None),
            secrets(TOKEN),
            Some(401),
        ),
        (
            "no token",
            delivery(BODY, Some(SIGNATURE)),
            vec![],
            Some(503),
        ),
        (
            "a blank token",
            delivery(BODY, Some(SIGNATURE)),
            secrets(" "),
            Some(503),
        ),
        (
            "too long",
            delivery(&long, Some(SIGNATURE)),
            secrets(TOKEN),
            None,
        ),
        (
            "another event",
            delivery(r#"{"event":"message"}"#, None),
            secrets(TOKEN),
            None,
        ),
        ("no JSON", delivery("webhook", None), secrets(TOKEN), None),
        (
            "a GET",
            Delivery {
                method: "GET".into(),
                ..delivery(BODY, Some(SIGNATURE))
            },
            secrets(TOKEN),
            None,
        ),
    ] {
        let reply = Viber::handshake(&delivery, &["a token".into()], &secrets, 0);
        assert_eq!(reply.as_ref().map(|reply| reply.status), want, "{name}");
        if want == Some(200) {
            assert!(reply.is_some_and(|reply| reply.body.is_empty()), "{name}");
        }
    }
}

proptest! {
    #[test]
    fn any_signed_body_is_accepted_and_no_other(body in proptest::collection::vec(any::<u8>(), 1..200), secret in "[!-~]{1,60}", at: usize, bit in 0u8..8) {
        let platform = find("viber").unwrap();
        let unsigned = chatly_simulator::Delivery { method: "POST".into(), path: "/webhooks/viber/a".into(), headers: vec![], body };
        let signed = platform.sign(unsigned, "", &secret, 0).received_at("https://a.example");
        let secrets = [secret];
        prop_assert_eq!(Viber::verify(&signed, &secrets, 0), Ok(()));
        let mut flipped = signed;
        let at = at % flipped.body.len();
        flipped.body[at] ^= 1 << bit;
        prop_assert_eq!(Viber::verify(&flipped, &secrets, 0), Err(Refusal::Mismatch));
    }

    #[test]
    fn nothing_makes_verify_panic(body: Vec<u8>, value: Vec<u8>, secret: String) {
        let header = Header { name: "x-viber-content-signature".into(), value };
        let delivery = Delivery { method: "POST".into(), headers: vec![header], body, ..Delivery::default() };
        let secrets = [secret];
        let _ = Viber::handshake(&delivery, &[], &secrets, 0);
        prop_assert!(Viber::verify(&delivery, &secrets, 0).is_err());
    }
}
