//! The backend of the embedded host: a database file, and a thread for each connection.
//!
//! Opening a connection costs a thread, file locks and the schema, and closing the last one in
//! WAL mode writes back and deletes the WAL. So a connection that a guest leaves is rolled
//! back and kept for the next one that opens, unless the guest altered it: what the next
//! finds is as good as new.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::commits::Commits;
use super::database::{Database, InvalidLabel};
use super::group::{Answer, Group, Kind, Order, Verdict, Work};
use super::host::gone;
use super::rows::{Batches, Gathered};
use super::status::Status;
use super::worker::Session;
use super::{Backend, Connection, Error, Handle, QueryResult, Rows, Value};

/// Connections that are kept for the next guest. Each has a page cache of up to 2 MiB.
const MAX_IDLE: usize = 32;

/// A database file.
pub struct Local {
    group: Arc<Group>,
    idle: Arc<Idle>,
}

impl Local {
    /// The database `<state_dir>/sqlite/<label>.db`, created when it is first opened.
    ///
    /// # Errors
    ///
    /// [`InvalidLabel`] when `label` could be a path.
    pub fn new(state_dir: &Path, label: &str) -> Result<Self, InvalidLabel> {
        Ok(Self::on(Database::new(state_dir, label)?))
    }

    /// The database in the file `path`, created when it is first opened.
    pub fn at(path: PathBuf) -> Self {
        Self::on(Database::at(path))
    }

    fn on(database: Database) -> Self {
        Self {
            group: Arc::new(Group::new(Arc::new(database))),
            idle: Arc::default(),
        }
    }

    /// Starts a thread with a new connection.
    async fn start(&self) -> Result<Worker, Error> {
        let status = Arc::new(Status::default());
        let (jobs, queue) = channel::<Job>();
        let (opened, opening) = oneshot::channel();
        let (group, seen) = (self.group.clone(), status.clone());
        // Weak, as the idle connections would otherwise keep themselves alive.
        let (idle, writer) = (Arc::downgrade(&self.idle), self.group.clone());
        let leave_wal = move || {
            if let Some(idle) = idle.upgrade() {
                idle.close();
            }
            writer.leave();
        };
        let thread = std::thread::Builder::new()
            .name("sqlite".to_owned())
            .spawn(move || {
                let mut session = match Session::open(group, seen, leave_wal) {
                    Ok(session) => session,
                    Err(error) => {
                        let _ = opened.send(Err(error));
                        return;
                    }
                };
                let _ = opened.send(Ok(()));
                for job in queue {
                    job(&mut session);
                }
            });
        let thread =
            thread.map_err(|error| Error::Io(format!("no thread for a connection: {error}")))?;
        opening.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(Worker {
            jobs,
            status,
            thread,
        })
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.idle.close();
    }
}

#[async_trait]
impl Backend for Local {
    async fn open(&self) -> Result<Handle, Error> {
        let worker = match self.idle.take() {
            Some(worker) => worker,
            None => self.start().await?,
        };
        Ok(Arc::new(Lease {
            worker: Some(worker),
            group: self.group.clone(),
            order: Arc::default(),
            idle: self.idle.clone(),
        }))
    }

    fn commits(&self) -> Option<Arc<Commits>> {
        Some(self.group.commits.clone())
    }
}

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// A connection's thread, which ends when this is dropped.
struct Worker {
    jobs: Sender<Job>,
    status: Arc<Status>,
    thread: JoinHandle<()>,
}

/// Connections that a guest has left, as good as new.
#[derive(Default)]
struct Idle(Mutex<Vec<Worker>>);

impl Idle {
    fn take(&self) -> Option<Worker> {
        self.lock().pop()
    }

    fn put(&self, worker: Worker) {
        let mut workers = self.lock();
        if workers.len() < MAX_IDLE {
            workers.push(worker);
        }
    }

