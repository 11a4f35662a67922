//! `spin:sqlite@3.1.0` and its relatives: SQL for components, on the databases that the manifest grants.
//!
//! 1. A label that is not granted is `access-denied`; a granted one that has no [`Backend`] is
//!    `no-such-database`.
//! 2. Every `open` gives a connection of its own, as good as new; an instance has at most
//!    [`MAX_CONNECTIONS`] at once. Dropping one rolls back its open transaction.
//! 3. `execute` runs the first statement and ignores what follows it.
//! 4. Results over [`MAX_RESULT_BYTES`] are refused with `io`.
//! 5. A call never blocks a thread of the async runtime. The `-async` functions do not hold
//!    the store either, so the requests of one instance overlap; `open` and `execute` do,
//!    because a WIT function that is not `async` blocks its instance.
//! 6. The statements and parameters of an instance's calls are bounded together ([`InFlight`]); one
//!    call too many is `io`.
//! 7. Single writes that wait at the same time share one commit (`group`).
//! 8. `spin:sqlite@3.0.0` and `fermyon:spin/sqlite@2.0.0` see the same databases.
//!
//! It does not interpret SQL beyond finding the first statement: what a statement may do is
//! decided by SQLite and the `fence`.
#![deny(missing_docs)]

mod commits;
mod database;
mod fence;
mod gate;
mod group;
mod host;
mod local;
mod marks;
mod rows;
mod spin2;
mod statement;
mod status;
mod worker;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use chatly_in_flight::InFlight;
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{HasData, Linker, ResourceTable};

use chatly_manifest::Component;

pub use bindings::spin::sqlite::sqlite::{Error, QueryResult, RowResult, Value};
pub use commits::Commits;
pub use database::InvalidLabel;
pub use local::Local;

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:sqlite-capability/capability",
        imports: { default: async | trappable },
        with: { "spin:sqlite/sqlite.connection": super::Handle },
    });
}

/// Connections that one instance may have open at once: Spin's number.
pub const MAX_CONNECTIONS: usize = 256;

/// Bytes of rows that one `execute` may return, and of one row of `execute-async`: Spin's
/// `MAX_HOST_BUFFERED_BYTES`.
pub const MAX_RESULT_BYTES: usize = 128 << 20;

/// What the resource `connection` stands for.
pub type Handle = Arc<dyn Connection>;

/// The databases that the manifest allows one component: its `sqlite_databases`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    labels: BTreeSet<String>,
}

impl Grant {
    /// The grant of one component.
    pub fn new(component: &Component) -> Self {
        component.sqlite_databases.iter().cloned().collect()
    }

    /// Whether the component may open `label`.
    pub fn allows(&self, label: &str) -> bool {
        self.labels.contains(label)
    }

    /// The granted labels, sorted.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str)
    }
}

impl FromIterator<String> for Grant {
    fn from_iter<I: IntoIterator<Item = String>>(labels: I) -> Self {
        Self {
            labels: labels.into_iter().collect(),
        }
    }
}

/// The databases of the app: what stands behind each label.
#[derive(Default, Clone)]
pub struct Shared {
    backends: BTreeMap<String, Arc<dyn Backend>>,
}

impl Shared {
    /// A database file `<state_dir>/sqlite/<label>.db` behind each of `labels`. A file is
    /// created when it is first opened.
    ///
    /// # Errors
    ///
    /// [`InvalidLabel`] when a label could be a path.
    pub fn local<'a>(
        state_dir: &Path,
        labels: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidLabel> {
        let mut shared = Self::default();
        for label in labels {
            shared = shared.with(label, Arc::new(Local::new(state_dir, label)?));
        }
        Ok(shared)
    }

    /// Puts `backend` behind `label`.
    #[must_use]
    pub fn with(mut self, label: &str, backend: Arc<dyn Backend>) -> Self {
        self.backends.insert(label.to_owned(), backend);
        self
    }

    /// How many statements the commits held, by label, where it is counted.
    pub fn commits(&self) -> impl Iterator<Item = (&str, Arc<Commits>)> {
        let backends = self.backends.iter();
        backends.filter_map(|(label, backend)| Some((label.as_str(), backend.commits()?)))
    }
}

/// The databases of one instance.
pub struct State {
    grant: Arc<Grant>,
    shared: Arc<Shared>,
    connections: ResourceTable,
    in_flight: InFlight,
}

impl State {
    /// A new instance's state, without connections.
    pub fn new(grant: Arc<Grant>, shared: Arc<Shared>) -> Self {
        let mut connections = ResourceTable::new();
        connections.set_max_capacity(MAX_CONNECTIONS);
        Self {
            grant,
            shared,
            connections,
            in_flight: InFlight::default(),
        }
    }
}

/// Offers `spin:sqlite@3.1.0`, which `spin:sqlite@3.0.0` is a part of, and
/// `fermyon:spin/sqlite@2.0.0` to components.
///
/// # Errors
///
/// When the linker has one of the interfaces already.
pub fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    bindings::spin::sqlite::sqlite::add_to_linker::<T, Data>(linker, get)?;
    spin2::link(linker, get)
}

/// Tells wasmtime that the interface works on a [`State`].
struct Data;

impl HasData for Data {
    type Data<'a> = &'a mut State;
}

/// A database that can be opened.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Opens a new connection.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the database cannot be opened.
    async fn open(&self) -> Result<Handle, Error>;

    /// How many statements its commits held, when it counts them; the same for its whole life.
    fn commits(&self) -> Option<Arc<Commits>> {
        None
    }
}

/// An open connection. Dropping the last reference stops a statement that still runs, rolls
/// back and closes.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Runs the first statement of `sql` and gathers its rows.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] with SQLite's text, or when the rows exceed [`MAX_RESULT_BYTES`].
    async fn execute(&self, sql: String, parameters: Vec<Value>) -> Result<QueryResult, Error>;

    /// Runs the first statement of `sql` and hands out its rows as they come.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the connection is gone. An error of the statement itself is in
    /// [`Rows::outcome`].
    async fn stream(&self, sql: String, parameters: Vec<Value>) -> Result<Rows, Error>;

    /// The rowid of the last successful INSERT; 0 before the first.
    fn last_insert_rowid(&self) -> i64;

    /// How many rows the last finished INSERT, UPDATE or DELETE touched.
    fn changes(&self) -> u64;
}

/// A statement that is running.
pub struct Rows {
    /// The column names.
    pub columns: Vec<String>,
    /// The rows, in batches; ends with the statement.
    pub batches: mpsc::Receiver<Vec<RowResult>>,
    /// How the statement ended.
    pub outcome: oneshot::Receiver<Result<(), Error>>,
}
