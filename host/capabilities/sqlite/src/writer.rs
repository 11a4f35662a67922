//! The thread that runs groups: one transaction each, a savepoint for each member.
//!
//! 1. A group has at most [`MAX_MEMBERS`] members and [`MAX_BYTES`] of statements and values.
//!    The writer queues at the gate like any other; who waits longer than the `busy_timeout`
//!    of a new connection gets `database is locked`.
//! 2. An error of a member undoes what it would undo alone. Deferred foreign keys, which
//!    SQLite checks at the commit, are checked after each member.
//! 3. A member may roll back the whole transaction (`ON CONFLICT ROLLBACK`, a full disk, more
//!    than [`MAX_CHECKS`]): then all of its group run alone, and its statement joins no more.
//! 4. A member whose rows exceed [`MAX_MEMBER_ROW_BYTES`], or that turns out to do more than
//!    write rows (the schema has changed, or its table reads counters, which here are those of
//!    all), is undone and runs alone.
//! 5. When the commit fails, all members get its error.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::ffi;

use super::commits::Commits;
use super::database::{BUSY_TIMEOUT, Database};
use super::fence::{self, Notice};
use super::group::{Answer, Kind, Kinds, Member, Outcome, Work};
use super::marks::Marks;
use super::status::{Counts, set_last_insert_rowid, watch};
use super::worker::{INSTRUCTIONS_BETWEEN_CHECKS, Sink, io, step};
use super::{Error, RowResult, rows};

/// Members of one group: a commit is shared well before this.
pub const MAX_MEMBERS: usize = 128;

/// Bytes of statements and values in one group, unless its first member alone has more.
const MAX_BYTES: usize = 4 << 20;

/// Bytes of rows that one member may return, so that a group keeps at most 32 MiB.
const MAX_MEMBER_ROW_BYTES: usize = 256 << 10;

/// Looks at a running member before it is sent away: about 260 000 instructions, some
/// milliseconds in which the others of its group wait.
const MAX_CHECKS: u32 = 64;

/// The writer's connection: open from the first group on, unless somebody needs the database
/// alone.
#[derive(Default)]
pub struct Slot(Mutex<Option<Grouping>>);

impl Slot {
    /// Closes the connection, after the group that runs.
    pub fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Runs the groups of one database.
pub struct Writer {
    /// The database.
    pub database: Arc<Database>,
    /// What is known of its statements.
    pub kinds: Arc<Kinds>,
    /// How many statements the groups held.
    pub commits: Arc<Commits>,
    /// The connection.
    pub slot: Arc<Slot>,
}

impl Writer {
    /// Runs what comes, until nobody can send any more.
    pub fn run(&self, queue: &Receiver<Member>) {
        let mut waiting = VecDeque::new();
        loop {
            if waiting.is_empty() {
                match queue.recv() {
                    Ok(member) => waiting.push_back(member),
                    Err(_) => return,
                }
            }
            let waited = waiting.front().map(|member| member.since.elapsed());
            let patience = BUSY_TIMEOUT.saturating_sub(waited.unwrap_or_default());
            let turn = self.database.gate.enter(patience);
            waiting.extend(queue.try_iter());
            if turn.is_none() {
                expire(&mut waiting);
                continue;
            }
            let members = next_group(&mut waiting);
            let outcomes = self.group(&members);
            drop(turn);
            for (member, outcome) in members.into_iter().zip(outcomes) {
                member.end(outcome);
            }
        }
    }

    /// How each of `members` fared, in their order.
    fn group(&self, members: &[Member]) -> Vec<Outcome> {
        let mut slot = self.slot.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ran = match slot
            .take()
            .map_or_else(|| Grouping::open(&self.database), Ok)
        {
            Ok(connection) => slot.insert(connection).transaction(members, &self.kinds),
            Err(error) => Err(Broken::Refused(error)),
        };
        if let Ok(outcomes) = &ran {
            let held = outcomes.iter().filter(|outcome| outcome.is_kept());
            self.commits.note(held.count());
        }
        ran.unwrap_or_else(|broken| {
            let all = members.iter();
            match broken {
                Broken::Refused(error) => all
                    .map(|_| Outcome::Done(Answer::refused(error.clone())))
                    .collect(),
                Broken::RolledBack => all.map(|_| Outcome::Alone).collect(),
            }
        })
    }
}

/// Sends those away who have waited too long, in SQLite's words.
fn expire(waiting: &mut VecDeque<Member>) {
    let now = Instant::now();
    while let Some(member) =
        waiting.pop_front_if(|member| now.duration_since(member.since) >= BUSY_TIMEOUT)
    {
        let locked = Error::Io("database is locked".to_owned());
        member.end(Outcome::Done(Answer::refused(locked)));
    }
}

/// Takes the members of the next group, oldest first.
fn next_group(waiting: &mut VecDeque<Member>) -> Vec<Member> {
    let mut members = Vec::new();
    let mut bytes = 0;
    while members.len() < MAX_MEMBERS {
        let fits = |member: &mut Member| bytes == 0 || bytes + member.work.bytes() <= MAX_BYTES;
        let Some(member) = waiting.pop_front_if(fits) else {
            break;
        };
        bytes += member.work.bytes().max(1);
        // Nobody waits for this one any more.
        if !member.answer.is_closed() {
            members.push(member);
        }
    }
    members
}

/// Why a whole group failed.
enum Broken {
    /// It has changed nothing, and all get this error.
    Refused(Error),
    /// One of them rolled it back.
    RolledBack,
}

/// The connection that groups run on.
struct Grouping {
    connection: Connection,
    marks: Arc<Marks>,
    checks: Arc<AtomicU32>,
}

impl Grouping {
    fn open(database: &Database) -> Result<Self, Error> {
        let mut connection = database.connect().map_err(Error::Io)?;
        let checks = Arc::new(AtomicU32::new(0));
        let counted = checks.clone();
        connection
            .progress_handler(
                INSTRUCTIONS_BETWEEN_CHECKS,
                Some(move || counted.fetch_add(1, Ordering::Relaxed) >= MAX_CHECKS),
            )
            .map_err(io)?;
        let marks = Arc::new(Marks::default());
        let noted = marks.clone();
        watch(&connection, move || noted.note(&Notice::Counters)).map_err(io)?;
        let noted = marks.clone();
        fence::install(&mut connection, move |notice| noted.note(&notice)).map_err(io)?;
        Ok(Self {
            connection,
            marks,
            checks,
        })
    }

