//! Rules: a condition in CEL over documented facts, and the actions that follow.
//!
//! 1. [`check`] and [`route`] are the contract of `chatly:router`; [`Rule`] is what people write.
//! 2. A condition is bounded before it is stored: size, nesting, terms, and steps over facts at
//!    their bounds. The evaluator itself has no limit, so nothing reaches it unchecked.
//! 3. Facts always have all their fields, with empty values where nothing is known.
//! 4. Nothing here panics or fails as a whole, whatever rules and facts hold.
//!
//! Carrying actions out, storing rules and collecting facts is the callers' part.

#![deny(missing_docs)]

pub mod action;
mod check;
mod condition;
mod facts;
#[cfg(feature = "file")]
pub mod file;
mod fill;
mod functions;
mod read;
mod reply;
mod router;
mod rule;
mod scan;
mod schema;
mod shape;
mod strategy;
#[cfg(feature = "file")]
mod testing;
mod time;

pub use action::Action;
pub use condition::Flaw;
#[cfg(feature = "file")]
pub use file::{check_file, read_file};
pub use fill::Text;
pub use read::WrongField;
pub use reply::{MAX_REPLY_CHARS, Reply};
pub use router::{
    Decision, Defect, Explanation, MAX_RULES, MAX_RUN_COST, Outcome, StoredRule, Verdict, check,
    route,
};
pub use rule::{DEFAULT_PRIORITY, Error, Rule};
pub use schema::fact_names;
pub use strategy::{NoStrategy, Strategy};
#[cfg(feature = "file")]
pub use testing::Test;
pub use time::{LAST_MS, Until};
