//! What one message holds: the first of its contents that is known.
//!
//! A message of no known content keeps its raw JSON and is `unsupported`, or `system` where Telegram
//! tells of something that happened in the chat.

use chatly_canonical::{
    ContactCard, InteractiveReply, Location, Media, Message, MessageType, Share, Story,
};
use chatly_channel::json::{Json, Object};

use crate::chat::Chat;

/// Fields of a message that its event holds whole, besides `text`.
const HELD: &[&str] = &[
    "message_id",
    "from",
    "chat",
    "date",
    "edit_date",
    "business_connection_id",
    "text",
];

/// Files that stand under the name of their kind.
const FILES: &[(&str, &str, MessageType)] = &[
    ("animation", "video", MessageType::Video),
    ("video_note", "video", MessageType::Video),
    ("video", "video", MessageType::Video),
    ("voice", "voice", MessageType::Audio),
    ("audio", "audio", MessageType::Audio),
    ("document", "document", MessageType::Document),
    ("sticker", "sticker", MessageType::Sticker),
];

/// Contents that are shown by a title.
const SHARES: &[(&str, &str)] = &[
    ("poll", "question"),
    ("game", "title"),
    ("checklist", "title"),
    ("invoice", "title"),
    ("giveaway", "prize_description"),
];

/// What happened in the chat, told as a message.
const SERVICE: &[&str] = &[
    "chat_owner_left",
    "chat_owner_changed",
    "new_chat_title",
    "new_chat_photo",
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
    "message_auto_delete_timer_changed",
    "migrate_to_chat_id",
    "migrate_from_chat_id",
    "pinned_message",
    "successful_payment",
    "refunded_payment",
    "users_shared",
    "chat_shared",
    "gift",
    "unique_gift",
    "gift_upgrade_sent",
    "connected_website",
    "write_access_allowed",
    "passport_data",
    "proximity_alert_triggered",
    "boost_added",
    "chat_background_set",
    "checklist_tasks_done",
    "checklist_tasks_added",
    "community_chat_added",
    "community_chat_removed",
    "direct_message_price_changed",
    "forum_topic_created",
    "forum_topic_edited",
    "forum_topic_closed",
    "forum_topic_reopened",
    "general_forum_topic_hidden",
    "general_forum_topic_unhidden",
    "giveaway_created",
    "giveaway_winners",
    "giveaway_completed",
    "managed_bot_created",
    "paid_message_price_changed",
    "poll_option_added",
    "poll_option_deleted",
    "suggested_post_approved",
    "suggested_post_approval_failed",
    "suggested_post_declined",
    "suggested_post_paid",
    "suggested_post_refunded",
    "video_chat_scheduled",
    "video_chat_started",
    "video_chat_ended",
    "video_chat_participants_invited",
];

/// The message in `item`, under `id`; none when its content is broken.
pub(crate) fn read(item: &Object, id: String, chat: &Chat) -> Option<Message> {
    let mut message = Message {
        id,
        reply_to: item
            .object("reply_to_message")
            .and_then(|replied| Some(chat.message(&replied.id("message_id")?))),
        forwarded: item.get("forward_origin").is_some(),
        ..Message::default()
    };
    fill(&mut message, item)?;
    if let Some(story) = item.object("reply_to_story") {
        message.kind = MessageType::StoryReply;
        message.story = Some(self::story(&story));
    }
    let people = item.object("from").is_none_or(|from| is_held(&from));
    if !(people && item.has_only(HELD) && message.kind == MessageType::Text) {
        message.raw = Some(item.json().raw());
    }
    Some(message)
}

/// Whether a party holds all of a user.
fn is_held(user: &Object) -> bool {
    user.has_only(&["id", "is_bot", "first_name", "last_name", "username"])
}

/// Puts the content into the message; none when it is broken.
fn fill(message: &mut Message, item: &Object) -> Option<()> {
    if let Some(text) = item.get("text") {
        message.kind = MessageType::Text;
        message.text = Some(text.string()?);
        return Some(());
    }
    let caption = item.string("caption");
    if let Some(media) = media(item)? {
        message.kind = media.0;
        message.media = media.1;
        if let Some(first) = message.media.first_mut() {
            first.caption = caption;
        } else {
            message.text = caption;
        }
        return Some(());
    }
    if let Some(venue) = item.get("venue") {
        let venue = venue.object()?;
        message.kind = MessageType::Location;
        message.location = Some(Location {
            name: venue.string("title"),
            address: venue.string("address"),
            ..location(&venue.object("location")?)?
        });
    } else if let Some(place) = item.get("location") {
        message.kind = MessageType::Location;
        message.location = Some(location(&place.object()?)?);
    } else if let Some(contact) = item.get("contact") {
        message.kind = MessageType::Contacts;
        message.contacts = vec![card(&contact.object()?)];
    } else if let Some(data) = item.get("web_app_data") {
        let data = data.object()?;
        message.kind = MessageType::Reply;
        message.reply = Some(InteractiveReply {
            id: data.string("data"),
            title: data.string("button_text"),
        });
    } else {
        other(message, item);
    }
    Some(())
}

