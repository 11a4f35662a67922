//! The signature and the handshake, by the rules that hold for every scheme and by Slack's own example.

use chatly_cases::Genuine;
use chatly_channel::{Channel, Delivery, Header, Refusal};
use chatly_simulator::{Wish, find};
use chatly_slack::Slack;
use proptest::prelude::*;

const NOW: u64 = 1_749_416_383;

fn delivery(timestamp: &str, signature: &str, body: &[u8]) -> Delivery {
    Delivery {
        method: "POST".into(),
        url: "https://chat.example.org/webhooks/slack".into(),
        headers: vec![
            Header::new("X-Slack-Request-Timestamp", timestamp),
            Header::new("X-Slack-Signature", signature),
        ],
        body: body.to_vec(),
    }
}

fn signed(body: &[u8], secret: &str) -> Delivery {
    let delivery = chatly_simulator::Delivery {
        method: "POST".into(),
        path: "/webhooks/slack".into(),
        headers: vec![],
        body: body.to_vec(),
    };
    let platform = find("slack").map(|it| it.sign(delivery.clone(), "", secret, NOW));
    platform
        .unwrap_or(delivery)
        .received_at("https://chat.example.org")
}

#[test]
fn only_what_the_platform_signed_is_accepted() {
    let platform = find("slack").unwrap();
    for kind in ["text", "button", "slash_command"] {
        let wish = Wish {
            kind: kind.into(),
            text: Some("Grüße / 😀".into()),
            ..Wish::default()
        };
        let unsigned = platform.unsigned(&[wish]).unwrap();
        let delivery = platform.sign(unsigned, "https://chat.example.org", "secret", NOW);
        Genuine {
            delivery: delivery.received_at("https://chat.example.org"),
            secrets: vec!["secret".into()],
            now: NOW,
            headers: &["x-slack-signature", "x-slack-request-timestamp"],
            proofs: &["x-slack-signature", "x-slack-request-timestamp"],
            covers_body: true,
            tolerance_secs: Some(300),
        }
        .check::<Slack>()
        .unwrap_or_else(|error| panic!("{kind}: {error:#}"));
    }
}

#[test]
fn agrees_with_slacks_own_example() {
    // "Verifying requests from Slack", Slack's developer documentation.
    let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let delivery = delivery(
        "1531420618",
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        body,
    );
    let secrets = ["8f742231b10e8888abcd99yyyzzz85a5".to_owned()];
    assert_eq!(Slack::verify(&delivery, &secrets, 1_531_420_618), Ok(()));
    assert_eq!(
        Slack::verify(&delivery, &secrets, 1_531_420_919),
        Err(Refusal::Stale(301))
    );
}

#[test]
fn a_challenge_is_echoed_only_when_it_is_genuine() {
    let body = br#"{"token":"a","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}"#;
    let secrets = ["secret".to_owned()];
    for (name, delivery, secrets, want) in [
        ("genuine", signed(body, "secret"), &secrets[..], Some(200)),
        ("another secret", signed(body, "other"), &secrets, Some(401)),
        ("no secret", signed(body, "secret"), &[], Some(503)),
        (
            "unsigned",
            Delivery {
                headers: vec![],
                ..signed(body, "secret")
            },
            &secrets,
            Some(401),
        ),
        (
            "no challenge",
            signed(br#"{"type":"url_verification"}"#, "secret"),
            &secrets,
            Some(400),
        ),
        (
            "an event",
            signed(
                br#"{"type":"event_callback","event":{"text":"url_verification"}}"#,
                "secret",
            ),
            &secrets,
            None,
        ),
        (
            "a GET",
            Delivery {
                method: "GET".into(),
                ..signed(body, "secret")
            },
            &secrets,
            None,
        ),
    ] {
        let reply = Slack::handshake(&delivery, &[], secrets, NOW);
        assert_eq!(reply.as_ref().map(|reply| reply.status), want, "{name}");
        if want == Some(200) {
            let reply = reply.unwrap();
            assert_eq!(
                reply.body,
                b"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
            );
            assert!(
                reply
                    .headers
                    .contains(&Header::new("content-type", "text/plain"))
            );
        }
    }
    let stale = Slack::handshake(&signed(body, "secret"), &[], &secrets, NOW + 301);
    assert_eq!(stale.unwrap().status, 401);
}

#[test]
fn a_handshake_is_short() {
    let secrets = ["secret".to_owned()];
    for (bytes, want) in [(4096, Some(200)), (4097, None)] {
        let frame = r#"{"type":"url_verification","challenge":""}"#;
        let challenge = "c".repeat(bytes - frame.len());
        let body = format!(r#"{{"type":"url_verification","challenge":"{challenge}"}}"#);
        let reply = Slack::handshake(&signed(body.as_bytes(), "secret"), &[], &secrets, NOW);
        assert_eq!(reply.map(|reply| reply.status), want, "{bytes}");
    }
}

#[test]
fn only_a_menu_that_asks_for_options_gets_an_answer() {
    let platform = find("slack").unwrap();
    for kind in platform.kinds() {
        let wish = Wish {
            kind: kind.into(),
            ..Wish::default()
        };
        let delivery = platform
            .unsigned(&[wish])
            .unwrap()
            .received_at("https://a.example");
        let reply = Slack::acknowledge(&delivery);
        let want: &[u8] = if kind == "block_suggestion" {
            br#"{"options":[]}"#
        } else {
            b""
        };
        assert_eq!((reply.status, reply.body.as_slice()), (200, want), "{kind}");
    }
}

#[test]
fn a_message_has_the_id_that_the_platform_gave_it() {
    let platform = find("slack").unwrap();
    for kind in platform.kinds() {
        let wish = Wish {
            kind: kind.into(),
            seed: 7,
            ..Wish::default()
        };
        let id = platform.message_id(&wish).unwrap();
        let delivery = platform
            .unsigned(&[wish])
            .unwrap()
            .received_at("https://a.example");
        let events = Slack::parse(&delivery, None);
        assert_eq!(events.len(), 1, "{kind}");
        match &events[0].body {
            chatly_canonical::Body::Message(message)
            | chatly_canonical::Body::MessageEdited(message) => {
                assert_eq!(message.id, id, "{kind}");
            }
            chatly_canonical::Body::MessageDeleted(deleted) => assert_eq!(*deleted, id, "{kind}"),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn what_is_signed_verifies(secret in "[!-~]{1,60}", body: Vec<u8>) {
        prop_assert_eq!(Slack::verify(&signed(&body, &secret), &[secret], NOW), Ok(()));
    }
}
