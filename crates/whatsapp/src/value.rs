//! The events of one value of `changes[]`: those of its lists, or its own.

mod history;

use std::ops::ControlFlow;

use chatly_canonical::{Body, Event, Identity, Opt, Party, Raw, Reaction};
use chatly_channel::event::{Events, Scope, event, unknown};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};
use chatly_meta::Entry;

use crate::NAME;
use crate::parse::scope_of;
use crate::party::{CONTACT, Contacts, FROM, PARTICIPANT, RECIPIENT, TO, identities, identity};
use crate::{message, notice};

/// Lists that a value may have, in the order in which their items become events.
const LISTS: &[(&str, Kind)] = &[
    ("messages", Kind::Message),
    ("message_echoes", Kind::Echo),
    ("statuses", Kind::Status),
    ("user_preferences", Kind::Preference),
    ("user_id_update", Kind::UserId),
    ("calls", Kind::Call),
    ("errors", Kind::Error),
    ("history", Kind::History),
    ("state_sync", Kind::Other),
    ("groups", Kind::Group),
    ("automatic_events", Kind::Other),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Echo,
    Status,
    Preference,
    UserId,
    Call,
    Error,
    Group,
    History,
    Other,
}

/// A value of a change, with what its items have in common.
pub(crate) struct Value<'a> {
    value: Object<'a>,
    scope: Scope,
    contacts: Contacts,
    /// The phone of the business.
    number: Option<Identity>,
    entry_at: Option<u64>,
    entry_time: Option<Json<'a>>,
}

impl<'a> Value<'a> {
    /// Reads what all items need.
    pub(crate) fn new(entry: &Entry<'a>, value: Object<'a>, route: &Scope) -> Self {
        let metadata = value.object("metadata");
        let of_metadata = |name: &str| metadata.as_ref()?.id(name);
        let scope = match of_metadata("phone_number_id") {
            Some(account) => Scope::account(account),
            None => scope_of(entry, route),
        };
        let number = of_metadata("display_phone_number").map(|number| {
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            identity(&digits, false)
        });
        let contacts = Contacts::of(&value);
        Value {
            value,
            scope,
            contacts,
            number,
            entry_at: entry.at,
            entry_time: entry.time,
        }
    }

    /// The events of all lists, or the one of the value as a whole. Never none.
    pub(crate) fn events(
        &self,
        field: &str,
        change: Json,
        keys: &mut Keys,
        events: &mut Events,
    ) -> ControlFlow<()> {
        let before = events.len();
        for (list, kind) in LISTS {
            match self.value.get(list).map(|value| (value, value.list())) {
                None => {}
                Some((_, Some(items))) => items.into_iter().try_for_each(|item| {
                    if *kind == Kind::History {
                        return self.history(item, keys, events);
                    }
                    events.push(self.item(*kind, item, keys));
                    events.within_bounds()
                })?,
                Some((value, None)) => {
                    events.push(unknown(NAME, keys, &self.scope, value, self.entry_time))
                }
            }
        }
        if events.len() > before {
            // A list of a kind that is not known yet stands beside one that is.
            for (name, list) in self.value.members() {
                let known = name == "contacts" || LISTS.iter().any(|(list, _)| *list == name);
                if !known && list.list().is_some_and(|items| !items.is_empty()) {
                    events.push(unknown(NAME, keys, &self.scope, list, self.entry_time));
                    events.within_bounds()?;
                }
            }
        } else {
            let key = keys.hashed(
                &self.scope.account,
                change.text().as_bytes(),
                self.entry_time,
            );
            let body = chatly_meta::notice(field, &self.value).unwrap_or(Body::Unknown);
            let at = self.value.millis("timestamp").or(self.entry_at);
            events.push(Event {
                at,
                raw: Some(change.raw()),
                ..event(NAME, &self.scope, key, body)
            });
        }
        if field == "history" {
            // Of long ago: to be kept, not to be answered.
            events.set_standby_from(before);
        }
        events.within_bounds()
    }

    fn item(&self, kind: Kind, item: Json, keys: &mut Keys) -> Event {
        let Some(object) = item.object() else {
            return unknown(NAME, keys, &self.scope, item, self.entry_time);
        };
        let mut found = match kind {
            Kind::Message => self.message(&object, false),
            Kind::Echo => self.message(&object, true),
            Kind::Status if is_call(&object) => self.call(&object),
            Kind::Status => self.status(&object),
            Kind::Call => self.call(&object),
            Kind::Preference => {
                notice::preference(&object).map(|opt| self.about(&object, Body::Opt(opt)))
            }
            Kind::UserId => notice::user_id_update(&object)
                .map(|it| self.about(&object, Body::IdentityChanged(it))),
            Kind::Error => Some(self.plain(Body::Error(notice::error(&object)), Some(item.raw()))),
            Kind::Group => self.membership(&object),
            Kind::History | Kind::Other => None,
        }
        .unwrap_or_else(|| self.unread(kind, &object));
        if kind == Kind::Group {
            found.chat = object.id("group_id");
        }
        let of_sync = || object.object("metadata")?.millis("timestamp");
        found.at = object
            .millis("timestamp")
            .or_else(of_sync)
            .or(self.entry_at);
        if found.key.is_empty() {
            let time = if found.at == self.entry_at {
                self.entry_time
            } else {
                None
            };
            found.key = keys.hashed(&self.scope.account, item.text().as_bytes(), time);
        }
        found
    }

