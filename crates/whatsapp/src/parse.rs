//! Turns a body into events.

use chatly_canonical::{AccountScope, Body, DeliveryState, Event, Opt, Party, Raw, Reaction};
use chatly_channel::json::{Json, Object};
use chatly_meta::{Entry, Item};

use crate::key::Keys;
use crate::party::{CONTACT, Contacts, FROM, PARTICIPANT, RECIPIENT, TO, identities};
use crate::{NAME, message, notice};

/// Lists that a value may have, in the order in which their items become events.
const LISTS: &[(&str, Kind)] = &[
    ("messages", Kind::Message),
    ("message_echoes", Kind::Echo),
    ("statuses", Kind::Status),
    ("user_preferences", Kind::Preference),
    ("user_id_update", Kind::UserId),
    ("calls", Kind::Call),
    ("errors", Kind::Error),
    ("history", Kind::Other),
    ("state_sync", Kind::Other),
    ("groups", Kind::Other),
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
    Other,
}

/// Every event of a body, in payload order. `account` is the one of the route.
pub(crate) fn parse(body: &[u8], account: Option<&str>) -> Vec<Event> {
    let mut keys = Keys::default();
    let route = Scope { account: account.unwrap_or_default().to_owned(), scope: AccountScope::Account };
    let Some(items) = chatly_meta::walk(body) else {
        let key = keys.hashed(&route.account, body, None);
        let raw = std::str::from_utf8(body).ok().map(Raw::json);
        return vec![Event { raw, ..event(&route, key, Body::Unparsable) }];
    };
    let mut events = Vec::new();
    for item in items {
        match item {
            Item::Change { entry, field, value, item } => {
                Value::new(&entry, value, &route).events(&field, item, &mut keys, &mut events);
            }
            Item::Messaging { entry, item, .. } => {
                events.push(unknown(&mut keys, &Scope::of_entry(&entry, &route), item.json(), entry.time));
            }
            Item::Broken { entry, item } => {
                let scope = entry.as_ref().map_or_else(|| route.clone(), |entry| Scope::of_entry(entry, &route));
                events.push(unknown(&mut keys, &scope, item, entry.and_then(|entry| entry.time)));
            }
        }
    }
    events
}

/// The account that an item belongs to.
#[derive(Debug, Clone)]
struct Scope {
    account: String,
    scope: AccountScope,
}

impl Scope {
    /// The route's account, else the business that the entry names.
    fn of_entry(entry: &Entry, route: &Scope) -> Scope {
        match &entry.id {
            Some(id) => Scope { account: id.clone(), scope: AccountScope::Business },
            None => route.clone(),
        }
    }
}

/// A value of a change, with what its items have in common.
struct Value<'a> {
    value: Object<'a>,
    scope: Scope,
    contacts: Contacts,
    entry_at: Option<u64>,
    entry_time: Option<Json<'a>>,
}

impl<'a> Value<'a> {
    fn new(entry: &Entry<'a>, value: Object<'a>, route: &Scope) -> Self {
        let scope = match value.object("metadata").and_then(|metadata| metadata.id("phone_number_id")) {
            Some(account) => Scope { account, scope: AccountScope::Account },
            None => Scope::of_entry(entry, route),
        };
        let contacts = Contacts::of(&value);
        Value { value, scope, contacts, entry_at: entry.at, entry_time: entry.time }
    }

    /// The events of all lists, or the one of the value as a whole. Never none.
    fn events(&self, field: &str, change: Json, keys: &mut Keys, events: &mut Vec<Event>) {
        let before = events.len();
        for (list, kind) in LISTS {
            match self.value.get(list).map(|value| (value, value.list())) {
                None => {}
                Some((_, Some(items))) => events.extend(items.into_iter().map(|item| self.item(*kind, item, keys))),
                Some((value, None)) => events.push(unknown(keys, &self.scope, value, self.entry_time)),
            }
        }
        if events.len() > before {
            return;
        }
        let key = keys.hashed(&self.scope.account, change.text().as_bytes(), self.entry_time);
        let body = notice::notice(field, &self.value).unwrap_or(Body::Unknown);
        let at = self.value.millis("timestamp").or(self.entry_at);
        events.push(Event { at, raw: Some(change.raw()), ..event(&self.scope, key, body) });
    }