    /// Closes all, and waits until they are closed.
    fn close(&self) {
        let workers = std::mem::take(&mut *self.lock());
        for Worker { jobs, thread, .. } in workers {
            drop(jobs);
            let _ = thread.join();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection in the hands of one guest.
struct Lease {
    /// `None` only while dropping.
    worker: Option<Worker>,
    group: Arc<Group>,
    /// Held by the statement that runs; the others queue.
    order: Arc<tokio::sync::Mutex<()>>,
    idle: Arc<Idle>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(worker) = self.worker.take() else {
            return;
        };
        worker.status.abandoned.store(true, Ordering::Relaxed);
        let (jobs, idle) = (worker.jobs.clone(), self.idle.clone());
        let _ = jobs.send(Box::new(move |session| {
            if session.renew() {
                idle.put(worker);
            }
        }));
    }
}

impl Lease {
    fn submit(&self, job: impl FnOnce(&mut Session) + Send + 'static) -> Result<(), Error> {
        let worker = self.worker.as_ref().ok_or_else(gone)?;
        worker.jobs.send(Box::new(job)).map_err(|_| gone())
    }

    /// Waits until the connection is free, and lets `work` join a group when it is known to be
    /// allowed to: that saves a detour over the connection's thread.
    async fn join(&self, work: Work) -> Result<Joined, Error> {
        let order = self.order.clone().lock_owned().await;
        let status = &self.worker.as_ref().ok_or_else(gone)?.status;
        if !status.is_free() || self.group.kinds.get(&work.sql) != Some(Kind::Joins) {
            return Ok(Joined::Not(work, order, false));
        }
        let rowid = status.last_insert_rowid.load(Ordering::Acquire);
        let answered = self.group.join(work, rowid, Some(order)).await;
        match answered.map_err(|_| gone())? {
            (Verdict::Done(answer), _order) => {
                if let Some(counts) = answer.counts {
                    status.ran_elsewhere(counts);
                }
                Ok(Joined::Done(answer))
            }
            (Verdict::Alone(work), Some(order)) => Ok(Joined::Not(work, order, true)),
            (Verdict::Alone(_), None) => Err(gone()),
        }
    }

    fn count<T>(&self, read: impl Fn(&Status) -> T) -> Option<T> {
        self.worker.as_ref().map(|worker| read(&worker.status))
    }
}

/// What became of a statement that tried to join a group.
enum Joined {
    /// It ran.
    Done(Answer),
    /// It runs on its own connection; true when a group has sent it there.
    Not(Work, Order, bool),
}

#[async_trait]
impl Connection for Lease {
    async fn execute(&self, sql: String, parameters: Vec<Value>) -> Result<QueryResult, Error> {
        let (work, order, alone) = match self.join(Work::new(sql, parameters)).await? {
            Joined::Done(answer) => return answer.into_result(),
            Joined::Not(work, order, alone) => (work, order, alone),
        };
        let (answer, answered) = oneshot::channel();
        self.submit(move |session| {
            let mut gathered = Gathered::default();
            let ended = session.run(work, alone, &mut gathered);
            drop(order);
            let _ = answer.send(ended.map(|()| gathered.into_result()));
        })?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    async fn stream(&self, sql: String, parameters: Vec<Value>) -> Result<Rows, Error> {
        let (work, order, alone) = match self.join(Work::new(sql, parameters)).await? {
            Joined::Done(answer) => return Ok(answer.into_stream()),
            Joined::Not(work, order, alone) => (work, order, alone),
        };
        let (opening, opened) = oneshot::channel();
        let (ending, outcome) = oneshot::channel();
        self.submit(move |session| {
            let mut batches = Batches::new(opening);
            let ended = session.run(work, alone, &mut batches);
            drop(order);
            batches.finish(ended, ending);
        })?;
        let (columns, batches) = opened.await.map_err(|_| gone())?;
        Ok(Rows {
            columns,
            batches,
            outcome,
        })
    }

    fn last_insert_rowid(&self) -> i64 {
        self.count(|status| status.last_insert_rowid.load(Ordering::Acquire))
            .unwrap_or(0)
    }

    fn changes(&self) -> u64 {
        self.count(|status| status.changes.load(Ordering::Acquire))
            .unwrap_or(0)
    }
}
