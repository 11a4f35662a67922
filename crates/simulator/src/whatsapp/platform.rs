//! WhatsApp as one of all platforms.

use serde_json::{Value, json};

use super::{Item, batch, kind, kinds, signed};
use crate::platform::{Answer, Mood, Platform, Sent, Wish};
use crate::sample::Sample;
use crate::{Delivery, UnknownKind};

/// The platform.
#[derive(Debug, Clone, Copy)]
pub struct WhatsApp;

fn item(wish: &Wish) -> Result<Item, UnknownKind> {
    let mut item = kind(&wish.kind)?.seed(wish.seed);
    if let Some(text) = &wish.text {
        item = item.text(text);
    }
    if wish.without_phone {
        let bsuid = wish.from.clone();
        item = item.from_bsuid(
            &bsuid.unwrap_or_else(|| format!("US.{}", 1_000_000 + wish.seed % 1_000_000)),
        );
    } else if let Some(phone) = &wish.from {
        item = item.from_phone(phone);
    }
    if let Some(name) = &wish.name {
        item = item.name(name);
    }
    if let Some(account) = &wish.account {
        item = item.account(account);
    }
    if let Some(about) = &wish.about {
        item = item.about(about);
    }
    if let Some(secs) = wish.at_secs {
        item = item.at(secs);
    }
    Ok(item)
}

impl Platform for WhatsApp {
    fn name(&self) -> &'static str {
        "whatsapp"
    }

    fn kinds(&self) -> Vec<&'static str> {
        kinds()
    }

    fn batches(&self) -> bool {
        true
    }

    fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
        let changes: Result<Vec<_>, _> = wishes.iter().map(|wish| Ok(vec![item(wish)?])).collect();
        Ok(batch(vec![changes?]).unsigned())
    }

    fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind> {
        Ok(item(wish)?.message_id())
    }

    fn sign(&self, delivery: Delivery, _base_url: &str, secret: &str, _now: u64) -> Delivery {
        let headers = signed(delivery.body.clone(), secret).headers;
        Delivery {
            headers,
            ..delivery
        }
    }

    fn answer(&self, sent: &Sent, mood: Mood, seed: u64) -> Answer {
        let failed = |status, code, message| Answer::json(status, &error(code, message));
        match mood {
            Mood::Throttled => failed(429, 130_429, "Rate limit hit"),
            Mood::Failing => failed(500, 131_000, "Something went wrong"),
            Mood::WindowClosed => failed(400, 131_047, "Re-engagement message"),
            Mood::TokenExpired => failed(401, 190, "Access token has expired"),
            Mood::MediaExpired => failed(400, 131_053, "Media upload error"),
            Mood::Well => accept(sent, seed),
        }
    }
}

fn error(code: u32, message: &str) -> Value {
    json!({ "error": { "message": message, "type": "OAuthException", "code": code,
        "error_data": { "messaging_product": "whatsapp", "details": message }, "fbtrace_id": "A" } })
}

/// What Meta's reference demands of `POST /{version}/{phone_number_id}/messages`.
fn accept(sent: &Sent, seed: u64) -> Answer {
    let refused = |status, code, message: &str| Answer::json(status, &error(code, message));
    if !sent
        .header("authorization")
        .is_some_and(|it| it.starts_with("Bearer "))
    {
        return refused(401, 190, "Authentication Error");
    }
    let of_messages = sent.method == "POST" && sent.path.ends_with("/messages");
    let Ok(body) = serde_json::from_slice::<Value>(&sent.body) else {
        return refused(400, 100, "The body is no JSON");
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    if !of_messages || text("messaging_product") != Some("whatsapp") {
        return refused(400, 100, "Unsupported post request");
    }
    if text("status") == Some("read") {
        return match text("message_id") {
            Some(_) => Answer::json(200, &json!({ "success": true })),
            None => refused(400, 131_009, "Parameter value is not valid"),
        };
    }
    let Some((to, kind)) = text("to").or(text("recipient")).zip(text("type")) else {
        return refused(400, 131_008, "Required parameter is missing");
    };
    if body.get(kind).is_none() {
        return refused(400, 131_008, "Required parameter is missing");
    }
    let hex = chatly_signature::hex(&Sample::new(seed).bytes::<8>());
    Answer::json(
        200,
        &json!({ "messaging_product": "whatsapp", "contacts": [{ "input": to, "wa_id": to }],
            "messages": [{ "id": format!("wamid.{}", hex.to_uppercase()), "message_status": "accepted" }] }),
    )
}