    /// An item that is an object, but not of its list's form. What it says of its people stays.
    fn unread(&self, kind: Kind, item: &Object) -> Event {
        let plain = self.plain(Body::Unknown, Some(item.json().raw()));
        match kind {
            Kind::Message | Kind::Echo => self.with_people(item, kind == Kind::Echo, plain),
            _ => plain,
        }
    }

    fn plain(&self, body: Body, raw: Option<Raw>) -> Event {
        Event {
            raw,
            ..event(NAME, &self.scope, String::new(), body)
        }
    }

    /// An event about the person whom `wa_id` and `user_id` name.
    fn about(&self, item: &Object, body: Body) -> Event {
        let mut people = identities(item, &CONTACT);
        if let Body::IdentityChanged(change) = &body {
            people.extend(change.current.clone());
        }
        Event {
            sender: self.contacts.party(people),
            ..self.plain(body, Some(item.json().raw()))
        }
    }

    fn with_people(&self, item: &Object, echo: bool, event: Event) -> Event {
        let from = identities(item, &FROM);
        let sender = if echo {
            (!from.is_empty()).then(|| Party {
                identities: from,
                ..Party::default()
            })
        } else {
            self.contacts.party(from)
        };
        let recipient = if echo {
            self.contacts.party(identities(item, &TO))
        } else {
            None
        };
        Event {
            sender,
            recipient,
            chat: item.id("group_id"),
            ..event
        }
    }

    fn message(&self, item: &Object, echo: bool) -> Option<Event> {
        let id = item.id("id");
        let body = message_body(item, id.clone(), echo)?;
        let raw = match body {
            Body::Opt(_) | Body::IdentityChanged(_) => Some(item.json().raw()),
            _ => None,
        };
        // The file of a message of long ago comes later, under the same id.
        let step = item.string("type").filter(|it| it == "media_placeholder");
        let key = id
            .map(|id| named(NAME, &self.scope.account, &id, &[&step.unwrap_or_default()]))
            .unwrap_or_default();
        let mut event = self.with_people(
            item,
            echo,
            Event {
                key,
                ..self.plain(body, raw)
            },
        );
        if event.sender.is_none()
            && let Body::IdentityChanged(change) = &event.body
        {
            let known = if change.previous.is_empty() {
                &change.current
            } else {
                &change.previous
            };
            event.sender = self.contacts.party(known.clone());
        }
        Some(event)
    }

    fn status(&self, item: &Object) -> Option<Event> {
        let id = item.id("id")?;
        let word = item.string("status")?;
        let state = notice::state(&word)?;
        let in_group = item.string("recipient_type").as_deref() == Some("group");
        let chat = if in_group {
            item.id("recipient_id")
        } else {
            None
        };
        let people = identities(item, if in_group { &PARTICIPANT } else { &RECIPIENT });
        let participant = if in_group {
            people.first().map(|identity| identity.id.clone())
        } else {
            None
        };
        let key = named(
            NAME,
            &self.scope.account,
            &id,
            &[&word, &participant.unwrap_or_default()],
        );
        let raw = notice::status_has_more(item).then(|| item.json().raw());
        let body = Body::Status(notice::status(item, &id, state));
        let recipient = self.contacts.party(people);
        Some(Event {
            key,
            recipient,
            chat,
            ..self.plain(body, raw)
        })
    }

    fn call(&self, item: &Object) -> Option<Event> {
        let call = notice::call(item)?;
        let key = named(NAME, &self.scope.account, &call.id, &[&call.action]);
        let is_status =
            item.get("recipient_id").is_some() || item.get("recipient_user_id").is_some();
        let recipient = identities(item, if is_status { &RECIPIENT } else { &TO });
        let event = Event {
            key,
            ..self.plain(Body::Call(call), Some(item.json().raw()))
        };
        let recipient = self.contacts.party(recipient);
        Some(Event {
            sender: self.contacts.party(identities(item, &FROM)),
            recipient,
            ..event
        })
    }
}

/// Whether an item of `statuses[]` is a step of a call; not all of them name their type.
fn is_call(status: &Object) -> bool {
    let word = status.string("status").unwrap_or_default();
    status.string("type").as_deref() == Some("call")
        || matches!(word.as_str(), "RINGING" | "ACCEPTED" | "REJECTED")
}

/// What an item of `messages[]` is; none when it is broken.
fn message_body(item: &Object, id: Option<String>, echo: bool) -> Option<Body> {
    let name = item.string("type").unwrap_or_default();
    Some(match name.as_str() {
        "reaction" => {
            let content = item.object("reaction")?;
            let emoji = content.string("emoji");
            let emojis = emoji.iter().cloned().collect();
            let message_id = content.id("message_id")?;
            Body::Reaction(Reaction {
                message_id,
                emoji,
                emojis,
                count: None,
            })
        }
        "edit" => {
            let edit = item.object("edit")?;
            let original = edit.id("original_message_id")?;
            Body::MessageEdited(message::read(&edit.object("message")?, original, echo)?)
        }
        "revoke" => Body::MessageDeleted(item.object("revoke")?.id("original_message_id")?),
        // The user opened the chat for the first time: what other platforms call a start.
        "request_welcome" => Body::Opt(Opt {
            action: name,
            ..Opt::default()
        }),
        _ => match item
            .object("system")
            .and_then(|system| notice::user_changed(item, &system))
        {
            Some(change) if name == "system" => Body::IdentityChanged(change),
            _ => Body::Message(message::read(item, id?, echo)?),
        },
    })
}
