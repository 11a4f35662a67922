//! What each kind looks like.

use serde_json::{Value, json};

use super::ACCOUNT;
use crate::UnknownKind;
use crate::platform::Wish;
use crate::sample::Sample;

/// When things happen when no time is named.
const AT_SECS: u64 = 1_749_416_383;
/// The first second of Discord's ids.
const EPOCH_SECS: u64 = 1_420_070_400;

pub(super) const KINDS: &[&str] = &[
    "command",
    "direct_command",
    "subcommand",
    "attachment",
    "user_command",
    "message_command",
    "button",
    "select",
    "autocomplete",
    "modal",
    "authorized",
    "deauthorized",
    "entitlement_create",
    "entitlement_update",
    "entitlement_delete",
    "quest",
    "lobby_message",
    "lobby_message_edit",
    "lobby_message_delete",
    "game_message",
    "unknown_event",
    "unknown_type",
];

fn id(wish: &Wish) -> String {
    let secs = wish.at_secs.unwrap_or(AT_SECS).saturating_sub(EPOCH_SECS);
    ((secs * 1000) << 22 | (wish.seed & 0x3f_ffff)).to_string()
}

fn token(wish: &Wish) -> String {
    let bytes = Sample::new(wish.seed).bytes::<32>();
    format!("aW50ZXJhY3Rpb24_{}", chatly_signature::hex(&bytes))
}

pub(super) fn message_id(wish: &Wish) -> Result<String, UnknownKind> {
    content(wish)?;
    Ok(match wish.kind.as_str() {
        "lobby_message" | "game_message" => id(wish),
        "lobby_message_edit" | "lobby_message_delete" => about(wish).to_owned(),
        _ => format!("{}:{}", id(wish), token(wish)),
    })
}

fn about(wish: &Wish) -> &str {
    wish.about.as_deref().unwrap_or("1381360642400000000")
}

fn user(wish: &Wish) -> Value {
    json!({ "id": wish.from.as_deref().unwrap_or("53908232506183680"), "username": "mason", "discriminator": "0",
        "global_name": wish.name.as_deref().unwrap_or("Mason"), "avatar": null })
}

fn unknown(wish: &Wish) -> UnknownKind {
    UnknownKind {
        given: wish.kind.clone(),
        known: KINDS.to_vec(),
    }
}

