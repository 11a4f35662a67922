//! `spin:redis@3.0.0` and `fermyon:spin/redis@2.0.0`: commands to the Redis servers that the
//! manifest grants.
//!
//! 1. An address whose scheme, host and port no entry of `allowed_outbound_hosts` allows is
//!    `invalid-address`, and so is one that is no `redis://` or `rediss://` URL: no sockets of
//!    this machine's file system.
//! 2. The name is looked up once, and the connection goes to an address that the grant reaches.
//! 3. An instance has at most [`MAX_CONNECTIONS`] open at once; one more is
//!    `too-many-connections`. Dropping one closes it.
//! 4. Results over [`MAX_RESULT_BYTES`] are refused with `other`, after they were read: the
//!    client cannot stop in the middle of a value.
//!
//! What a component is granted is `chatly_outbound::Grant`; the app's components share nothing.
#![deny(missing_docs)]

mod address;
mod commands;
mod spin2;
mod spin3;

use std::sync::Arc;

use chatly_in_flight::{Connections, Full, TooMany};
use chatly_outbound::Grant;
use redis::aio::MultiplexedConnection;
use wasmtime::component::{HasData, Linker};

pub use spin3::Error;

/// Connections that one instance may have open at once: the capacity of Spin's table.
pub const MAX_CONNECTIONS: usize = 1024;

/// Bytes that one call may return: Spin's `MAX_HOST_BUFFERED_BYTES`.
pub const MAX_RESULT_BYTES: usize = 128 << 20;

/// What the resource `connection` stands for.
pub type Handle = MultiplexedConnection;

/// The connections of one instance.
pub struct State {
    grant: Arc<Grant>,
    connections: Connections<Handle>,
}

impl State {
    /// A new instance's state, without connections.
    pub fn new(grant: Arc<Grant>) -> Self {
        Self {
            grant,
            connections: Connections::new(MAX_CONNECTIONS),
        }
    }
}

impl From<TooMany> for Error {
    fn from(_: TooMany) -> Self {
        Self::TooManyConnections
    }
}

impl From<Full> for Error {
    fn from(full: Full) -> Self {
        Self::Other(full.to_string())
    }
}

/// Offers `spin:redis@3.0.0` and `fermyon:spin/redis@2.0.0` to components.
///
/// # Errors
///
/// When the linker has one of the interfaces already.
pub fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    spin3::link(linker, get)?;
    spin2::link(linker, get)
}

/// Tells wasmtime that the interfaces work on a [`State`].
struct Data;

impl HasData for Data {
    type Data<'a> = &'a mut State;
}
