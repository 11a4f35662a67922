//! Turns a body into events.

use chatly_canonical::{Body, Event};
use chatly_channel::event::{self, Events, Scope};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::Keys;
use chatly_meta::{Entry, Item};

use crate::item::Reader;
use crate::{Platform, change};

/// Every event of a body, in payload order. `account` is the one of the route. A body with more
/// events than one may have becomes one `unknown` event that holds it whole.
pub fn parse(platform: Platform, body: &[u8], account: Option<&str>) -> Vec<Event> {
    let route = Scope::account(account.unwrap_or_default());
    let (mut keys, mut events) = (Keys::new(platform.name()), Events::new());
    let walked = chatly_meta::walk(body, |item| {
        item_events(platform, item, &route, &mut keys, &mut events);
        events.within_bounds()
    });
    let whole = |kind| event::whole(platform.name(), &route, body, kind);
    if walked.is_none() {
        events.push(whole(Body::Unparsable));
    }
    let kind = walked.map_or(Body::Unparsable, |_| Body::Unknown);
    events.or_whole(|| whole(kind))
}

fn item_events(
    platform: Platform,
    item: Item,
    route: &Scope,
    keys: &mut Keys,
    events: &mut Events,
) {
    match item {
        Item::Messaging {
            entry,
            standby,
            item,
        } => {
            let scope = scope_of(Some(&entry), Some(&item), route);
            Reader::new(platform, scope, &entry, standby).events(&item, keys, events);
        }
        Item::Change {
            entry,
            field,
            value,
            item,
        } => {
            let scope = scope_of(Some(&entry), Some(&value), route);
            let reader = Reader::new(platform, scope, &entry, field == "standby");
            change::events(&reader, &field, &value, item, keys, events);
        }
        Item::Broken { entry, item } => {
            let scope = scope_of(entry.as_ref(), None, route);
            let time = entry.and_then(|entry| entry.time);
            events.push(event::unknown(platform.name(), keys, &scope, item, time));
        }
    }
}

/// The account that the entry names, else the one that an item does, else that of the route. By the
/// entry's id, never by `object`: pages of the documentation differ in what that holds.
fn scope_of(entry: Option<&Entry>, item: Option<&Object>, route: &Scope) -> Scope {
    let by_item = |item: &Object| {
        let is_echo = item
            .object("message")
            .is_some_and(|message| message.is_true("is_echo"));
        item.object(if is_echo { "sender" } else { "recipient" })?
            .id("id")
    };
    entry
        .and_then(|entry| entry.id.clone())
        .or_else(|| item.and_then(by_item))
        .map_or_else(|| route.clone(), Scope::account)
}

/// The first member that is an id.
pub(crate) fn first_id(object: &Object, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| object.id(name))
}

/// The first member that is a string and not empty.
pub(crate) fn first_string(object: Option<&Object>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| object?.string(name))
}

/// The first item of a list that is an object.
pub(crate) fn first_object<'a>(list: &[Json<'a>]) -> Option<Object<'a>> {
    list.first()?.object()
}
