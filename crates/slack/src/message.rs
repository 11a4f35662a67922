//! Messages: new ones, edits, deletions, and those that tell what happened to a channel.

use chatly_canonical::{Body, Media, Membership, Message, MessageType, Share};
use chatly_channel::json::{Json, Object};

use crate::party::{message_id, unescaped, user};

/// Members that a message in the model holds.
const HELD: &[&str] = &[
    "type",
    "subtype",
    "channel",
    "channel_type",
    "user",
    "bot_id",
    "app_id",
    "username",
    "text",
    "ts",
    "event_ts",
    "thread_ts",
    "parent_user_id",
    "client_msg_id",
    "team",
    "blocks",
    "edited",
];

/// What a `message` or `app_mention` says; none when it has not the form of its subtype.
pub(crate) fn body(envelope: &Object, item: &Object) -> Option<Body> {
    let channel = item.id("channel")?;
    match item.string("subtype").as_deref() {
        Some("message_changed") => {
            let changed = item.object("message")?;
            if changed.string("subtype").as_deref() == Some("tombstone") {
                return Some(Body::MessageDeleted(message_id(
                    &channel,
                    &changed.id("ts")?,
                )));
            }
            let kind = of_subtype(changed.string("subtype").as_deref());
            Some(Body::MessageEdited(message(
                envelope, &changed, &channel, kind,
            )?))
        }
        Some("message_deleted") => {
            let previous = || item.object("previous_message")?.id("ts");
            let ts = item.id("deleted_ts").or_else(previous)?;
            Some(Body::MessageDeleted(message_id(&channel, &ts)))
        }
        // The parent of a thread with a new count: the reply itself comes as a message.
        Some("message_replied") => None,
        Some(subtype @ ("channel_join" | "group_join" | "channel_leave" | "group_leave")) => {
            Some(Body::Membership(Membership {
                joined: subtype.ends_with("join"),
                members: vec![user(item.id("user")?)],
            }))
        }
        subtype => {
            let kind = of_subtype(subtype);
            Some(Body::Message(message(envelope, item, &channel, kind)?))
        }
    }
}

/// Text for what a person or bot says, which files and shares may still change.
fn of_subtype(subtype: Option<&str>) -> MessageType {
    match subtype {
        None
        | Some(
            "file_share"
            | "thread_broadcast"
            | "reply_broadcast"
            | "me_message"
            | "bot_message"
            | "assistant_app_thread"
            | "file_comment",
        ) => MessageType::Text,
        Some(
            "channel_topic"
            | "channel_purpose"
            | "channel_name"
            | "channel_archive"
            | "channel_unarchive"
            | "channel_convert_to_private"
            | "channel_convert_to_public"
            | "channel_posting_permissions"
            | "group_topic"
            | "group_purpose"
            | "group_name"
            | "group_archive"
            | "group_unarchive"
            | "pinned_item"
            | "unpinned_item"
            | "reminder_add"
            | "bot_add"
            | "bot_remove"
            | "huddle_thread",
        ) => MessageType::System,
        Some(_) => MessageType::Unsupported,
    }
}

fn message(envelope: &Object, item: &Object, channel: &str, kind: MessageType) -> Option<Message> {
    let ts = item.id("ts")?;
    let thread = item.id("thread_ts").filter(|thread| *thread != ts);
    let mut message = Message {
        id: message_id(channel, &ts),
        kind,
        text: item.string("text").map(|text| unescaped(&text)),
        reply_to: thread.map(|thread| message_id(channel, &thread)),
        echo: is_ours(envelope, item),
        ..Message::default()
    };
    for file in item.list("files") {
        message.media.extend(file.object().map(|file| media(&file)));
    }
    message.share = share(item);
    if kind == MessageType::Text {
        message.kind = match (message.media.first(), &message.share) {
            (Some(media), _) => of_media(&media.kind),
            (None, Some(_)) => MessageType::Share,
            (None, None) if message.text.is_none() => MessageType::Unsupported,
            (None, None) => MessageType::Text,
        };
    }
    let is_plain = matches!(kind, MessageType::Text) && message.kind != MessageType::Unsupported;
    let holds_all = is_plain && item.has_only(HELD) && has_plain_blocks(item);
    message.raw = (!holds_all).then(|| item.json().raw());
    Some(message)
}

/// Said by our own app: under its app id, or by the bot user that the delivery names.
fn is_ours(envelope: &Object, item: &Object) -> bool {
    let app = envelope.id("api_app_id");
    if app.is_some() && item.id("app_id") == app {
        return true;
    }
    let Some(user) = item.id("user") else {
        return false;
    };
    envelope.list("authorizations").into_iter().any(|it| {
        it.object()
            .is_some_and(|it| it.is_true("is_bot") && it.id("user_id").as_ref() == Some(&user))
    })
}

/// One block of rich text is the text once more.
fn has_plain_blocks(item: &Object) -> bool {
    let is_rich_text = |block: &Json| {
        let kind = block.object().and_then(|block| block.string("type"));
        kind.as_deref() == Some("rich_text")
    };
    match item.list("blocks").as_slice() {
        [] => true,
        [block] => is_rich_text(block),
        _ => false,
    }
}

fn media(file: &Object) -> Media {
    let mime_type = file.string("mimetype");
    let family = mime_type.as_deref().and_then(|it| it.split('/').next());
    let kind = match (file.string("subtype").as_deref(), family) {
        (Some("slack_audio"), _) => "voice",
        (Some("slack_video"), _) => "video",
        (_, Some(family @ ("image" | "audio" | "video"))) => family,
        _ => "document",
    };
    Media {
        kind: kind.to_owned(),
        id: file.id("id"),
        url: file
            .string("url_private_download")
            .or_else(|| file.string("url_private")),
        mime_type,
        filename: file.string("name"),
        bytes: file.get("size").and_then(Json::integer),
        ..Media::default()
    }
}

fn of_media(kind: &str) -> MessageType {
    match kind {
        "image" => MessageType::Image,
        "audio" | "voice" => MessageType::Audio,
        "video" => MessageType::Video,
        _ => MessageType::Document,
    }
}

/// A message that was forwarded, which comes as an attachment.
fn share(item: &Object) -> Option<Share> {
    let shared = item.list("attachments").into_iter().find_map(|it| {
        let attachment = it.object()?;
        (attachment.is_true("is_share") || attachment.is_true("is_msg_unfurl"))
            .then_some(attachment)
    })?;
    Some(Share {
        kind: "message".to_owned(),
        url: shared.string("from_url"),
        title: shared.string("fallback").map(|text| unescaped(&text)),
    })
}
