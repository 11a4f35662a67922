//! The signatures, by the rules that hold for every scheme and by published vectors.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chatly_cases::Genuine;
use chatly_channel::{Channel, Delivery, Header, Refusal};
use chatly_simulator::{Wish, find};
use chatly_standard::Standard;
use proptest::prelude::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const STANDARD: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
const SVIX: [&str; 3] = ["svix-id", "svix-timestamp", "svix-signature"];
const NOW: u64 = 1_749_416_383;

fn private(seed: u8) -> String {
    format!("whsk_{}", BASE64_STANDARD.encode([seed; 32]))
}

fn delivery(headers: &[(&str, &str)], body: &[u8]) -> Delivery {
    Delivery {
        method: "POST".into(),
        url: "https://chat.example.org/webhooks/standard".into(),
        headers: headers
            .iter()
            .map(|(name, value)| Header::new(name, value))
            .collect(),
        body: body.to_vec(),
    }
}

#[test]
fn only_what_the_sender_signed_is_accepted() {
    let platform = find("standard").unwrap();
    for secret in [SECRET.to_owned(), "any text, really".to_owned(), private(7)] {
        let wish = Wish {
            kind: "event".into(),
            text: Some("Grüße / 😀".into()),
            ..Wish::default()
        };
        let unsigned = platform.unsigned(&[wish]).unwrap();
        let signed = platform.sign(unsigned, "https://chat.example.org", &secret, NOW);
        for names in [&STANDARD, &SVIX] {
            let mut delivery = signed.received_at("https://chat.example.org");
            for header in &mut delivery.headers {
                let at = STANDARD.iter().position(|name| *name == header.name);
                if let Some(at) = at {
                    header.name = names[at].to_owned();
                }
            }
            Genuine {
                delivery,
                secrets: vec![platform.checked_with(&secret)],
                now: NOW,
                headers: names,
                proofs: names,
                covers_body: true,
                tolerance_secs: Some(300),
            }
            .check::<Standard>()
            .unwrap_or_else(|error| panic!("{names:?} with {secret}: {error:#}"));
        }
    }
}

#[test]
fn agrees_with_published_vectors() {
    // The reference libraries' own test.
    let reference = delivery(
        &[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            (
                "webhook-signature",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ],
        br#"{"test": 2432232314}"#,
    );
    assert_eq!(
        Standard::verify(&reference, &[SECRET.into()], 1_614_265_330),
        Ok(())
    );
    // Made with Svix's own library by the package `effected/webhooks`, file `vectors.json`.
    let svix = delivery(
        &[
            ("svix-id", "msg_2abcDEF345ghiJKL678mnoPQR"),
            ("svix-timestamp", "1792411200"),
            (
                "svix-signature",
                "v1,Qoa9C5KBJvo4MLUm+L2yYKWE1BhnFjqQoIT//FSN2qg= v1a,abcd v1,Tz/poI407oaz/Q8PArkY0fi+Tafe4SBLzm9ytroNr9U=",
            ),
        ],
        br#"{"type":"user.created","object":"event","data":{"id":"user_1"}}"#,
    );
    let secret = "whsec_ZWZmZWN0ZWQtc3ZpeC10ZXN0LWtleS0wMTIzNDU2Nzg5".to_owned();
    assert_eq!(Standard::verify(&svix, &[secret], 1_792_411_200), Ok(()));
}

#[test]
fn one_signature_of_several_is_enough() {
    let platform = find("standard").unwrap();
    let wish = Wish {
        kind: "event".into(),
        ..Wish::default()
    };
    let unsigned = platform.unsigned(&[wish]).unwrap();
    let signature = |secret: &str| {
        let signed = platform.sign(unsigned.clone(), "", secret, NOW);
        let found = signed
            .headers
            .into_iter()
            .find(|(name, _)| name == "webhook-signature");
        found.unwrap().1
    };
    let (ours, other, asymmetric) = (
        signature(SECRET),
        signature("other"),
        signature(&private(1)),
    );
    let public = platform.checked_with(&private(1));
    let unknown = ours.replace("v1,", "v2,");
    let flood = format!("{}{ours}", "v1,AAAA ".repeat(16));
    for (name, header, secret, want) in [
        ("the second", format!("{other} {ours}"), SECRET, Ok(())),
        (
            "behind an unknown version",
            format!("{unknown} {ours}"),
            SECRET,
            Ok(()),
        ),
        (
            "beside the other scheme",
            format!("{asymmetric} {ours}"),
            SECRET,
            Ok(()),
        ),
        (
            "the other scheme",
            format!("{ours} {asymmetric}"),
            &public,
            Ok(()),
        ),
        (
            "an unknown version alone",
            unknown,
            SECRET,
            Err(Refusal::Mismatch),
        ),
        (
            "without a version",
            ours.replace("v1,", ""),
            SECRET,
            Err(Refusal::Mismatch),
        ),
        (
            "a public key is no shared secret",
            ours.clone(),
            &public,
            Err(Refusal::Mismatch),
        ),
        ("behind too many", flood, SECRET, Err(Refusal::Mismatch)),
        (
            "a key that cannot be read",
            ours.clone(),
            "whsec_!",
            Err(Refusal::NoSecret),
        ),
        (
            "a public key that is none",
            asymmetric.clone(),
            "whpk_AAAA",
            Err(Refusal::NoSecret),
        ),
    ] {
        let mut delivery = unsigned.received_at("https://chat.example.org");
        delivery
            .headers
            .push(Header::new("webhook-timestamp", &NOW.to_string()));
        delivery
            .headers
            .push(Header::new("webhook-signature", &header));
        assert_eq!(
            Standard::verify(&delivery, &[secret.to_owned()], NOW),
            want,
            "{name}"
        );
    }
}

#[test]
fn our_own_outgoing_webhooks_are_accepted() {
    let secrets = chatly_webhook::Secrets::parse("new,whsec_b2xk").unwrap();
    let body = br#"{"specversion":"1.0","type":"chatly.event","data":{}}"#;
    let signature = secrets.sign("job-1", NOW, body);
    let delivery = delivery(
        &[
            ("webhook-id", "job-1"),
            ("webhook-timestamp", &NOW.to_string()),
            ("webhook-signature", &signature),
        ],
        body,
    );
    for secret in ["new", "whsec_b2xk"] {
        assert_eq!(
            Standard::verify(&delivery, &[secret.to_owned()], NOW),
            Ok(())
        );
    }
}

proptest! {
    #[test]
    fn what_is_signed_verifies(secret in "[!-~]{1,60}", body: Vec<u8>, now in 0..u64::MAX / 2) {
        prop_assume!(!secret.starts_with("wh"));
        let platform = find("standard").unwrap();
        let unsigned = platform.unsigned(&[Wish { kind: "event".into(), ..Wish::default() }]).unwrap();
        let unsigned = chatly_simulator::Delivery { body, ..unsigned };
        let signed = platform.sign(unsigned, "", &secret, now).received_at("https://a.example");
        prop_assert_eq!(Standard::verify(&signed, &[secret], now), Ok(()));
    }
}
