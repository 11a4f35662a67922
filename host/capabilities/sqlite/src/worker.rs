//! The thread of one connection: runs its statements, one after the other.
//!
//! 1. A statement that writes outside of a transaction, `BEGIN IMMEDIATE` included, waits for
//!    its turn at the gate first; the turn ends with the transaction. Within a transaction
//!    nobody waits there, as that could be for somebody who waits for this transaction.
//! 2. Whoever waits longer than its `busy_timeout` gets `database is locked`.
//! 3. A single write of rows joins a group instead (`group`), which queues in its place.
//! 4. Once the connection's owner is gone, a statement that still runs is stopped.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Row};

use super::fence::{self, Notice};
use super::gate::Turn;
use super::group::{Group, Kind, Verdict, Work};
use super::host::gone;
use super::marks::Marks;
use super::status::Status;
use super::{Error, RowResult, Value};

/// SQLite instructions between two looks at [`Status::abandoned`]: some tens of microseconds.
pub const INSTRUCTIONS_BETWEEN_CHECKS: i32 = 4096;

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
    group: Arc<Group>,
    status: Arc<Status>,
    marks: Arc<Marks>,
}

impl Session {
    /// Opens a connection with its fence. `leave_wal` is called before a statement that may
    /// leave the WAL mode, for which SQLite needs the database alone.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be opened.
    pub fn open(
        group: Arc<Group>,
        status: Arc<Status>,
        leave_wal: impl Fn() + Send + 'static,
    ) -> Result<Self, Error> {
        let mut connection = group.database.connect().map_err(Error::Io)?;
        let abandoned = status.clone();
        connection
            .progress_handler(
                INSTRUCTIONS_BETWEEN_CHECKS,
                Some(move || abandoned.abandoned.load(Ordering::Relaxed)),
            )
            .map_err(io)?;
        status.install(&connection).map_err(io)?;
        let marks = Arc::new(Marks::default());
        let (noticed, noted) = (status.clone(), marks.clone());
        fence::install(&mut connection, move |notice| {
            noted.note(&notice);
            match notice {
                Notice::Altered => noticed.altered.store(true, Ordering::Relaxed),
                Notice::JournalMode => leave_wal(),
                Notice::BusyTimeout(millis) => {
                    noticed.busy_timeout.store(millis, Ordering::Relaxed);
                }
                Notice::Rows | Notice::Counters | Notice::Other => {}
            }
        })
        .map_err(io)?;
        Ok(Self {
            connection,
            turn: None,
            group,
            status,
            marks,
        })
    }

    /// Runs `work` and gives what it returns to `sink`: in a group when it may join one,
    /// unless it has to run `alone`.
    pub fn run(&mut self, work: Work, alone: bool, sink: &mut impl Sink) -> Result<(), Error> {
        let kind = self.kind(&work.sql)?;
        let free = self.turn.is_none() && self.connection.is_autocommit() && self.status.is_free();
        if alone || kind != Kind::Joins || !free {
            return self.run_here(&work, kind, sink);
        }
        let rowid = self.status.last_insert_rowid.load(Ordering::Acquire);
        let answered = self.group.join(work, rowid, None).blocking_recv();
        match answered.map_err(|_| gone())?.0 {
            Verdict::Done(answer) => {
                if let Some(counts) = answer.counts {
                    self.status.ran_elsewhere(counts);
                }
                sink.columns(answer.columns);
                answer.rows.into_iter().try_for_each(|row| sink.row(row))?;
                answer.outcome
            }
            Verdict::Alone(work) => self.run_here(&work, kind, sink),
        }
    }

    /// What kind of statement `sql` is.
    fn kind(&self, sql: &str) -> Result<Kind, Error> {
        if let Some(kind) = self.group.kinds.get(sql) {
            return Ok(kind);
        }
        // Not from the cache, whose statements the fence has seen before.
        self.marks.take();
        let statement = self.connection.prepare(sql).map_err(io)?;
        let kind = if statement.is_explain() == 0 {
            self.marks.take().kind()
        } else {
            Kind::Other
        };
        self.group.kinds.set(sql, kind);
        Ok(kind)
    }

    fn run_here(&mut self, work: &Work, kind: Kind, sink: &mut impl Sink) -> Result<(), Error> {
        let connection = &self.connection;
        let mut statement = connection.prepare_cached(&work.sql).map_err(io)?;
        if self.turn.is_none() && connection.is_autocommit() && !statement.readonly() {
            let turn = self.group.database.gate.enter(self.status.patience());
            self.turn = Some(turn.ok_or_else(|| Error::Io("database is locked".to_owned()))?);
        }
        self.status.restore(connection);
        let (began, outcome) = step(&mut statement, &work.parameters, sink);
        drop(statement);
        if connection.is_autocommit() {
            self.turn = None;
        }
        let counted = began && kind != Kind::Other;
        self.status.ran_here(connection, counted);
        outcome
    }

    /// Makes the connection like a new one; false when it cannot be.
    pub fn renew(&mut self) -> bool {
        // The rollback itself must not be stopped.
        self.status.abandoned.store(false, Ordering::Relaxed);
        let rolled_back = self.connection.is_autocommit()
            || (self.connection.execute_batch("ROLLBACK").is_ok()
                && self.connection.is_autocommit());
        self.turn = None;
        self.status.reset(&self.connection);
        rolled_back && !self.status.altered.load(Ordering::Relaxed)
    }
}

/// Runs a statement; whether it began, and how it ended.
pub fn step(
    statement: &mut CachedStatement<'_>,
    parameters: &[Value],
    sink: &mut impl Sink,
) -> (bool, Result<(), Error>) {
    let columns = statement.column_count();
    sink.columns(statement.column_names().map(str::to_owned).collect());
    if let Err(error) = bind(statement, parameters) {
        return (false, Err(io(error)));
    }
    let mut rows = statement.raw_query();
    let outcome = loop {
        match rows.next() {
            Ok(None) => break Ok(()),
            Ok(Some(row)) => {
                if let Err(error) = read(row, columns).and_then(|row| sink.row(row)) {
                    break Err(error);
                }
            }
            Err(error) => break Err(io(error)),
        }
    };
    (true, outcome)
}

fn bind(statement: &mut CachedStatement<'_>, parameters: &[Value]) -> rusqlite::Result<()> {
    let wanted = statement.parameter_count();
    if parameters.len() != wanted {
        return Err(rusqlite::Error::InvalidParameterCount(
            parameters.len(),
            wanted,
        ));
    }
    for (value, number) in parameters.iter().zip(1..) {
        statement.raw_bind_parameter(number, to_sqlite(value))?;
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

fn to_sqlite(value: &Value) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(match value {
        Value::Null => ValueRef::Null,
        Value::Integer(integer) => ValueRef::Integer(*integer),
        Value::Real(real) => ValueRef::Real(*real),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Blob(blob) => ValueRef::Blob(blob),
    })
}

/// SQLite's error, in its own words.
pub fn io(error: rusqlite::Error) -> Error {
    Error::Io(error.to_string())
}
