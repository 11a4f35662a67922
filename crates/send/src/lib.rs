//! Sends: what is asked for, with what token a request goes out, and what an answer means.
//!
//! 1. A [`Draft`] is a message as people and jobs write it, one flat JSON object; it becomes what a
//!    channel renders and what the thread shows.
//! 2. A rendered request gets its token last, from [`authorise`]; what is stored of its address is
//!    [`shown`], which never holds one.
//! 3. Each verdict of a channel, and each way not to get an answer, has one [`Next`]: sent, tried
//!    again, failed, uncertain ([`judge`], [`judge_lost`]). A platform that may have got a message
//!    never gets it a second time.
//!
//! 4. Whether the platform's window lets a message through, and what goes instead: [`passage`].
//!
//! It sends nothing, and knows neither clock nor randomness: both are arguments. No error holds a
//! value of what it is about.
#![deny(missing_docs)]

mod draft;
mod job;
mod next;
mod request;
mod window;
mod wish;

pub use draft::{Draft, Error};
pub use job::{Automatic, Job, NotAJob, recipients};
pub use next::{Lost, Next, judge, judge_lost, put_off};
pub use request::{Ready, TokenError, authorise, digest, shown};
pub use window::{Passage, passage};
pub use wish::Wish;
