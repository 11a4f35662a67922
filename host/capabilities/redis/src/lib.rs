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

use chatly_in_flight::{Hold, InFlight};
use chatly_outbound::Grant;
use redis::aio::MultiplexedConnection;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

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
    connections: ResourceTable,
    in_flight: InFlight,
}

impl State {
    /// A new instance's state, without connections.
    pub fn new(grant: Arc<Grant>) -> Self {
        let mut connections = ResourceTable::new();
        connections.set_max_capacity(MAX_CONNECTIONS);
        Self {
            grant,
            connections,
            in_flight: InFlight::default(),
        }
    }

    fn add(&mut self, connection: Handle) -> Result<Resource<Handle>, Error> {
        self.connections
            .push(connection)
            .map_err(|_full| Error::TooManyConnections)
    }

    /// The connection that `handle` stands for; a trap when it stands for none.
    fn connection(&self, handle: &Resource<Handle>) -> wasmtime::Result<Handle> {
        Ok(self.connections.get(handle)?.clone())
    }

    /// The same, and the hold of a call whose arguments have `bytes`.
    fn begin(
        &self,
        handle: &Resource<Handle>,
        bytes: usize,
    ) -> wasmtime::Result<Result<(Handle, Hold), Error>> {
        let connection = self.connection(handle)?;
        let held = self.in_flight.hold(bytes);
        Ok(held
            .map(|hold| (connection, hold))
            .map_err(|full| Error::Other(full.to_string())))
    }

    fn close(&mut self, handle: Resource<Handle>) -> wasmtime::Result<()> {
        self.connections.delete(handle)?;
        Ok(())
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
