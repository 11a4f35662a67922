//! Turns a body into events.

use std::ops::ControlFlow;

use chatly_canonical::{AccountScope, Body, Event, Raw};
use chatly_channel::json::Json;
use chatly_meta::{Entry, Item};

use crate::NAME;
use crate::key::Keys;
use crate::value::Value;

/// Most events of one body. Meta documents at most 1000 updates in one; a body of three bytes an
/// item would become a gigabyte of events.
const MAX_EVENTS: usize = 10_000;

/// Every event of a body, in payload order. `account` is the one of the route. A body with more
/// than [`MAX_EVENTS`] becomes one `unknown` event that holds it whole.
pub(crate) fn parse(body: &[u8], account: Option<&str>) -> Vec<Event> {
    let route = Scope {
        account: account.unwrap_or_default().to_owned(),
        scope: AccountScope::Account,
    };
    let (mut keys, mut events) = (Keys::default(), Vec::new());
    let walked = chatly_meta::walk(body, |item| {
        item_events(item, &route, &mut keys, &mut events)
    });
    let whole = match walked {
        Some(ControlFlow::Continue(())) => return events,
        Some(ControlFlow::Break(())) => Body::Unknown,
        None => Body::Unparsable,
    };
    let raw = std::str::from_utf8(body).ok().map(Raw::json);
    let key = Keys::default().hashed(&route.account, body, None);
    vec![Event {
        raw,
        ..event(&route, key, whole)
    }]
}

fn item_events(
    item: Item,
    route: &Scope,
    keys: &mut Keys,
    events: &mut Vec<Event>,
) -> ControlFlow<()> {
    match item {
        Item::Change {
            entry,
            field,
            value,
            item,
        } => {
            return Value::new(&entry, value, route).events(&field, item, keys, events);
        }
        Item::Messaging { entry, item, .. } => {
            events.push(unknown(
                keys,
                &Scope::of_entry(&entry, route),
                item.json(),
                entry.time,
            ));
        }
        Item::Broken { entry, item } => {
            let scope = entry
                .as_ref()
                .map_or_else(|| route.clone(), |entry| Scope::of_entry(entry, route));
            events.push(unknown(
                keys,
                &scope,
                item,
                entry.and_then(|entry| entry.time),
            ));
        }
    }
    within_bounds(events)
}

/// Breaks when there are more events than one body may have.
pub(crate) fn within_bounds(events: &[Event]) -> ControlFlow<()> {
    if events.len() <= MAX_EVENTS {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}

/// The account that an item belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) account: String,
    pub(crate) scope: AccountScope,
}

impl Scope {
    /// The business that the entry names, else the account of the route.
    pub(crate) fn of_entry(entry: &Entry, route: &Scope) -> Scope {
        match &entry.id {
            Some(id) => Scope {
                account: id.clone(),
                scope: AccountScope::Business,
            },
            None => route.clone(),
        }
    }
}

/// An event with nothing in it but its body.
pub(crate) fn event(scope: &Scope, key: String, body: Body) -> Event {
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

/// An event that only keeps the JSON of something.
pub(crate) fn unknown(keys: &mut Keys, scope: &Scope, item: Json, time: Option<Json>) -> Event {
    let key = keys.hashed(&scope.account, item.text().as_bytes(), time);
    Event {
        raw: Some(item.raw()),
        ..event(scope, key, Body::Unknown)
    }
}
