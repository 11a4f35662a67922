//! The thread of one connection: runs its statements, one after the other.
//!
//! 1. A statement that writes outside of a transaction, `BEGIN IMMEDIATE` included, waits for
//!    its turn at the gate first; the turn ends with the transaction. Within a transaction
//!    nobody waits there, as that could be for somebody who waits for this transaction.
//! 2. Whoever waits longer than its `busy_timeout` gets `database is locked`.
//! 3. Once the connection's owner is gone, a statement that still runs is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, Row};

use super::database::{BUSY_TIMEOUT, Database};
use super::fence::{self, Notice};
use super::gate::Turn;
use super::{Error, RowResult, Value, statement};

/// SQLite instructions between two looks at [`Status::abandoned`]: some tens of microseconds.
const INSTRUCTIONS_BETWEEN_CHECKS: i32 = 4096;

/// What both the worker and the owner of a connection see.
#[derive(Debug)]
pub struct Status {
    /// The owner is gone: stop.
    pub abandoned: AtomicBool,
    /// See `last-insert-rowid`.
    pub last_insert_rowid: AtomicI64,
    /// See `changes`.
    pub changes: AtomicU64,
    /// How long to wait at the gate, in milliseconds.
    busy_timeout: AtomicU64,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            abandoned: AtomicBool::new(false),
            last_insert_rowid: AtomicI64::new(0),
            changes: AtomicU64::new(0),
            busy_timeout: AtomicU64::new(u64::try_from(BUSY_TIMEOUT.as_millis()).unwrap_or(0)),
        }
    }
}

/// Takes what a statement returns.
pub trait Sink {
    /// The column names: once, before the statement runs, unless SQLite refuses it.
    fn columns(&mut self, names: Vec<String>);

    /// The next row. An error stops the statement.
    fn row(&mut self, row: RowResult) -> Result<(), Error>;
}

/// A connection and what its statements need.
pub struct Session {
    // Before `turn`, so that an open transaction is rolled back when the next writer comes.
    connection: Option<Connection>,
    turn: Option<Turn>,
    database: Arc<Database>,
    status: Arc<Status>,
}

impl Session {
    /// Opens a connection with its fence.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be opened.
    pub fn open(database: Arc<Database>, status: Arc<Status>) -> Result<Self, Error> {
        let mut connection = database.connect().map_err(Error::Io)?;
        let abandoned = status.clone();
        connection
            .progress_handler(
                INSTRUCTIONS_BETWEEN_CHECKS,
                Some(move || abandoned.abandoned.load(Ordering::Relaxed)),
            )
            .map_err(io)?;
        let (noticed, noticing) = (status.clone(), database.clone());
        fence::install(&mut connection, move |notice| match notice {
            Notice::JournalMode => noticing.release(),
            Notice::BusyTimeout(millis) => noticed.busy_timeout.store(millis, Ordering::Relaxed),
        })
        .map_err(io)?;
        Ok(Self {
            connection: Some(connection),
            turn: None,
            database,
            status,
        })
    }

    /// Runs the first statement of `sql` and gives what it returns to `sink`.
    pub fn run(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
        sink: &mut impl Sink,
    ) -> Result<(), Error> {
        let connection = self.connection.as_ref().ok_or(Error::InvalidConnection)?;
        let mut statement = connection
            .prepare_cached(statement::first(sql))
            .map_err(io)?;
        sink.columns(
            statement
                .column_names()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        );
        if self.turn.is_none() && connection.is_autocommit() && !statement.readonly() {
            let patience = Duration::from_millis(self.status.busy_timeout.load(Ordering::Relaxed));
            let turn = self.database.gate.enter(patience);
            self.turn = Some(turn.ok_or_else(|| Error::Io("database is locked".to_owned()))?);
        }
        let outcome = step(&mut statement, parameters, sink);
        drop(statement);
        if connection.is_autocommit() {
            self.turn = None;
        }
        let rowid = connection.last_insert_rowid();
        self.status
            .last_insert_rowid
            .store(rowid, Ordering::Release);
        self.status
            .changes
            .store(connection.changes(), Ordering::Release);
        outcome
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            if !connection.is_autocommit() {
                // Closing rolls back too; doing it here frees the lock before the next opens.
                let _ = connection.execute_batch("ROLLBACK");
            }
            self.database.keep_open(&connection);
        }
    }
}

fn step(
    statement: &mut CachedStatement<'_>,
    parameters: Vec<Value>,
    sink: &mut impl Sink,
) -> Result<(), Error> {
    let parameters = rusqlite::params_from_iter(parameters.into_iter().map(to_sqlite));
    let columns = statement.column_count();
    let mut rows = statement.query(parameters).map_err(io)?;
    while let Some(row) = rows.next().map_err(io)? {
        sink.row(read(row, columns)?)?;
    }
    Ok(())
}

fn read(row: &Row<'_>, columns: usize) -> Result<RowResult, Error> {
    let values = (0..columns)
        .map(|column| match row.get_ref(column).map_err(io)? {
            ValueRef::Null => Ok(Value::Null),
            ValueRef::Integer(integer) => Ok(Value::Integer(integer)),
            ValueRef::Real(real) => Ok(Value::Real(real)),
            ValueRef::Text(text) => match std::str::from_utf8(text) {
                Ok(text) => Ok(Value::Text(text.to_owned())),
                Err(_) => Err(Error::Io("a TEXT value is not valid UTF-8".to_owned())),
            },
            ValueRef::Blob(blob) => Ok(Value::Blob(blob.to_owned())),
        })
        .collect::<Result<_, _>>()?;
    Ok(RowResult { values })
}

fn to_sqlite(value: Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(integer) => rusqlite::types::Value::Integer(integer),
        Value::Real(real) => rusqlite::types::Value::Real(real),
        Value::Text(text) => rusqlite::types::Value::Text(text),
        Value::Blob(blob) => rusqlite::types::Value::Blob(blob),
    }
}

fn io(error: rusqlite::Error) -> Error {
    Error::Io(error.to_string())
}
