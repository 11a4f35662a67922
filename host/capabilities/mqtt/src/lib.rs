//! `spin:mqtt@3.0.0` and `fermyon:spin/mqtt@2.0.0`: messages to the MQTT brokers that the manifest
//! grants.
//!
//! 1. An address that no entry of `allowed_outbound_hosts` allows is `connection-failed`, in
//!    Spin's words; one that is allowed and has no `client_id` is `invalid-address`.
//! 2. The name is looked up once, and the session goes to an address that the grant reaches.
//! 3. An instance has at most [`MAX_CONNECTIONS`] open at once; one more is
//!    `too-many-connections`.
//! 4. `publish` returns when the broker has acknowledged what the quality of service asks, or
//!    after [`PUBLISH_TIMEOUT`]. The calls of one connection take their turns, and one that failed
//!    or was given up leaves nothing behind: the next connects anew.
//!
//! It does not subscribe, and speaks no TLS. What a component is granted is
//! `chatly_outbound::Grant`; the app's components share nothing.
#![deny(missing_docs)]

mod session;
mod spin2;
mod spin3;

use std::sync::Arc;
use std::time::Duration;

use chatly_in_flight::{Connections, Full, TooMany};
use chatly_outbound::Grant;
use wasmtime::component::{HasData, Linker};

pub use session::Session;
pub use spin3::{Error, Qos};

/// Connections that one instance may have open at once: the capacity of Spin's table.
pub const MAX_CONNECTIONS: usize = 1024;

/// How long a message may take; a broker that has not acknowledged by then is down.
pub const PUBLISH_TIMEOUT: Duration = Duration::from_secs(10);

/// What the resource `connection` stands for.
pub type Handle = Arc<Session>;

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

/// Offers `spin:mqtt@3.0.0` and `fermyon:spin/mqtt@2.0.0` to components.
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
