//! What each kind of update becomes.

use chatly_canonical::{Body, Event, Message, MessageType, Notice, Opt, Party, Raw, Referral};
use chatly_channel::event::{self, MAX_EVENTS, Scope};
use chatly_channel::json::{Json, Object};

use crate::chat::{Chat, actor, party};
use crate::notice;
use crate::{NAME, content};

/// All kinds of updates that the Bot API has.
pub(crate) const KINDS: [&str; 27] = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "guest_message",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
    "stopped_message_generation",
];

/// An event before its key is known.
pub(crate) struct Draft {
    /// What tells it from the other events of its update; empty for the first.
    pub(crate) step: String,
    pub(crate) at: Option<u64>,
    pub(crate) sender: Option<Party>,
    pub(crate) recipient: Option<Party>,
    pub(crate) chat: Option<String>,
    pub(crate) body: Body,
    pub(crate) raw: Option<Raw>,
}

impl Draft {
    /// An event of `item`, in its chat, with its JSON.
    pub(crate) fn of(item: &Object, sender: Option<Party>, body: Body) -> Self {
        Draft {
            step: String::new(),
            at: item.millis("date"),
            sender,
            recipient: None,
            chat: Chat::of(item).and_then(|chat| chat.name()),
            body,
            raw: Some(item.json().raw()),
        }
    }

    /// An event that only keeps the JSON of something.
    pub(crate) fn unknown(item: Json) -> Self {
        Draft {
            step: String::new(),
            at: None,
            sender: None,
            recipient: None,
            chat: None,
            body: Body::Unknown,
            raw: Some(item.raw()),
        }
    }

    pub(crate) fn event(self, scope: &Scope, key: String) -> Event {
        Event {
            at: self.at,
            sender: self.sender,
            recipient: self.recipient,
            chat: self.chat,
            raw: self.raw,
            ..event::event(NAME, scope, key, self.body)
        }
    }
}

/// The events of an item of a kind; none when it has not the form of that kind.
pub(crate) fn read(kind: &str, item: &Object, update: &Object) -> Option<Vec<Draft>> {
    let user = || actor(item, &["user", "from"]);
    let one = |sender: Option<Party>, body: Body| Some(vec![Draft::of(item, sender, body)]);
    match kind {
        "message" | "channel_post" | "business_message" | "guest_message" => {
            message(item, update, false)
        }
        "edited_message" | "edited_channel_post" | "edited_business_message" => {
            message(item, update, true)
        }
        "deleted_business_messages" => deleted(item),
        "callback_query" => callback(item),
        "message_reaction" => one(user(), notice::reaction(item)?),
        "message_reaction_count" => one(None, notice::reaction_count(item)?),
        "poll_answer" => Some(vec![Draft {
            raw: None,
            ..Draft::of(item, user(), notice::poll_answer(item, update)?)
        }]),
        "my_chat_member" => one(user(), notice::my_chat_member(item)?),
        "chat_member" => one(user(), notice::chat_member(item)?),
        "chat_join_request" => one(user(), Body::Opt(notice::join_request(item))),
        "subscription" => one(user(), Body::Opt(notice::subscription(item)?)),
        "inline_query" | "chosen_inline_result" | "shipping_query" | "pre_checkout_query" => {
            // Questions to the bot that belong to no chat: the model has no place for them.
            one(Some(user()?), Body::Unknown)
        }
        "removed_chat_boost" => {
            let mut draft = Draft::of(item, None, notice::of(kind, item)?);
            draft.at = item.millis("remove_date");
            Some(vec![draft])
        }
        "chat_boost" => {
            let mut draft = Draft::of(item, None, notice::of(kind, item)?);
            draft.at = item.object("boost")?.millis("add_date");
            Some(vec![draft])
        }
        "stopped_message_generation" => {
            let chat = Chat::of(item)?;
            let sender = chat.is_private().then(|| chat.party());
            one(sender, notice::of(kind, item)?)
        }
        _ => one(user(), notice::of(kind, item)?),
    }
}

