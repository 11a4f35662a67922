//! Who may call: a bearer key in a header, or a ticket in an address.
//!
//! 1. A blank key refuses everyone; there is no default key.
//! 2. Keys and tags are compared in a time that does not depend on where they differ, and a key's
//!    length does not show either.
//! 3. [`ticket`] is for `EventSource`, which can send no header: it lives for one minute and gives
//!    away nothing but itself.
//!
//! It reads no clock and no configuration, and it does not check JWTs.
#![deny(missing_docs)]

mod bearer;
pub mod ticket;

pub use bearer::{Error, check_bearer};
