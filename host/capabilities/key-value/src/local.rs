//! The backend of the embedded host: one SQLite file for the stores of all labels.
//!
//! 1. File and table are Spin's, so that a state dir can be taken from one host to the other.
//! 2. One thread writes. What waits when it looks is written in one transaction, a savepoint for
//!    each call, and answered after the commit: so a call stays atomic and durable, and many
//!    callers share the cost of one fsync.
//! 3. One thread reads. It never waits for a writer (WAL), and a listing takes it a page at a time.
//! 4. The threads start with the first call and end with the last handle.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::{OnceCell, mpsc, oneshot};

use super::{Backend, Error, Handle, Keys, MAX_RESULT_BYTES, check_key, gone, too_large};

/// The file below the state dir: Spin's name.
const FILE: &str = "sqlite_key_value.db";
/// Spin's table.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (
    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";
/// Writes in one transaction; more gain nothing, and the first of them waits for the last.
const MAX_GROUP: usize = 256;
/// Keys that one step of a listing reads, and bytes after which it reads no more.
const PAGE_KEYS: usize = 512;
const PAGE_BYTES: usize = 1 << 20;
/// How long to wait for a process that holds the file, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The stores in one file.
#[derive(Clone)]
pub struct Local {
    path: Arc<PathBuf>,
    threads: Arc<OnceCell<Threads>>,
}

impl Local {
    /// The stores in `<state_dir>/sqlite_key_value.db`, which is created when it is first used.
    pub fn new(state_dir: &Path) -> Self {
        Self::at(state_dir.join(FILE))
    }

    /// The stores in the file `path`.
    pub fn at(path: PathBuf) -> Self {
        Self {
            path: Arc::new(path),
            threads: Arc::default(),
        }
    }

    /// The store of one label.
    pub fn store(&self, label: &str) -> Handle {
        Arc::new(Store {
            label: Arc::from(label),
            file: self.clone(),
        })
    }

    async fn threads(&self) -> Result<&Threads, Error> {
        let start = || async {
            let path = self.path.clone();
            let started = tokio::task::spawn_blocking(move || Threads::start(&path));
            started.await.unwrap_or_else(|_| Err(gone()))
        };
        self.threads.get_or_try_init(start).await
    }
}

type Read = Box<dyn FnOnce(&Connection) + Send>;
/// A write; what it returns is called after the commit, with the error when that failed.
type Write = Box<dyn FnOnce(&Connection) -> Reply + Send>;
type Reply = Box<dyn FnOnce(Option<Error>) + Send>;

/// The queues of the two threads, which end when these are dropped.
struct Threads {
    reads: Sender<Read>,
    writes: Sender<Write>,
}

