//! Turns a body into events.

use std::ops::ControlFlow;

use chatly_canonical::{Body, Event};
use chatly_channel::event::{self, Events, Scope};
use chatly_channel::key::Keys;
use chatly_meta::{Entry, Item};

use crate::NAME;
use crate::value::Value;

/// Every event of a body, in payload order. `account` is the one of the route. A body with more
/// events than one may have becomes one `unknown` event that holds it whole.
pub(crate) fn parse(body: &[u8], account: Option<&str>) -> Vec<Event> {
    let route = Scope::account(account.unwrap_or_default());
    let (mut keys, mut events) = (Keys::new(NAME), Events::new());
    let walked = chatly_meta::walk(body, |item| {
        item_events(item, &route, &mut keys, &mut events)
    });
    let whole = |kind| event::whole(NAME, &route, body, kind);
    if walked.is_none() {
        events.push(whole(Body::Unparsable));
    }
    let kind = walked.map_or(Body::Unparsable, |_| Body::Unknown);
    events.or_whole(|| whole(kind))
}

fn item_events(item: Item, route: &Scope, keys: &mut Keys, events: &mut Events) -> ControlFlow<()> {
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
            events.push(event::unknown(
                NAME,
                keys,
                &scope_of(&entry, route),
                item.json(),
                entry.time,
            ));
        }
        Item::Broken { entry, item } => {
            let scope = entry
                .as_ref()
                .map_or_else(|| route.clone(), |entry| scope_of(entry, route));
            events.push(event::unknown(
                NAME,
                keys,
                &scope,
                item,
                entry.and_then(|entry| entry.time),
            ));
        }
    }
    events.within_bounds()
}

/// The business that the entry names, else the account of the route.
pub(crate) fn scope_of(entry: &Entry, route: &Scope) -> Scope {
    match &entry.id {
        Some(id) => Scope::business(id),
        None => route.clone(),
    }
}