/// A message, an edit of one, or what a service message tells; `/start` is two events.
fn message(item: &Object, update: &Object, edited: bool) -> Option<Vec<Draft>> {
    let chat = Chat::of(item)?;
    let sender = actor(item, &["from"]);
    let id = message_id(item, update, &chat)?;
    let echo = chat.is_echo(sender.as_ref());
    let at = item.millis("edit_date").filter(|_| edited);
    let draft = |body: Body, raw: Option<Raw>| Draft {
        at: at.or_else(|| item.millis("date")),
        recipient: echo.then(|| chat.party()),
        raw,
        ..Draft::of(item, sender.clone(), body)
    };
    if let Some(membership) = notice::service_membership(item) {
        return Some(vec![draft(membership, Some(item.json().raw()))]);
    }
    let mut message = content::read(item, id, &chat)?;
    message.echo = echo;
    if edited {
        return Some(vec![draft(Body::MessageEdited(message), None)]);
    }
    let Some(start) = start(&message).filter(|_| chat.is_private() && !echo) else {
        return Some(vec![draft(Body::Message(message), None)]);
    };
    if start.payload.is_some() {
        message.referral = Some(Referral {
            source: Some("deep_link".to_owned()),
            reference: start.payload.clone(),
            ..Referral::default()
        });
    }
    let start = Draft {
        step: "start".to_owned(),
        ..draft(Body::Opt(start), None)
    };
    Some(vec![draft(Body::Message(message), None), start])
}

/// The id of a message. Ephemeral messages have 0 for it and an id of their own, which is used again
/// once it is free, so the update tells them apart.
fn message_id(item: &Object, update: &Object, chat: &Chat) -> Option<String> {
    let id = item.id("message_id")?;
    if id != "0" {
        return Some(chat.message(&id));
    }
    let own = item.id("ephemeral_message_id").unwrap_or_default();
    let update = update.id("update_id").unwrap_or_default();
    Some(chat.message(&format!("0.{own}.{update}")))
}

/// `/start`, or `/start payload` where the person came by a link with a payload.
fn start(message: &Message) -> Option<Opt> {
    let text = message.text.as_deref()?;
    let payload = text.strip_prefix("/start")?;
    if !(payload.is_empty() || payload.starts_with(' ')) {
        return None;
    }
    let payload = payload.trim();
    Some(Opt {
        action: "start".to_owned(),
        granted: Some(true),
        topic: None,
        payload: (!payload.is_empty()).then(|| payload.to_owned()),
    })
}

/// One event for each message that is gone.
fn deleted(item: &Object) -> Option<Vec<Draft>> {
    let chat = Chat::of(item)?;
    let ids = item.get("message_ids")?.list()?;
    // What they share is read once: to read it for each would take the square of the body's length.
    let (at, name) = (item.millis("date"), chat.name());
    let drafts = ids.iter().take(MAX_EVENTS + 1).map(|id| match id.id() {
        Some(id) => Draft {
            at,
            sender: None,
            recipient: Some(chat.party()),
            chat: name.clone(),
            body: Body::MessageDeleted(chat.message(&id)),
            raw: None,
            step: id,
        },
        None => Draft {
            step: digest(id.text()),
            ..Draft::unknown(*id)
        },
    });
    let drafts: Vec<Draft> = drafts.collect();
    (!drafts.is_empty()).then_some(drafts)
}

/// A step of what is no id: two long ones may begin alike.
fn digest(text: &str) -> String {
    chatly_signature::sha256_hex(&[text.as_bytes()])
}

/// A pressed button. Its id is the query's: the message that it stands under is replied to.
fn callback(item: &Object) -> Option<Vec<Draft>> {
    let sender = Some(party(&item.object("from")?)?);
    let under = item.object("message");
    let chat = under.as_ref().and_then(Chat::of);
    let data = item.string("data");
    let title = under.as_ref().and_then(|under| {
        let markup = under.object("reply_markup")?;
        content::button_title(&markup, data.as_deref()?)
    });
    let message = Message {
        id: format!("callback:{}", item.id("id")?),
        kind: MessageType::Reply,
        reply_to: under
            .as_ref()
            .zip(chat.as_ref())
            .and_then(|(under, chat)| Some(chat.message(&under.id("message_id")?))),
        reply: Some(chatly_canonical::InteractiveReply { id: data, title }),
        raw: Some(item.json().raw()),
        ..Message::default()
    };
    Some(vec![Draft {
        chat: chat.and_then(|chat| chat.name()),
        raw: None,
        ..Draft::of(item, sender, Body::Message(message))
    }])
}

/// A notice about the bot or its account.
pub(crate) fn account(action: &str, subject: Option<String>, detail: Option<String>) -> Body {
    Body::Account(Notice {
        action: action.to_owned(),
        subject,
        detail,
    })
}
