//! Everything that is no message: reactions, members, consent, notices.

use chatly_canonical::{Body, InteractiveReply, Membership, Message, MessageType, Opt, Reaction};
use chatly_channel::json::{Json, Object};

use crate::chat::{Chat, party};
use crate::event::account;

/// The reactions that a person has on a message now; none means that the last one was taken back.
pub(crate) fn reaction(item: &Object) -> Option<Body> {
    let emojis: Vec<String> = item
        .get("new_reaction")?
        .list()?
        .into_iter()
        .map(emoji)
        .collect::<Option<_>>()?;
    Some(Body::Reaction(Reaction {
        message_id: Chat::of(item)?.message(&item.id("message_id")?),
        emoji: emojis.last().cloned(),
        emojis,
        count: None,
    }))
}

/// The anonymous reactions on a message, each kind once, and how many they are together.
pub(crate) fn reaction_count(item: &Object) -> Option<Body> {
    let (mut emojis, mut total) = (Vec::new(), 0_u64);
    for row in item.get("reactions")?.list()? {
        let row = row.object()?;
        emojis.push(emoji(row.get("type")?)?);
        total = total.saturating_add(row.get("total_count")?.integer()?);
    }
    Some(Body::Reaction(Reaction {
        message_id: Chat::of(item)?.message(&item.id("message_id")?),
        emoji: None,
        emojis,
        count: Some(u32::try_from(total).unwrap_or(u32::MAX)),
    }))
}

/// An emoji; of what has none, its kind and id.
fn emoji(reaction: Json) -> Option<String> {
    let reaction = reaction.object()?;
    let kind = reaction.string("type")?;
    Some(match reaction.string("emoji") {
        Some(emoji) => emoji,
        None => match reaction.id("custom_emoji_id") {
            Some(id) => format!("{kind}:{id}"),
            None => kind,
        },
    })
}

/// An answer to one of our polls: the choice is the options' positions.
pub(crate) fn poll_answer(item: &Object, update: &Object) -> Option<Body> {
    let poll = item.id("poll_id")?;
    let options: Vec<String> = item
        .get("option_ids")?
        .list()?
        .into_iter()
        .filter_map(Json::id)
        .collect();
    let update = update.id("update_id").unwrap_or_default();
    Some(Body::Message(Message {
        id: format!("poll:{poll}:{update}"),
        kind: MessageType::Reply,
        reply: Some(InteractiveReply {
            id: (!options.is_empty()).then(|| options.join(",")),
            title: None,
        }),
        raw: Some(item.json().raw()),
        ..Message::default()
    }))
}

/// What became of the bot: blocked or unblocked by a person, let into or out of a group.
pub(crate) fn my_chat_member(item: &Object) -> Option<Body> {
    let chat = Chat::of(item)?;
    let (was, is) = (
        present(item, "old_chat_member")?,
        present(item, "new_chat_member")?,
    );
    let status = |name: &str| item.object(name)?.string("status");
    if chat.is_private() {
        return Some(Body::Opt(Opt {
            action: if is { "unblock" } else { "block" }.to_owned(),
            granted: Some(is),
            topic: status("new_chat_member"),
            payload: None,
        }));
    }
    if was != is {
        return membership(item, is);
    }
    Some(account(
        "my_chat_member",
        Some(chat.address),
        status("new_chat_member"),
    ))
}

/// A member of a group that came or went; a change of rights says that one is still there.
pub(crate) fn chat_member(item: &Object) -> Option<Body> {
    let is = present(item, "new_chat_member")?;
    membership(item, is)
}

fn membership(item: &Object, joined: bool) -> Option<Body> {
    let member = item.object("new_chat_member")?.object("user")?;
    Some(Body::Membership(Membership {
        joined,
        members: vec![party(&member)?],
    }))
}

/// Whether a member is in the chat; a restricted one says so itself.
fn present(item: &Object, field: &str) -> Option<bool> {
    let member = item.object(field)?;
    Some(match member.string("status")?.as_str() {
        "left" | "kicked" => false,
        "restricted" => member.is_true("is_member"),
        _ => true,
    })
}

/// Those whom a service message says to have come or gone; none when it is another message.
pub(crate) fn service_membership(item: &Object) -> Option<Body> {
    if let Some(left) = item.object("left_chat_member") {
        return Some(Body::Membership(Membership {
            joined: false,
            members: vec![party(&left)?],
        }));
    }
    let members = item
        .get("new_chat_members")?
        .list()?
        .into_iter()
        .map(|member| party(&member.object()?))
        .collect::<Option<Vec<_>>>()?;
    (!members.is_empty()).then_some(Body::Membership(Membership {
        joined: true,
        members,
    }))
}

/// A person who asks to be let into a group.
pub(crate) fn join_request(item: &Object) -> Opt {
    Opt {
        action: "chat_join_request".to_owned(),
        granted: None,
        topic: item.string("bio"),
        payload: item
            .object("invite_link")
            .and_then(|link| link.string("invite_link")),
    }
}

/// A paid subscription that was cancelled, taken up again, or not paid.
pub(crate) fn subscription(item: &Object) -> Option<Opt> {
    Some(Opt {
        action: item.string("state")?,
        // Whoever stops paying may still be written to.
        granted: None,
        topic: Some("subscription".to_owned()),
        payload: item.string("invoice_payload"),
    })
}

/// A notice of a kind that names the thing that changed.
pub(crate) fn of(kind: &str, item: &Object) -> Option<Body> {
    let (subject, detail) = match kind {
        "business_connection" => {
            let enabled = item.get("is_enabled")?.scalar()?;
            (item.id("id")?, Some(format!("enabled: {enabled}")))
        }
        "purchased_paid_media" => (item.string("paid_media_payload")?, None),
        "poll" => (item.id("id")?, item.string("question")),
        "chat_boost" => (item.object("boost")?.id("boost_id")?, None),
        "removed_chat_boost" => (item.id("boost_id")?, None),
        "managed_bot" => {
            let bot = item.object("bot")?;
            (bot.id("id")?, bot.string("username"))
        }
        "stopped_message_generation" => (item.id("draft_id")?, None),
        _ => return None,
    };
    Some(account(kind, Some(subject), detail))
}