pub(super) fn content(wish: &Wish) -> Result<Value, UnknownKind> {
    let account = wish.account.as_deref().unwrap_or(ACCOUNT);
    if let Some(event) = event(wish) {
        return Ok(json!({ "version": 1, "application_id": account, "type": 1, "event": event }));
    }
    let text = wish.text.as_deref().unwrap_or("XL");
    let typed = |options: Value| json!({ "id": "771825006014889984", "name": "order", "type": 1, "options": options });
    let (kind, data) = match wish.kind.as_str() {
        "command" | "direct_command" => (
            2,
            typed(json!([{ "name": "size", "type": 3, "value": text }])),
        ),
        "subcommand" => (
            2,
            typed(
                json!([{ "name": "shirt", "type": 2, "options": [{ "name": "add", "type": 1, "options": [{ "name": "size", "type": 3, "value": text }] }] }]),
            ),
        ),
        "attachment" => {
            let file = json!({ "id": "906", "filename": "a.png", "size": 42, "content_type": "image/png", "url": "https://cdn.discordapp.com/ephemeral-attachments/1/906/a.png" });
            let mut data = typed(json!([{ "name": "photo", "type": 11, "value": "906" }]));
            if let Some(data) = data.as_object_mut() {
                data.insert(
                    "resolved".to_owned(),
                    json!({ "attachments": { "906": file } }),
                );
            }
            (2, data)
        }
        "user_command" => (
            2,
            json!({ "id": "771825006014889985", "name": "High Five", "type": 2, "target_id": "53908232506183681" }),
        ),
        "message_command" => (
            2,
            json!({ "id": "771825006014889986", "name": "Make a ticket", "type": 3, "target_id": about(wish) }),
        ),
        "button" => (3, json!({ "component_type": 2, "custom_id": "yes" })),
        "select" => (
            3,
            json!({ "component_type": 3, "custom_id": "menu", "values": ["express"] }),
        ),
        "autocomplete" => (
            4,
            typed(json!([{ "name": "size", "type": 3, "value": text, "focused": true }])),
        ),
        "modal" => (
            5,
            json!({ "custom_id": "ticket", "components": [{ "type": 1, "components": [{ "type": 4, "custom_id": "what", "value": text }] }] }),
        ),
        "unknown_type" => (99, json!({ "depth": 12345678901234567890u64 })),
        _ => return Err(unknown(wish)),
    };
    let mut body = json!({ "application_id": account, "id": id(wish), "type": kind, "token": token(wish), "version": 1,
        "channel_id": "645027906669510667", "data": data, "locale": "en-US" });
    if let Some(body) = body.as_object_mut() {
        if wish.kind == "direct_command" {
            body.insert("user".to_owned(), user(wish));
            body.insert("context".to_owned(), json!(1));
        } else {
            body.insert("guild_id".to_owned(), json!("290926798626357999"));
            body.insert(
                "member".to_owned(),
                json!({ "user": user(wish), "nick": null, "roles": [], "permissions": "0" }),
            );
        }
        if matches!(wish.kind.as_str(), "button" | "select") {
            let rows = json!([{ "type": 1, "components": [{ "type": 2, "custom_id": "yes", "label": text, "style": 1 }] },
                { "type": 1, "components": [{ "type": 3, "custom_id": "menu", "options": [{ "label": text, "value": "express" }] }] }]);
            body.insert(
                "message".to_owned(),
                json!({ "id": about(wish), "content": "Sure?", "components": rows }),
            );
        }
    }
    Ok(body)
}

fn event(wish: &Wish) -> Option<Value> {
    let text = wish.text.as_deref().unwrap_or("Hello");
    let entitlement = json!({ "id": "1234505980407808808", "sku_id": "1234489504804540480", "application_id": ACCOUNT, "user_id": user(wish).get("id"),
        "type": 4, "deleted": false, "consumed": false });
    let message = |id: &str| json!({ "id": id, "type": 0, "content": text, "lobby_id": "1397621239640293396", "channel_id": "1397621239640293396", "author": user(wish), "flags": 0 });
    let (word, data) = match wish.kind.as_str() {
        "authorized" => (
            "APPLICATION_AUTHORIZED",
            json!({ "integration_type": 1, "scopes": ["applications.commands"], "user": user(wish) }),
        ),
        "deauthorized" => ("APPLICATION_DEAUTHORIZED", json!({ "user": user(wish) })),
        "entitlement_create" => ("ENTITLEMENT_CREATE", entitlement),
        "entitlement_update" => ("ENTITLEMENT_UPDATE", entitlement),
        "entitlement_delete" => ("ENTITLEMENT_DELETE", entitlement),
        "quest" => ("QUEST_USER_ENROLLMENT", json!({ "quest": "1" })),
        "lobby_message" => ("LOBBY_MESSAGE_CREATE", message(&id(wish))),
        "lobby_message_edit" => ("LOBBY_MESSAGE_UPDATE", message(about(wish))),
        "lobby_message_delete" => (
            "LOBBY_MESSAGE_DELETE",
            json!({ "id": about(wish), "lobby_id": "1397621239640293396" }),
        ),
        "game_message" => (
            "GAME_DIRECT_MESSAGE_CREATE",
            json!({ "id": id(wish), "type": 0, "content": text, "channel_id": "1404960877324533784", "author": user(wish), "recipient_id": "1" }),
        ),
        "unknown_event" => (
            "HOLOGRAM_CREATE",
            json!({ "depth": 12345678901234567890u64 }),
        ),
        _ => return None,
    };
    Some(json!({ "type": word, "timestamp": "2025-06-08T20:59:43.000000", "data": data }))
}
