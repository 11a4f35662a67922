//! What one message holds.
//!
//! A file is had by the message's id from LINE's data API, unless its provider is external: then its
//! link is there. A message of a type that nobody has seen yet is `unsupported`.

use chatly_canonical::{Location, Media, Message, MessageType};
use chatly_channel::json::{Json, Object};

/// The `message` of an event; none when it is broken.
pub(crate) fn read(item: &Object, content: &Object) -> Option<Message> {
    let mut message = Message {
        id: content.id("id")?,
        reply_to: content.id("quotedMessageId"),
        raw: Some(item.json().raw()),
        ..Message::default()
    };
    let kind = content.string("type").unwrap_or_default();
    match kind.as_str() {
        "text" => {
            message.kind = MessageType::Text;
            message.text = Some(content.get("text")?.string()?);
        }
        "image" => file(&mut message, MessageType::Image, &kind, content),
        "video" => file(&mut message, MessageType::Video, &kind, content),
        "audio" => file(&mut message, MessageType::Audio, &kind, content),
        "file" => file(&mut message, MessageType::Document, "document", content),
        "sticker" => {
            file(&mut message, MessageType::Sticker, &kind, content);
            message.text = content.string("text");
            if let Some(sticker) = message.media.first_mut() {
                sticker.id = sticker_id(content);
            }
        }
        "location" => {
            message.kind = MessageType::Location;
            message.location = Some(Location {
                latitude: content.get("latitude")?.number()?,
                longitude: content.get("longitude")?.number()?,
                name: content.string("title"),
                address: content.string("address"),
            });
        }
        _ => {}
    }
    Some(message)
}

fn file(message: &mut Message, kind: MessageType, name: &str, content: &Object) {
    let provider = content.object("contentProvider");
    let url = provider.and_then(|provider| provider.string("originalContentUrl"));
    message.kind = kind;
    message.media = vec![Media {
        kind: name.to_owned(),
        id: url.is_none().then(|| message.id.clone()),
        url,
        filename: content.string("fileName"),
        bytes: content.get("fileSize").and_then(Json::integer),
        ..Media::default()
    }];
}

/// Package and sticker in one, so that it can be sent again.
fn sticker_id(content: &Object) -> Option<String> {
    let (package, sticker) = (content.id("packageId")?, content.id("stickerId")?);
    Some(format!("{package}:{sticker}"))
}
