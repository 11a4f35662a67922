//! What each member of an item says.

use chatly_canonical::{Body, DeliveryState, Handover, Opt, Reaction, Status, Target};
use chatly_channel::event::MAX_EVENTS;
use chatly_channel::json::{Json, Object};
use chatly_channel::key::named;

use super::{Read, Reader};
use crate::message;
use crate::parse::first_id;

impl Reader<'_> {
    fn key(&self, id: &str, steps: &[&str]) -> Option<String> {
        Some(named(self.platform.name(), &self.scope.account, id, steps))
    }

    pub(super) fn message(&self, item: &Object, content: &Object) -> Option<Read> {
        let id = content.id("mid")?;
        if content.is_true("is_deleted") {
            return Some(Read {
                key: self.key(&id, &["deleted"]),
                held: content.has_only(&["mid", "is_deleted", "is_echo"]),
                body: Body::MessageDeleted(id),
            });
        }
        Some(Read {
            key: self.key(&id, &[]),
            body: Body::Message(message::read(content, id, self.is_ours(item))),
            held: true,
        })
    }

    /// An edit without a text says only that something is there to be fetched; without an earlier
    /// version (`num_edit` 0) that is a message.
    pub(super) fn edit(&self, item: &Object, content: &Object) -> Option<Read> {
        let id = content.id("mid")?;
        let count = content.id("num_edit");
        let count = count.or_else(|| self.at_text(item)).unwrap_or_default();
        let key = self.key(&id, &["edit", &count]);
        let message = message::edited(content, id);
        let is_new = count == "0" && message.text.is_none();
        Some(Read {
            body: if is_new {
                Body::Message(message)
            } else {
                Body::MessageEdited(message)
            },
            key,
            held: true,
        })
    }

    pub(super) fn postback(&self, item: &Object, content: &Object) -> Option<Read> {
        // Before v11 it has no id; sender and time are what tells two apart.
        let id = match content.id("mid") {
            Some(id) => id,
            None => format!("postback:{}:{}", sender_id(item)?, self.at_text(item)?),
        };
        Some(Read {
            key: self.key(&id, &[]),
            body: Body::Message(message::postback(content, id, self.is_ours(item))),
            held: true,
        })
    }

    pub(super) fn reaction(&self, item: &Object, content: &Object) -> Option<Read> {
        let message_id = content.id("mid")?;
        let action = content.string("action")?;
        let emoji = match action.as_str() {
            "react" => Some(
                content
                    .string("emoji")
                    .or_else(|| content.string("reaction"))?,
            ),
            "unreact" => None,
            _ => return None,
        };
        let sender = sender_id(item).unwrap_or_default();
        let at = self.at_text(item).unwrap_or_default();
        let named_too = emoji.is_none() || content.get("emoji").is_none();
        let held = content.has_only(&["mid", "action", "emoji"])
            || (named_too && content.has_only(&["mid", "action", "reaction"]));
        Some(Read {
            key: self.key(&message_id, &["reaction", &sender, &action, &at]),
            body: Body::Reaction(Reaction {
                message_id,
                emojis: emoji.iter().cloned().collect(),
                emoji,
                count: None,
            }),
            held,
        })
    }

    /// A status for each message that is named; for all up to a time where none is.
    pub(super) fn delivery(&self, item: &Object, content: &Object) -> Vec<Read> {
        let status = |target: Target, key: Option<String>, held: bool| Read {
            body: Body::Status(Status {
                target,
                state: DeliveryState::Delivered,
                error: None,
                reference: None,
            }),
            key,
            held,
        };
        let listed = content.list("mids");
        let most = listed.iter().take(MAX_EVENTS + 1);
        let ids: Vec<String> = most.filter_map(|id| id.id()).collect();
        if ids.is_empty() {
            let watermark = content.millis("watermark");
            return watermark
                .map(|watermark| {
                    let sender = sender_id(item).unwrap_or_default();
                    let key = self.key(&sender, &["delivered", &watermark.to_string()]);
                    status(
                        Target::Watermark(watermark),
                        key,
                        content.has_only(&["watermark"]),
                    )
                })
                .into_iter()
                .collect();
        }
        let held = content.has_only(&["mids"]) && ids.len() == listed.len();
        // What they share is kept once: a copy in each would grow with the square of the body.
        ids.into_iter()
            .enumerate()
            .map(|(at, id)| {
                let key = self.key(&id, &["delivered"]);
                status(Target::MessageId(id), key, held || at > 0)
            })
            .collect()
    }

    pub(super) fn seen(&self, item: &Object, content: &Object) -> Option<Read> {
        let sender = sender_id(item).unwrap_or_default();
        let (target, mark) = match content.id("mid") {
            Some(id) => (Target::MessageId(id.clone()), id),
            None => {
                let watermark = content.millis("watermark")?;
                (Target::Watermark(watermark), watermark.to_string())
            }
        };
        Some(Read {
            body: Body::Read(target),
            key: self.key(&sender, &["read", &mark]),
            held: content.has_only(&["mid"]) || content.has_only(&["watermark"]),
        })
    }

    /// When it happened, in milliseconds whatever unit it came in.
    fn at_text(&self, item: &Object) -> Option<String> {
        let at = item.millis("timestamp").or(self.entry_at)?;
        Some(at.to_string())
    }
}

pub(super) fn sender_id(item: &Object) -> Option<String> {
    item.object("sender")?.id("id")
}

/// A thing without an id, of which the event never holds all.
pub(super) fn without_id(body: Body) -> Read {
    Read {
        body,
        key: None,
        held: false,
    }
}

/// Consent: to marketing messages, where a status says which way, or by a plug-in.
pub(super) fn optin(content: &Object) -> Opt {
    let status = content.string("notification_messages_status");
    let granted = match status.as_deref() {
        Some("STOP_NOTIFICATIONS") => Some(false),
        None | Some("RESUME_NOTIFICATIONS") => Some(true),
        Some(_) => None,
    };
    Opt {
        action: status
            .or_else(|| content.string("type"))
            .unwrap_or_else(|| "optin".to_owned()),
        granted,
        topic: content.string("title"),
        payload: content.string("payload").or_else(|| content.string("ref")),
    }
}

/// A conversation that passed between apps, or what an app may do.
pub(super) fn handover(name: &str, content: &Object) -> Handover {
    Handover {
        action: name.to_owned(),
        previous_owner: content.id("previous_owner_app_id"),
        new_owner: first_id(content, &["new_owner_app_id", "requested_owner_app_id"]),
        metadata: content.get("metadata").and_then(Json::scalar),
    }
}
