//! Turns a body into events.

use chatly_canonical::{
    Body, DeliveryState, ErrorDetail, Event, Identity, Opt, Party, Status, Target,
};
use chatly_channel::event::{self, Events, Scope};
use chatly_channel::json::{Json, MAX_ID_BYTES};
use chatly_channel::key::{Keys, named};

use crate::fields::Fields;
use crate::{NAME, address, message};

/// Every event of a body. `account` is the one of the route, for a form that names none.
pub(crate) fn parse(body: &[u8], account: Option<&str>) -> Vec<Event> {
    let route = Scope::account(account.unwrap_or_default());
    if let Some(json) = Json::parse(body) {
        let is_object = json.object().is_some();
        let kind = if is_object {
            Body::Unknown
        } else {
            Body::Unparsable
        };
        return event::alone(event::whole(NAME, &route, body, kind));
    }
    let Some(fields) = Fields::read(body) else {
        return event::alone(event::whole(NAME, &route, body, Body::Unparsable));
    };
    let account = fields
        .text("AccountSid")
        .filter(|sid| sid.len() <= MAX_ID_BYTES);
    let scope = account.map_or(route, Scope::account);
    let known = sid(&fields).and_then(|sid| known(&fields, &scope, sid));
    let unknown = || unknown(&fields, &scope, body);
    let events = known.unwrap_or_else(|| vec![unknown()]);
    Events::from_iter(events).or_whole(unknown)
}

/// The message's id; the other two names are older ones for the same.
fn sid(fields: &Fields) -> Option<&str> {
    ["MessageSid", "SmsSid", "SmsMessageSid"]
        .into_iter()
        .find_map(|name| fields.filled(name))
}

fn unknown(fields: &Fields, scope: &Scope, body: &[u8]) -> Event {
    let key = Keys::new(NAME).hashed(&scope.account, body, None);
    Event {
        raw: Some(fields.raw()),
        ..event::event(NAME, scope, key, Body::Unknown)
    }
}

/// The events of a message or of a step of one; none when it is neither.
fn known(fields: &Fields, scope: &Scope, sid: &str) -> Option<Vec<Event>> {
    let state = fields
        .filled("MessageStatus")
        .or_else(|| fields.filled("SmsStatus"));
    match state {
        // Twilio's Conversations send forms of other things under a `MessageSid` too.
        None if fields.filled("From").is_none() || fields.filled("EventType").is_some() => None,
        None | Some("received" | "receiving") => Some(received(fields, scope, sid)),
        Some(state) => Some(vec![step(fields, scope, sid, state)?]),
    }
}

/// A message that came in and, where it is a word that Twilio acts on, the consent that it means.
fn received(fields: &Fields, scope: &Scope, sid: &str) -> Vec<Event> {
    let of = |steps: &[&str], body| Event {
        sender: Some(sender(fields)),
        recipient: fields.filled("To").map(party),
        chat: chat(fields.filled("To"), fields.filled("From")),
        ..event::event(NAME, scope, named(NAME, &scope.account, sid, steps), body)
    };
    let mut events = vec![of(&[], Body::Message(message::read(fields, sid)))];
    let granted = match fields.get("OptOutType") {
        Some("STOP") => Some(false),
        Some("START") => Some(true),
        _ => None,
    };
    if let Some(granted) = granted {
        let action = if granted { "start" } else { "stop" };
        let opt = Opt {
            action: action.to_owned(),
            granted: Some(granted),
            ..Opt::default()
        };
        events.push(of(&["opt"], Body::Opt(opt)));
    }
    events
}

/// A step of a message that we sent; none when its word is new.
fn step(fields: &Fields, scope: &Scope, sid: &str, state: &str) -> Option<Event> {
    let delivery_state = match state {
        "accepted" | "scheduled" | "queued" | "sending" => DeliveryState::Accepted,
        "sent" => DeliveryState::Sent,
        "delivered" => DeliveryState::Delivered,
        "read" => DeliveryState::Read,
        "undelivered" | "failed" | "canceled" => DeliveryState::Failed,
        _ => return None,
    };
    let error = ErrorDetail {
        code: fields.text("ErrorCode").filter(|code| code != "0"),
        title: fields.text("ErrorMessage"),
        detail: fields.text("ChannelStatusMessage"),
    };
    let is_error = error.code.is_some() || error.title.is_some() || error.detail.is_some();
    let status = Status {
        target: Target::MessageId(sid.to_owned()),
        state: delivery_state,
        error: is_error.then_some(error),
        reference: None,
    };
    let key = named(NAME, &scope.account, sid, &[state]);
    Some(Event {
        recipient: fields.filled("To").map(party),
        chat: chat(fields.filled("From"), fields.filled("To")),
        raw: Some(fields.raw()),
        ..event::event(NAME, scope, key, Body::Status(status))
    })
}

/// Our address and theirs, as one id of the pair that talks.
fn chat(ours: Option<&str>, theirs: Option<&str>) -> Option<String> {
    Some(format!("{}/{}", ours?, theirs?))
}

fn party(address: &str) -> Party {
    Party {
        identities: vec![address::identity(address)],
        ..Party::default()
    }
}

/// Who wrote: the address, and what else WhatsApp says of the same person. Phones come first.
fn sender(fields: &Fields) -> Party {
    let mut identities: Vec<Identity> = Vec::new();
    let given = ["From", "WaId", "ExternalUserId"].map(|name| fields.filled(name));
    for identity in given.into_iter().flatten().map(address::identity) {
        if !identities.contains(&identity) {
            identities.push(identity);
        }
    }
    identities.sort_by_key(|identity| match identity.scheme.as_str() {
        "phone" => 0,
        "bsuid" => 1,
        "parent_bsuid" => 2,
        _ => 3,
    });
    Party {
        identities,
        name: fields.text("ProfileName"),
        username: None,
    }
}
