//! The backend over a real server: every type, every error, every limit.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends with what went wrong"
)]

mod errors;
mod lives;
mod reach;
mod values;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use chatly_manifest::{Application, Component, Manifest};
use chatly_postgres::{
    Address, Backend, Connection, DbDataType, DbValue, Error, Grant, Interval, MAX_RESULT_BYTES,
    Network, ParameterValue, Pool, QueryError, RangeBoundKind, Root, Rows,
};
use chatly_variables::{Providers, Resolver};
use harness::Postgres;

fn grant(entries: &[&str]) -> Grant {
    let manifest = Manifest {
        path: "/app/spin.toml".into(),
        application: Application::default(),
        variables: Default::default(),
        triggers: vec![],
        components: Default::default(),
    };
    let resolver = Resolver::new(&manifest, &Providers::default()).unwrap();
    let component = Component {
        id: "store".to_owned(),
        allowed_outbound_hosts: entries.iter().map(|entry| (*entry).to_owned()).collect(),
        ..Component::default()
    };
    Grant::new(&component, &resolver, []).unwrap()
}

/// Any port of this machine.
const LOCAL: [&str; 2] = ["postgres://127.0.0.1:*", "postgres://localhost:*"];

async fn open_with(
    address: &str,
    root: Option<Root>,
    grant: &Grant,
) -> Result<Arc<dyn Connection>, Error> {
    let address = Address::new(address, grant)?;
    Network.open(&address, root, grant).await
}

async fn open(address: &str) -> Arc<dyn Connection> {
    open_with(address, None, &grant(&LOCAL)).await.unwrap()
}

/// Why a connection could not be made.
fn reason(result: Result<Arc<dyn Connection>, Error>) -> String {
    match result {
        Err(Error::ConnectionFailed(why)) => why,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("connected"),
    }
}

fn text(value: &str) -> ParameterValue {
    ParameterValue::Str(value.to_owned())
}

/// The single value that `statement` gives, with the type of its column.
async fn value(
    connection: &dyn Connection,
    statement: &str,
    parameters: Vec<ParameterValue>,
) -> (String, String) {
    let result = connection.query(statement.to_owned(), parameters).await;
    let result = result.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    assert_eq!(
        (result.columns.len(), result.rows.len()),
        (1, 1),
        "{statement}"
    );
    let ty = format!("{:?}", result.columns[0].data_type);
    (ty, format!("{:?}", result.rows[0][0]))
}

/// How many of the server's processes beside this connection's run a statement.
async fn running(connection: &dyn Connection) -> String {
    let count = "SELECT count(*) FROM pg_stat_activity \
                 WHERE state = 'active' AND pid <> pg_backend_pid()";
    value(connection, count, vec![]).await.1
}

async fn read(mut rows: Rows) -> (usize, usize, Result<(), Error>) {
    let (mut count, mut largest) = (0, 0);
    while let Some(batch) = rows.batches.recv().await {
        count += batch.rows.len();
        largest = largest.max(batch.rows.len());
    }
    (count, largest, rows.outcome.await.unwrap())
}
