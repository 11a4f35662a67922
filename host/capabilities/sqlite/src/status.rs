//! What a connection's thread, its owner and SQLite's own functions know of the connection.
//!
//! A grouped write runs on another connection, so SQLite's counters of this one do not know
//! of it. The figures here do: the SQL functions `changes()` and `total_changes()` answer from
//! them, and SQLite is told the rowid before the next statement runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use super::database::BUSY_TIMEOUT;

/// SQL functions that read the counters of the connection they run on.
pub const COUNTERS: [&str; 3] = ["changes", "total_changes", "last_insert_rowid"];

/// The state of one connection.
#[derive(Debug)]
pub struct Status {
    /// The owner is gone: stop.
    pub abandoned: AtomicBool,
    /// See `last-insert-rowid`.
    pub last_insert_rowid: AtomicI64,
    /// See `changes`.
    pub changes: AtomicU64,
    /// How long to wait at the gate, in milliseconds.
    pub busy_timeout: AtomicU64,
    /// The connection is not like a new one any more, beside what a rollback mends.
    pub altered: AtomicBool,
    /// A transaction is open.
    pub in_transaction: AtomicBool,
    /// The last change was made elsewhere, so that SQLite's own count of it is wrong.
    elsewhere: AtomicBool,
    /// What `total_changes()` is beside SQLite's own count.
    total_beside: AtomicI64,
    /// SQLite's own count when the present statement began.
    total_at_start: AtomicI64,
}

impl Default for Status {
    fn default() -> Self {
        let millis = u64::try_from(BUSY_TIMEOUT.as_millis()).unwrap_or(0);
        Self {
            abandoned: AtomicBool::new(false),
            last_insert_rowid: AtomicI64::new(0),
            changes: AtomicU64::new(0),
            busy_timeout: AtomicU64::new(millis),
            altered: AtomicBool::new(false),
            in_transaction: AtomicBool::new(false),
            elsewhere: AtomicBool::new(false),
            total_beside: AtomicI64::new(0),
            total_at_start: AtomicI64::new(0),
        }
    }
}

/// What a write left in the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// See `last-insert-rowid`.
    pub last_insert_rowid: i64,
    /// See `changes`.
    pub changes: u64,
    /// How many rows it touched, triggers included.
    pub total: u64,
}

impl Status {
    /// Whether a write of this connection may run on another one: it has no transaction and
    /// no setting of its own.
    pub fn is_free(&self) -> bool {
        !self.in_transaction.load(Ordering::Acquire) && !self.altered.load(Ordering::Acquire)
    }

    /// How long to wait for a lock.
    pub fn patience(&self) -> Duration {
        Duration::from_millis(self.busy_timeout.load(Ordering::Relaxed))
    }

    /// Notes what a write of this connection did that ran on another one.
    pub fn ran_elsewhere(&self, counts: Counts) {
        self.elsewhere.store(true, Ordering::Release);
        self.changes.store(counts.changes, Ordering::Release);
        self.last_insert_rowid
            .store(counts.last_insert_rowid, Ordering::Release);
        self.total_beside
            .fetch_add(signed(counts.total), Ordering::AcqRel);
    }

    /// Tells SQLite what happened elsewhere, before a statement runs on `connection`.
    pub fn restore(&self, connection: &Connection) {
        let rowid = self.last_insert_rowid.load(Ordering::Acquire);
        if connection.last_insert_rowid() != rowid {
            set_last_insert_rowid(connection, rowid);
        }
        let total = signed(connection.total_changes());
        self.total_at_start.store(total, Ordering::Release);
    }

    /// Notes what a statement did that ran on `connection`; `counted` when SQLite counts the
    /// rows of its kind.
    pub fn ran_here(&self, connection: &Connection, counted: bool) {
        self.in_transaction
            .store(!connection.is_autocommit(), Ordering::Release);
        self.last_insert_rowid
            .store(connection.last_insert_rowid(), Ordering::Release);
        if counted {
            self.elsewhere.store(false, Ordering::Release);
            self.changes.store(connection.changes(), Ordering::Release);
        }
    }

    /// Makes the counters those of a new connection.
    pub fn reset(&self, connection: &Connection) {
        self.in_transaction
            .store(!connection.is_autocommit(), Ordering::Release);
        self.elsewhere.store(true, Ordering::Release);
        self.changes.store(0, Ordering::Release);
        self.last_insert_rowid.store(0, Ordering::Release);
        let total = signed(connection.total_changes());
        self.total_beside
            .store(total.saturating_neg(), Ordering::Release);
    }

    /// Makes the SQL functions of `connection` answer from here.
    ///
    /// # Errors
    ///
    /// When SQLite refuses a function.
    pub fn install(self: &Arc<Self>, connection: &Connection) -> rusqlite::Result<()> {
        // As SQLite's own: usable in triggers and views, and no constant.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        let status = self.clone();
        connection.create_scalar_function("changes", 0, flags, move |context| {
            let (changes, total) = native(context)?;
            let untouched = total == status.total_at_start.load(Ordering::Acquire);
            if untouched && status.elsewhere.load(Ordering::Acquire) {
                return Ok(signed(status.changes.load(Ordering::Acquire)));
            }
            Ok(changes)
        })?;
        let status = self.clone();
        connection.create_scalar_function("total_changes", 0, flags, move |context| {
            let beside = status.total_beside.load(Ordering::Acquire);
            Ok(native(context)?.1.saturating_add(beside))
        })
    }
}

/// Calls `read` when SQL on `connection` asks for `changes()` or `total_changes()`.
///
/// The authorizer does not see all of these: in a CHECK constraint or a DEFAULT they belong to the
/// table, not to the statement that SQLite prepares.
///
/// # Errors
///
/// When SQLite refuses a function.
pub fn watch(
    connection: &Connection,
    read: impl Fn() + Clone + Send + Sync + 'static,
) -> rusqlite::Result<()> {
    // As SQLite's own: usable in triggers and views, and no constant.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    let noted = read.clone();
    connection.create_scalar_function("changes", 0, flags, move |context| {
        noted();
        Ok(native(context)?.0)
    })?;
    connection.create_scalar_function("total_changes", 0, flags, move |context| {
        read();
        Ok(native(context)?.1)
    })
}

/// Sets what SQLite takes for the rowid of the connection's last INSERT.
pub fn set_last_insert_rowid(connection: &Connection, rowid: i64) {
    // SAFETY: the handle is that of an open connection, which only this thread uses.
    unsafe { rusqlite::ffi::sqlite3_set_last_insert_rowid(connection.handle(), rowid) };
}

/// SQLite's own `changes()` and `total_changes()` of the connection that runs a function.
fn native(context: &Context<'_>) -> rusqlite::Result<(i64, i64)> {
    // SAFETY: the connection is open, as it runs this, and is only read while it does.
    let connection = unsafe { context.get_connection() }?;
    let (changes, total) = (connection.changes(), connection.total_changes());
    Ok((signed(changes), signed(total)))
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
