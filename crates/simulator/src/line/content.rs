//! What the events of each kind hold: samples after LINE's reference.

use serde_json::{Value, json};

use super::{ACCOUNT, GROUP, PERSON};
use crate::platform::Wish;
use crate::sample::Sample;

/// When things happen, in Unix seconds, when no time is named.
const AT_SECS: u64 = 1_749_416_383;

/// Every kind there is.
pub(super) const KINDS: &[&str] = &[
    "text",
    "reply",
    "group_text",
    "room_text",
    "standby",
    "image",
    "image_external",
    "video",
    "audio",
    "file",
    "location",
    "sticker",
    "unknown_message",
    "unsend",
    "messageEdited",
    "follow",
    "unfollow",
    "join",
    "leave",
    "memberJoined",
    "memberLeft",
    "postback",
    "videoPlayComplete",
    "beacon",
    "accountLink",
    "membership",
    "module",
    "activated",
    "deactivated",
    "botSuspended",
    "botResumed",
    "delivery",
    "unknown_event",
];

/// Kinds that happen in a group.
const IN_GROUP: &[&str] = &[
    "group_text",
    "unsend",
    "messageEdited",
    "join",
    "leave",
    "memberJoined",
    "memberLeft",
];

/// Kinds without a person.
const IMPERSONAL: &[&str] = &[
    "module",
    "activated",
    "deactivated",
    "botSuspended",
    "botResumed",
    "unknown_event",
];

/// Kinds that nobody can answer.
const MUTE: &[&str] = &[
    "standby",
    "unsend",
    "unfollow",
    "leave",
    "memberLeft",
    "delivery",
];

/// One event; none for a kind that does not exist.
pub(super) fn event(wish: &Wish) -> Option<Value> {
    let kind = KINDS.iter().find(|kind| **kind == wish.kind)?;
    let mut sample = Sample::new(wish.seed);
    let hex = |bytes: [u8; 13]| chatly_signature::hex(&bytes).to_ascii_uppercase();
    let mut event = json!({
        "webhookEventId": format!("01{}", hex(sample.bytes()).get(..24).unwrap_or_default()),
        "deliveryContext": { "isRedelivery": false },
        "timestamp": wish.at_secs.unwrap_or(AT_SECS) * 1000 + 462,
        "mode": if *kind == "standby" { "standby" } else { "active" },
    });
    if !IMPERSONAL.contains(kind) {
        set(&mut event, "source", source(wish, kind));
        if !MUTE.contains(kind) {
            let token: [u8; 16] = sample.bytes();
            set(
                &mut event,
                "replyToken",
                chatly_signature::hex(&token).into(),
            );
        }
    }
    let parts = parts(wish, kind, &mut sample);
    for (name, part) in parts.as_object().into_iter().flatten() {
        set(&mut event, name, part.clone());
    }
    Some(event)
}

/// Sets a member of an object.
fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn source(wish: &Wish, kind: &str) -> Value {
    let person = wish.from.as_deref().unwrap_or(PERSON);
    if ["join", "leave", "memberJoined", "memberLeft"].contains(&kind) {
        return json!({ "type": "group", "groupId": GROUP });
    }
    if kind == "room_text" {
        let room = GROUP.replacen('C', "R", 1);
        return json!({ "type": "room", "roomId": room, "userId": person });
    }
    if IN_GROUP.contains(&kind) {
        return json!({ "type": "group", "groupId": GROUP, "userId": person });
    }
    json!({ "type": "user", "userId": person })
}

/// What an event of a kind has besides what all have.
fn parts(wish: &Wish, kind: &str, sample: &mut Sample) -> Value {
    let id = sample.digits(18);
    let about = wish.about.clone().unwrap_or_else(|| sample.digits(18));
    let person = wish.from.as_deref().unwrap_or(PERSON);
    let members = json!({ "members": [{ "type": "user", "userId": person }] });
    match kind {
        "unsend" => json!({ "type": kind, "unsend": { "messageId": about } }),
        "messageEdited" => {
            let text = wish
                .text
                .as_deref()
                .unwrap_or("Does it come in another colour?");
            json!({ "type": kind, "message": { "type": "text", "id": about, "text": text,
                "quoteToken": "q3Plxr4AgKd" } })
        }
        "follow" => json!({ "type": kind, "follow": { "isUnblocked": false } }),
        "memberJoined" => json!({ "type": kind, "joined": members }),
        "memberLeft" => json!({ "type": kind, "left": members }),
        "postback" => {
            let data = wish.text.as_deref().unwrap_or("color=blue");
            json!({ "type": kind, "postback": { "data": data } })
        }
        "videoPlayComplete" => {
            json!({ "type": kind, "videoPlayComplete": { "trackingId": about } })
        }
        "beacon" => {
            json!({ "type": kind, "beacon": { "hwid": "d41d8cd98f", "type": "enter", "dm": "616263" } })
        }
        "accountLink" => {
            json!({ "type": kind, "link": { "result": "ok", "nonce": "xxxxxxxxxxxxxxx" } })
        }
        "membership" => {
            json!({ "type": kind, "membership": { "type": "joined", "membershipId": 3189 } })
        }
        "module" => {
            let module =
                json!({ "type": "attached", "botId": ACCOUNT, "scopes": ["message:send"] });
            json!({ "type": kind, "module": module })
        }
        "activated" => {
            json!({ "type": kind, "chatControl": { "expireAt": (AT_SECS + 3600) * 1000 } })
        }
        "delivery" => json!({ "type": kind, "delivery": { "data": about } }),
        "unknown_event" => json!({ "type": "hologram", "hologram": {} }),
        "unfollow" | "join" | "leave" | "deactivated" | "botSuspended" | "botResumed" => {
            json!({ "type": kind })
        }
        _ => json!({ "type": "message", "message": message(wish, kind, &id, &about) }),
    }
}

fn message(wish: &Wish, kind: &str, id: &str, about: &str) -> Value {
    let by_line = json!({ "type": "line" });
    let token = "q3Plxr4AgKd";
    match kind {
        "image" => {
            json!({ "type": kind, "id": id, "quoteToken": token, "contentProvider": by_line })
        }
        "image_external" => {
            json!({ "type": "image", "id": id, "quoteToken": token, "contentProvider": {
            "type": "external", "originalContentUrl": "https://example.com/original.jpg",
            "previewImageUrl": "https://example.com/preview.jpg" } })
        }
        "video" => json!({ "type": kind, "id": id, "quoteToken": token, "duration": 60_000,
            "contentProvider": by_line }),
        "audio" => {
            json!({ "type": kind, "id": id, "duration": 60_000, "contentProvider": by_line })
        }
        "file" => json!({ "type": kind, "id": id, "fileName": "order.pdf", "fileSize": 2138 }),
        "location" => json!({ "type": kind, "id": id, "title": "Shop", "address": "Main Street 1",
            "latitude": 35.67966, "longitude": 139.73669 }),
        "sticker" => json!({ "type": kind, "id": id, "quoteToken": token, "packageId": "446",
            "stickerId": "1988", "stickerResourceType": "STATIC", "keywords": ["Hello"] }),
        "unknown_message" => json!({ "type": "hologram", "id": id, "hologram": {} }),
        _ => {
            let text = wish
                .text
                .as_deref()
                .unwrap_or("Does it come in another color?");
            let mut message =
                json!({ "type": "text", "id": id, "quoteToken": token, "text": text });
            if kind == "reply" || wish.about.is_some() {
                set(&mut message, "quotedMessageId", about.into());
            }
            message
        }
    }
}
