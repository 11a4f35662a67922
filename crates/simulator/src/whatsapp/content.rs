//! What the items of each kind hold: samples after Meta's own examples.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Item;
use super::batch::set;
use crate::sample::Sample;

/// A kind of item, and where it stands in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// Its name for users.
    pub(super) name: &'static str,
    /// The change's `field`.
    pub(super) field: &'static str,
    /// The list in the value; none when the value is the item.
    pub(super) list: Option<&'static str>,
    /// Whether a row of `contacts[]` comes with it.
    pub(super) has_contact: bool,
}

const fn message(name: &'static str) -> Kind {
    Kind {
        name,
        field: "messages",
        list: Some("messages"),
        has_contact: true,
    }
}

const fn status(name: &'static str) -> Kind {
    Kind {
        name,
        field: "messages",
        list: Some("statuses"),
        has_contact: false,
    }
}

const fn listed(name: &'static str, field: &'static str, list: &'static str) -> Kind {
    Kind {
        name,
        field,
        list: Some(list),
        has_contact: false,
    }
}

const fn whole(name: &'static str, field: &'static str) -> Kind {
    Kind {
        name,
        field,
        list: None,
        has_contact: false,
    }
}

pub(super) const TEXT: Kind = message("text");

/// Every kind there is.
pub(super) const KINDS: &[Kind] = &[
    TEXT,
    message("reply"),
    message("referral"),
    message("image"),
    message("video"),
    message("audio"),
    message("voice"),
    message("document"),
    message("sticker"),
    message("location"),
    message("contacts"),
    message("button_reply"),
    message("list_reply"),
    message("flow_reply"),
    message("call_permission_reply"),
    message("interactive_missing"),
    message("button"),
    message("reaction"),
    message("reaction_removed"),
    message("order"),
    message("edit"),
    message("revoke"),
    message("request_welcome"),
    message("unsupported"),
    message("unknown_type"),
    listed("user_changed_number", "messages", "messages"),
    listed("user_changed_user_id", "messages", "messages"),
    listed("customer_identity_changed", "messages", "messages"),
    status("sent"),
    status("delivered"),
    status("read"),
    status("played"),
    status("failed"),
    listed("error", "messages", "errors"),
    listed("echo", "smb_message_echoes", "message_echoes"),
    listed("user_preferences", "user_preferences", "user_preferences"),
    listed("user_id_update", "user_id_update", "user_id_update"),
    listed("call", "calls", "calls"),
    listed("group_joined", "group_participants_update", "groups"),
    listed("history", "history", "history"),
    whole("template_status", "message_template_status_update"),
    whole("account_update", "account_update"),
    whole("unknown_field", "something_new"),
];

/// The JSON of an item.
pub(super) fn item(item: &Item) -> Value {
    match item.kind.list {
        Some("messages") => message_item(item),
        Some("statuses") => status_item(item),
        Some("message_echoes") => echo(item),
        _ => notice(item),
    }
}

fn at(item: &Item) -> Value {
    item.at_secs.to_string().into()
}

/// The message that an item is about.
fn target(item: &Item) -> String {
    item.target.clone().unwrap_or_else(|| item.wamid(1))
}

fn message_item(item: &Item) -> Value {
    let mut message = json!({});
    if let Some(phone) = item.phone() {
        set(&mut message, "from", phone.into());
    }
    if let Some(bsuid) = &item.bsuid {
        set(&mut message, "from_user_id", bsuid.as_str().into());
    }
    if let Some(group) = &item.group {
        set(&mut message, "group_id", group.as_str().into());
    }
    set(&mut message, "id", item.message_id().into());
    set(&mut message, "timestamp", at(item));
    let (kind, content) = content(item);
    set(&mut message, "type", kind.into());
    if !content.is_null() {
        let name = if kind == "unsupported" {
            "errors"
        } else {
            kind
        };
        set(&mut message, name, content);
    }
    match item.kind.name {
        "reply" | "button_reply" | "list_reply" | "flow_reply" | "button" => {
            set(
                &mut message,
                "context",
                json!({ "from": "15550783881", "id": target(item) }),
            );
        }
        "referral" => set(&mut message, "referral", referral()),
        _ => {}
    }
    message
}

