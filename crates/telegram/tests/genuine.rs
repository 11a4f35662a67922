//! The shared token, by the rules that hold for every scheme.

use chatly_cases::Genuine;
use chatly_channel::{Channel as _, Refusal};
use chatly_simulator::{Platform as _, UnknownKind, Wish};
use chatly_telegram::Telegram;
use proptest::prelude::*;

const BASE: &str = "https://chat.example.org";

fn genuine(secret: &str) -> Result<Genuine, UnknownKind> {
    let platform = &chatly_simulator::telegram::Telegram;
    let wish = Wish {
        kind: "text".into(),
        text: Some("Grüße / 😀".into()),
        ..Wish::default()
    };
    let delivery = platform.unsigned(&[wish])?;
    let delivery = platform.sign(delivery, BASE, secret, 0);
    Ok(Genuine {
        delivery: delivery.received_at(BASE),
        secrets: vec![secret.to_owned()],
        now: 1_749_416_383,
        headers: &["x-telegram-bot-api-secret-token"],
        proofs: &["x-telegram-bot-api-secret-token"],
        // The token is not made from the body: TLS alone protects that.
        covers_body: false,
        tolerance_secs: None,
    })
}

#[test]
fn only_the_token_that_was_set_is_accepted() {
    genuine("Aa-0_Zz9").unwrap().check::<Telegram>().unwrap();
    genuine(&"x".repeat(256))
        .unwrap()
        .check::<Telegram>()
        .unwrap();
}

#[test]
fn the_header_is_named_when_it_is_not_there() {
    let mut delivery = genuine("token").unwrap().delivery;
    delivery.headers.clear();
    let header = "x-telegram-bot-api-secret-token".to_owned();
    assert_eq!(
        Telegram::verify(&delivery, &["token".into()], 0),
        Err(Refusal::MissingHeader(header))
    );
}

proptest! {
    /// The alphabet and the length are those of `setWebhook`.
    #[test]
    fn every_token_that_can_be_set_is_accepted_and_no_other(secret in "[A-Za-z0-9_-]{1,256}", other in "[A-Za-z0-9_-]{0,256}") {
        let delivery = genuine(&secret).unwrap().delivery;
        prop_assert_eq!(Telegram::verify(&delivery, std::slice::from_ref(&secret), 0), Ok(()));
        if other != secret {
            prop_assert!(Telegram::verify(&delivery, &[other], 0).is_err());
        }
    }
}
