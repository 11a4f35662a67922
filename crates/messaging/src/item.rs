//! The events of one item of `messaging[]` or `standby[]`: what it holds is told by its members.

use chatly_canonical::{
    Body, DeliveryState, Event, Handover, Identity, Notice, Opt, Party, Reaction, Status, Target,
};
use chatly_channel::event::{Scope, event, unknown};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};
use chatly_meta::Entry;

use crate::parse::first_id;
use crate::{Platform, message};

/// Members that are an event each, in the order of their events.
const KNOWN: &[&str] = &[
    "message",
    "message_edit",
    "postback",
    "reaction",
    "delivery",
    "read",
    "referral",
    "optin",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "app_roles",
    "policy_enforcement",
];

/// Members that say whose and when it is.
const HEAD: &[&str] = &["sender", "recipient", "timestamp"];

/// Reads the items of one entry.
pub(crate) struct Reader<'a> {
    pub(crate) platform: Platform,
    pub(crate) scope: Scope,
    entry_at: Option<u64>,
    entry_time: Option<Json<'a>>,
    standby: bool,
}

/// What becomes of a member: its body, the key when it has ids, and whether the body holds all.
struct Read {
    body: Body,
    key: Option<String>,
    held: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(platform: Platform, scope: Scope, entry: &Entry<'a>, standby: bool) -> Self {
        Reader {
            platform,
            scope,
            entry_at: entry.at,
            entry_time: entry.time,
            standby,
        }
    }

    /// When the entry was sent, in Unix milliseconds.
    pub(crate) fn entry_at(&self) -> Option<u64> {
        self.entry_at
    }

