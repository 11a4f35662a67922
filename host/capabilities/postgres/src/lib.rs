//! `spin:postgres@4.2.0` and its relatives: SQL on the PostgreSQL servers that
//! `allowed_outbound_hosts` allows.
//!
//! 1. Every host of an address must be allowed as `postgres://<host>:<port>`; else nothing is
//!    looked up and the answer is `connection-failed`. See [`Address`].
//! 2. A name is looked up once. The connection goes to an address that the grant reaches, and TLS
//!    is checked against the name.
//! 3. Every `open` gives a connection of its own, as good as new (see [`Pool`]); an instance has at
//!    most [`MAX_CONNECTIONS`] at once. Dropping one ends what still runs on it here. One that is
//!    still being set back for the next user counts too: an `open` waits for it, rather than have
//!    one more socket.
//! 4. No message of a server, row or result has more than [`MAX_RESULT_BYTES`]; a stream of rows
//!    that is not read holds about 1 MiB, or one row.
//! 5. The statements and parameters of an instance's calls are bounded together ([`InFlight`]); one
//!    call too many is `other`.
//! 6. The `-async` functions do not hold the store, so the requests of one instance overlap; the
//!    others do, because a WIT function that is not `async` blocks its instance.
//! 7. `spin:postgres@3.0.0` sees the same servers through [`Backend`]; values that it has no type
//!    for are `unsupported`.
//!
//! It does not look into SQL, retry, or hide a broken connection.
#![deny(missing_docs)]
#![expect(
    clippy::result_large_err,
    reason = "the error is the guest's, with all fields of a server's, and is handed on as it is"
)]

mod address;
mod client;
mod dial;
mod failure;
mod frame;
mod numeric;
mod pool;
mod range;
mod rows;
mod spin3;
mod spin4;
mod tls;
mod values;

use std::sync::Arc;

use async_trait::async_trait;
use chatly_in_flight::{Hold, InFlight};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

pub use address::{Address, Host};
/// Where one component may connect to; of its entries, those with the scheme `postgres` count.
pub use chatly_outbound::Grant;
pub use dial::Network;
pub use pool::{MAX_WAITING, Pool};
pub use rows::Batch;
pub use spin4::{
    Column, DbDataType, DbError, DbValue, Error, Interval, ParameterValue, QueryError,
    RangeBoundKind, RowSet,
};
pub use tls::Root;

/// Connections that one instance may have open at once: the default capacity of Spin's table.
pub const MAX_CONNECTIONS: usize = 256;

/// Bytes of one message, one row of a stream, or one result: Spin's `MAX_HOST_BUFFERED_BYTES`.
pub const MAX_RESULT_BYTES: usize = 128 << 20;

/// The scheme of entries in `allowed_outbound_hosts` that count.
pub const SCHEME: &str = "postgres";

/// The servers of the app: how connections are made.
#[derive(Clone)]
pub struct Shared {
    backend: Arc<dyn Backend>,
}

impl Default for Shared {
    fn default() -> Self {
        Self::new(Arc::new(Pool::default()))
    }
}

impl Shared {
    /// Connections that `backend` makes.
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Self { backend }
    }
}

/// The connections of one instance.
pub struct State {
    grant: Arc<Grant>,
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    sockets: Arc<Semaphore>,
    in_flight: InFlight,
    connections: ResourceTable,
    builders: ResourceTable,
}

/// What the resource `connection` stands for. A place of [`MAX_CONNECTIONS`] is free again when
/// the last clone is gone.
#[derive(Clone)]
pub struct Opened {
    connection: Arc<dyn Connection>,
    _place: Arc<OwnedSemaphorePermit>,
}

/// What the resource `connection-builder` stands for.
pub struct Builder {
    address: String,
    root: Option<Root>,
}

impl State {
    /// A new instance's state, with nothing open.
    pub fn new(grant: Arc<Grant>, shared: Arc<Shared>) -> Self {
        let mut builders = ResourceTable::new();
        builders.set_max_capacity(MAX_CONNECTIONS);
        Self {
            grant,
            shared,
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            sockets: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            in_flight: InFlight::default(),
            connections: ResourceTable::new(),
            builders,
        }
    }

    /// What it takes to connect to `address`, without holding on to the instance.
    fn dial(&self, address: String, root: Option<Root>) -> Result<Dial, Error> {
        let address = Address::new(&address, &self.grant)?;
        address.record();
        let full = |_| Error::ConnectionFailed("too many connections".to_owned());
        let place = self.places.clone().try_acquire_owned().map_err(full)?;
        Ok(Dial {
            backend: self.shared.backend.clone(),
            grant: self.grant.clone(),
            address,
            root,
            place,
            sockets: self.sockets.clone(),
        })
    }

