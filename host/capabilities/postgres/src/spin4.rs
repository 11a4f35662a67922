//! `spin:postgres@4.2.0` over [`State`]; 4.0.0 and 4.1.0 are parts of it.

use std::pin::Pin;
use std::task::{Context, Poll};

use chatly_in_flight::Hold;
use tracing::field::Empty;
use tracing::instrument;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, Linker, Resource, StreamProducer, StreamReader,
    StreamResult, VecBuffer,
};

use super::{Builder, Data, Opened, Root, Rows, State, failure};
use bindings::spin::postgres4_2_0::postgres;

pub use postgres::{
    Column, DbDataType, DbError, DbValue, Error, Interval, ParameterValue, QueryError,
    RangeBoundKind, RowSet,
};

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:postgres-capability/spin4",
        imports: { default: async | trappable },
        with: {
            "spin:postgres/postgres.connection": crate::Opened,
            "spin:postgres/postgres.connection-builder": crate::Builder,
        },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    postgres::add_to_linker::<T, Data>(linker, get)
}

/// What a call returns: a trap, or the guest's result.
type Answer<R> = wasmtime::Result<Result<R, Error>>;

impl State {
    /// Connects on behalf of a WIT function that is not `async`.
    #[instrument(name = "spin_outbound_pg.open", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "postgresql", server.address = Empty, server.port = Empty, db.namespace = Empty))]
    pub(super) async fn open(
        &mut self,
        address: String,
        root: Option<Root>,
    ) -> Answer<Resource<Opened>> {
        let dial = match self.dial(address, root) {
            Ok(dial) => dial,
            Err(refused) => return Ok(Err(refused)),
        };
        match dial.run().await {
            Ok(opened) => self.add(opened).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    fn built(&self, builder: &Resource<Builder>) -> wasmtime::Result<(String, Option<Root>)> {
        let builder = self.builders.get(builder)?;
        Ok((builder.address.clone(), builder.root.clone()))
    }
}

impl postgres::Host for State {}

impl postgres::HostConnectionBuilder for State {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<Builder>> {
        let root = None;
        Ok(self.builders.push(Builder { address, root })?)
    }

    async fn set_ca_root(&mut self, builder: Resource<Builder>, certificate: String) -> Answer<()> {
        let builder = self.builders.get_mut(&builder)?;
        Ok(match Root::from_pem(&certificate) {
            Ok(root) => {
                builder.root = Some(root);
                Ok(())
            }
            Err(why) => Err(Error::Other(format!("invalid root certificate: {why}"))),
        })
    }

    async fn build(&mut self, builder: Resource<Builder>) -> Answer<Resource<Opened>> {
        let (address, root) = self.built(&builder)?;
        self.open(address, root).await
    }

    async fn drop(&mut self, builder: Resource<Builder>) -> wasmtime::Result<()> {
        self.builders.delete(builder)?;
        Ok(())
    }
}

impl postgres::HostConnection for State {
    async fn open(&mut self, address: String) -> Answer<Resource<Opened>> {
        State::open(self, address, None).await
    }

    #[instrument(name = "spin_outbound_pg.query", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "postgresql"))]
    async fn query(
        &mut self,
        connection: Resource<Opened>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Answer<RowSet> {
        Ok(match self.begin(&connection, &statement, &parameters)? {
            Ok((opened, _hold)) => opened.connection.query(statement, parameters).await,
            Err(full) => Err(full),
        })
    }

    #[instrument(name = "spin_outbound_pg.execute", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "postgresql"))]
    async fn execute(
        &mut self,
        connection: Resource<Opened>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Answer<u64> {
        Ok(match self.begin(&connection, &statement, &parameters)? {
            Ok((opened, _hold)) => opened.connection.execute(statement, parameters).await,
            Err(full) => Err(full),
        })
    }

    async fn drop(&mut self, connection: Resource<Opened>) -> wasmtime::Result<()> {
        self.close(connection)
    }
}

/// Connects without holding on to the instance.
#[instrument(name = "spin_outbound_pg.open_async", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "postgresql", server.address = Empty, server.port = Empty, db.namespace = Empty))]
async fn open<T>(
    access: &Accessor<T, Data>,
    address: String,
    root: Option<Root>,
) -> Answer<Resource<Opened>> {
    let dial = match access.with(|mut access| access.get().dial(address, root)) {
        Ok(dial) => dial,
        Err(refused) => return Ok(Err(refused)),
    };
    match dial.run().await {
        Ok(opened) => access.with(|mut access| access.get().add(opened).map(Ok)),
        Err(error) => Ok(Err(error)),
    }
}

impl<T: Send> postgres::HostConnectionBuilderWithStore<T> for Data {
    async fn build_async(
        access: &Accessor<T, Self>,
        builder: Resource<Builder>,
    ) -> Answer<Resource<Opened>> {
        let (address, root) = access.with(|mut access| access.get().built(&builder))?;
        open(access, address, root).await
    }
}

/// A connection and the hold of a call on it, without holding on to the instance.
fn begin<T>(
    access: &Accessor<T, Data>,
    connection: &Resource<Opened>,
    statement: &str,
    parameters: &[ParameterValue],
) -> Answer<(Opened, Hold)> {
    access.with(|mut access| access.get().begin(connection, statement, parameters))
}

/// What `query-async` returns.
type Streamed = (
    Vec<Column>,
    StreamReader<Vec<DbValue>>,
    FutureReader<Result<(), Error>>,
);

impl<T: Send> postgres::HostConnectionWithStore<T> for Data {
    async fn open_async(access: &Accessor<T, Self>, address: String) -> Answer<Resource<Opened>> {
        open(access, address, None).await
    }

    #[instrument(name = "spin_outbound_pg.query_async", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "postgresql"))]
    async fn query_async(
        access: &Accessor<T, Self>,
        connection: Resource<Opened>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Answer<Streamed> {
        let begun = begin(access, &connection, &statement, &parameters)?;
        let (opened, hold) = match begun {
            Ok(begun) => begun,
            Err(full) => return Ok(Err(full)),
        };
        let rows = match opened.connection.stream(statement, parameters).await {
            Ok(rows) => rows,
            Err(error) => return Ok(Err(error)),
        };
        let Rows {
            columns,
            batches,
            outcome,
        } = rows;
        let outcome = async move { wasmtime::error::Ok(outcome.await.unwrap_or_else(|_| gone())) };
        let producer = Producer {
            batches,
            _opened: opened,
            _hold: hold,
        };
        access.with(|mut access| {
            let rows = StreamReader::new(&mut access, producer)?;
            let outcome = FutureReader::new(&mut access, outcome)?;
            Ok(Ok((columns, rows, outcome)))
        })
    }

    #[instrument(name = "spin_outbound_pg.execute", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "postgresql"))]
    async fn execute_async(
        access: &Accessor<T, Self>,
        connection: Resource<Opened>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> Answer<u64> {
        Ok(match begin(access, &connection, &statement, &parameters)? {
            Ok((opened, _hold)) => opened.connection.execute(statement, parameters).await,
            Err(full) => Err(full),
        })
    }
}

/// How a statement ended whose task is gone: the host is shutting down.
fn gone() -> Result<(), Error> {
    Err(failure::text("the connection is closed".to_owned()))
}

/// Feeds the guest's stream from a statement's batches.
struct Producer {
    batches: tokio::sync::mpsc::Receiver<super::Batch>,
    /// A connection that streams is open, whether or not its handle was dropped.
    _opened: Opened,
    /// Its parameters may still be on their way to the server.
    _hold: Hold,
}

impl<D> StreamProducer<D> for Producer {
    type Item = Vec<DbValue>;
    type Buffer = VecBuffer<Vec<DbValue>>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        // A read of no rows asks only if there is something to come.
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        Poll::Ready(Ok(match self.get_mut().batches.poll_recv(context) {
            Poll::Ready(Some(batch)) => {
                destination.set_buffer(batch.rows.into());
                StreamResult::Completed
            }
            Poll::Ready(None) => StreamResult::Dropped,
            Poll::Pending if finish => StreamResult::Cancelled,
            Poll::Pending => return Poll::Pending,
        }))
    }
}
