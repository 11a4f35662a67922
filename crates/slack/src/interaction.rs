//! Interactivity: what people press, choose and submit, as `payload=` of a form.

use chatly_canonical::{Body, Event, InteractiveReply, Message, MessageType, Party};
use chatly_channel::event::{Events, MAX_EVENTS, Scope, event, unknown};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};
use chatly_channel::{Delivery, Reply, form};

use crate::NAME;
use crate::parse::{is_form, value};
use crate::party::{message_id, millis, party};

/// The events of a payload: one for each action, or one.
pub(crate) fn events(payload: &Object, route: &Scope) -> Vec<Event> {
    let scope = payload
        .object("team")
        .and_then(|team| team.id("id"))
        .or_else(|| payload.object("user")?.id("team_id"))
        .or_else(|| payload.object("enterprise")?.id("id"))
        .map_or_else(|| route.clone(), Scope::account);
    let whole = || Event {
        raw: Some(payload.raw_without(crate::SECRETS)),
        ..unknown(NAME, &mut Keys::new(NAME), &scope, payload.json(), None)
    };
    let source = Source::of(payload, &scope);
    let mut events: Events = match payload.string("type").as_deref() {
        Some("block_actions" | "interactive_message") => actions(payload, &source),
        Some("shortcut" | "message_action") => shortcut(payload, &source).into_iter().collect(),
        Some("view_submission") => submission(payload, &source).into_iter().collect(),
        _ => Events::new(),
    };
    // What the events share is kept once: a copy in each would grow with the square of the body.
    events.set_raw_of_first(payload.raw_without(crate::SECRETS));
    if events.is_empty() {
        events.push(whole());
    }
    events.or_whole(whole)
}

/// What the events of a payload share, read once: a payload may have thousands of actions.
struct Source<'a> {
    scope: &'a Scope,
    sender: Option<Party>,
    chat: Option<String>,
}

impl<'a> Source<'a> {
    fn of(payload: &Object, scope: &'a Scope) -> Self {
        Source {
            scope,
            sender: party(payload),
            chat: channel(payload).filter(|channel| !channel.starts_with('D')),
        }
    }
}

/// What Slack waits for: the options of a menu that asks for them, else nothing.
pub(crate) fn acknowledge(delivery: &Delivery) -> Reply {
    let empty = Reply {
        status: 200,
        headers: Vec::new(),
        body: Vec::new(),
    };
    if !is_form(delivery) {
        return empty;
    }
    let pairs = form::pairs(&delivery.body);
    let kind = value(&pairs, b"payload")
        .and_then(Json::parse)
        .and_then(Json::object)
        .and_then(|payload| payload.string("type"));
    match kind.as_deref() {
        Some("block_suggestion") => Reply::new(200, "application/json", r#"{"options":[]}"#),
        _ => empty,
    }
}

fn channel(payload: &Object) -> Option<String> {
    let named = payload.object("channel").and_then(|it| it.id("id"));
    named.or_else(|| payload.object("container")?.id("channel_id"))
}

/// A reply by the person who acted. `surface` and `steps` make its id.
fn reply(source: &Source, surface: &str, steps: &[&str], message: Message) -> Event {
    let scope = source.scope;
    let steps: Vec<&str> = steps
        .iter()
        .copied()
        .filter(|step| !step.is_empty())
        .collect();
    let id = message_id(surface, &steps.join(":"));
    let key = named(NAME, &scope.account, &id, &[]);
    let message = Message {
        id,
        kind: MessageType::Reply,
        ..message
    };
    Event {
        sender: source.sender.clone(),
        chat: source.chat.clone(),
        ..event(NAME, scope, key, Body::Message(message))
    }
}

/// The message that the pressed thing belongs to.
fn below(payload: &Object) -> Option<String> {
    let ts = payload
        .object("container")
        .and_then(|it| it.id("message_ts"))
        .or_else(|| payload.id("message_ts"))
        .or_else(|| payload.object("message")?.id("ts"))?;
    Some(message_id(&channel(payload)?, &ts))
}

/// One event for each item of `actions`; of one that is no object, `unknown`.
fn actions(payload: &Object, source: &Source) -> Events {
    let view = payload.object("view").and_then(|it| it.id("id"));
    let surface = channel(payload).or(view).unwrap_or_default();
    let reply_to = below(payload);
    let mut keys = Keys::new(NAME);
    let one = |item: Json| {
        let Some(action) = item.object() else {
            return unknown(NAME, &mut keys, source.scope, item, None);
        };
        let ts = action.id("action_ts").or_else(|| payload.id("action_ts"));
        let at = ts.as_deref().and_then(millis);
        let ts = ts.or_else(|| payload.id("trigger_id")).unwrap_or_default();
        let name = action.id("action_id").or_else(|| action.id("name"));
        let message = Message {
            reply: Some(choice(&action)),
            reply_to: reply_to.clone(),
            raw: Some(action.json().raw()),
            ..Message::default()
        };
        Event {
            at,
            ..reply(source, &surface, &[&ts, &name.unwrap_or_default()], message)
        }
    };
    let actions = payload.list("actions").into_iter().take(MAX_EVENTS + 1);
    actions.map(one).collect()
}

/// The value that we had set and the words that were shown, by the kind of element.
fn choice(action: &Object) -> InteractiveReply {
    let first = || action.list("selected_options").first()?.object();
    let option = action.object("selected_option").or_else(first);
    let shown = |holder: &Object| holder.object("text")?.string("text");
    let picked = [
        "selected_user",
        "selected_channel",
        "selected_conversation",
        "selected_date",
        "selected_time",
        "selected_date_time",
    ];
    InteractiveReply {
        id: action
            .id("value")
            .or_else(|| option.as_ref()?.id("value"))
            .or_else(|| picked.iter().find_map(|name| action.id(name)))
            .or_else(|| action.id("action_id")),
        title: option.as_ref().and_then(shown).or_else(|| shown(action)),
    }
}

/// A shortcut of the app, or of a message.
fn shortcut(payload: &Object, source: &Source) -> Option<Event> {
    let acted = payload.id("action_ts");
    let at = acted.as_deref().and_then(millis);
    let ts = acted.or_else(|| payload.id("trigger_id"))?;
    let surface = channel(payload).unwrap_or_else(|| "shortcut".to_owned());
    let message = Message {
        reply: Some(InteractiveReply {
            id: Some(payload.id("callback_id")?),
            title: None,
        }),
        reply_to: below(payload),
        ..Message::default()
    };
    Some(Event {
        at,
        ..reply(source, &surface, &[&ts], message)
    })
}

/// A form that was sent; its fields stay in the raw JSON. Its `hash` differs each time.
fn submission(payload: &Object, source: &Source) -> Option<Event> {
    let view = payload.object("view")?;
    let id = view.id("id")?;
    let step = view.id("hash").or_else(|| payload.id("trigger_id"));
    let message = Message {
        reply: Some(InteractiveReply {
            id: view.id("callback_id").or_else(|| view.id("external_id")),
            title: view.object("title").and_then(|title| title.string("text")),
        }),
        ..Message::default()
    };
    Some(reply(source, &id, &[&step.unwrap_or_default()], message))
}