    /// The entry's time as it was sent.
    pub(crate) fn entry_time(&self) -> Option<Json<'a>> {
        self.entry_time
    }

    /// Whether an object has the form of an item.
    pub(crate) fn is_item(value: &Object) -> bool {
        (value.get("sender").is_some() || value.get("recipient").is_some())
            && KNOWN.iter().any(|name| value.get(name).is_some())
    }

    /// An event for each member that is one; never none.
    pub(crate) fn events(&self, item: &Object, keys: &mut Keys, events: &mut Vec<Event>) {
        let before = events.len();
        for name in KNOWN.iter().filter(|name| item.get(name).is_some()) {
            let reads = self.member(item, name);
            if reads.is_empty() {
                events.push(self.about(item, self.unread(item, keys)));
            }
            for read in reads {
                events.push(self.read(item, read, keys));
            }
        }
        if events.len() == before {
            events.push(self.about(item, self.unread(item, keys)));
        }
    }

    /// What one member holds; none when it is broken.
    fn member(&self, item: &Object, name: &str) -> Vec<Read> {
        let Some(content) = item.object(name) else {
            return Vec::new();
        };
        let read = match name {
            "message" => self.message(item, &content),
            "message_edit" => self.edit(&content),
            "postback" => self.postback(item, &content),
            "reaction" => self.reaction(item, &content),
            "delivery" => return self.delivery(item, &content),
            "read" => self.seen(item, &content),
            "referral" => Some(without_id(Body::Referral(message::referral(&content)))),
            "optin" => Some(without_id(Body::Opt(optin(&content)))),
            "policy_enforcement" => Some(without_id(Body::Account(Notice {
                action: content.string("action").unwrap_or_else(|| name.to_owned()),
                subject: Some(name.to_owned()),
                detail: content.string("reason"),
            }))),
            _ => Some(without_id(Body::Handover(handover(name, &content)))),
        };
        read.into_iter().collect()
    }

    fn read(&self, item: &Object, read: Read, keys: &mut Keys) -> Event {
        let known = [HEAD, KNOWN].concat();
        let people_are_held = ["sender", "recipient"].iter().all(|name| {
            item.get(name).is_none()
                || item
                    .object(name)
                    .is_some_and(|person| person.has_only(&["id", "user_ref", "name", "username"]))
        });
        let held = read.held && people_are_held && item.has_only(&known);
        let key = read
            .key
            .unwrap_or_else(|| self.hashed(item.json(), item, keys));
        self.about(
            item,
            Event {
                raw: (!held).then(|| item.json().raw()),
                ..event(self.platform.name(), &self.scope, key, read.body)
            },
        )
    }

    /// A digest of the item; with the entry's time where it has none of its own.
    pub(crate) fn hashed(&self, json: Json, item: &Object, keys: &mut Keys) -> String {
        let timed = item.millis("timestamp").is_some();
        let time = self.entry_time.filter(|_| !timed);
        keys.hashed(&self.scope.account, json.text().as_bytes(), time)
    }

    fn unread(&self, item: &Object, keys: &mut Keys) -> Event {
        let timed = item.millis("timestamp").is_some();
        let time = self.entry_time.filter(|_| !timed);
        unknown(self.platform.name(), keys, &self.scope, item.json(), time)
    }

    /// Adds who, whom and when.
    fn about(&self, item: &Object, event: Event) -> Event {
        let party = |name: &str| self.party(&item.object(name)?, &["id"]);
        let (sender, recipient) = match event.body {
            // What the platform says of our message: the one who has it is named as the sender.
            Body::Status(_) => (None, party("sender")),
            _ => (
                party("sender").or_else(|| self.by_reference(item)),
                if self.is_ours(item) {
                    party("recipient")
                } else {
                    None
                },
            ),
        };
        Event {
            at: item.millis("timestamp").or(self.entry_at),
            standby: self.standby,
            sender,
            recipient,
            ..event
        }
    }

    /// A person of a payload; none when there is no id.
    pub(crate) fn party(&self, person: &Object, fields: &[&str]) -> Option<Party> {
        let id = first_id(person, fields).map(|id| {
            let scheme = if id == self.scope.account {
                self.platform.business()
            } else {
                self.platform.person()
            };
            Identity::new(scheme, id)
        });
        let reference = person
            .id("user_ref")
            .map(|it| Identity::new("user_ref", it));
        let identities: Vec<_> = id.into_iter().chain(reference).collect();
        (!identities.is_empty()).then(|| Party {
            identities,
            name: person.string("name"),
            username: person.string("username"),
        })
    }

    /// The visitor of a checkbox, who has no id yet.
    fn by_reference(&self, item: &Object) -> Option<Party> {
        self.party(&item.object("optin")?, &[])
    }

    /// Whether the account itself sent it.
    fn is_ours(&self, item: &Object) -> bool {
        let by_us = sender_id(item).is_some_and(|id| id == self.scope.account);
        let marked = |name: &str, flags: &[&str]| {
            item.object(name)
                .is_some_and(|it| flags.iter().any(|flag| it.is_true(flag)))
        };
        by_us || marked("message", &["is_echo", "is_self"]) || marked("postback", &["is_self"])
    }

    fn key(&self, id: &str, steps: &[&str]) -> Option<String> {
        Some(named(self.platform.name(), &self.scope.account, id, steps))
    }

    fn message(&self, item: &Object, content: &Object) -> Option<Read> {
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
    fn edit(&self, content: &Object) -> Option<Read> {
        let id = content.id("mid")?;
        let count = content.id("num_edit").unwrap_or_default();
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

    fn postback(&self, item: &Object, content: &Object) -> Option<Read> {
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

    fn reaction(&self, item: &Object, content: &Object) -> Option<Read> {
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
    fn delivery(&self, item: &Object, content: &Object) -> Vec<Read> {
        let status = |target: Target, key: Option<String>, held: bool| Read {
            body: Body::Status(Status {
                target,
                state: DeliveryState::Delivered,
                error: None,
            }),
            key,
            held,
        };
        let listed = content.list("mids");
        let ids: Vec<String> = listed.iter().filter_map(|id| id.id()).collect();
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
        ids.into_iter()
            .map(|id| {
                let key = self.key(&id, &["delivered"]);
                status(Target::MessageId(id), key, held)
            })
            .collect()
    }

    fn seen(&self, item: &Object, content: &Object) -> Option<Read> {
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

fn sender_id(item: &Object) -> Option<String> {
    item.object("sender")?.id("id")
}

/// A thing without an id, of which the event never holds all.
fn without_id(body: Body) -> Read {
    Read {
        body,
        key: None,
        held: false,
    }
}

/// Consent: to marketing messages, where a status says which way, or by a plug-in.
fn optin(content: &Object) -> Opt {
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
fn handover(name: &str, content: &Object) -> Handover {
    Handover {
        action: name.to_owned(),
        previous_owner: content.id("previous_owner_app_id"),
        new_owner: first_id(content, &["new_owner_app_id", "requested_owner_app_id"]),
        metadata: content.get("metadata").and_then(Json::scalar),
    }
}
