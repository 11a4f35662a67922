//! Viber bot callbacks: JSON objects, one thing a delivery, signed with the bot's auth token.

mod content;
mod send;

use chatly_signature::{Encoding, sign};

use crate::platform::{Answer, Mood, Platform, Sent, Wish};
use crate::{Delivery, UnknownKind};

/// The bot that things happen to when none is named; the route says which.
pub const ACCOUNT: &str = "chatly-bot";
/// The customer when none is named.
pub const USER: &str = "01234567890A=";
/// When things happen, in Unix seconds, when no time is named.
pub const AT_SECS: u64 = 1_749_416_383;

/// The platform.
#[derive(Debug, Clone, Copy)]
pub struct Viber;

impl Platform for Viber {
    fn name(&self) -> &'static str {
        "viber"
    }

    fn kinds(&self) -> Vec<&'static str> {
        content::KINDS.to_vec()
    }

    fn batches(&self) -> bool {
        false
    }

    fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
        let default = Wish::default();
        let wish = wishes.first().unwrap_or(&default);
        let body = content::callback(wish)?.to_string().into_bytes();
        let account = wish.account.as_deref().unwrap_or(ACCOUNT);
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Ok(Delivery {
            method: "POST".to_owned(),
            path: format!("/webhooks/viber/{account}"),
            headers: vec![header("content-type", "application/json")],
            body,
        })
    }

    fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind> {
        content::message_id(wish)
    }

    fn sign(&self, delivery: Delivery, _base_url: &str, secret: &str, _now: u64) -> Delivery {
        let mut delivery = delivery;
        delivery
            .headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case("x-viber-content-signature"));
        if let Some(signature) = sign(secret, &delivery.body, Encoding::Hex) {
            let header = ("x-viber-content-signature".to_owned(), signature);
            delivery.headers.push(header);
        }
        delivery
    }

    fn answer(&self, sent: &Sent, mood: Mood, seed: u64) -> Answer {
        send::answer(sent, mood, seed)
    }
}
