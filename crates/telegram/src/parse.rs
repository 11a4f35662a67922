//! Turns an update into events.

use chatly_canonical::{Body, Event};
use chatly_channel::event::{self, Scope};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};

use crate::event::{Draft, KINDS};
use crate::{NAME, event as kinds};

/// Every event of a body. An update has one kind, which may be several events: a deletion names many
/// messages.
pub(crate) fn parse(body: &[u8], account: Option<&str>) -> Vec<Event> {
    let scope = Scope::account(account.unwrap_or_default());
    let Some(update) = Json::parse(body).and_then(Json::object) else {
        return vec![event::whole(NAME, &scope, body, Body::Unparsable)];
    };
    let (mut keys, mut events) = (Keys::new(NAME), Vec::new());
    for kind in KINDS {
        let Some(value) = update.get(kind) else {
            continue;
        };
        let drafts = value
            .object()
            .and_then(|item| kinds::read(kind, &item, &update))
            .unwrap_or_else(|| vec![Draft::unknown(value)]);
        // A second kind in one update is nothing that Telegram sends, but no event is lost.
        let step = if events.is_empty() { "" } else { kind };
        for draft in drafts {
            let key = key(&update, &scope, &[step, &draft.step], &mut keys);
            events.push(draft.event(&scope, key));
        }
    }
    if events.is_empty() {
        let key = key(&update, &scope, &[], &mut keys);
        events.push(Draft::unknown(update.json()).event(&scope, key));
    }
    if events.len() > event::MAX_EVENTS {
        return vec![event::whole(NAME, &scope, body, Body::Unknown)];
    }
    events
}

/// An update's id is its key; what has none is keyed by its text.
fn key(update: &Object, scope: &Scope, steps: &[&str], keys: &mut Keys) -> String {
    match update.id("update_id") {
        Some(id) => named(NAME, &scope.account, &id, steps),
        None => keys.hashed(&scope.account, update.json().text().as_bytes(), None),
    }
}