/// The type of a message and what stands under its name.
fn content(item: &Item) -> (&'static str, Value) {
    let text = |default: &str| item.text.clone().unwrap_or_else(|| default.to_owned());
    match item.kind.name {
        "text" | "reply" | "referral" => (
            "text",
            json!({ "body": text("Does it come in another color?") }),
        ),
        name @ ("image" | "video" | "audio" | "voice" | "document" | "sticker") => {
            media(item, name)
        }
        "location" => (
            "location",
            json!({ "latitude": 38.9071923, "longitude": -77.0368707, "name": "Main Street Beach", "address": "Main Street 1/2" }),
        ),
        "contacts" => (
            "contacts",
            json!([{
                "name": { "formatted_name": "Barbara J. Johnson", "first_name": "Barbara", "last_name": "Johnson" },
                "phones": [{ "phone": "+1 650 555 9999", "wa_id": "16505559999", "type": "HOME" }],
                "emails": [{ "email": "bjohnson@example.com", "type": "WORK" }],
                "org": { "company": "Social Tsunami" },
            }]),
        ),
        "reaction" => (
            "reaction",
            json!({ "message_id": target(item), "emoji": text("👍") }),
        ),
        "reaction_removed" => (
            "reaction",
            json!({ "message_id": target(item), "emoji": "" }),
        ),
        "order" => (
            "order",
            json!({ "catalog_id": "194836987003835", "text": text("Love these!"), "product_items": [
                { "product_retailer_id": "di9ozbzfi4", "quantity": 2, "item_price": 30.50, "currency": "USD" },
            ] }),
        ),
        "edit" => (
            "edit",
            json!({ "original_message_id": target(item), "message": { "type": "text", "text": { "body": text("In red, I mean") } } }),
        ),
        "revoke" => ("revoke", json!({ "original_message_id": target(item) })),
        "request_welcome" => ("request_welcome", Value::Null),
        "unsupported" => (
            "unsupported",
            json!([{ "code": 131051, "title": "Message type unknown", "message": "Message type unknown", "error_data": { "details": "Message type is currently not supported." } }]),
        ),
        "unknown_type" => ("hologram", json!({ "depth": 12345678901234567890u64 })),
        name @ ("user_changed_number" | "user_changed_user_id" | "customer_identity_changed") => {
            ("system", system(name))
        }
        "button" => (
            "button",
            json!({ "payload": "stop_promotions", "text": text("Stop promotions") }),
        ),
        name => ("interactive", interactive(name, text)),
    }
}

fn media(item: &Item, name: &str) -> (&'static str, Value) {
    let (kind, mime_type) = match name {
        "image" => ("image", "image/jpeg"),
        "video" => ("video", "video/mp4"),
        "audio" => ("audio", "audio/mpeg"),
        "voice" => ("audio", "audio/ogg; codecs=opus"),
        "document" => ("document", "application/pdf"),
        _ => ("sticker", "image/webp"),
    };
    let mut sample = Sample::new(item.seed);
    let mut media = json!({ "mime_type": mime_type, "sha256": STANDARD.encode(sample.bytes::<32>()), "id": sample.digits(16) });
    match name {
        "document" => set(&mut media, "filename", "offer 1/2.pdf".into()),
        "voice" => set(&mut media, "voice", true.into()),
        "audio" => set(&mut media, "voice", false.into()),
        "sticker" => set(&mut media, "animated", false.into()),
        _ => {}
    }
    if let Some(caption) = item
        .text
        .as_ref()
        .filter(|_| matches!(name, "image" | "video" | "document"))
    {
        set(&mut media, "caption", caption.as_str().into());
    }
    (kind, media)
}

/// Null where the platform sends no object at all.
fn interactive(name: &str, text: impl Fn(&str) -> String) -> Value {
    match name {
        "button_reply" => {
            json!({ "type": "button_reply", "button_reply": { "id": "cancel-button", "title": text("Cancel") } })
        }
        "list_reply" => {
            json!({ "type": "list_reply", "list_reply": { "id": "priority_express", "title": text("Priority Mail Express"), "description": "Next Day to 2 Days" } })
        }
        "flow_reply" => {
            json!({ "type": "nfm_reply", "nfm_reply": { "name": "flow", "body": text("Sent"), "response_json": "{\"flow_token\":\"token-1\",\"size\":\"XL\"}" } })
        }
        "call_permission_reply" => {
            json!({ "type": "call_permission_reply", "call_permission_reply": { "response": "accept", "is_permanent": false, "expiration_timestamp": 1_750_021_183, "response_source": "user_action" } })
        }
        _ => Value::Null,
    }
}

fn system(name: &str) -> Value {
    match name {
        "user_changed_number" => {
            json!({ "body": "User Sheena changed from 16505551234 to 16505550000", "wa_id": "16505550000", "type": name })
        }
        "user_changed_user_id" => {
            json!({ "body": "User Sheena changed their user id", "user_id": "US.22222", "previous_user_id": "US.11111", "type": name })
        }
        _ => {
            json!({ "body": "The security code changed", "identity": "hash", "customer": "16505551234", "type": name })
        }
    }
}

