//! HTTP to and from components.
//!
//! 1. [`server`] accepts connections, as many as [`admission`] lets in; [`routes`] and [`dispatch`] find the component.
//! 2. [`headers`] tells it how it was reached; [`body`] and [`problem`] are what goes back.
//! 3. [`outgoing`] is what components send; what leaves this process does so by `connect`
//!    and [`clients`].

pub mod admission;
pub mod body;
pub mod clients;
mod connect;
pub mod dispatch;
pub mod headers;
pub mod outgoing;
pub mod problem;
pub mod routes;
pub mod server;

use std::sync::Arc;

/// A new request id: 128 random bits in hex, so that ids of several hosts can share one log.
fn request_id() -> Arc<str> {
    let mut bytes = [0; 16];
    // Without a source of random numbers ids repeat, and nothing else depends on them.
    _ = getrandom::fill(&mut bytes);
    hex::encode(bytes).into()
}
