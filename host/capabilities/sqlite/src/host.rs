//! The WIT interface over [`State`].

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use chatly_in_flight::Hold;
use tokio::sync::mpsc;
use tracing::instrument;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, Resource, StreamProducer, StreamReader, StreamResult,
    VecBuffer,
};

use super::bindings::spin::sqlite::sqlite;
use super::{Backend, Data, Error, Handle, QueryResult, RowResult, State, Value, rows};

impl State {
    fn backend(&self, label: &str) -> Result<Arc<dyn Backend>, Error> {
        if !self.grant.allows(label) {
            tracing::warn!(
                label,
                add = format!("sqlite_databases = [{label:?}]"),
                "refused a database that the manifest does not grant"
            );
            return Err(Error::AccessDenied);
        }
        self.shared
            .backends
            .get(label)
            .cloned()
            .ok_or(Error::NoSuchDatabase)
    }

    fn add(&mut self, connection: Handle) -> Result<Resource<Handle>, Error> {
        self.connections
            .push(connection)
            .map_err(|_| Error::Io("too many connections opened".to_owned()))
    }

    fn connection(&self, connection: &Resource<Handle>) -> Result<Handle, Error> {
        self.connections
            .get(connection)
            .cloned()
            .map_err(|_| Error::InvalidConnection)
    }

    /// The same, and the hold of a call with `sql` and `parameters`.
    fn begin(
        &self,
        connection: &Resource<Handle>,
        sql: &str,
        parameters: &[Value],
    ) -> Result<(Handle, Hold), Error> {
        let connection = self.connection(connection)?;
        let hold = self
            .in_flight
            .hold(sql.len() + rows::value_bytes(parameters));
        let hold = hold.map_err(|full| Error::Io(full.to_string()))?;
        Ok((connection, hold))
    }
}

impl sqlite::Host for State {}

impl sqlite::HostConnection for State {
    #[instrument(name = "spin_sqlite.open", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "sqlite"))]
    async fn open(&mut self, label: String) -> wasmtime::Result<Result<Resource<Handle>, Error>> {
        let backend = match self.backend(&label) {
            Ok(backend) => backend,
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(match backend.open().await {
            Ok(connection) => self.add(connection),
            Err(error) => Err(error),
        })
    }

    #[instrument(name = "spin_sqlite.execute", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "sqlite"))]
    async fn execute(
        &mut self,
        connection: Resource<Handle>,
        sql: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        Ok(match self.begin(&connection, &sql, &parameters) {
            Ok((connection, _hold)) => connection.execute(sql, parameters).await,
            Err(error) => Err(error),
        })
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Handle>) -> wasmtime::Result<i64> {
        Ok(self.connections.get(&connection)?.last_insert_rowid())
    }

    async fn changes(&mut self, connection: Resource<Handle>) -> wasmtime::Result<u64> {
        Ok(self.connections.get(&connection)?.changes())
    }

    async fn drop(&mut self, connection: Resource<Handle>) -> wasmtime::Result<()> {
        self.connections.delete(connection)?;
        Ok(())
    }
}

impl<T: Send> sqlite::HostConnectionWithStore<T> for Data {
    #[instrument(name = "spin_sqlite.open", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "sqlite"))]
    async fn open_async(
        store: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<Handle>, Error>> {
        let backend = match store.with(|mut access| access.get().backend(&label)) {
            Ok(backend) => backend,
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(match backend.open().await {
            Ok(connection) => store.with(|mut access| access.get().add(connection)),
            Err(error) => Err(error),
        })
    }

    #[instrument(name = "spin_sqlite.execute", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "sqlite"))]
    async fn execute_async(
        store: &Accessor<T, Self>,
        connection: Resource<Handle>,
        sql: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<Streamed, Error>> {
        let begun = store.with(|mut access| access.get().begin(&connection, &sql, &parameters));
        let (connection, hold) = match begun {
            Ok(begun) => begun,
            Err(error) => return Ok(Err(error)),
        };
        let rows = match connection.stream(sql, parameters).await {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error)),
        };
        let outcome =
            async move { wasmtime::error::Ok(rows.outcome.await.unwrap_or_else(|_| Err(gone()))) };
        store.with(|mut access| {
            let stream = StreamReader::new(&mut access, Producer(rows.batches, hold))?;
            let outcome = FutureReader::new(&mut access, outcome)?;
            Ok(Ok((rows.columns, stream, outcome)))
        })
    }

    async fn last_insert_rowid_async(
        store: &Accessor<T, Self>,
        connection: Resource<Handle>,
    ) -> wasmtime::Result<i64> {
        store.with(|mut access| {
            Ok(access
                .get()
                .connections
                .get(&connection)?
                .last_insert_rowid())
        })
    }

    async fn changes_async(
        store: &Accessor<T, Self>,
        connection: Resource<Handle>,
    ) -> wasmtime::Result<u64> {
        store.with(|mut access| Ok(access.get().connections.get(&connection)?.changes()))
    }
}

/// What `execute-async` returns.
type Streamed = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

/// The error of a connection whose thread has ended.
pub(super) fn gone() -> Error {
    Error::Io("the connection is closed".to_owned())
}

/// Feeds the guest's stream from a connection's batches. While it does, the statement may run and
/// needs its parameters.
struct Producer(
    mpsc::Receiver<Vec<RowResult>>,
    #[expect(dead_code, reason = "given back when dropped")] Hold,
);

impl<D> StreamProducer<D> for Producer {
    type Item = RowResult;
    type Buffer = VecBuffer<RowResult>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        // A read of no rows asks only if there is something to come.
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        Poll::Ready(Ok(match self.get_mut().0.poll_recv(cx) {
            Poll::Ready(Some(batch)) => {
                destination.set_buffer(batch.into());
                StreamResult::Completed
            }
            Poll::Ready(None) => StreamResult::Dropped,
            Poll::Pending if finish => StreamResult::Cancelled,
            Poll::Pending => return Poll::Pending,
        }))
    }
}
