//! Outgoing webhooks: what is sent, to whom, and what an answer means.
//!
//! 1. A body is a CloudEvents 1.0 event in structured JSON ([`forward`]); it is signed by Standard
//!    Webhooks ([`Secrets`]). Both stay the same, byte for byte, over all attempts of one job; only
//!    the time of the attempt and so the signature differ.
//! 2. Where a rule may send to is checked before anything is sent ([`Target`]).
//! 3. Every answer and failure has one [`Verdict`]: delivered, tried again, buried, or buried with
//!    the endpoint disabled ([`judge`]).
//! 4. An endpoint that fails is left alone for a while ([`circuit`]), and none is sent more than it
//!    takes ([`gate`]); both can be set for each ([`settings`]).
//!
//! It sends nothing, and knows neither clock nor randomness: both are arguments.
#![deny(missing_docs)]

pub mod circuit;
pub mod forward;
pub mod gate;
pub mod retry;
pub mod settings;
pub mod signing;
pub mod target;
mod time;
pub mod verdict;

pub use forward::Forward;
pub use gate::{Admission, Gate, Limits, Slots};
pub use settings::Settings;
pub use signing::Secrets;
pub use target::Target;
pub use verdict::{Attempt, Health, Judgement, Outcome, Verdict, judge};
