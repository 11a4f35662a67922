//! The attachments of a message: an open set, to which names are added without notice.

use chatly_canonical::{Location, Media, Message, MessageType, Share, Story};
use chatly_channel::json::{Json, Object};

use crate::parse::{first_id, first_object, first_string};

/// What became of one attachment: the type that it gives the message, none when nobody knows it,
/// and whether the message now holds all of it.
pub(crate) struct Read {
    pub(crate) kind: Option<MessageType>,
    pub(crate) held: bool,
}

const UNKNOWN: Read = Read {
    kind: None,
    held: false,
};

/// The attachments without the pictures of stickers that are there as stickers too: until August
/// 2026, Messenger sends both.
pub(crate) fn unique<'a>(attachments: &[Json<'a>]) -> Vec<Json<'a>> {
    let sticker = |json: &Json<'a>, kind: &str| {
        let object = json.object()?;
        let is_one = object.string("type").as_deref() == Some(kind);
        object
            .object("payload")
            .filter(|_| is_one)?
            .id("sticker_id")
    };
    let stickers: Vec<String> = attachments
        .iter()
        .filter_map(|json| sticker(json, "sticker"))
        .collect();
    attachments
        .iter()
        .filter(|json| sticker(json, "image").is_none_or(|id| !stickers.contains(&id)))
        .copied()
        .collect()
}

/// Puts an attachment into the message.
pub(crate) fn add(message: &mut Message, attachment: Json) -> Read {
    let Some(attachment) = attachment.object() else {
        return UNKNOWN;
    };
    let name = attachment.string("type").unwrap_or_default();
    let payload = attachment.object("payload");
    let is_plain = attachment.has_only(&["type", "payload"])
        && (attachment.get("payload").is_none() || payload.is_some());
    let payload = payload.as_ref();
    match name.as_str() {
        "image" | "audio" | "video" | "file" | "sticker" | "like_heart" => {
            let kind = media(message, &name, payload);
            let plain_payload = payload.is_none_or(|it| it.has_only(&["url", "sticker_id"]));
            Read {
                kind: Some(kind),
                held: is_plain && plain_payload && name != "like_heart",
            }
        }
        "location" => location(message, &attachment, payload).unwrap_or(UNKNOWN),
        "story_mention" => {
            message.story = Some(Story {
                id: payload.and_then(|it| first_id(it, &["story_media_id", "id"])),
                url: first_string(payload, &["url", "story_media_url"]),
            });
            Read {
                kind: Some(MessageType::StoryMention),
                held: is_plain && payload.is_none_or(|it| it.has_only(&["url"])),
            }
        }
        "share"
        | "post"
        | "ig_post"
        | "reel"
        | "ig_reel"
        | "story"
        | "ig_story"
        | "media"
        | "fallback"
        | "template"
        | "appointment_booking" => {
            let held = share(message, &name, &attachment, payload);
            Read {
                kind: Some(MessageType::Share),
                held,
            }
        }
        _ => UNKNOWN,
    }
}

fn media(message: &mut Message, name: &str, payload: Option<&Object>) -> MessageType {
    let sticker_id = payload.and_then(|it| it.id("sticker_id"));
    let (kind, of_message) = match name {
        "image" if sticker_id.is_none() => ("image", MessageType::Image),
        "audio" => ("audio", MessageType::Audio),
        "video" => ("video", MessageType::Video),
        "file" => ("document", MessageType::Document),
        _ => ("sticker", MessageType::Sticker),
    };
    message.media.push(Media {
        kind: kind.to_owned(),
        id: sticker_id,
        url: first_string(payload, &["url"]),
        ..Media::default()
    });
    of_message
}

/// None when there is no place in it.
fn location(message: &mut Message, attachment: &Object, payload: Option<&Object>) -> Option<Read> {
    let place = payload?.object("coordinates")?;
    let number = |names: [&str; 2]| names.iter().find_map(|name| place.get(name)?.number());
    message.location = Some(Location {
        latitude: number(["lat", "latitude"])?,
        longitude: number(["long", "longitude"])?,
        name: attachment.string("title"),
        address: None,
    });
    Some(Read {
        kind: Some(MessageType::Location),
        held: attachment.has_only(&["type", "title", "payload"])
            && payload.is_some_and(|it| it.has_only(&["coordinates"]))
            && place.has_only(&["lat", "long"]),
    })
}

/// Whether all of it is held. Of several, the first one counts; the others stay in the raw JSON.
fn share(message: &mut Message, name: &str, attachment: &Object, payload: Option<&Object>) -> bool {
    let story = [
        payload.and_then(|it| it.id("story_media_id")),
        first_string(payload, &["story_media_url", "url"]),
    ];
    let url =
        first_string(payload, &["url", "story_media_url"]).or_else(|| attachment.string("url"));
    let title = first_string(payload, &["title"])
        .or_else(|| attachment.string("title"))
        .or_else(|| title_of_element(payload?));
    let is_first = message.share.is_none();
    if !is_first {
        return false;
    }
    message.share = Some(Share {
        kind: name.to_owned(),
        url,
        title,
    });
    let plain = ["url", "title"];
    let of_story = ["url", "title", "story_media_id", "story_media_url"];
    let mut held = attachment.has_only(&["type", "payload", "url", "title"]);
    if matches!(name, "story" | "ig_story") && message.story.is_none() {
        let [id, url] = story;
        message.story = Some(Story { id, url });
        held &= payload.is_none_or(|it| it.has_only(&of_story));
    } else {
        held &= payload.is_none_or(|it| it.has_only(&plain));
    }
    held && !(payload.is_some_and(|it| it.get("url").is_some() || it.get("title").is_some())
        && (attachment.get("url").is_some() || attachment.get("title").is_some()))
}

/// The title of a template's first element.
fn title_of_element(payload: &Object) -> Option<String> {
    let of = |holder: &Object| first_object(&holder.list("elements"))?.string("title");
    ["product", "generic"]
        .iter()
        .find_map(|name| of(&payload.object(name)?))
        .or_else(|| of(payload))
}
