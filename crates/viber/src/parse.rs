//! Turns a body into events.

use chatly_canonical::{
    Body, DeliveryState, ErrorDetail, Event, Identity, Notice, Opt, Party, Status, Target,
};
use chatly_channel::event::{self, Events, Scope};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};

use crate::{NAME, message};

/// Later than this, 9999-12-31, a timestamp is no time: the callback of `set_webhook` has been seen
/// with a 64-bit token there.
const MAX_MILLIS: u64 = 253_402_300_799_999;

/// The event of a body. `account` is the one of the route.
pub(crate) fn parse(body: &[u8], account: Option<&str>) -> Vec<Event> {
    let scope = Scope::account(account.unwrap_or_default());
    let Some(object) = Json::parse(body).and_then(Json::object) else {
        return event::alone(event::whole(NAME, &scope, body, Body::Unparsable));
    };
    let known = known(&object, &scope);
    let unknown = || event::unknown(NAME, &mut Keys::new(NAME), &scope, object.json(), None);
    let event = known.unwrap_or_else(unknown);
    let event = Event {
        at: object
            .millis("timestamp")
            .filter(|millis| *millis <= MAX_MILLIS),
        ..event
    };
    Events::from_iter([event]).or_whole(unknown)
}

/// The event of a callback that is understood.
fn known(object: &Object, scope: &Scope) -> Option<Event> {
    let kind = object.string("event")?;
    let token = object.id("message_token");
    let raw = || Some(object.json().raw());
    let of = |body: Body| {
        let key = match &token {
            Some(token) if kind == "message" => named(NAME, &scope.account, token, &[]),
            Some(token) => {
                // One token may be of a message to many.
                let user = object.id("user_id").unwrap_or_default();
                named(NAME, &scope.account, token, &[&kind, &user])
            }
            None => {
                let text = object.json().text().as_bytes();
                Keys::new(NAME).hashed(&scope.account, text, None)
            }
        };
        event::event(NAME, scope, key, body)
    };
    Some(match kind.as_str() {
        "message" => Event {
            sender: object.object("sender").and_then(|it| party(&it)),
            ..of(Body::Message(message::read(object, token.clone()?)?))
        },
        "subscribed" | "unsubscribed" | "conversation_started" => Event {
            sender: user(object),
            raw: raw(),
            ..of(Body::Opt(opt(object, &kind)))
        },
        "delivered" | "seen" | "failed" => Event {
            recipient: user(object),
            ..of(Body::Status(status(object, &kind, token.clone()?)))
        },
        "webhook" => Event {
            raw: raw(),
            ..of(Body::Account(Notice {
                action: kind.clone(),
                ..Notice::default()
            }))
        },
        _ => return None,
    })
}

/// Opening a conversation grants nothing: until the user writes or subscribes, one message may be
/// sent. `context` is what our deep link carried.
fn opt(object: &Object, kind: &str) -> Opt {
    let granted = match kind {
        "subscribed" => Some(true),
        "unsubscribed" => Some(false),
        _ => None,
    };
    Opt {
        action: kind.to_owned(),
        granted,
        topic: None,
        payload: object.string("context"),
    }
}

fn status(object: &Object, kind: &str, token: String) -> Status {
    let state = match kind {
        "delivered" => DeliveryState::Delivered,
        "seen" => DeliveryState::Read,
        _ => DeliveryState::Failed,
    };
    let error = (kind == "failed").then(|| ErrorDetail {
        detail: object.string("desc"),
        ..ErrorDetail::default()
    });
    Status {
        target: Target::MessageId(token),
        state,
        error,
        reference: None,
    }
}

/// The person in `user`, or the one that only `user_id` names.
fn user(object: &Object) -> Option<Party> {
    let user = object.object("user").and_then(|user| party(&user));
    user.or_else(|| {
        Some(Party {
            identities: vec![Identity::new(NAME, object.id("user_id")?)],
            ..Party::default()
        })
    })
}

fn party(user: &Object) -> Option<Party> {
    Some(Party {
        identities: vec![Identity::new(NAME, user.id("id")?)],
        name: user.string("name"),
        username: None,
    })
}