    fn transaction(&self, members: &[Member], kinds: &Kinds) -> Result<Vec<Outcome>, Broken> {
        let refused = |error| Broken::Refused(io(error));
        self.control("BEGIN IMMEDIATE").map_err(refused)?;
        let mut outcomes = Vec::with_capacity(members.len());
        for member in members {
            match self.member(member, kinds) {
                Ok(outcome) if !self.connection.is_autocommit() => outcomes.push(outcome),
                _ => {
                    kinds.set(&member.work.sql, Kind::Counted);
                    self.roll_back();
                    return Err(Broken::RolledBack);
                }
            }
        }
        if let Err(error) = self.control("COMMIT") {
            self.roll_back();
            return Err(refused(error));
        }
        Ok(outcomes)
    }

    /// Runs one member in its savepoint. An error is one of the savepoint.
    fn member(&self, member: &Member, kinds: &Kinds) -> rusqlite::Result<Outcome> {
        self.control("SAVEPOINT member")?;
        set_last_insert_rowid(&self.connection, member.last_insert_rowid);
        self.marks.take();
        let before = self.connection.total_changes();
        let mut answer = Answer::refused(Error::InvalidConnection);
        let mut kept = Kept::default();
        let stepped = self.statement(&member.work, &mut kept, &mut answer);
        if self.connection.is_autocommit() {
            return Ok(Outcome::Alone);
        }
        let seen = self.marks.take();
        if kept.overflow || seen.more_than_rows() {
            if seen.more_than_rows() {
                kinds.set(&member.work.sql, Kind::Counted);
                // The fence sees a statement only when it is prepared, so it must be again.
                self.connection.flush_prepared_statement_cache();
            }
            self.undo()?;
            return Ok(Outcome::Alone);
        }
        if stepped {
            answer.counts = Some(Counts {
                last_insert_rowid: self.connection.last_insert_rowid(),
                changes: self.connection.changes(),
                total: self.connection.total_changes().saturating_sub(before),
            });
        }
        if self.has_unmet_foreign_keys() {
            self.undo()?;
            answer.outcome = Err(Error::Io("FOREIGN KEY constraint failed".to_owned()));
            if let Some(counts) = &mut answer.counts {
                // What its triggers did stays in the total, as it does alone.
                counts.total = counts.total.saturating_sub(counts.changes);
                counts.changes = 0;
            }
        } else {
            self.control("RELEASE member")?;
        }
        (answer.columns, answer.rows) = (kept.columns, kept.rows);
        Ok(Outcome::Done(answer))
    }

    /// Runs the statement; whether it began.
    fn statement(&self, work: &Work, kept: &mut Kept, answer: &mut Answer) -> bool {
        self.checks.store(0, Ordering::Relaxed);
        match self.connection.prepare_cached(&work.sql) {
            Ok(mut statement) => {
                let (stepped, outcome) = step(&mut statement, &work.parameters, kept);
                answer.outcome = outcome;
                stepped
            }
            Err(error) => {
                answer.outcome = Err(io(error));
                false
            }
        }
    }

    fn undo(&self) -> rusqlite::Result<()> {
        self.control("ROLLBACK TO member")?;
        self.control("RELEASE member")
    }

    fn roll_back(&self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.control("ROLLBACK")
        {
            tracing::error!(%error, "a failed group could not be rolled back");
        }
    }

    fn control(&self, sql: &str) -> rusqlite::Result<()> {
        self.checks.store(0, Ordering::Relaxed);
        self.connection.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }

    /// Whether the transaction could not be committed now for its foreign keys.
    fn has_unmet_foreign_keys(&self) -> bool {
        let (mut current, mut highest) = (0, 0);
        // SAFETY: the handle is that of an open connection, which only this thread uses, and
        // both results are valid for the call.
        let code = unsafe {
            ffi::sqlite3_db_status(
                self.connection.handle(),
                ffi::SQLITE_DBSTATUS_DEFERRED_FKS,
                &raw mut current,
                &raw mut highest,
                0,
            )
        };
        code != ffi::SQLITE_OK || current != 0
    }
}

/// The rows of one member.
#[derive(Default)]
struct Kept {
    columns: Vec<String>,
    rows: Vec<RowResult>,
    bytes: usize,
    overflow: bool,
}

impl Sink for Kept {
    fn columns(&mut self, names: Vec<String>) {
        self.columns = names;
    }

    fn row(&mut self, row: RowResult) -> Result<(), Error> {
        self.bytes += rows::value_bytes(&row.values);
        self.overflow = self.bytes > MAX_MEMBER_ROW_BYTES;
        if self.overflow {
            return Err(Error::Io("too many rows for a group".to_owned()));
        }
        self.rows.push(row);
        Ok(())
    }
}
