//! Inbound media: what is taken in, how it is kept, and who may read it.
//!
//! 1. Where a medium may be fetched, and whether the account's token goes there: [`origin`]. A URL
//!    comes with a delivery or an answer, so it is held against a list before anything is sent.
//! 2. What an answer means for the job: [`answer`].
//! 3. The bytes are counted, hashed and looked at while they come: [`Intake`]. What they are is read
//!    from themselves, never from what somebody says of them: [`kind`].
//! 4. How they lie in a key-value store: [`layout`].
//! 5. Links that are signed and end: [`link`]. How a medium is served through one: [`serve`].
//!
//! It sends nothing, stores nothing and knows no clock.
#![deny(missing_docs)]

pub mod answer;
mod intake;
pub mod kind;
pub mod layout;
pub mod link;
pub mod origin;
pub mod serve;

pub use intake::{Fault, Intake, Part};
