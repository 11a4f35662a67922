//! The canonical model: what every channel's deliveries become.
//!
//! 1. The types mirror `chatly:types/types` in `wit/`, field by field; [`wit_conversions!`] turns
//!    one into the other for any set of generated bindings.
//! 2. Their JSON is the one of section 5 of the architecture, the same on the command line, in the
//!    API and in SSE; [`Event`] reads back what it wrote.
//! 3. Raw JSON of a platform travels as text and is never re-serialised, so no number in it
//!    passes through floating point.
//!
//! It does not parse any platform's payload.
#![deny(missing_docs)]

mod event;
mod json;
mod message;
mod time;
mod weight;
mod wit;

pub use event::*;
pub use message::*;
pub use time::{rfc3339_to_millis, to_millis};
pub use weight::Weight;
pub use wit::Convert;
