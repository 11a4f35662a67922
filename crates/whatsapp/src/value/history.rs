//! What is not about one message of now: the chats of a business from before it came to the API, and
//! who is in a group.

use std::ops::ControlFlow;

use chatly_canonical::{Body, Event, Membership, Party};
use chatly_channel::event::{Events, unknown};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::Keys;

use super::{Kind, Value};
use crate::NAME;
use crate::party::{CONTACT, FROM, TO, identities};

impl Value<'_> {
    /// The messages of an item of `history[]`, or its errors; the item itself where it has neither.
    pub(super) fn history(
        &self,
        item: Json,
        keys: &mut Keys,
        events: &mut Events,
    ) -> ControlFlow<()> {
        let before = events.len();
        let object = item.object();
        let list = |name: &str| object.as_ref().map(|it| it.list(name)).unwrap_or_default();
        for thread in list("threads") {
            let messages = thread.object().map(|thread| thread.list("messages"));
            let Some(messages) = messages.filter(|messages| !messages.is_empty()) else {
                events.push(unknown(NAME, keys, &self.scope, thread, self.entry_time));
                events.within_bounds()?;
                continue;
            };
            for message in messages {
                let ours = message
                    .object()
                    .is_some_and(|message| self.is_ours(&message));
                let kind = if ours { Kind::Echo } else { Kind::Message };
                events.push(self.item(kind, message, keys));
                events.within_bounds()?;
            }
        }
        for error in list("errors") {
            events.push(self.item(Kind::Error, error, keys));
            events.within_bounds()?;
        }
        if events.len() == before {
            events.push(unknown(NAME, keys, &self.scope, item, self.entry_time));
        }
        events.within_bounds()
    }

    /// Whether the business wrote it: it names whom to, or our own number as the sender.
    fn is_ours(&self, message: &Object) -> bool {
        let from = identities(message, &FROM);
        let is_from_us = self.number.as_ref().is_some_and(|it| from.contains(it));
        !identities(message, &TO).is_empty() || is_from_us
    }

    /// People who joined or left a group; none when it is about something else.
    pub(super) fn membership(&self, item: &Object) -> Option<Event> {
        let joined = match item.string("type")?.as_str() {
            "group_participants_add" => true,
            "group_participants_remove" => false,
            _ => return None,
        };
        let list = if joined {
            "added_participants"
        } else {
            "removed_participants"
        };
        let member = |json: Json| {
            let row = json.object()?;
            let known = self.contacts.party(identities(&row, &CONTACT))?;
            Some(Party {
                username: known.username.clone().or_else(|| row.string("username")),
                ..known
            })
        };
        let members: Vec<Party> = item.list(list).into_iter().filter_map(member).collect();
        if members.is_empty() {
            return None;
        }
        let body = Body::Membership(Membership { joined, members });
        Some(self.plain(body, Some(item.json().raw())))
    }
}
