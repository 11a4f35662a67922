//! Turns a body into events: by its type and the envelope in it.

use chatly_canonical::{Body, Event, Membership, Notice, Opt, Reaction};
use chatly_channel::event::{Events, Scope, alone, event, unknown, whole};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};
use chatly_channel::{Delivery, form};

use crate::party::{message_id, millis, party, user};
use crate::{NAME, command, interaction, message};

/// The events of a delivery. `account` is the one of the route, for what names no workspace.
pub(crate) fn parse(delivery: &Delivery, account: Option<&str>) -> Vec<Event> {
    let route = Scope::account(account.unwrap_or_default());
    let body = &delivery.body;
    if is_form(delivery) {
        let pairs = form::pairs(body);
        let payload = value(&pairs, b"payload");
        let interaction = payload
            .and_then(Json::parse)
            .and_then(Json::object)
            .map(|payload| interaction::events(&payload, &route));
        return interaction
            .or_else(|| command::event(&pairs, &route).map(alone))
            .unwrap_or_else(|| alone(whole(NAME, &route, body, Body::Unparsable)));
    }
    match Json::parse(body).and_then(Json::object) {
        Some(envelope) => {
            let event = of_envelope(&envelope, &route);
            Events::from_iter([event]).or_whole(|| kept(&envelope, &route))
        }
        None => alone(whole(NAME, &route, body, Body::Unparsable)),
    }
}

/// Whether the body is a form: by its declared type.
pub(crate) fn is_form(delivery: &Delivery) -> bool {
    delivery.header("content-type").is_ok_and(|it| {
        it.to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded")
    })
}

/// The first value of a name.
pub(crate) fn value<'a>(pairs: &'a [form::Pair], name: &[u8]) -> Option<&'a [u8]> {
    let (_, value) = pairs.iter().find(|(key, _)| key == name)?;
    Some(value)
}

fn of_envelope(envelope: &Object, route: &Scope) -> Event {
    let scope = scope(envelope, route);
    match envelope.string("type").as_deref() {
        Some("event_callback") => match envelope.object("event") {
            Some(item) => of_event(envelope, &item, &scope),
            None => kept(envelope, &scope),
        },
        Some("app_rate_limited") => {
            let minute = envelope.get("minute_rate_limited").and_then(Json::scalar);
            let at = envelope.millis("minute_rate_limited");
            let step = at.map(|at| at.to_string()).unwrap_or_default();
            let notice = Notice {
                action: "app_rate_limited".to_owned(),
                subject: envelope.id("api_app_id"),
                detail: minute.map(|_| "events of this minute were left out".to_owned()),
            };
            let key = named(NAME, &scope.account, "app_rate_limited", &[&step]);
            Event {
                at,
                ..event(NAME, &scope, key, Body::Account(notice))
            }
        }
        _ => kept(envelope, &scope),
    }
}

/// An envelope that is kept, without what opens something.
fn kept(envelope: &Object, scope: &Scope) -> Event {
    Event {
        raw: Some(envelope.raw_without(crate::SECRETS)),
        ..unknown(NAME, &mut Keys::new(NAME), scope, envelope.json(), None)
    }
}

/// The workspace that the app is installed in, else the one where it happened, else the
/// organisation, else the account of the route.
fn scope(envelope: &Object, route: &Scope) -> Scope {
    let installation = envelope
        .list("authorizations")
        .first()
        .and_then(|it| it.object());
    let account = installation
        .and_then(|it| it.id("team_id"))
        .or_else(|| envelope.id("team_id"))
        .or_else(|| envelope.id("enterprise_id"));
    account.map_or_else(|| route.clone(), Scope::account)
}

fn of_event(envelope: &Object, item: &Object, scope: &Scope) -> Event {
    let found = match item.string("type").as_deref() {
        Some("message" | "app_mention") => message::body(envelope, item),
        Some("reaction_added") => reaction(item, true),
        Some("reaction_removed") => reaction(item, false),
        Some("member_joined_channel" | "team_join") => membership(item, true),
        Some("member_left_channel") => membership(item, false),
        Some(action @ "app_home_opened") => Some(Body::Opt(Opt {
            action: action.to_owned(),
            topic: item.string("tab"),
            ..Opt::default()
        })),
        Some(action @ ("app_uninstalled" | "tokens_revoked" | "app_installed")) => {
            Some(Body::Account(Notice {
                action: action.to_owned(),
                subject: envelope.id("api_app_id"),
                detail: None,
            }))
        }
        _ => None,
    };
    let body = found.unwrap_or(Body::Unknown);
    let holds_all = match &body {
        Body::Message(_) | Body::MessageEdited(_) => true,
        Body::Reaction(reaction) => reaction.emoji.is_some(),
        _ => false,
    };
    let key = key(envelope, item, scope, &body);
    let of_person = !matches!(body, Body::MessageDeleted(_) | Body::Account(_));
    let speaker = match &body {
        Body::MessageEdited(_) => item.object("message"),
        _ => None,
    };
    let at = item
        .string("event_ts")
        .or_else(|| item.string("ts"))
        .and_then(|ts| millis(&ts))
        .or_else(|| envelope.millis("event_time"));
    Event {
        at,
        sender: party(speaker.as_ref().unwrap_or(item)).filter(|_| of_person),
        chat: chat(item),
        raw: (!holds_all).then(|| item.json().raw()),
        ..event(NAME, scope, key, body)
    }
}

/// A message is keyed by itself, since a mention comes twice; all else by its event.
fn key(envelope: &Object, item: &Object, scope: &Scope, body: &Body) -> String {
    let id = match body {
        Body::Message(message) => Some(message.id.clone()),
        _ => envelope.id("event_id"),
    };
    match id {
        Some(id) => named(NAME, &scope.account, &id, &[]),
        None => {
            let time = envelope.get("event_time");
            Keys::new(NAME).hashed(&scope.account, item.json().text().as_bytes(), time)
        }
    }
}

/// The channel, unless it is a direct message.
fn chat(item: &Object) -> Option<String> {
    let channel = item
        .id("channel")
        .or_else(|| item.object("item")?.id("channel"))?;
    let is_direct =
        item.string("channel_type").as_deref() == Some("im") || channel.starts_with('D');
    (!is_direct).then_some(channel)
}

/// What it is put on is a message, or a file by its id.
fn reaction(item: &Object, is_added: bool) -> Option<Body> {
    let on = item.object("item")?;
    let message_id = match on.id("channel").zip(on.id("ts")) {
        Some((channel, ts)) => message_id(&channel, &ts),
        None => on.id("file")?,
    };
    let name = item.string("reaction")?;
    Some(Body::Reaction(Reaction {
        message_id,
        emoji: is_added.then_some(name),
        ..Reaction::default()
    }))
}

fn membership(item: &Object, joined: bool) -> Option<Body> {
    let id = item.id("user").or_else(|| item.object("user")?.id("id"))?;
    Some(Body::Membership(Membership {
        joined,
        members: vec![user(id)],
    }))
}