fn referral() -> Value {
    json!({
        "source_url": "https://fb.me/3cr4Wqqkv", "source_id": "120226305854810726", "source_type": "ad",
        "headline": "Chat with us", "body": "Summer succulents are here!", "media_type": "image",
        "image_url": "https://scontent.example/a.jpg", "ctwa_clid": "Aff-n8ZTODiE79d22KtAwQKj9e",
    })
}

fn status_item(item: &Item) -> Value {
    let name = item.kind.name;
    let mut status = json!({ "id": target(item), "status": name, "timestamp": at(item) });
    if let Some(group) = &item.group {
        set(&mut status, "recipient_id", group.as_str().into());
        set(&mut status, "recipient_type", "group".into());
    }
    let (phone, bsuid) = match item.group {
        Some(_) => ("recipient_participant_id", "recipient_participant_user_id"),
        None => ("recipient_id", "recipient_user_id"),
    };
    for (name, value) in [(phone, item.phone()), (bsuid, item.bsuid.clone())] {
        if let Some(value) = value {
            set(&mut status, name, value.into());
        }
    }
    match name {
        "failed" => set(
            &mut status,
            "errors",
            json!([{
                "code": 131047, "title": "Re-engagement message", "message": "Re-engagement message",
                "error_data": { "details": "More than 24 hours have passed since the customer last replied." },
                "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
            }]),
        ),
        "sent" => set(
            &mut status,
            "pricing",
            json!({ "billable": true, "pricing_model": "PMP", "category": "service", "type": "regular" }),
        ),
        _ => {}
    }
    status
}

fn echo(item: &Item) -> Value {
    let mut echo = json!({ "from": "15550783881" });
    for (name, value) in [("to", item.phone()), ("to_user_id", item.bsuid.clone())] {
        if let Some(value) = value {
            set(&mut echo, name, value.into());
        }
    }
    set(&mut echo, "id", item.message_id().into());
    set(&mut echo, "timestamp", at(item));
    set(&mut echo, "type", "text".into());
    set(
        &mut echo,
        "text",
        json!({ "body": item.text.as_deref().unwrap_or("Here is the info you asked for") }),
    );
    echo
}

fn notice(item: &Item) -> Value {
    let mut notice = match item.kind.name {
        "user_preferences" => {
            json!({ "detail": "User requested to stop marketing messages", "category": "marketing_messages", "value": "stop", "timestamp": item.at_secs })
        }
        "user_id_update" => {
            let previous = item.target.as_deref().unwrap_or("US.11111");
            let current = item.bsuid.as_deref().unwrap_or("US.22222");
            json!({ "detail": "The user id changed", "user_id": { "previous": previous, "current": current }, "timestamp": at(item) })
        }
        "call" => {
            json!({ "id": format!("wacid.{}", item.message_id().trim_start_matches("wamid.")), "to": "15550783881", "from": item.phone(), "event": "connect", "direction": "USER_INITIATED", "timestamp": at(item), "session": { "sdp_type": "offer", "sdp": "v=0\r\n" } })
        }
        "error" => {
            json!({ "code": 130429, "title": "Rate limit hit", "message": "Rate limit hit", "error_data": { "details": "Too many messages from this number." } })
        }
        "group_joined" => {
            json!({ "type": "group_participants_add", "group_id": item.group.as_deref().unwrap_or("Y2FwaV9ncm91cDox"),
                "timestamp": at(item), "reason": "invite_link", "added_participants": [{ "wa_id": item.phone(), "user_id": item.bsuid }] })
        }
        "history" => {
            json!({ "metadata": { "phase": 0, "chunk_order": 1, "progress": 100 }, "threads": [{ "id": item.phone(),
            "messages": [{ "from": item.phone(), "from_user_id": item.bsuid, "id": item.message_id(), "timestamp": at(item), "type": "text",
                "text": { "body": item.text.as_deref().unwrap_or("Thanks!") }, "history_context": { "status": "READ" } }] }] })
        }
        "template_status" => {
            json!({ "event": "APPROVED", "message_template_id": 1689556908129832u64, "message_template_name": "order_confirmation", "message_template_language": "en-US", "reason": "NONE" })
        }
        "account_update" => {
            json!({ "event": "ACCOUNT_RESTRICTION", "phone_number": "15550783881" })
        }
        _ => json!({ "novelty": 12345678901234567890u64 }),
    };
    if item.kind.name.starts_with("user_")
        && let Some(phone) = item.phone()
    {
        set(&mut notice, "wa_id", phone.into());
    }
    notice
}
