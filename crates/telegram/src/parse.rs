//! Turns an update into events.

use chatly_canonical::{Body, Event};
use chatly_channel::event::{self, Events, Scope};
use chatly_channel::json::{Json, Object};
use chatly_channel::key::{Keys, named};

use crate::event::{Draft, KINDS};
use crate::{NAME, event as kinds};

/// Every event of a body. An update has one kind, which may be several events: a deletion names many
/// messages.
pub(crate) fn parse(body: &[u8], account: Option<&str>) -> Vec<Event> {
    let scope = Scope::account(account.unwrap_or_default());
    let Some(update) = Json::parse(body).and_then(Json::object) else {
        return event::alone(event::whole(NAME, &scope, body, Body::Unparsable));
    };
    let (mut keys, mut events) = (Steps::of(&update, &scope), Events::new());
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
        events.extend(drafts.into_iter().map(|draft| {
            let key = keys.key(&[step, &draft.step]);
            draft.event(&scope, key)
        }));
    }
    if events.is_empty() {
        let key = keys.key(&[]);
        events.push(Draft::unknown(update.json()).event(&scope, key));
    }
    events.or_whole(|| event::whole(NAME, &scope, body, Body::Unknown))
}

/// The keys of an update's events: by its id; by its text where it has none.
struct Steps<'a> {
    account: &'a str,
    id: Result<String, String>,
    /// How many keys were made of its text.
    count: u32,
}

impl<'a> Steps<'a> {
    fn of(update: &Object, scope: &'a Scope) -> Self {
        let text = update.json().text().as_bytes();
        let hashed = || Keys::new(NAME).hashed(&scope.account, text, None);
        Steps {
            account: &scope.account,
            id: update.id("update_id").ok_or_else(hashed),
            count: 0,
        }
    }

    fn key(&mut self, steps: &[&str]) -> String {
        match &self.id {
            Ok(id) => named(NAME, self.account, id, steps),
            Err(hashed) => {
                self.count += 1;
                match self.count {
                    1 => hashed.clone(),
                    count => format!("{hashed}:{count}"),
                }
            }
        }
    }
}
