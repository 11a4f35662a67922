//! Server-sent events (WHATWG HTML, section 9.2): how they are written, where a client resumes, and
//! how one reader of changes feeds many streams.
//!
//! It reads no store, no clock and no socket.
#![deny(missing_docs)]

mod fanout;
mod frame;
mod resume;

pub use fanout::{Change, Fanout, Filter, Gap, Id, Next};
pub use frame::{comment, event, retry};
pub use resume::{Error, last_event_id};
