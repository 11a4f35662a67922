//! Turns a body into its event.

use chatly_canonical::{Body, Event, External, Raw, rfc3339_to_millis};
use chatly_channel::Delivery;
use chatly_channel::event::{Events, Scope, alone, event, whole};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};

use crate::NAME;
use crate::verify::Headers;

/// Members that the event holds, or that say what the format is.
const HELD: &[&str] = &["type", "timestamp", "data"];

/// The one event of a delivery. `account` is the one of the route, empty when the route has none.
pub(crate) fn parse(delivery: &Delivery, account: Option<&str>) -> Vec<Event> {
    let scope = Scope::account(account.unwrap_or_default());
    let body = &delivery.body;
    let kept = |kind| Event {
        key: key(delivery, &scope),
        ..whole(NAME, &scope, body, kind)
    };
    let Some(object) = Json::parse(body).and_then(Json::object) else {
        return alone(kept(Body::Unparsable));
    };
    let (external, raw) = match external(&object) {
        Some((external, raw)) => (Body::External(external), raw),
        None => (Body::Unknown, Some(object.json().raw())),
    };
    let event = Event {
        at: at(&object),
        raw,
        ..event(NAME, &scope, key(delivery, &scope), external)
    };
    Events::from_iter([event]).or_whole(|| kept(Body::Unknown))
}

/// The id that all attempts of one message share; a digest of the body where it is missing.
fn key(delivery: &Delivery, scope: &Scope) -> String {
    match delivery.header(Headers::of(delivery).id) {
        Ok(id) if !id.is_empty() => named(NAME, &scope.account, id, &[]),
        _ => Keys::new(NAME).hashed(&scope.account, &delivery.body, None),
    }
}

/// The type and the data, and the whole JSON where it says more. Of a body without `data` (a flat
/// one, which the specification allows) all of it is the data.
fn external(object: &Object) -> Option<(External, Option<Raw>)> {
    let kind = object.string("type")?;
    let Some(data) = object.get("data") else {
        let data = object.json().raw();
        return Some((External { kind, data }, None));
    };
    let raw = (!object.has_only(HELD)).then(|| object.json().raw());
    let data = data.raw();
    Some((External { kind, data }, raw))
}

/// `timestamp` of the specification, or `time` of CloudEvents: as text, or as a number.
fn at(object: &Object) -> Option<u64> {
    ["timestamp", "time"].iter().find_map(|name| {
        let time = object.get(name)?;
        time.string()
            .and_then(|text| rfc3339_to_millis(&text))
            .or_else(|| time.millis())
    })
}
