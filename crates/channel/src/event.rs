//! Events in the making: what every channel does alike.

use std::ops::ControlFlow;

use chatly_canonical::{AccountScope, Body, Event, Raw};

use crate::json::Json;
use crate::key::Keys;

/// Most events of one body. Meta documents at most 1000 updates in one; a body of three bytes an
/// item would become a gigabyte of events.
pub const MAX_EVENTS: usize = 10_000;

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

/// The one event of a body that is kept whole: `unparsable`, or `unknown` where it has more than
/// [`MAX_EVENTS`] items.
pub fn whole(channel: &'static str, scope: &Scope, bytes: &[u8], body: Body) -> Event {
    let key = Keys::new(channel).hashed(&scope.account, bytes, None);
    Event {
        raw: std::str::from_utf8(bytes).ok().map(Raw::json),
        ..event(channel, scope, key, body)
    }
}

/// Breaks when there are more events than one body may have.
pub fn within_bounds(events: &[Event]) -> ControlFlow<()> {
    if events.len() <= MAX_EVENTS {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(())
    }
}
