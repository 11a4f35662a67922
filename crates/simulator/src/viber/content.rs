//! What the callbacks of each kind hold: samples after Viber's own examples.

use serde_json::{Map, Value, json};

use super::{AT_SECS, USER};
use crate::UnknownKind;
use crate::platform::Wish;
use crate::sample::Sample;

/// Every kind there is.
pub(super) const KINDS: &[&str] = &[
    "text",
    "button_reply",
    "picture",
    "video",
    "file",
    "sticker",
    "contact",
    "url",
    "location",
    "unknown_type",
    "subscribed",
    "unsubscribed",
    "conversation_started",
    "delivered",
    "seen",
    "failed",
    "webhook",
    "unknown_event",
];

fn is_receipt(kind: &str) -> bool {
    matches!(kind, "delivered" | "seen" | "failed")
}

/// The token of the message that a wish sends or is about.
pub(super) fn message_id(wish: &Wish) -> Result<String, UnknownKind> {
    known(wish)?;
    let own = token(wish.seed, u64::from(is_receipt(&wish.kind)));
    Ok(match &wish.about {
        Some(about) if is_receipt(&wish.kind) => about.clone(),
        _ => own,
    })
}

fn known(wish: &Wish) -> Result<&'static str, UnknownKind> {
    let found = KINDS.iter().find(|kind| **kind == wish.kind);
    found.copied().ok_or_else(|| UnknownKind {
        given: wish.kind.clone(),
        known: KINDS.to_vec(),
    })
}

/// 19 digits that fit in 63 bits.
fn token(seed: u64, salt: u64) -> String {
    format!("4{}", Sample::new(seed ^ (salt << 48)).digits(18))
}

/// The callback of a wish.
pub(super) fn callback(wish: &Wish) -> Result<Value, UnknownKind> {
    let kind = known(wish)?;
    let token = message_id(wish)?;
    let event = match kind {
        "unknown_event" => "client_status",
        kind if is_receipt(kind) || is_notice(kind) => kind,
        _ => "message",
    };
    let mut callback = Map::new();
    let mut put = |name: &str, value: Value| {
        callback.insert(name.to_owned(), value);
    };
    put("event", event.into());
    let at = wish.at_secs.unwrap_or(AT_SECS).saturating_mul(1000);
    put("timestamp", at.into());
    put("chat_hostname", "SN-CHAT-05_".into());
    // Digits that fit in 64 bits are a number on the wire, as Viber's are.
    put(
        "message_token",
        token.parse::<u64>().map_or(token.into(), Value::from),
    );
    let user = wish.from.clone().unwrap_or_else(|| USER.to_owned());
    match event {
        "message" => {
            put("sender", person(wish, user));
            put("message", message(kind, wish));
            put("silent", (kind == "button_reply").into());
        }
        "subscribed" => put("user", person(wish, user)),
        "conversation_started" => {
            put("type", "open".into());
            put("context", wish.text.clone().unwrap_or_default().into());
            put("user", person(wish, user));
            put("subscribed", false.into());
        }
        "webhook" => {}
        _ => put("user_id", user.into()),
    }
    if kind == "failed" {
        put("desc", "failure description".into());
    }
    Ok(Value::Object(callback))
}

fn is_notice(kind: &str) -> bool {
    matches!(
        kind,
        "subscribed" | "unsubscribed" | "conversation_started" | "webhook"
    )
}

fn person(wish: &Wish, id: String) -> Value {
    let name = wish.name.as_deref().unwrap_or("Sheena Nelson");
    json!({ "id": id, "name": name, "avatar": "https://media.example/avatar.jpg", "language": "en",
        "country": "US", "api_version": 10 })
}

fn message(kind: &str, wish: &Wish) -> Value {
    let text = |default: &str| wish.text.clone().unwrap_or_else(|| default.to_owned());
    let file = |name: &str| {
        let id = chatly_signature::hex(&Sample::new(wish.seed).bytes::<8>());
        format!("https://dl-media.example/{id}/{name}")
    };
    match kind {
        "button_reply" => json!({ "text": text("cancel-button"), "type": "text" }),
        "picture" => json!({ "text": wish.text.clone().unwrap_or_default(), "type": "picture",
            "media": file("a.jpg"), "thumbnail": file("b.jpg"), "file_name": "a.jpg", "size": 39_211 }),
        "video" => json!({ "type": "video", "media": file("a.mp4"), "thumbnail": file("a.jpg"),
            "file_name": "a.mp4", "size": 10_000, "duration": 10 }),
        "file" => {
            json!({ "type": "file", "media": file("offer.pdf"), "file_name": "offer.pdf", "size": 10_000 })
        }
        "sticker" => json!({ "type": "sticker", "sticker_id": 46_105, "media": file("46105.png") }),
        "contact" => json!({ "type": "contact", "contact": { "name": "Barbara J. Johnson",
            "phone_number": "+16505559999", "avatar": "https://media.example/b.jpg" } }),
        "url" => json!({ "type": "url", "media": text("https://www.example.com/shop") }),
        "location" => json!({ "type": "location",
            "location": { "lat": 38.9071923, "lon": -77.0368707, "address": "Main Street 1/2" } }),
        "unknown_type" => json!({ "type": "hologram", "depth": 12_345_678_901_234_567_890_u64 }),
        _ => json!({ "text": text("Does it come in another color?"), "type": "text" }),
    }
}
