//! Turns a body into events.

use chatly_canonical::{Body, Event};
use chatly_channel::event::{self, Events, Scope};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};

use crate::NAME;
use crate::event::{Source, body};

/// Every event of a body, in payload order: none where LINE sends none. `account` is the one of the
/// route, for a body that does not name its bot. A body with more events than one may have becomes one
/// `unknown` event that holds it whole.
pub(crate) fn parse(body: &[u8], account: Option<&str>) -> Vec<Event> {
    let route = Scope::account(account.unwrap_or_default());
    let Some(envelope) = Json::parse(body).and_then(Json::object) else {
        return event::alone(event::whole(NAME, &route, body, Body::Unparsable));
    };
    let scope = envelope
        .id("destination")
        .map_or_else(|| route.clone(), Scope::account);
    let Some(items) = envelope.get("events").and_then(Json::list) else {
        return event::alone(event::whole(NAME, &scope, body, Body::Unknown));
    };
    let (mut keys, mut events) = (Keys::new(NAME), Events::new());
    for item in items {
        events.push(match item.object() {
            Some(object) => read(&object, &scope, &mut keys),
            None => event::unknown(NAME, &mut keys, &scope, item, None),
        });
        if events.within_bounds().is_break() {
            break;
        }
    }
    events.or_whole(|| event::whole(NAME, &scope, body, Body::Unknown))
}

/// The event of an item. What it says of time and people stays, also where its kind is not known.
fn read(item: &Object, scope: &Scope, keys: &mut Keys) -> Event {
    let id = item.id("webhookEventId");
    let key = match &id {
        Some(id) => named(NAME, &scope.account, id, &[]),
        None => keys.hashed(&scope.account, item.json().text().as_bytes(), None),
    };
    let source = Source::of(item);
    let body = body(item, id.as_deref(), &scope.account).unwrap_or(Body::Unknown);
    // A message holds the JSON itself.
    let raw = !matches!(body, Body::Message(_) | Body::MessageEdited(_));
    Event {
        at: item.millis("timestamp"),
        standby: item.string("mode").as_deref() == Some("standby"),
        sender: source.sender,
        chat: source.chat,
        raw: raw.then(|| item.json().raw()),
        ..event::event(NAME, scope, key, body)
    }
}
