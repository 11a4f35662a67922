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
    /// The connection is not like a new one any more, beside what a rollback mends.
    altered: AtomicBool,
}

impl Default for Status {
    fn default() -> Self {
        Self {
            abandoned: AtomicBool::new(false),
            last_insert_rowid: AtomicI64::new(0),
            changes: AtomicU64::new(0),
            busy_timeout: AtomicU64::new(u64::try_from(BUSY_TIMEOUT.as_millis()).unwrap_or(0)),
            altered: AtomicBool::new(false),
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
    connection: Connection,
    turn: Option<Turn>,
    /// `total_changes` when the present guest came.
    changes_before: u64,
    database: Arc<Database>,
    status: Arc<Status>,
}

impl Session {
    /// Opens a connection with its fence. `leave_wal` is called before a statement that may
    /// leave the WAL mode, for which SQLite needs the database alone.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be opened.
    pub fn open(
        database: Arc<Database>,
        status: Arc<Status>,
        leave_wal: impl Fn() + Send + 'static,
    ) -> Result<Self, Error> {
        let mut connection = database.connect().map_err(Error::Io)?;
        let abandoned = status.clone();
        connection
            .progress_handler(
                INSTRUCTIONS_BETWEEN_CHECKS,
                Some(move || abandoned.abandoned.load(Ordering::Relaxed)),
            )
            .map_err(io)?;
        let noticed = status.clone();
        fence::install(&mut connection, move |notice| match notice {
            Notice::Altered => noticed.altered.store(true, Ordering::Relaxed),
            Notice::JournalMode => leave_wal(),
            Notice::BusyTimeout(millis) => noticed.busy_timeout.store(millis, Ordering::Relaxed),
        })
        .map_err(io)?;
        Ok(Self {
            connection,
            turn: None,
            changes_before: 0,
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
        let connection = &self.connection;
        let mut statement = connection
            .prepare_cached(statement::first(sql))
            .map_err(io)?;
        sink.columns(statement.column_names().map(str::to_owned).collect());
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
        // SQLite's count is of the last statement that changed something, whoever's it was.
        let changed = connection.total_changes() != self.changes_before;
        let changes = if changed { connection.changes() } else { 0 };
        self.status.changes.store(changes, Ordering::Release);
        outcome
    }

    /// Makes the connection like a new one; false when it cannot be. What stays is what the
    /// SQL functions `changes()` and `total_changes()` return.
    pub fn renew(&mut self) -> bool {
        // The rollback itself must not be stopped.
        self.status.abandoned.store(false, Ordering::Relaxed);
        let rolled_back = self.connection.is_autocommit()
            || (self.connection.execute_batch("ROLLBACK").is_ok()
                && self.connection.is_autocommit());
        self.turn = None;
        // SAFETY: the handle is that of an open connection, which only this thread uses.
        unsafe { rusqlite::ffi::sqlite3_set_last_insert_rowid(self.connection.handle(), 0) };
        self.changes_before = self.connection.total_changes();
        self.status.last_insert_rowid.store(0, Ordering::Release);
        self.status.changes.store(0, Ordering::Release);
        rolled_back && !self.status.altered.load(Ordering::Relaxed)
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
