//! The store of `chatly:store` on any SQLite: all SQL and every rule, without a host.
//!
//! 1. A [`Connection`] runs one statement at a time; the component gives `spin:sqlite`, the tests
//!    give `rusqlite`, and the code between is the same.
//! 2. [`append()`] alone and [`lease()`] of one table are one statement, so they hold the write lock
//!    for no round trip. Everything else that writes more than a row is `BEGIN IMMEDIATE … COMMIT` on a
//!    connection that nobody else uses meanwhile; a connection that answered an error of the
//!    database is dropped by its owner, which rolls back.
//! 3. SQLite has one writer at a time and transactions here are immediate, so `AUTOINCREMENT`
//!    numbers rise in commit order: who has read `changes` up to `seq` has read all before it.
//! 4. Identities are known within tenant *and* channel. A channel with weak identities (a display
//!    name, an unverified mail address) can therefore never take over a contact of a strong one.
//! 5. Time and randomness come in as a [`Moment`]; nothing here reads a clock.
#![deny(missing_docs)]

mod accounts;
mod answers;
mod append;
mod buried;
mod change;
mod clock;
mod commit;
mod connection;
mod contact;
mod context;
mod conversation;
mod cursor;
mod effects;
mod endpoint;
mod gate;
mod guard;
mod holds;
mod jobs;
mod join;
mod keys;
mod late;
mod lead_history;
mod list;
mod media;
mod message;
mod model;
mod outgoing;
mod pace;
mod parts;
mod query;
mod receipt;
mod routed;
mod rules;
mod schema;
mod sent;
mod spend;
#[cfg(test)]
mod tests;

pub use accounts::{hold_account, list_accounts, resume_account, stop_account};
pub use answers::{AnswerEffect, find_answer};
pub use append::{Accepted, Appended, Item, append, count_refused, list_refused};
pub use buried::{cancel, find_job, list_buried, replay, replay_buried};
pub use commit::{Committed, advance, commit, submit};
pub use connection::{Connection, Fault, Row, Value};
pub use context::read_context;
pub use cursor::Page;
pub use effects::*;
pub use endpoint::{claim_probe, disable_endpoint, enable_endpoint, find_endpoint, list_endpoints};
pub use gate::{Clearance, Gate, mark_sending};
pub use guard::Looping;
pub use holds::{check_ready, hold, release};
pub use jobs::{bury, extend, find_next_due, lease, put_off, retry};
pub use lead_history::{LeadEntry, list_lead_history};
pub use list::{
    find_contact, find_conversation, find_last_change, find_message, list_changes, list_contacts,
    list_conversations, list_external_calls, list_inbox, list_messages, list_outbox,
};
pub use model::*;
pub use pace::{Pace, PaceScope};
pub use query::{
    BuriedFilter, CallFilter, ContactFilter, ConversationFilter, JobFilter, MessageOrder, Queue,
};
pub use routed::{Routed, RoutedFilter, list_routed};
pub use rules::{delete_rule, find_rule, list_rules, put_rule};
pub use schema::prepare;
pub use spend::{
    Budget, Reservation, Reserved, SpendOutcome, Spent, Usage, list_usage, reserve_spend,
    settle_spend,
};

/// Why a call wrote or read nothing. Texts hold no stored data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The database is not granted.
    #[error("the database is not granted")]
    Denied,
    /// Another writer held the database too long.
    #[error("the database is busy")]
    Busy,
    /// The lease ran out or was taken by another.
    #[error("the lease is stale")]
    Stale,
    /// The cursor is not one that this store made.
    #[error("invalid cursor")]
    InvalidCursor,
    /// An argument breaks the contract.
    #[error("{0}")]
    Invalid(&'static str),
    /// The database failed.
    #[error("{0}")]
    Other(&'static str),
}

/// When a call happens, and what makes its ids unlike any others.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Unix milliseconds.
    pub now: u64,
    /// Fresh random bits for each call.
    pub seed: u128,
}

impl Moment {
    /// The `n`th id of this call: a UUID of version 7 (RFC 9562 section 5.7), so that ids sort by
    /// time, with `n` in `rand_a`, so that those of one call sort by `n`.
    fn id(&self, n: u16) -> String {
        let time = u128::from(self.now) & 0xffff_ffff_ffff;
        let rest = self.seed.wrapping_add(u128::from(n)) & 0x3fff_ffff_ffff_ffff;
        let bits = time << 80 | 0x7 << 76 | u128::from(n & 0xfff) << 64 | 0b10 << 62 | rest;
        let hex = format!("{bits:032x}");
        let (a, b) = hex.split_at(8);
        let (b, c) = b.split_at(4);
        let (c, d) = c.split_at(4);
        let (d, e) = d.split_at(4);
        format!("{a}-{b}-{c}-{d}-{e}")
    }
}
