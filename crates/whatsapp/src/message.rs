//! What one message holds.
//!
//! The content stands under the name of the type. Where the type is known and its content is not
//! there at all, the message is `unsupported`; where something else than an object is there, the
//! item is broken and its event `unknown`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chatly_canonical::{
    ContactCard, InteractiveReply, Location, Media, Message, MessageType, Order, OrderItem,
    Referral,
};
use chatly_channel::json::{Json, Object};
use chatly_signature::hex;

/// Fields of a message that [`read`] or its caller holds whole, besides its content.
const HELD: &[&str] = &[
    "id",
    "type",
    "timestamp",
    "from",
    "from_user_id",
    "from_parent_user_id",
    "to",
    "to_user_id",
    "to_parent_user_id",
    "group_id",
    "context",
    "referral",
];

/// The message in `item`, under `id`; none when it is broken.
pub(crate) fn read(item: &Object, id: String, echo: bool) -> Option<Message> {
    let name = item.string("type").unwrap_or_default();
    let context = item.object("context");
    let mut message = Message {
        id,
        reply_to: context.as_ref().and_then(|context| context.id("id")),
        forwarded: context
            .as_ref()
            .is_some_and(|it| it.is_true("forwarded") || it.is_true("frequently_forwarded")),
        echo,
        referral: item
            .object("referral")
            .map(|referral| self::referral(&referral)),
        ..Message::default()
    };
    let held = match item.get(&name) {
        None => name == "request_welcome",
        Some(content) => fill(&mut message, &name, content)?,
    };
    let context_is_held =
        context.is_none_or(|it| it.has_only(&["id", "from", "forwarded", "frequently_forwarded"]));
    let rest_is_held = item.has_only(&[HELD, &[name.as_str()]].concat());
    if !(held && context_is_held && rest_is_held && referral_is_held(item)) {
        message.raw = Some(item.json().raw());
    }
    Some(message)
}

/// Puts a content into the message and says whether the message now holds all of it; none when
/// the content is broken.
fn fill(message: &mut Message, name: &str, content: Json) -> Option<bool> {
    if name == "contacts" {
        message.kind = MessageType::Contacts;
        let cards = content.list()?;
        message.contacts = cards
            .iter()
            .map(|card| card.object().map(|card| contact_card(&card)))
            .collect::<Option<_>>()?;
        return Some(false);
    }
    let known = [
        "text",
        "image",
        "audio",
        "video",
        "document",
        "sticker",
        "location",
        "interactive",
        "button",
        "order",
        "system",
    ];
    if !known.contains(&name) {
        return Some(false);
    }
    let content = content.object()?;
    Some(match name {
        "text" => {
            message.kind = MessageType::Text;
            message.text = Some(content.get("body")?.string()?);
            content.has_only(&["body"])
        }
        "location" => {
            message.kind = MessageType::Location;
            message.location = Some(location(&content)?);
            content.has_only(&["latitude", "longitude", "name", "address"])
        }
        "interactive" => interactive(message, &content),
        "button" => {
            message.kind = MessageType::Reply;
            message.reply = Some(InteractiveReply {
                id: content.string("payload"),
                title: content.string("text"),
            });
            content.has_only(&["payload", "text"])
        }
        "order" => {
            message.kind = MessageType::Order;
            message.order = Some(order(&content)?);
            content.has_only(&["catalog_id", "text", "product_items"])
        }
        "system" => {
            message.kind = MessageType::System;
            message.text = content.string("body");
            false
        }
        _ => media(message, name, &content),
    })
}

fn media(message: &mut Message, name: &str, content: &Object) -> bool {
    message.kind = match name {
        "image" => MessageType::Image,
        "audio" => MessageType::Audio,
        "video" => MessageType::Video,
        "document" => MessageType::Document,
        _ => MessageType::Sticker,
    };
    let digest = content.string("sha256");
    let sha256 = digest.as_deref().and_then(sha256_in_hex);
    let digest_is_held = digest.is_some() == sha256.is_some();
    message.media = vec![Media {
        kind: if content.is_true("voice") {
            "voice"
        } else {
            name
        }
        .to_owned(),
        id: content.id("id"),
        url: content.string("url"),
        mime_type: content.string("mime_type"),
        sha256,
        filename: content.string("filename"),
        caption: content.string("caption"),
        bytes: content.get("file_size").and_then(Json::integer),
    }];
    let held = [
        "id",
        "url",
        "mime_type",
        "sha256",
        "filename",
        "caption",
        "file_size",
        "voice",
    ];
    digest_is_held && content.has_only(&held)
}