impl Threads {
    fn start(path: &Path) -> Result<Self, Error> {
        let failed = |cause: &dyn std::fmt::Display| {
            Error::Other(format!("cannot open {}: {cause}", path.display()))
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let writer = open(path).map_err(|error| failed(&error))?;
        writer
            .execute_batch(TABLE)
            .map_err(|error| failed(&error))?;
        let reader = open(path).map_err(|error| failed(&error))?;

        let (reads, queue) = channel::<Read>();
        let read = move || queue.into_iter().for_each(|job| job(&reader));
        spawn(read).map_err(|error| failed(&error))?;
        let (writes, queue) = channel::<Write>();
        spawn(move || write(&writer, &queue)).map_err(|error| failed(&error))?;
        Ok(Self { reads, writes })
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let thread = std::thread::Builder::new().name("key-value".to_owned());
    thread.spawn(work).map(drop)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")?;
    Ok(connection)
}

/// Runs writes, those that wait together in one transaction.
fn write(connection: &Connection, queue: &Receiver<Write>) {
    while let Ok(first) = queue.recv() {
        let waiting = queue.try_iter().take(MAX_GROUP - 1);
        let group: Vec<Write> = std::iter::once(first).chain(waiting).collect();
        let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(other);
        let replies: Vec<Reply> = group.into_iter().map(|write| write(connection)).collect();
        let ended = begun.and_then(|()| connection.execute_batch("COMMIT").map_err(other));
        if ended.is_err() && !connection.is_autocommit() {
            // Without it the next group would be part of this one.
            _ = connection.execute_batch("ROLLBACK");
        }
        for reply in replies {
            reply(ended.clone().err());
        }
    }
}

/// Runs one call of a group, so that its failure leaves no trace.
fn savepoint<R>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<R, Error>,
) -> Result<R, Error> {
    if connection.is_autocommit() {
        // The transaction did not begin; the reply tells why.
        return Err(gone());
    }
    connection.execute_batch("SAVEPOINT one").map_err(other)?;
    let outcome = work(connection);
    if outcome.is_err() {
        connection.execute_batch("ROLLBACK TO one").map_err(other)?;
    }
    connection.execute_batch("RELEASE one").map_err(other)?;
    outcome
}

fn other(error: rusqlite::Error) -> Error {
    tracing::warn!(%error, "a key-value store failed");
    Error::Other(error.to_string())
}

/// One label's store.
struct Store {
    label: Arc<str>,
    file: Local,
}

impl Store {
    async fn read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &str) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let (answer, answered) = oneshot::channel();
        let label = self.label.clone();
        let job: Read = Box::new(move |connection| {
            // Whoever asked may be gone by now.
            if !answer.is_closed() {
                _ = answer.send(work(connection, &label));
            }
        });
        self.file
            .threads()
            .await?
            .reads
            .send(job)
            .map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }

    async fn write<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &str) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Error> {
        let (answer, answered) = oneshot::channel();
        let label = self.label.clone();
        let job: Write = Box::new(move |connection| {
            // Whoever asked may be gone by now, and has been told of no success.
            if answer.is_closed() {
                return Box::new(|_failed| {});
            }
            let outcome = savepoint(connection, |connection| work(connection, &label));
            Box::new(move |failed| {
                _ = answer.send(failed.map_or(outcome, Err));
            })
        });
        self.file
            .threads()
            .await?
            .writes
            .send(job)
            .map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

#[async_trait]
impl Backend for Store {
    async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error> {
        self.read(move |connection, label| value(connection, label, &key))
            .await
    }

    async fn exists(&self, key: String) -> Result<bool, Error> {
        self.read(move |connection, label| {
            let sql = "SELECT 1 FROM spin_key_value WHERE store = ?1 AND key = ?2";
            let mut statement = connection.prepare_cached(sql).map_err(other)?;
            statement.exists(params![label, key]).map_err(other)
        })
        .await
    }

    async fn keys(&self) -> Result<Keys, Error> {
        let (send, batches) = mpsc::channel(1);
        let (end, outcome) = oneshot::channel();
        let store = Self {
            label: self.label.clone(),
            file: self.file.clone(),
        };
        tokio::spawn(async move {
            _ = end.send(store.list(&send).await);
        });
        Ok(Keys { batches, outcome })
    }

    async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.read(move |connection, label| {
            let mut left = MAX_RESULT_BYTES;
            let get = |key: String| {
                let found = value(connection, label, &key)?;
                let bytes = key.len() + found.as_ref().map_or(0, Vec::len);
                left = left.checked_sub(bytes).ok_or_else(too_large)?;
                Ok(found)
            };
            keys.into_iter().map(get).collect()
        })
        .await
    }

    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        self.write(move |connection, label| {
            let mut pairs = entries.iter();
            pairs.try_for_each(|(key, value)| put(connection, label, key, value))
        })
        .await
    }

    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error> {
        self.write(move |connection, label| {
            let sql = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
            let mut statement = connection.prepare_cached(sql).map_err(other)?;
            for key in keys {
                statement.execute(params![label, key]).map_err(other)?;
            }
            Ok(())
        })
        .await
    }

    async fn increment(&self, key: String, delta: i64) -> Result<i64, Error> {
        self.write(move |connection, label| {
            let present = match value(connection, label, &key)? {
                None => 0,
                Some(bytes) => i64::from_le_bytes(bytes.try_into().map_err(|_| {
                    Error::Other("the value is not an integer of 64 bits".to_owned())
                })?),
            };
            let sum = present.checked_add(delta);
            let sum = sum.ok_or_else(|| Error::Other("the sum overflows 64 bits".to_owned()))?;
            put(connection, label, &key, &sum.to_le_bytes())?;
            Ok(sum)
        })
        .await
    }

    async fn swap(
        &self,
        key: String,
        expected: Option<Vec<u8>>,
        new: Vec<u8>,
    ) -> Result<bool, Error> {
        self.write(move |connection, label| {
            if value(connection, label, &key)? != expected {
                return Ok(false);
            }
            put(connection, label, &key, &new)?;
            Ok(true)
        })
        .await
    }
}

impl Store {
    /// Sends all keys, a page at a time, until the reader leaves.
    async fn list(&self, send: &mpsc::Sender<Vec<String>>) -> Result<(), Error> {
        let mut after: Option<String> = None;
        loop {
            let from = after.clone();
            let page = self
                .read(move |connection, label| page(connection, label, from.as_deref()))
                .await?;
            let (page, full) = page;
            after = page.last().cloned();
            if (!page.is_empty() && send.send(page).await.is_err()) || !full {
                return Ok(());
            }
        }
    }
}

/// The keys after one, and whether there may be more.
fn page(
    connection: &Connection,
    label: &str,
    after: Option<&str>,
) -> Result<(Vec<String>, bool), Error> {
    let sql = "SELECT key FROM spin_key_value
        WHERE store = ?1 AND (?2 IS NULL OR key > ?2) ORDER BY key LIMIT ?3";
    let mut statement = connection.prepare_cached(sql).map_err(other)?;
    let limit = i64::try_from(PAGE_KEYS).unwrap_or(i64::MAX);
    let mut rows = statement
        .query(params![label, after, limit])
        .map_err(other)?;
    let (mut keys, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next().map_err(other)? {
        let key: String = row.get(0).map_err(other)?;
        bytes += key.len();
        keys.push(key);
        if bytes > PAGE_BYTES {
            return Ok((keys, true));
        }
    }
    let full = keys.len() == PAGE_KEYS;
    Ok((keys, full))
}

fn value(connection: &Connection, label: &str, key: &str) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
    let mut statement = connection.prepare_cached(sql).map_err(other)?;
    let found: Option<Vec<u8>> = statement
        .query_row(params![label, key], |row| row.get(0))
        .optional()
        .map_err(other)?;
    match found {
        Some(value) if value.len() > MAX_RESULT_BYTES => Err(too_large()),
        found => Ok(found),
    }
}

fn put(connection: &Connection, label: &str, key: &str, value: &[u8]) -> Result<(), Error> {
    check_key(key)?;
    let sql = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3)
        ON CONFLICT (store, key) DO UPDATE SET value = excluded.value";
    let mut statement = connection.prepare_cached(sql).map_err(other)?;
    let put = statement.execute(params![label, key, value]);
    put.map(drop).map_err(other)
}
