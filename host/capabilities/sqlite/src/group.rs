//! Single writes that wait at the same time share one commit, and so one fsync.
//!
//! 1. What joins: a statement that only writes rows, of a connection without transaction and
//!    without a setting, an attached or a temporary database of its own. The fence tells; the
//!    text is not parsed. What reads its connection's counters does not join either.
//! 2. Each member is atomic by itself and durable when it is answered: it runs in a savepoint,
//!    and the answers are given after the commit. `writer` has the details.
//! 3. A member that cannot stay in its group gets [`Verdict::Alone`]: it has changed nothing
//!    and runs on its own connection.
//!
//! Nobody waits for a group to fill: a group is what waits when the writer gets its turn.

use std::collections::HashMap;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedMutexGuard, oneshot};

use super::commits::Commits;
use super::database::Database;
use super::status::Counts;
use super::writer::{Slot, Writer};
use super::{Error, QueryResult, RowResult, Rows, Value, rows, statement};

/// Statements whose kind is remembered. A store has a few dozen.
const MAX_KINDS: usize = 512;

/// Longest statement whose kind is remembered, so that all take at most 8 MiB.
const MAX_KNOWN_BYTES: usize = 16 << 10;

/// One statement and its parameters.
#[derive(Debug)]
pub struct Work {
    /// A single statement.
    pub sql: String,
    /// A value for each of its parameters.
    pub parameters: Vec<Value>,
}

impl Work {
    /// The first statement of `sql`.
    pub fn new(mut sql: String, parameters: Vec<Value>) -> Self {
        let end = statement::first(&sql).len();
        sql.truncate(end);
        Self { sql, parameters }
    }

    /// What it takes in memory, about.
    pub fn bytes(&self) -> usize {
        self.sql.len() + rows::value_bytes(&self.parameters)
    }
}

/// What the fence found out about a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It writes rows and may join a group.
    Joins,
    /// It writes rows, which SQLite counts.
    Counted,
    /// Anything else.
    Other,
}

/// The kinds of statements seen so far.
#[derive(Debug, Default)]
pub struct Kinds(Mutex<HashMap<Box<str>, Kind>>);

impl Kinds {
    /// The kind of a statement that was seen before.
    pub fn get(&self, sql: &str) -> Option<Kind> {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kinds.get(sql).copied()
    }

    /// Remembers the kind of a statement, until too many others come.
    pub fn set(&self, sql: &str, kind: Kind) {
        if sql.len() > MAX_KNOWN_BYTES {
            return;
        }
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kinds.len() >= MAX_KINDS {
            kinds.clear();
        }
        kinds.insert(sql.into(), kind);
    }
}

/// Keeps the next statement of a connection back until this one has ended.
pub type Order = OwnedMutexGuard<()>;

/// A statement that waits for its group.
pub struct Member {
    /// What to run.
    pub work: Work,
    /// The rowid of its connection's last INSERT.
    pub last_insert_rowid: i64,
    /// When it came.
    pub since: Instant,
    /// Where its answer goes.
    pub answer: oneshot::Sender<(Verdict, Option<Order>)>,
    /// Given back with the answer, or when nobody wants it any more.
    pub order: Option<Order>,
}

impl Member {
    /// Ends the wait.
    pub fn end(self, outcome: Outcome) {
        let verdict = match outcome {
            Outcome::Done(answer) => Verdict::Done(answer),
            Outcome::Alone => Verdict::Alone(self.work),
        };
        let _ = self.answer.send((verdict, self.order));
    }
}

/// How a member fared.
pub enum Outcome {
    /// It ran, and what it changed is durable.
    Done(Answer),
    /// It has changed nothing and must run by itself.
    Alone,
}

impl Outcome {
    /// Whether the group's commit holds the statement.
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Done(answer) if answer.outcome.is_ok())
    }
}

/// What the owner of a member hears.
pub enum Verdict {
    /// See [`Outcome::Done`].
    Done(Answer),
    /// See [`Outcome::Alone`].
    Alone(Work),
}

/// What a statement returned.
#[derive(Debug)]
pub struct Answer {
    /// The column names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<RowResult>,
    /// How it ended.
    pub outcome: Result<(), Error>,
    /// What it left in the counters; `None` when it did not begin.
    pub counts: Option<Counts>,
}

impl Answer {
    /// The answer of a statement that could not begin.
    pub fn refused(error: Error) -> Self {
        Self {
            columns: Vec::new(),
            rows: Vec::new(),
            outcome: Err(error),
            counts: None,
        }
    }

    /// The answer in one piece.
    pub fn into_result(self) -> Result<QueryResult, Error> {
        self.outcome.map(|()| QueryResult {
            columns: self.columns,
            rows: self.rows,
        })
    }

    /// The answer as a stream that has ended.
    pub fn into_stream(self) -> Rows {
        rows::ended(self.columns, self.rows, self.outcome)
    }
}

/// The groups of one database.
pub struct Group {
    /// The database.
    pub database: Arc<Database>,
    /// What is known of its statements.
    pub kinds: Arc<Kinds>,
    /// How many statements its groups held.
    pub commits: Arc<Commits>,
    slot: Arc<Slot>,
    queue: OnceLock<Option<Sender<Member>>>,
}

impl Group {
    /// The groups of `database`; starts nothing yet.
    pub fn new(database: Arc<Database>) -> Self {
        Self {
            database,
            kinds: Arc::default(),
            commits: Arc::default(),
            slot: Arc::default(),
            queue: OnceLock::new(),
        }
    }

    /// Lets `work` wait for the next group. The answer never comes when no writer can run.
    pub fn join(
        &self,
        work: Work,
        last_insert_rowid: i64,
        order: Option<Order>,
    ) -> oneshot::Receiver<(Verdict, Option<Order>)> {
        let (answer, answered) = oneshot::channel();
        let member = Member {
            work,
            last_insert_rowid,
            since: Instant::now(),
            answer,
            order,
        };
        match self.queue.get_or_init(|| self.start()) {
            Some(queue) => {
                if let Err(unsent) = queue.send(member) {
                    unsent.0.end(Outcome::Alone);
                }
            }
            None => member.end(Outcome::Alone),
        }
        answered
    }

    /// Closes the writer's connection until the next group.
    pub fn leave(&self) {
        self.slot.close();
    }

    /// Starts the writer, which ends when this is dropped.
    fn start(&self) -> Option<Sender<Member>> {
        let (sender, queue) = channel();
        let writer = Writer {
            database: self.database.clone(),
            kinds: self.kinds.clone(),
            commits: self.commits.clone(),
            slot: self.slot.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("sqlite-group".to_owned())
            .spawn(move || writer.run(&queue));
        match thread {
            Ok(_) => Some(sender),
            Err(error) => {
                tracing::warn!(%error, "no thread for grouped writes: each commits by itself");
                None
            }
        }
    }
}
