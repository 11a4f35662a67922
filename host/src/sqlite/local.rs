//! The backend of the embedded host: a database file, and a thread for each connection.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::database::{Database, InvalidLabel};
use super::host::gone;
use super::rows::{Batches, Gathered};
use super::worker::{Session, Status};
use super::{Backend, Connection, Error, Handle, QueryResult, Rows, Value};

/// A database file.
pub struct Local {
    database: Arc<Database>,
}

impl Local {
    /// The database `<state_dir>/sqlite/<label>.db`, created when it is first opened.
    ///
    /// # Errors
    ///
    /// [`InvalidLabel`] when `label` could be a path.
    pub fn new(state_dir: &Path, label: &str) -> Result<Self, InvalidLabel> {
        Ok(Self {
            database: Arc::new(Database::new(state_dir, label)?),
        })
    }
}

#[async_trait]
impl Backend for Local {
    async fn open(&self) -> Result<Handle, Error> {
        let status = Arc::new(Status::default());
        let (jobs, queue) = channel::<Job>();
        let (opened, opening) = oneshot::channel();
        let (database, seen) = (self.database.clone(), status.clone());
        let thread = std::thread::Builder::new().name("sqlite".to_owned());
        let started = thread.spawn(move || {
            let mut session = match Session::open(database, seen) {
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
        started.map_err(|error| Error::Io(format!("no thread for a connection: {error}")))?;
        let connection = Thread { jobs, status };
        opening.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(Arc::new(connection))
    }
}

type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// The owner's side of a connection.
struct Thread {
    jobs: Sender<Job>,
    status: Arc<Status>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.status.abandoned.store(true, Ordering::Relaxed);
    }
}

impl Thread {
    fn submit(&self, job: impl FnOnce(&mut Session) + Send + 'static) -> Result<(), Error> {
        self.jobs.send(Box::new(job)).map_err(|_| gone())
    }
}

#[async_trait]
impl Connection for Thread {
    async fn execute(&self, sql: String, parameters: Vec<Value>) -> Result<QueryResult, Error> {
        let (answer, answered) = oneshot::channel();
        self.submit(move |session| {
            let mut gathered = Gathered::default();
            let ended = session.run(&sql, parameters, &mut gathered);
            let _ = answer.send(ended.map(|()| gathered.into_result()));
        })?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    async fn stream(&self, sql: String, parameters: Vec<Value>) -> Result<Rows, Error> {
        let (opening, opened) = oneshot::channel();
        let (ending, outcome) = oneshot::channel();
        self.submit(move |session| {
            let mut batches = Batches::new(opening);
            let ended = session.run(&sql, parameters, &mut batches);
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
        self.status.last_insert_rowid.load(Ordering::Acquire)
    }

    fn changes(&self) -> u64 {
        self.status.changes.load(Ordering::Acquire)
    }
}