    fn item(&self, kind: Kind, item: Json, keys: &mut Keys) -> Event {
        let Some(object) = item.object() else {
            return unknown(keys, &self.scope, item, self.entry_time);
        };
        let mut found = match kind {
            Kind::Message => self.message(&object, false),
            Kind::Echo => self.message(&object, true),
            Kind::Status if object.string("type").as_deref() == Some("call") => self.call(&object),
            Kind::Status => self.status(&object),
            Kind::Call => self.call(&object),
            Kind::Preference => notice::preference(&object).map(|opt| self.about(&object, Body::Opt(opt))),
            Kind::UserId => notice::user_id_update(&object).map(|it| self.about(&object, Body::IdentityChanged(it))),
            Kind::Error => Some(self.plain(Body::Error(notice::error(&object)), Some(item.raw()))),
            Kind::Other => None,
        }
        .unwrap_or_else(|| self.unread(kind, &object));
        found.at = object.millis("timestamp").or(self.entry_at);
        if found.key.is_empty() {
            let time = if found.at == self.entry_at { self.entry_time } else { None };
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
        Event { raw, ..event(&self.scope, String::new(), body) }
    }

    /// An event about the person whom `wa_id` and `user_id` name.
    fn about(&self, item: &Object, body: Body) -> Event {
        let mut people = identities(item, &CONTACT);
        if let Body::IdentityChanged(change) = &body {
            people.extend(change.current.clone());
        }
        Event { sender: self.contacts.party(people), ..self.plain(body, Some(item.json().raw())) }
    }

    fn with_people(&self, item: &Object, echo: bool, event: Event) -> Event {
        let from = identities(item, &FROM);
        let sender = if echo {
            (!from.is_empty()).then(|| Party { identities: from, ..Party::default() })
        } else {
            self.contacts.party(from)
        };
        let recipient = if echo { self.contacts.party(identities(item, &TO)) } else { None };
        Event { sender, recipient, chat: item.id("group_id"), ..event }
    }

    fn message(&self, item: &Object, echo: bool) -> Option<Event> {
        let name = item.string("type").unwrap_or_default();
        let id = item.id("id");
        let raw = || Some(item.json().raw());
        let (body, raw) = match name.as_str() {
            "reaction" => {
                let content = item.object("reaction")?;
                let emoji = content.string("emoji");
                let emojis = emoji.iter().cloned().collect();
                (Body::Reaction(Reaction { message_id: content.id("message_id")?, emoji, emojis, count: None }), None)
            }
            "edit" => {
                let edit = item.object("edit")?;
                let new = message::read(&edit.object("message")?, edit.id("original_message_id")?, echo)?;
                (Body::MessageEdited(new), None)
            }
            "revoke" => (Body::MessageDeleted(item.object("revoke")?.id("original_message_id")?), None),
            "request_welcome" => (Body::Opt(Opt { action: name, ..Opt::default() }), raw()),
            "system" => match item.object("system").and_then(|system| notice::user_changed(item, &system)) {
                Some(change) => (Body::IdentityChanged(change), raw()),
                None => (Body::Message(message::read(item, id.clone()?, echo)?), None),
            },
            _ => (Body::Message(message::read(item, id.clone()?, echo)?), None),
        };
        let key = id.map(|id| Keys::named(&self.scope.account, &id, &[])).unwrap_or_default();
        let mut event = self.with_people(item, echo, Event { key, ..self.plain(body, raw) });
        if event.sender.is_none() && let Body::IdentityChanged(change) = &event.body {
            let known = if change.previous.is_empty() { &change.current } else { &change.previous };
            event.sender = self.contacts.party(known.clone());
        }
        Some(event)
    }

    fn status(&self, item: &Object) -> Option<Event> {
        let id = item.id("id")?;
        let word = item.string("status")?;
        let state: DeliveryState = notice::state(&word)?;
        let in_group = item.string("recipient_type").as_deref() == Some("group");
        let chat = if in_group { item.id("recipient_id") } else { None };
        let people = identities(item, if in_group { &PARTICIPANT } else { &RECIPIENT });
        let participant = if in_group { people.first().map(|identity| identity.id.clone()) } else { None };
        let key = Keys::named(&self.scope.account, &id, &[&word, &participant.unwrap_or_default()]);
        let raw = notice::status_has_more(item).then(|| item.json().raw());
        let body = Body::Status(notice::status(item, &id, state));
        let recipient = self.contacts.party(people);
        Some(Event { key, recipient, chat, ..self.plain(body, raw) })
    }

    fn call(&self, item: &Object) -> Option<Event> {
        let call = notice::call(item)?;
        let key = Keys::named(&self.scope.account, &call.id, &[&call.action]);
        let is_status = item.get("recipient_id").is_some() || item.get("recipient_user_id").is_some();
        let recipient = identities(item, if is_status { &RECIPIENT } else { &TO });
        let event = Event { key, ..self.plain(Body::Call(call), Some(item.json().raw())) };
        let recipient = self.contacts.party(recipient);
        Some(Event { sender: self.contacts.party(identities(item, &FROM)), recipient, ..event })
    }
}

fn event(scope: &Scope, key: String, body: Body) -> Event {
    Event {
        key,
        channel: NAME.to_owned(),
        account: scope.account.clone(),
        account_scope: scope.scope,
        at: None,
        standby: false,
        sender: None,
        recipient: None,
        chat: None,
        body,
        raw: None,
    }
}

fn unknown(keys: &mut Keys, scope: &Scope, item: Json, time: Option<Json>) -> Event {
    let key = keys.hashed(&scope.account, item.text().as_bytes(), time);
    Event { raw: Some(item.raw()), ..event(scope, key, Body::Unknown) }
}