    /// Hands out a connection. Its place was taken before, so that there is room for it.
    fn add(&mut self, opened: Opened) -> wasmtime::Result<Resource<Opened>> {
        Ok(self.connections.push(opened)?)
    }

    /// The connection that a handle stands for; a trap when it stands for none.
    fn connection(&self, handle: &Resource<Opened>) -> wasmtime::Result<Opened> {
        Ok(self.connections.get(handle)?.clone())
    }

    /// The same, and the hold of a call with `statement` and `parameters`.
    fn begin(
        &self,
        handle: &Resource<Opened>,
        statement: &str,
        parameters: &[ParameterValue],
    ) -> wasmtime::Result<Result<(Opened, Hold), Error>> {
        let opened = self.connection(handle)?;
        let bytes = statement.len() + rows::parameter_bytes(parameters);
        let held = self.in_flight.hold(bytes);
        Ok(held
            .map(|hold| (opened, hold))
            .map_err(|full| Error::Other(full.to_string())))
    }

    fn close(&mut self, handle: Resource<Opened>) -> wasmtime::Result<()> {
        self.connections.delete(handle)?;
        Ok(())
    }
}

/// A connection about to be made, with a place for it.
struct Dial {
    backend: Arc<dyn Backend>,
    grant: Arc<Grant>,
    address: Address,
    root: Option<Root>,
    place: OwnedSemaphorePermit,
    sockets: Arc<Semaphore>,
}

impl Dial {
    async fn run(self) -> Result<Opened, Error> {
        // There are as many as places, so what it waits for is no handle's: it is being set back.
        let socket = self.sockets.acquire_owned().await;
        let socket = socket.map_err(|closed| Error::ConnectionFailed(closed.to_string()))?;
        let opening = self.backend.open(&self.address, self.root, &self.grant);
        let connection = opening.await?;
        connection.keep(socket);
        Ok(Opened {
            connection,
            _place: Arc::new(self.place),
        })
    }
}

/// Offers `spin:postgres@4.2.0`, and with it 4.0.0 and 4.1.0, and `spin:postgres@3.0.0` to
/// components.
///
/// # Errors
///
/// When the linker has one of the interfaces already.
pub fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    spin4::link(linker, get)?;
    spin3::link(linker, get)
}

/// Tells wasmtime that the interfaces work on a [`State`].
struct Data;

impl HasData for Data {
    type Data<'a> = &'a mut State;
}

/// How connections are made.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Connects to the first host of `address` that answers, at an address that `grant` reaches.
    ///
    /// # Errors
    ///
    /// [`Error::ConnectionFailed`].
    async fn open(
        &self,
        address: &Address,
        root: Option<Root>,
        grant: &Grant,
    ) -> Result<Arc<dyn Connection>, Error>;
}

/// An open connection. Dropping the last reference closes it.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Runs a statement and counts the rows that it touched.
    ///
    /// # Errors
    ///
    /// [`Error::ValueConversionFailed`] for a parameter that is no value of its type, and
    /// [`Error::QueryFailed`].
    async fn execute(
        &self,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error>;

    /// Runs a statement and gathers its rows.
    ///
    /// # Errors
    ///
    /// [`Error::BadParameter`] for a parameter that is no value of its type, and
    /// [`Error::QueryFailed`], also when the rows exceed [`MAX_RESULT_BYTES`].
    async fn query(
        &self,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowSet, Error>;

    /// Runs a statement and hands out its rows as they come.
    ///
    /// # Errors
    ///
    /// As [`Connection::query`], for what is known before the statement runs; what comes later is
    /// in [`Rows::outcome`].
    async fn stream(
        &self,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Rows, Error>;

    /// Keeps leave to have a socket, until the one of this connection is closed or waits for
    /// another user. A connection without a socket drops it, as it does by default.
    fn keep(&self, _socket: OwnedSemaphorePermit) {}
}

/// A statement that is running.
pub struct Rows {
    /// The columns; none when there are no rows.
    pub columns: Vec<Column>,
    /// The rows, in batches; ends with the statement.
    pub batches: mpsc::Receiver<Batch>,
    /// How the statement ended.
    pub outcome: oneshot::Receiver<Result<(), Error>>,
}

#[cfg(test)]
mod tests;
