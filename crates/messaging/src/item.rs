//! The events of one item of `messaging[]` or `standby[]`: what it holds is told by its members.

mod member;

use chatly_canonical::{Body, Event, Identity, Notice, Party};
use chatly_channel::event::{Events, Scope, event, unknown};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::Keys;
use chatly_meta::Entry;

use crate::parse::first_id;
use crate::{Platform, message};
use member::{handover, optin, sender_id, without_id};

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

/// What the events of an item share.
struct Head {
    at: Option<u64>,
    sender: Option<Party>,
    /// Who is known by a reference only.
    visitor: Option<Party>,
    /// Whom we wrote to; none where it is us who were written to.
    recipient: Option<Party>,
    /// Whether an event holds all that the item says beside its members.
    held: bool,
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
    pub(crate) fn events(&self, item: &Object, keys: &mut Keys, events: &mut Events) {
        let before = events.len();
        let head = self.head(item);
        for name in KNOWN.iter().filter(|name| item.get(name).is_some()) {
            let reads = self.member(item, name);
            if reads.is_empty() {
                events.push(self.about(&head, self.unread(item, keys)));
            }
            events.extend(
                reads
                    .into_iter()
                    .map(|read| self.read(item, &head, read, keys)),
            );
        }
        if events.len() == before {
            events.push(self.about(&head, self.unread(item, keys)));
        }
    }

    /// What one member holds; none when it is broken.
    fn member(&self, item: &Object, name: &str) -> Vec<Read> {
        let Some(content) = item.object(name) else {
            return Vec::new();
        };
        let read = match name {
            "message" => self.message(item, &content),
            "message_edit" => self.edit(item, &content),
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

    fn read(&self, item: &Object, head: &Head, read: Read, keys: &mut Keys) -> Event {
        let held = read.held && head.held;
        let key = read
            .key
            .unwrap_or_else(|| self.hashed(item.json(), item, keys));
        self.about(
            head,
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

    /// Reads what the events of an item share, once: a delivery receipt may be thousands of events.
    fn head(&self, item: &Object) -> Head {
        let known = [HEAD, KNOWN].concat();
        let is_held = |name: &&str| {
            item.get(name).is_none()
                || item
                    .object(name)
                    .is_some_and(|person| person.has_only(&["id", "user_ref", "name", "username"]))
        };
        let party = |name: &str| self.party(&item.object(name)?, &["id"]);
        Head {
            at: item.millis("timestamp").or(self.entry_at),
            sender: party("sender"),
            visitor: self.by_reference(item),
            recipient: party("recipient").filter(|_| self.is_ours(item)),
            held: ["sender", "recipient"].iter().all(is_held) && item.has_only(&known),
        }
    }

    /// Adds who, whom and when.
    fn about(&self, head: &Head, event: Event) -> Event {
        let (sender, recipient) = match event.body {
            // What the platform says of our message: the one who has it is named as the sender.
            Body::Status(_) => (None, head.sender.clone()),
            _ => {
                let sender = head.sender.as_ref().or(head.visitor.as_ref());
                (sender.cloned(), head.recipient.clone())
            }
        };
        Event {
            at: head.at,
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
}
