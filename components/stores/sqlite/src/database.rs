//! Connections to the database: opened when needed, kept, never shared while one is in use.

use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use chatly_canonical::Convert;
use chatly_sqlite_store::{Connection, Error, Fault, Moment, Row, Value, prepare};
use spin_sdk::sqlite as spin;

use crate::wit;

/// Idle connections that an instance keeps: as many as requests that one instance serves at once
/// under load, since each of them waits for its commit on a connection of its own.
const KEPT: usize = 64;

thread_local! {
    static IDLE: RefCell<Vec<Database>> = const { RefCell::new(Vec::new()) };
}

/// An open connection.
pub(crate) struct Database(spin::Connection);

/// Runs `work` on a connection of its own. The connection is kept only when the work ended well
/// or with an answer of ours; after a fault of the database, and when the caller goes away in the
/// middle, it is dropped, which rolls an open transaction back.
pub(crate) async fn run<T>(
    work: impl AsyncFnOnce(&Database) -> Result<T, Error>,
) -> Result<T, wit::Error> {
    let database = take().await.map_err(Error::convert)?;
    let answer = work(&database).await;
    if !matches!(answer, Err(Error::Other(_) | Error::Denied | Error::Busy)) {
        IDLE.with_borrow_mut(|idle| {
            if idle.len() < KEPT {
                idle.push(database);
            }
        });
    }
    answer.map_err(Error::convert)
}

/// Like [`run`], for an answer that the contract has a type of its own for.
pub(crate) async fn ask<A: Convert<B>, B>(
    work: impl AsyncFnOnce(&Database) -> Result<A, Error>,
) -> Result<B, wit::Error> {
    run(work).await.map(A::convert)
}

async fn take() -> Result<Database, Error> {
    if let Some(database) = IDLE.with_borrow_mut(Vec::pop) {
        return Ok(database);
    }
    let database = Database(spin::Connection::open_default().await.map_err(fault)?);
    prepare(&database).await?;
    Ok(database)
}

/// The present, and fresh random bits.
pub(crate) fn moment() -> Result<Moment, Error> {
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|_| Error::Other("the host gives no random numbers"))?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    Ok(Moment {
        now: u64::try_from(now).unwrap_or(u64::MAX),
        seed: u128::from_le_bytes(seed),
    })
}

impl Connection for Database {
    async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        let parameters = parameters.into_iter().map(|value| match value {
            Value::Null => spin::Value::Null,
            Value::Integer(value) => spin::Value::Integer(value),
            Value::Real(value) => spin::Value::Real(value),
            Value::Text(value) => spin::Value::Text(value),
            Value::Blob(value) => spin::Value::Blob(value),
        });
        let answer = self.0.execute(sql, parameters).await.map_err(fault)?;
        let rows = answer.collect().await.map_err(fault)?;
        Ok(rows
            .into_iter()
            .map(|row| Row(row.values.into_iter().map(value).collect()))
            .collect())
    }
}

fn value(value: spin::Value) -> Value {
    match value {
        spin::Value::Null => Value::Null,
        spin::Value::Integer(value) => Value::Integer(value),
        spin::Value::Real(value) => Value::Real(value),
        spin::Value::Text(value) => Value::Text(value),
        spin::Value::Blob(value) => Value::Blob(value),
    }
}

/// What only SQLite knows, that a file is corrupt or a disk is full, goes to the log: callers
/// cannot do anything about it, but whoever runs the host can. Its messages name tables and columns
/// and hold no values.
///
/// SQLite's words for `SQLITE_BUSY` and `SQLITE_LOCKED` both say `locked`; the host gives no code.
fn fault(error: spin::Error) -> Fault {
    match error {
        spin::Error::AccessDenied | spin::Error::NoSuchDatabase => Fault::Denied,
        spin::Error::DatabaseFull => Fault::Full,
        spin::Error::Io(text) if text.contains("locked") => Fault::Busy,
        // The host stops a statement whose caller went away.
        spin::Error::Io(text) if text == "interrupted" => Fault::Failed,
        spin::Error::InvalidConnection => Fault::Failed,
        spin::Error::Io(text) => {
            eprintln!("error: the database failed: {text}");
            Fault::Failed
        }
    }
}