/// What is shown by a title, told by Telegram, or new.
fn other(message: &mut Message, item: &Object) {
    let shared = SHARES
        .iter()
        .find_map(|(name, title)| Some((name, item.object(name)?.string(title))));
    if let Some((name, title)) = shared {
        message.kind = MessageType::Share;
        message.share = Some(Share {
            kind: (*name).to_owned(),
            url: None,
            title,
        });
    } else if let Some(story) = item.object("story") {
        message.kind = MessageType::Share;
        message.share = Some(Share {
            kind: "story".to_owned(),
            url: None,
            title: None,
        });
        message.story = Some(self::story(&story));
    } else if let Some(dice) = item.object("dice") {
        message.text = dice.string("emoji");
    } else if let Some(name) = SERVICE.iter().find(|name| item.get(name).is_some()) {
        message.kind = MessageType::System;
        message.text = item.string(name);
    }
}

/// The files of a message and what they make it; none inside when it has no file.
fn media(item: &Object) -> Option<Option<(MessageType, Vec<Media>)>> {
    if let Some(live) = item.get("live_photo") {
        let live = live.object()?;
        let still = live.get("photo").or_else(|| item.get("photo"));
        let still = still.and_then(Json::list).and_then(|sizes| photo(&sizes));
        let files = still.into_iter().chain([file("video", &live)]).collect();
        return Some(Some((MessageType::Image, files)));
    }
    if let Some(sizes) = item.get("photo") {
        return Some(Some((MessageType::Image, vec![photo(&sizes.list()?)?])));
    }
    for (name, kind, message) in FILES {
        if let Some(found) = item.get(name) {
            return Some(Some((*message, vec![file(kind, &found.object()?)])));
        }
    }
    let Some(paid) = item.get("paid_media") else {
        return Some(None);
    };
    let rows = paid.object()?.get("paid_media")?.list()?;
    let files: Vec<Media> = rows.into_iter().filter_map(paid_file).collect();
    let kind = match files.first().map(|file| file.kind.as_str()) {
        Some("video") => MessageType::Video,
        Some(_) => MessageType::Image,
        None => MessageType::Unsupported,
    };
    Some(Some((kind, files)))
}

/// A file of paid media; none while only its preview is there.
fn paid_file(row: Json) -> Option<Media> {
    let row = row.object()?;
    match row.string("type")?.as_str() {
        "photo" => photo(&row.get("photo")?.list()?),
        "video" => Some(file("video", &row.object("video")?)),
        "live_photo" => Some(file("video", &row.object("live_photo")?)),
        _ => None,
    }
}

/// The largest of a photo's sizes, which is the last one.
fn photo(sizes: &[Json]) -> Option<Media> {
    Some(file("image", &sizes.last()?.object()?))
}

fn file(kind: &str, file: &Object) -> Media {
    Media {
        kind: kind.to_owned(),
        id: file.id("file_id"),
        mime_type: file.string("mime_type"),
        filename: file.string("file_name"),
        bytes: file.get("file_size").and_then(Json::integer),
        ..Media::default()
    }
}

fn location(place: &Object) -> Option<Location> {
    Some(Location {
        latitude: place.get("latitude")?.number()?,
        longitude: place.get("longitude")?.number()?,
        name: None,
        address: None,
    })
}

fn card(contact: &Object) -> ContactCard {
    let names = [contact.string("first_name"), contact.string("last_name")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    ContactCard {
        name: Some(name).filter(|name| !name.is_empty()),
        phones: contact.id("phone_number").into_iter().collect(),
        emails: Vec::new(),
        org: None,
    }
}

fn story(story: &Object) -> Story {
    let chat = story.object("chat").and_then(|chat| chat.id("id"));
    Story {
        id: story.id("id").map(|id| match chat {
            Some(chat) => format!("{chat}:{id}"),
            None => id,
        }),
        url: None,
    }
}

/// The title of the button that carries `data`.
pub(crate) fn button_title(markup: &Object, data: &str) -> Option<String> {
    let rows = markup.list("inline_keyboard").into_iter();
    let buttons = rows.filter_map(Json::list).flatten();
    let mut buttons = buttons.filter_map(Json::object);
    buttons
        .find(|button| button.string("callback_data").as_deref() == Some(data))?
        .string("text")
}
