//! What stands between the store and a router: the facts of a message, and what follows from the
//! router's decisions.
//!
//! 1. A message is routed when it is received, and once more when it was enriched. What the first
//!    run cannot know (`enrichment`, `lead`) is empty there, so a rule about it matches later.
//! 2. A rule acts once for a message: one that matched in an earlier run is tried again, explained
//!    again, and not carried out again.
//! 3. A reply is not given where a person answers, or where machines may be talking to each other:
//!    see [`Standing`]. Whoever sends it checks once more.
//! 4. Every run leaves an explanation, also when there was no rule and when the router gave none.
//!
//! It does not run rules (that is a plugin of `chatly:router`), and writes nothing.
#![deny(missing_docs)]

mod action;
mod calendar;
mod dry;
mod explanation;
mod facts;
mod plan;
mod reply;
mod rows;
mod safety;
mod tenants;

pub use action::{Changes, ContactChanges, Pick};
pub use calendar::{Calendar, LocalTime, NoCalendar};
pub use dry::{Act, Ran, acts, same};
pub use explanation::{Phase, Tried, Verdict, put_off};
pub use facts::{Facts, text_of};
pub use plan::{Decision, Endpoints, Forward, Ground, Plan};
pub use reply::{Reply, Timing};
pub use safety::{BURST_MS, BURST_REPLIES, Held, MAX_RUN, Standing};
pub use tenants::{Calendars, Unread};
