//! Signatures and PINGs. The signature scheme itself has RFC 8032's vectors in `chatly-signature`.

use chatly_canonical::Body;
use chatly_cases::Genuine;
use chatly_channel::{Channel, Delivery, Header, Refusal};
use chatly_discord::Discord;
use chatly_simulator::{Platform as _, Wish, discord, find};
use proptest::prelude::*;

const NOW: u64 = 1_749_416_383;

fn key(secret: &str) -> String {
    discord::Discord.checked_with(secret)
}

fn signed(body: &[u8], secret: &str) -> Delivery {
    let delivery = chatly_simulator::Delivery {
        method: "POST".into(),
        path: "/webhooks/discord".into(),
        headers: vec![],
        body: body.to_vec(),
    };
    discord::Discord
        .sign(delivery, "", secret, NOW)
        .received_at("https://chat.example.org")
}

#[test]
fn only_what_the_platform_signed_is_accepted() {
    let wish = Wish {
        kind: "lobby_message_delete".into(),
        ..Wish::default()
    };
    let unsigned = discord::Discord.unsigned(&[wish]).unwrap();
    let delivery = discord::Discord.sign(unsigned, "https://chat.example.org", "secret", NOW);
    Genuine {
        delivery: delivery.received_at("https://chat.example.org"),
        secrets: vec![key("secret")],
        now: NOW,
        headers: &["x-signature-ed25519", "x-signature-timestamp"],
        proofs: &["x-signature-ed25519", "x-signature-timestamp"],
        covers_body: true,
        tolerance_secs: None,
    }
    .check::<Discord>()
    .unwrap();
}

#[test]
fn a_ping_is_answered_only_when_it_is_genuine() {
    let ping =
        br#"{"application_id":"1","id":"2","token":"t","type":1,"user":{"id":"3"},"version":1}"#;
    let webhook_ping = br#"{"version":1,"application_id":"1","type":0}"#;
    let secrets = [key("secret")];
    for (name, delivery, secrets, want) in [
        (
            "interaction",
            signed(ping, "secret"),
            &secrets[..],
            Some((200, &br#"{"type":1}"#[..])),
        ),
        (
            "webhook event",
            signed(webhook_ping, "secret"),
            &secrets,
            Some((204, b"")),
        ),
        (
            "upper case key",
            signed(ping, "secret"),
            &[secrets[0].to_uppercase()],
            Some((200, br#"{"type":1}"#)),
        ),
        (
            "an event",
            signed(br#"{"type":1,"event":{"type":"A"}}"#, "secret"),
            &secrets,
            None,
        ),
        (
            "a command",
            signed(br#"{"type":2}"#, "secret"),
            &secrets,
            None,
        ),
        (
            "a GET",
            Delivery {
                method: "GET".into(),
                ..signed(ping, "secret")
            },
            &secrets,
            None,
        ),
    ] {
        let reply = Discord::handshake(&delivery, &[], secrets, NOW);
        let got = reply
            .as_ref()
            .map(|reply| (reply.status, reply.body.as_slice()));
        assert_eq!(got, want, "{name}");
    }
    for (name, delivery, secrets, want) in [
        ("bad on purpose", signed(ping, "other"), &secrets[..], 401),
        (
            "bad on purpose, of events",
            signed(webhook_ping, "other"),
            &secrets,
            401,
        ),
        (
            "unsigned",
            Delivery {
                headers: vec![],
                ..signed(ping, "secret")
            },
            &secrets,
            401,
        ),
        ("no key", signed(ping, "secret"), &[], 503),
        (
            "a key that is none",
            signed(ping, "secret"),
            &["abc".to_owned()],
            503,
        ),
    ] {
        let reply = Discord::handshake(&delivery, &[], secrets, NOW);
        assert_eq!(reply.unwrap().status, want, "{name}");
    }
    let forged = Discord::verify(&signed(br#"{"type":2}"#, "other"), &secrets, NOW);
    assert_eq!(forged, Err(Refusal::Mismatch));
}

#[test]
fn a_long_ping_is_verified_like_every_other_delivery() {
    let secrets = [key("secret")];
    for (bytes, want) in [(16_384, Some(200)), (16_385, None)] {
        let padding = "x".repeat(bytes - r#"{"type":1,"a":""}"#.len());
        let delivery = signed(
            format!(r#"{{"type":1,"a":"{padding}"}}"#).as_bytes(),
            "secret",
        );
        let reply = Discord::handshake(&delivery, &[], &secrets, NOW);
        assert_eq!(reply.map(|reply| reply.status), want, "{bytes}");
        assert_eq!(Discord::verify(&delivery, &secrets, NOW), Ok(()));
        assert_eq!(Discord::acknowledge(&delivery).body, br#"{"type":1}"#);
    }
}

#[test]
fn each_kind_is_deferred_in_its_own_way() {
    for kind in discord::Discord.kinds() {
        let wish = Wish {
            kind: kind.into(),
            seed: 7,
            ..Wish::default()
        };
        let id = discord::Discord.message_id(&wish).unwrap();
        let delivery = discord::Discord
            .unsigned(&[wish])
            .unwrap()
            .received_at("https://a.example");
        let reply = Discord::acknowledge(&delivery);
        let want = match kind {
            "button" | "select" => (200, r#"{"type":6}"#),
            "autocomplete" => (200, r#"{"type":8,"data":{"choices":[]}}"#),
            "modal" | "attachment" | "subcommand" => (200, r#"{"type":5}"#),
            kind if kind.ends_with("command") => (200, r#"{"type":5}"#),
            _ => (204, ""),
        };
        assert_eq!(
            (reply.status, String::from_utf8_lossy(&reply.body).as_ref()),
            want,
            "{kind}"
        );
        let has_type = reply
            .headers
            .contains(&Header::new("content-type", "application/json"));
        assert_eq!(has_type, reply.status == 200, "{kind}");

        let events = Discord::parse(&delivery, None);
        assert_eq!(events.len(), 1, "{kind}");
        assert!(
            !events[0].key.contains("aW50ZXJhY3Rpb24"),
            "a token in the key of {kind}"
        );
        match &events[0].body {
            Body::Message(message) | Body::MessageEdited(message) => {
                assert_eq!(message.id, id, "{kind}")
            }
            Body::MessageDeleted(deleted) => assert_eq!(*deleted, id, "{kind}"),
            _ => {}
        }
    }
    assert!(find("discord").is_some());
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_a_changed_body_does_not(secret in "[!-~]{1,60}", body: Vec<u8>) {
        let delivery = signed(&body, &secret);
        let keys = [key(&secret)];
        prop_assert_eq!(Discord::verify(&delivery, &keys, NOW), Ok(()));
        let longer = Delivery { body: [body.as_slice(), b" "].concat(), ..delivery };
        prop_assert_eq!(Discord::verify(&longer, &keys, NOW), Err(Refusal::Mismatch));
    }
}
