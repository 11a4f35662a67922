//! LINE: the events of a channel's webhook, and the Messaging API.

mod answer;
mod content;

use chatly_signature::{Encoding, sign};
use serde_json::{Value, json};

use crate::platform::{Answer, Mood, Platform, Sent, Wish};
use crate::{Delivery, UnknownKind};

/// The bot that events belong to when none is named.
pub const ACCOUNT: &str = "U8e742f61d673b39c7fff3cecb7536ef0";
/// The person who acts when none is named.
pub const PERSON: &str = "U4af4980629d0a1f5e2b6c7d8e9f00112";
/// The group that things happen in.
pub const GROUP: &str = "C4af4980629d0a1f5e2b6c7d8e9f00112";

/// The platform.
#[derive(Debug, Clone, Copy)]
pub struct Line;

impl Platform for Line {
    fn name(&self) -> &'static str {
        "line"
    }

    fn kinds(&self) -> Vec<&'static str> {
        content::KINDS.to_vec()
    }

    fn batches(&self) -> bool {
        true
    }

    fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
        let account = wishes.iter().find_map(|wish| wish.account.as_deref());
        let events: Result<Vec<Value>, _> = wishes.iter().map(event).collect();
        let body = json!({ "destination": account.unwrap_or(ACCOUNT), "events": events? });
        Ok(Delivery {
            method: "POST".to_owned(),
            path: "/webhooks/line".to_owned(),
            headers: vec![
                (
                    "content-type".to_owned(),
                    "application/json; charset=utf-8".to_owned(),
                ),
                ("user-agent".to_owned(), "LineBotWebhook/2.0".to_owned()),
            ],
            // LINE sends what is not ASCII as it is.
            body: body.to_string().into_bytes(),
        })
    }

    fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind> {
        let event = event(wish)?;
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        Ok(match (text("/message/id"), text("/webhookEventId")) {
            (Some(id), _) => id.to_owned(),
            (None, event) => format!("postback:{}", event.unwrap_or_default()),
        })
    }

    fn sign(&self, delivery: Delivery, _base_url: &str, secret: &str, _now: u64) -> Delivery {
        let mut delivery = delivery;
        if let Some(signature) = sign(secret, &delivery.body, Encoding::Base64) {
            let name = "x-line-signature".to_owned();
            delivery.headers.push((name, signature));
        }
        delivery
    }

    fn answer(&self, sent: &Sent, mood: Mood, seed: u64) -> Answer {
        answer::answer(sent, mood, seed)
    }
}

fn event(wish: &Wish) -> Result<Value, UnknownKind> {
    content::event(wish).ok_or_else(|| UnknownKind {
        given: wish.kind.clone(),
        known: content::KINDS.to_vec(),
    })
}
