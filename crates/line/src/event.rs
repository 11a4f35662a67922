//! What each kind of event becomes.

use chatly_canonical::{
    Body, DeliveryState, Handover, Identity, InteractiveReply, Membership, Message, MessageType,
    Notice, Opt, Party, Referral, Status, Target,
};
use chatly_channel::json::Object;

use crate::{NAME, content};

/// Who did something, and where.
pub(crate) struct Source {
    pub(crate) sender: Option<Party>,
    /// The group or room; none in a one-to-one chat.
    pub(crate) chat: Option<String>,
}

impl Source {
    /// The source of an event. A group's event names its user only where the user allows it.
    pub(crate) fn of(item: &Object) -> Self {
        let source = item.object("source");
        let id = |name: &str| source.as_ref().and_then(|source| source.id(name));
        Source {
            sender: id("userId").map(person),
            chat: id("groupId").or_else(|| id("roomId")),
        }
    }
}

fn person(id: String) -> Party {
    Party {
        identities: vec![Identity::new(NAME, id)],
        ..Party::default()
    }
}

/// The body of an event; none when it has not the form of its kind, or its kind is new.
pub(crate) fn body(item: &Object, event_id: Option<&str>, bot: &str) -> Option<Body> {
    let kind = item.string("type")?;
    let part = |name: &str| item.object(name);
    Some(match kind.as_str() {
        "message" => Body::Message(content::read(item, &part("message")?)?),
        "messageEdited" => Body::MessageEdited(content::read(item, &part("message")?)?),
        "unsend" => Body::MessageDeleted(part("unsend")?.id("messageId")?),
        "postback" => postback(item, &part("postback")?, event_id?),
        "follow" => {
            let again = part("follow").is_some_and(|follow| follow.is_true("isUnblocked"));
            let topic = again.then(|| "unblocked".to_owned());
            opt(kind, Some(true), topic, None)
        }
        "unfollow" => opt(kind, Some(false), None, None),
        "accountLink" => {
            let link = part("link")?;
            opt(
                kind,
                None,
                Some(link.string("result")?),
                link.string("nonce"),
            )
        }
        "membership" => {
            let membership = part("membership")?;
            let action = format!("membership.{}", membership.string("type")?);
            opt(action, None, membership.id("membershipId"), None)
        }
        "join" | "leave" => Body::Membership(Membership {
            joined: kind == "join",
            members: vec![person(bot.to_owned())],
        }),
        "memberJoined" => members(&part("joined")?, true)?,
        "memberLeft" => members(&part("left")?, false)?,
        "videoPlayComplete" => {
            let id = part("videoPlayComplete")?.id("trackingId")?;
            status(id, DeliveryState::Played)
        }
        "delivery" => status(part("delivery")?.id("data")?, DeliveryState::Delivered),
        "beacon" => beacon(&part("beacon")?)?,
        "module" => {
            let module = part("module")?;
            let action = format!("module.{}", module.string("type")?);
            let reason = module.string("reason");
            notice(action, module.id("botId"), reason)
        }
        "botSuspended" | "botResumed" => notice(kind, Some(bot.to_owned()), None),
        "activated" | "deactivated" => handover(kind, item, bot),
        _ => return None,
    })
}

/// A pressed button. It has no message id, so the event's is taken.
fn postback(item: &Object, postback: &Object, event_id: &str) -> Body {
    Body::Message(Message {
        id: format!("postback:{event_id}"),
        kind: MessageType::Reply,
        reply: Some(InteractiveReply {
            id: postback.string("data"),
            title: None,
        }),
        raw: Some(item.json().raw()),
        ..Message::default()
    })
}

fn opt(
    action: String,
    granted: Option<bool>,
    topic: Option<String>,
    payload: Option<String>,
) -> Body {
    Body::Opt(Opt {
        action,
        granted,
        topic,
        payload,
    })
}

fn notice(action: String, subject: Option<String>, detail: Option<String>) -> Body {
    Body::Account(Notice {
        action,
        subject,
        detail,
    })
}

fn status(id: String, state: DeliveryState) -> Body {
    Body::Status(Status {
        target: Target::MessageId(id),
        state,
        error: None,
        reference: None,
    })
}

fn members(part: &Object, joined: bool) -> Option<Body> {
    let rows = part.get("members")?.list()?.into_iter();
    let members = rows
        .map(|row| Some(person(row.object()?.id("userId")?)))
        .collect::<Option<Vec<_>>>()?;
    (!members.is_empty()).then_some(Body::Membership(Membership { joined, members }))
}

/// A person who is near a beacon.
fn beacon(beacon: &Object) -> Option<Body> {
    Some(Body::Referral(Referral {
        source: Some(format!("beacon.{}", beacon.string("type")?)),
        id: Some(beacon.id("hwid")?),
        reference: beacon.string("dm"),
        ..Referral::default()
    }))
}

/// This channel may write from now on, or may not any more.
fn handover(action: String, item: &Object, bot: &str) -> Body {
    let bot = Some(bot.to_owned());
    let (previous_owner, new_owner) = if action == "activated" {
        (None, bot)
    } else {
        (bot, None)
    };
    Body::Handover(Handover {
        action,
        previous_owner,
        new_owner,
        metadata: item
            .object("chatControl")
            .and_then(|control| control.id("expireAt")),
    })
}