/// Meta writes a SHA-256 in base64; some relays write hex.
pub(crate) fn sha256_in_hex(digest: &str) -> Option<String> {
    if digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(digest.to_ascii_lowercase());
    }
    STANDARD
        .decode(digest)
        .ok()
        .filter(|bytes| bytes.len() == 32)
        .map(|bytes| hex(&bytes))
}

fn location(content: &Object) -> Option<Location> {
    Some(Location {
        latitude: content.get("latitude")?.number()?,
        longitude: content.get("longitude")?.number()?,
        name: content.string("name"),
        address: content.string("address"),
    })
}

fn contact_card(card: &Object) -> ContactCard {
    let name = card.object("name");
    let texts = |list: &str, names: &[&str]| {
        let rows = card.list(list).into_iter().filter_map(|row| row.object());
        rows.filter_map(|row| names.iter().find_map(|name| row.id(name)))
            .collect()
    };
    ContactCard {
        name: name.and_then(|name| {
            name.string("formatted_name")
                .or_else(|| name.string("first_name"))
        }),
        phones: texts("phones", &["phone", "wa_id"]),
        emails: texts("emails", &["email"]),
        org: card.object("org").and_then(|org| org.string("company")),
    }
}

fn interactive(message: &mut Message, content: &Object) -> bool {
    let kind = content.string("type").unwrap_or_default();
    let Some(reply) = content.object(&kind) else {
        return false;
    };
    message.kind = MessageType::Reply;
    message.reply = Some(match kind.as_str() {
        // Of a flow, the token is what we had set; the answers stay in the raw JSON.
        "nfm_reply" => InteractiveReply {
            id: reply
                .string("response_json")
                .and_then(|text| Json::parse(text.as_bytes())?.object()?.string("flow_token")),
            title: reply.string("body").or_else(|| reply.string("name")),
        },
        "call_permission_reply" => InteractiveReply {
            id: reply.string("response"),
            title: None,
        },
        _ => InteractiveReply {
            id: reply.id("id"),
            title: reply.string("title"),
        },
    });
    matches!(kind.as_str(), "button_reply" | "list_reply") && reply.has_only(&["id", "title"])
}

fn order(content: &Object) -> Option<Order> {
    let items = content.list("product_items");
    Some(Order {
        catalog_id: content.id("catalog_id"),
        text: content.string("text"),
        items: items
            .into_iter()
            .map(|item| {
                let item = item.object()?;
                Some(OrderItem {
                    product_id: item.id("product_retailer_id").unwrap_or_default(),
                    quantity: item.get("quantity").and_then(Json::number),
                    price: item.get("item_price").and_then(Json::scalar),
                    currency: item.string("currency"),
                })
            })
            .collect::<Option<_>>()?,
    })
}

fn referral(referral: &Object) -> Referral {
    let media = ["image_url", "video_url", "thumbnail_url"];
    Referral {
        source: referral.string("source_type"),
        id: referral.id("source_id"),
        reference: referral.string("ref"),
        url: referral.string("source_url"),
        headline: referral.string("headline"),
        body: referral.string("body"),
        media_url: media.iter().find_map(|name| referral.string(name)),
        click_id: referral.string("ctwa_clid"),
    }
}

fn referral_is_held(item: &Object) -> bool {
    let held = [
        "source_type",
        "source_id",
        "ref",
        "source_url",
        "headline",
        "body",
        "image_url",
        "video_url",
        "ctwa_clid",
    ];
    match (item.get("referral"), item.object("referral")) {
        (None, _) => true,
        (_, Some(referral)) => referral.has_only(&held),
        _ => false,
    }
}
