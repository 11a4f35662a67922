//! What the REST API decides without a store: which address means what, which parameters it takes,
//! how a row looks as JSON, and how each failure is answered.
//!
//! 1. An address that is not listed in [`Route`] is 404, a listed one with another method is 405.
//! 2. A query parameter that a route does not know is refused: a misspelt filter must not look like
//!    a filter that found everything.
//! 3. Field names are snake case, as the tables that the frontend knows; times are Unix
//!    milliseconds, as in the canonical JSON.
//! 4. Every failure is an [`Error`] and becomes a problem document with a `code`.
//!
//! It does not check keys: that is `chatly-auth`.
#![deny(missing_docs)]

mod dry_run;
mod error;
mod job;
mod patch;
mod query;
mod route;
mod rows;
mod rule;
mod usage;

pub use dry_run::{
    ANSWERED, Candidate, DEFAULT_EVALUATED, Difference, DryRun, Failure, MAX_CANDIDATE_BYTES,
    MAX_EVALUATED, Offer, Tests,
};
pub use error::{Defect, Error};
pub use job::{
    BuriedJob, JobDetail, MAX_PLANNED, MAX_REPLAYED, PLAN, ReplayPlan, ReplayedMany, Step, What,
};
pub use patch::ConversationPatch;
pub use query::{DEFAULT_LIMIT, MAX_LIMIT, Page, Query};
pub use route::Route;
pub use rows::*;
pub use rule::{Enable, MAX_BODY_BYTES, Rule, RuleBody, parse_body};
pub use usage::{LeadEntry, Today, Usage, UsageList, span};
