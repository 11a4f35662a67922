//! A connection over tokio-postgres.
//!
//! What runs on it here ends with it: the task that moves bytes is stopped when the last user is
//! gone, whether or not the server still has something to say. Only a connection on which nothing
//! runs may be used again.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::StreamExt as _;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_postgres::RowStream;

use super::frame::TooLong;
use super::pool::Home;
use super::rows::{BATCHES_AHEAD, Forward};
use super::{
    Connection, Error, Host, MAX_RESULT_BYTES, ParameterValue, RowSet, Rows, failure, rows, values,
};

/// An open connection.
pub struct Client(Arc<Inner>);

/// A connection while it is used: what [`Client`] and the streams on it share.
pub struct Inner {
    driver: Arc<Driver>,
    /// Where it goes afterwards, if anywhere.
    home: Option<Home>,
    /// Statements that began and did not end.
    running: AtomicUsize,
    /// Leave to have the socket; after `driver`, which closes it.
    socket: OnceLock<OwnedSemaphorePermit>,
}

/// The driver's half that takes statements, and the task of the other half.
pub struct Driver {
    client: tokio_postgres::Client,
    moving: JoinHandle<Result<(), tokio_postgres::Error>>,
    too_long: TooLong,
    host: Host,
    peer: IpAddr,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.moving.abort();
    }
}

impl Driver {
    /// A connection to `host` at `peer`, whose bytes are moved by `moving`.
    pub fn new(
        client: tokio_postgres::Client,
        moving: JoinHandle<Result<(), tokio_postgres::Error>>,
        too_long: TooLong,
        (host, peer): (Host, IpAddr),
    ) -> Self {
        Self {
            client,
            moving,
            too_long,
            host,
            peer,
        }
    }

    /// What takes statements.
    pub fn client(&self) -> &tokio_postgres::Client {
        &self.client
    }

    /// Where it leads.
    pub fn peer(&self) -> (&Host, IpAddr) {
        (&self.host, self.peer)
    }

    /// Whether the server, or the way to it, is gone.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed() || self.moving.is_finished()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let idle = *self.running.get_mut() == 0 && !self.driver.is_closed();
        let home = self.home.take().filter(|_| idle);
        // Without a runtime there is nobody to set it back.
        if let (Some(home), Ok(runtime)) = (home, Handle::try_current()) {
            runtime.spawn(home.take_back(self.driver.clone(), self.socket.take()));
        }
    }
}

impl Client {
    /// A connection that goes to `home` when it is not used any more.
    pub fn new(driver: Arc<Driver>, home: Option<Home>) -> Self {
        Self(Arc::new(Inner {
            driver,
            home,
            running: AtomicUsize::new(0),
            socket: OnceLock::new(),
        }))
    }

    /// Begins a statement, which ends with [`Inner::ended`].
    async fn start(
        &self,
        statement: &str,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowStream, Error> {
        let parameters = values::parameters(parameters).map_err(Error::BadParameter)?;
        self.0.running.fetch_add(1, Ordering::Relaxed);
        let started = self.0.driver.client.query_raw(statement, parameters).await;
        started.map_err(|error| self.0.failed(&error))
    }
}

impl Inner {
    /// Counts a statement as over: the server has said all that it has to say about it.
    pub fn ended(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// The error with which a statement ended. A message that is too long ends the connection, so
    /// that the driver knows only that it is closed.
    pub fn failed(&self, error: &tokio_postgres::Error) -> Error {
        self.ended();
        match self.driver.too_long.load(Ordering::Relaxed) {
            true => failure::too_large(),
            false => failure::query(error),
        }
    }
}

#[async_trait]
impl Connection for Client {
    async fn execute(
        &self,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<u64, Error> {
        let parameters = values::parameters(parameters).map_err(Error::ValueConversionFailed)?;
        self.0.running.fetch_add(1, Ordering::Relaxed);
        let client = &self.0.driver.client;
        let done = client.execute_raw(&statement, parameters).await;
        let done = done.map_err(|error| self.0.failed(&error))?;
        self.0.ended();
        Ok(done)
    }

    async fn query(
        &self,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<RowSet, Error> {
        let mut coming = std::pin::pin!(self.start(&statement, parameters).await?);
        let mut result = RowSet {
            columns: Vec::new(),
            rows: Vec::new(),
        };
        let mut bytes = size_of::<RowSet>();
        while let Some(row) = coming.next().await {
            let row = row.map_err(|error| self.0.failed(&error))?;
            if result.rows.is_empty() {
                result.columns = values::columns(&row);
            }
            let row = values::row(&row)?;
            bytes += rows::bytes(&row);
            if bytes > MAX_RESULT_BYTES {
                return Err(failure::too_large());
            }
            result.rows.push(row);
        }
        self.0.ended();
        Ok(result)
    }

    async fn stream(
        &self,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Result<Rows, Error> {
        let coming = self.start(&statement, parameters).await?;
        let (opening, opened) = oneshot::channel();
        let (outcome, ended) = oneshot::channel();
        let (batches, receiver) = mpsc::channel(BATCHES_AHEAD);
        let forward = Forward::new(self.0.clone(), opening, batches);
        tokio::spawn(async move {
            let _ = outcome.send(forward.run(coming).await);
        });
        Ok(Rows {
            // Without a first row there are no columns.
            columns: opened.await.unwrap_or_default(),
            batches: receiver,
            outcome: ended,
        })
    }

    fn keep(&self, socket: OwnedSemaphorePermit) {
        // It has only one socket, and who opened it says so once.
        let _ = self.0.socket.set(socket);
    }
}
