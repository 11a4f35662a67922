//! Events in the making: what every channel does alike.

use std::ops::ControlFlow;

use chatly_canonical::{AccountScope, Body, Event, Raw, Weight};

use crate::json::Json;
use crate::key::Keys;

/// Most events of one body. Meta documents at most 1000 updates in one; a body of three bytes an
/// item would become a gigabyte of events.
pub const MAX_EVENTS: usize = 10_000;

/// Most that the events of one body weigh together, by [`Weight`]: five times the longest body. What
/// events share is copied into each of them, so a body that no platform sends would become gigabytes;
/// a genuine one becomes about twice itself.
pub const MAX_EVENT_BYTES: usize = 16 << 20;

/// What stands for raw JSON that alone weighs too much: text is longer as JSON, at worst sixfold.
const LEFT_OUT: &str = "too long to be kept here; the delivery has it";

/// The events of one body, while they are made.
#[derive(Debug, Default)]
pub struct Events {
    list: Vec<Event>,
    bytes: usize,
}

impl Events {
    /// None yet.
    pub fn new() -> Self {
        Events::default()
    }

    /// Adds one.
    pub fn push(&mut self, event: Event) {
        self.bytes = self.bytes.saturating_add(event.weight());
        self.list.push(event);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Gives the first one its raw JSON, where there is one.
    pub fn set_raw_of_first(&mut self, raw: Raw) {
        if let Some(first) = self.list.first_mut() {
            let before = first.raw.weight();
            first.raw = Some(raw);
            self.bytes = self.bytes.saturating_sub(before) + first.raw.weight();
        }
    }

    /// Marks those from a place on as not to be answered.
    pub fn set_standby_from(&mut self, start: usize) {
        for event in self.list.iter_mut().skip(start) {
            event.standby = true;
        }
    }

    /// Breaks when there is more than one body may have.
    pub fn within_bounds(&self) -> ControlFlow<()> {
        if self.list.len() <= MAX_EVENTS && self.bytes <= MAX_EVENT_BYTES {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// All of them, or, where they are more than one body may have, `whole`, which keeps the body as
    /// it came. Nothing is lost either way; of `whole` the raw JSON is left out where that alone is
    /// too much.
    pub fn or_whole(self, whole: impl FnOnce() -> Event) -> Vec<Event> {
        if self.within_bounds().is_continue() {
            return self.list;
        }
        let event = whole();
        if event.weight() <= MAX_EVENT_BYTES {
            return vec![event];
        }
        vec![Event {
            raw: Some(Raw::text(LEFT_OUT)),
            ..event
        }]
    }
}

/// The one event of a body that is nothing but kept.
pub fn alone(event: Event) -> Vec<Event> {
    Events::from_iter([event.clone()]).or_whole(|| event)
}

impl Extend<Event> for Events {
    /// Stops taking where there is more than one body may have.
    fn extend<T: IntoIterator<Item = Event>>(&mut self, events: T) {
        let mut events = events.into_iter();
        while self.within_bounds().is_continue() {
            match events.next() {
                Some(event) => self.push(event),
                None => break,
            }
        }
    }
}

impl FromIterator<Event> for Events {
    fn from_iter<T: IntoIterator<Item = Event>>(events: T) -> Self {
        let mut all = Events::new();
        all.extend(events);
        all
    }
}

/// The account that an item belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Its id.
    pub account: String,
    /// Whose id that is.
    pub scope: AccountScope,
}

impl Scope {
    /// An account that sends go out from.
    pub fn account(id: impl Into<String>) -> Self {
        Scope {
            account: id.into(),
            scope: AccountScope::Account,
        }
    }

    /// A business above several accounts.
    pub fn business(id: impl Into<String>) -> Self {
        Scope {
            account: id.into(),
            scope: AccountScope::Business,
        }
    }
}

/// An event with nothing in it but its body.
pub fn event(channel: &str, scope: &Scope, key: String, body: Body) -> Event {
    Event {
        key,
        channel: channel.to_owned(),
        account: scope.account.clone(),
        account_scope: scope.scope,
        at: None,
        standby: false,
        sender: None,
        recipient: None,
        chat: None,
        body,
        raw: None,
    }
}

/// An event that only keeps the JSON of something.
pub fn unknown(
    channel: &str,
    keys: &mut Keys,
    scope: &Scope,
    item: Json,
    time: Option<Json>,
) -> Event {
    let key = keys.hashed(&scope.account, item.text().as_bytes(), time);
    Event {
        raw: Some(item.raw()),
        ..event(channel, scope, key, Body::Unknown)
    }
}

/// The one event of a body that is kept whole: `unparsable`, or `unknown` where its events would be
/// more than one body may have.
pub fn whole(channel: &'static str, scope: &Scope, bytes: &[u8], body: Body) -> Event {
    let key = Keys::new(channel).hashed(&scope.account, bytes, None);
    Event {
        raw: std::str::from_utf8(bytes).ok().map(Raw::json),
        ..event(channel, scope, key, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sized(bytes: usize) -> Event {
        let scope = Scope::account("1");
        let bare = event("x", &scope, String::new(), Body::Unknown).weight();
        event("x", &scope, "k".repeat(bytes - bare), Body::Unknown)
    }

    #[test]
    fn events_are_bounded_in_number_and_in_bytes() {
        let whole = || Event {
            raw: Some(Raw::json("[]")),
            ..sized(1_000)
        };
        let small = |count: usize| vec![sized(600); count];
        for (name, events, want) in [
            ("none", vec![], 0),
            ("most", small(MAX_EVENTS), MAX_EVENTS),
            ("one more", small(MAX_EVENTS + 1), 1),
            ("heaviest", vec![sized(MAX_EVENT_BYTES / 4); 4], 4),
            ("too heavy", vec![sized(MAX_EVENT_BYTES / 4 + 1); 4], 1),
        ] {
            let given = events.into_iter().collect::<Events>().or_whole(whole);
            assert_eq!(given.len(), want, "{name}");
            if want == 1 {
                assert_eq!(given, [whole()], "{name}");
            }
        }
    }

    #[test]
    fn raw_json_that_alone_is_too_much_is_left_out() {
        let heavy = whole(
            "x",
            &Scope::account("1"),
            &[0; MAX_EVENT_BYTES / 6],
            Body::Unparsable,
        );
        let given = Events::from_iter([heavy.clone()]).or_whole(|| heavy.clone());
        let want = Event {
            raw: Some(Raw::text(LEFT_OUT)),
            ..heavy
        };
        assert_eq!(given, [want]);
    }
}
