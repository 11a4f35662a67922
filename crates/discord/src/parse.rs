//! Turns a body into its event, and says what it is answered with.

use chatly_canonical::{Body, Event};
use chatly_channel::Reply;
use chatly_channel::event::{Events, Scope, alone, event, unknown, whole};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};

use crate::party::{actor, millis};
use crate::{NAME, interaction, notice};

/// What a body is: interactions and webhook events use the same numbers, and only an event has a
/// member `event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Ping,
    WebhookPing,
    WebhookEvent,
    Command,
    Component,
    Autocomplete,
    Modal,
    Other,
}

/// The kind of a body.
pub(crate) fn kind(body: &Object) -> Kind {
    match body.get("type").and_then(Json::integer) {
        Some(0) => Kind::WebhookPing,
        Some(1) if body.get("event").is_some() => Kind::WebhookEvent,
        Some(1) => Kind::Ping,
        Some(2) => Kind::Command,
        Some(3) => Kind::Component,
        Some(4) => Kind::Autocomplete,
        Some(5) => Kind::Modal,
        _ => Kind::Other,
    }
}

/// The one event of a body. `account` is the one of the route, for what names no application.
pub(crate) fn parse(body: &[u8], account: Option<&str>) -> Vec<Event> {
    let route = Scope::account(account.unwrap_or_default());
    let Some(object) = Json::parse(body).and_then(Json::object) else {
        return alone(whole(NAME, &route, body, Body::Unparsable));
    };
    let scope = object.id("application_id").map_or(route, Scope::account);
    let kind = kind(&object);
    let found = match kind {
        Kind::WebhookEvent => object
            .object("event")
            .map(|item| notice::event(&item, &scope)),
        Kind::Command | Kind::Component | Kind::Autocomplete | Kind::Modal => {
            of_interaction(&object, kind, &scope)
        }
        Kind::Ping | Kind::WebhookPing | Kind::Other => None,
    };
    let kept = || Event {
        raw: Some(object.raw_without(&["token"])),
        ..unknown(NAME, &mut Keys::new(NAME), &scope, object.json(), None)
    };
    Events::from_iter([found.unwrap_or_else(kept)]).or_whole(kept)
}

fn of_interaction(object: &Object, kind: Kind, scope: &Scope) -> Option<Event> {
    let id = object.id("id")?;
    let key = named(NAME, &scope.account, &id, &[]);
    let body = interaction::body(object, kind, &id).unwrap_or(Body::Unknown);
    let raw = matches!(body, Body::Unknown).then(|| object.raw_without(&["token"]));
    Some(Event {
        at: millis(&id),
        sender: actor(object),
        chat: object
            .id("channel_id")
            .or_else(|| object.object("channel")?.id("id")),
        raw,
        ..event(NAME, scope, key, body)
    })
}

/// `{"type":1}`, the answer to a PING.
pub(crate) fn pong() -> Reply {
    Reply::new(200, "application/json", r#"{"type":1}"#)
}

/// Defers: 5 shows that we think, 6 leaves the message of the component as it is, 8 offers nothing
/// to complete. Webhook events want a 204.
pub(crate) fn acknowledge(body: &[u8]) -> Reply {
    let kind = Json::parse(body)
        .and_then(Json::object)
        .map_or(Kind::Other, |body| kind(&body));
    let answer = match kind {
        Kind::Command | Kind::Modal => r#"{"type":5}"#,
        Kind::Component => r#"{"type":6}"#,
        Kind::Autocomplete => r#"{"type":8,"data":{"choices":[]}}"#,
        Kind::Ping => return pong(),
        Kind::WebhookPing | Kind::WebhookEvent | Kind::Other => {
            return Reply {
                status: 204,
                headers: Vec::new(),
                body: Vec::new(),
            };
        }
    };
    Reply::new(200, "application/json", answer)
}
