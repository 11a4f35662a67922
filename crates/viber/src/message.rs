//! What one message holds.

use chatly_canonical::{
    ContactCard, InteractiveReply, Location, Media, Message, MessageType, Share,
};
use chatly_channel::json::{Json, Object};

/// Fields of the callback that the event holds whole. The sender's country, language and device
/// stay in the raw JSON.
const HELD: &[&str] = &[
    "event",
    "timestamp",
    "message_token",
    "chat_hostname",
    "silent",
    "sender",
    "message",
];

/// The message of a callback, under its token; none when it is broken.
pub(crate) fn read(callback: &Object, token: String) -> Option<Message> {
    let content = callback.object("message")?;
    let kind = content.string("type")?;
    let mut message = Message {
        id: token,
        ..Message::default()
    };
    let held: &[&str] = match kind.as_str() {
        "text" => text(&mut message, &content, callback.is_true("silent"))?,
        "picture" | "video" | "file" => media(&mut message, &kind, &content)?,
        "sticker" => sticker(&mut message, &content)?,
        "location" => location(&mut message, &content)?,
        "contact" => contact(&mut message, &content)?,
        "url" => link(&mut message, &content)?,
        _ => {
            message.text = content.string("text");
            &[]
        }
    };
    let sender_is_held = callback
        .object("sender")
        .is_none_or(|sender| sender.has_only(&["id", "name"]));
    let is_whole = message.kind != MessageType::Unsupported
        && content.has_only(&[&["type"], held].concat())
        && callback.has_only(HELD)
        && sender_is_held;
    if !is_whole {
        message.raw = Some(callback.json().raw());
    }
    Some(message)
}

/// Text that somebody typed, or, where it is `silent`, what the button stands for that was pressed:
/// our keyboards have silent buttons.
fn text(message: &mut Message, content: &Object, silent: bool) -> Option<&'static [&'static str]> {
    let text = content.get("text")?.string()?;
    if silent {
        message.kind = MessageType::Reply;
        message.reply = Some(InteractiveReply {
            id: Some(text),
            title: None,
        });
    } else {
        message.kind = MessageType::Text;
        message.text = Some(text);
    }
    Some(&["text"])
}

fn media(message: &mut Message, kind: &str, content: &Object) -> Option<&'static [&'static str]> {
    let (message_kind, media_kind) = match kind {
        "picture" => (MessageType::Image, "image"),
        "video" => (MessageType::Video, "video"),
        _ => (MessageType::Document, "document"),
    };
    message.kind = message_kind;
    message.media = vec![Media {
        kind: media_kind.to_owned(),
        url: Some(content.string("media")?),
        filename: content.string("file_name"),
        caption: content.string("text"),
        bytes: size(content),
        ..Media::default()
    }];
    Some(&["media", "text", "file_name", "size", "file_size"])
}

fn size(content: &Object) -> Option<u64> {
    let size = content.get("size").or_else(|| content.get("file_size"));
    size.and_then(Json::integer)
}

fn sticker(message: &mut Message, content: &Object) -> Option<&'static [&'static str]> {
    message.kind = MessageType::Sticker;
    message.media = vec![Media {
        kind: "sticker".to_owned(),
        id: Some(content.id("sticker_id")?),
        url: content.string("media"),
        ..Media::default()
    }];
    Some(&["sticker_id", "media"])
}

fn location(message: &mut Message, content: &Object) -> Option<&'static [&'static str]> {
    let place = content.object("location")?;
    message.kind = MessageType::Location;
    message.location = Some(Location {
        latitude: place.get("lat")?.number()?,
        longitude: place.get("lon")?.number()?,
        name: None,
        address: place.string("address"),
    });
    let is_held = place.has_only(&["lat", "lon", "address"]);
    Some(if is_held { &["location"] } else { &[] })
}

fn contact(message: &mut Message, content: &Object) -> Option<&'static [&'static str]> {
    let card = content.object("contact")?;
    message.kind = MessageType::Contacts;
    message.contacts = vec![ContactCard {
        name: card.string("name"),
        phones: card.id("phone_number").into_iter().collect(),
        ..ContactCard::default()
    }];
    let is_held = card.has_only(&["name", "phone_number"]);
    Some(if is_held { &["contact"] } else { &[] })
}

fn link(message: &mut Message, content: &Object) -> Option<&'static [&'static str]> {
    message.kind = MessageType::Share;
    message.share = Some(Share {
        kind: "url".to_owned(),
        url: Some(content.string("media")?),
        title: None,
    });
    message.text = content.string("text");
    Some(&["media", "text"])
}
