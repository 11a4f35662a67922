//! Telegram: the updates of a bot's webhook, and the Bot API.

mod answer;
mod content;

use serde_json::{Value, json};

use crate::platform::{Answer, Mood, Platform, Sent, Wish};
use crate::sample::Sample;
use crate::{Delivery, UnknownKind};

/// The account in the route when none is named: a bot's id.
pub const ACCOUNT: &str = "110201543";
/// The person who acts when none is named.
pub const PERSON: &str = "1111111";
/// The group that things happen in.
pub const GROUP: i64 = -1_001_234_567_890;
/// The business connection of business updates.
pub const CONNECTION: &str = "bc_Q2hhdGx5";

const AT_SECS: u64 = 1_749_416_383;

/// The platform.
#[derive(Debug, Clone, Copy)]
pub struct Telegram;

impl Platform for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn kinds(&self) -> Vec<&'static str> {
        content::KINDS.to_vec()
    }

    fn batches(&self) -> bool {
        false
    }

    fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
        let wish = wishes.first().cloned().unwrap_or_default();
        let account = wish.account.as_deref().unwrap_or(ACCOUNT);
        let body = update(&wish)?.to_string().into_bytes();
        Ok(Delivery {
            method: "POST".to_owned(),
            path: format!("/webhooks/telegram/{account}"),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body,
        })
    }

    fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind> {
        let update = update(wish)?;
        let items = update.as_object().into_iter().flatten();
        let item = items.map(|(_, item)| item).find(|item| item.is_object());
        let text = |value: Option<&Value>| {
            value.map_or_else(String::new, |value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        let item = item.unwrap_or(&Value::Null);
        if wish.kind == "callback_query" {
            return Ok(format!("callback:{}", text(item.get("id"))));
        }
        let chat = text(item.pointer("/chat/id"));
        let id = text(item.get("message_id"));
        Ok(match item.get("business_connection_id") {
            Some(connection) => format!("{}:{chat}:{id}", text(Some(connection))),
            None => format!("{chat}:{id}"),
        })
    }

    fn sign(&self, delivery: Delivery, _base_url: &str, secret: &str, _now: u64) -> Delivery {
        let mut delivery = delivery;
        if !secret.trim().is_empty() {
            let name = "x-telegram-bot-api-secret-token".to_owned();
            delivery.headers.push((name, secret.trim().to_owned()));
        }
        delivery
    }

    fn answer(&self, sent: &Sent, mood: Mood, seed: u64) -> Answer {
        answer::answer(sent, mood, seed)
    }
}

/// One update.
fn update(wish: &Wish) -> Result<Value, UnknownKind> {
    let mut sample = Sample::new(wish.seed);
    let id: u64 = sample.digits(9).parse().unwrap_or_default();
    let (field, item) = content::item(wish, &mut sample).ok_or_else(|| UnknownKind {
        given: wish.kind.clone(),
        known: content::KINDS.to_vec(),
    })?;
    let mut update = json!({ "update_id": id });
    if let Some(members) = update.as_object_mut() {
        members.insert(field.to_owned(), item);
    }
    Ok(update)
}
