//! Which models are asked for a tenant, at what cost, and what of their answers is kept.
//!
//! 1. [`Settings`] are read from variables; a slip in one tenant's entry costs no other tenant its model,
//!    and a budget that cannot be read is a budget of nothing: it never opens the purse.
//! 2. A call is estimated upwards before it is made, its repair included ([`estimate`]).
//! 3. Of an answer only what was understood from words counts. The lead and what was found by its form
//!    stay the baseline's ([`finish`]); a suggested reply is dropped when it holds what nobody wrote.
//! 4. What stands for personal data is put back here, from a map that never went out.
//!
//! No clock, no network: requests and answers are `chatly-understand`'s.
#![deny(missing_docs)]

mod cost;
mod day;
mod finish;
mod key;
mod outcome;
mod place;
mod settings;

pub use cost::{Estimate, Price, cost_micros, estimate, usd};
pub use day::day;
pub use finish::{Finish, NoForm, finish};
pub use key::answer_key;
pub use outcome::{Failure, MAX_ATTEMPTS, Next, next};
pub use place::restore;
pub use settings::{Api, Budget, Chain, Lead, Provider, Settings, Sources, Unread};
