//! What one message holds.

use chatly_canonical::{InteractiveReply, Message, MessageType, Referral, Story};
use chatly_channel::json::Object;

use crate::attachment::{self, Read};
use crate::parse::first_string;

/// Members that a message may have and that [`read`] looks at.
const LOOKED_AT: &[&str] = &[
    "mid",
    "text",
    "attachments",
    "quick_reply",
    "reply_to",
    "referral",
    "is_echo",
    "is_deleted",
];

/// The message in an item's `message`, under `id`.
pub(crate) fn read(content: &Object, id: String, echo: bool) -> Message {
    let text = content.string("text");
    let reply_to = content.object("reply_to");
    let story = reply_to.as_ref().and_then(|it| it.object("story"));
    let quick_reply = content.object("quick_reply");
    let mut message = Message {
        id,
        reply_to: reply_to.as_ref().and_then(|it| it.id("mid")),
        echo,
        referral: content.object("referral").map(|it| referral(&it)),
        reply: quick_reply.as_ref().map(|it| InteractiveReply {
            id: it.string("payload"),
            title: text.clone(),
        }),
        story: story.as_ref().map(|it| Story {
            id: it.id("id"),
            url: it.string("url"),
        }),
        text,
        reference: content.string("metadata").filter(|_| echo),
        ..Message::default()
    };
    let attachments = content.list("attachments");
    let reads: Vec<Read> = attachment::unique(&attachments)
        .into_iter()
        .map(|attachment| attachment::add(&mut message, attachment))
        .collect();
    let told: Vec<MessageType> = reads.iter().filter_map(|read| read.kind).collect();
    message.kind = if content.is_true("is_unsupported") {
        MessageType::Unsupported
    } else if story.is_some() {
        MessageType::StoryReply
    } else if quick_reply.is_some() {
        MessageType::Reply
    } else if let Some(kind) = told.first() {
        *kind
    } else if message.text.is_some() && attachments.is_empty() {
        MessageType::Text
    } else {
        MessageType::Unsupported
    };
    let parts_are_held = reads.iter().all(|read| read.held)
        && only(content, "quick_reply", &["payload"])
        && only(content, "reply_to", &["mid", "story"])
        && reply_to.is_none_or(|it| only(&it, "story", &["id", "url"]))
        && only(content, "referral", HELD_OF_REFERRAL)
        && (content.get("attachments").is_none() || !attachments.is_empty());
    if message.kind == MessageType::Unsupported || !parts_are_held || !content.has_only(LOOKED_AT) {
        message.raw = Some(content.json().raw());
    }
    message
}

/// Whether a member is absent, or an object of these members alone.
fn only(object: &Object, name: &str, members: &[&str]) -> bool {
    object.get(name).is_none() || object.object(name).is_some_and(|it| it.has_only(members))
}

/// The new content of a message that was edited.
pub(crate) fn edited(content: &Object, id: String) -> Message {
    let text = content.string("text");
    let held = text.is_some() && content.has_only(&["mid", "text", "num_edit"]);
    Message {
        id,
        kind: if text.is_some() {
            MessageType::Text
        } else {
            MessageType::Unsupported
        },
        text,
        raw: (!held).then(|| content.json().raw()),
        ..Message::default()
    }
}

/// The choice of a button or menu item; without its payload where another app owns the conversation.
pub(crate) fn postback(content: &Object, id: String, echo: bool) -> Message {
    let held = content.has_only(&["mid", "title", "payload", "referral"])
        && only(content, "referral", HELD_OF_REFERRAL);
    Message {
        id,
        kind: MessageType::Reply,
        echo,
        reply: Some(InteractiveReply {
            id: content.string("payload"),
            title: content.string("title"),
        }),
        referral: content.object("referral").map(|it| referral(&it)),
        raw: (!held).then(|| content.json().raw()),
        ..Message::default()
    }
}

const HELD_OF_REFERRAL: &[&str] = &["ref", "source", "ad_id", "referer_uri"];

/// How the person came: an ad, a link, a plug-in, a product.
pub(crate) fn referral(content: &Object) -> Referral {
    let ad = content.object("ads_context_data");
    let product = content.object("product");
    Referral {
        source: content.string("source"),
        id: content
            .id("ad_id")
            .or_else(|| product.and_then(|product| product.id("id"))),
        reference: content.string("ref"),
        url: content.string("referer_uri"),
        headline: first_string(ad.as_ref(), &["ad_title"]),
        body: None,
        media_url: first_string(ad.as_ref(), &["photo_url", "video_url"]),
        click_id: None,
    }
}
