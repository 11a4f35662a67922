//! `spin:key-value@3.0.0` and its relatives: values by key, in the stores that the manifest grants.
//!
//! 1. A label that is not granted is `access-denied`; a granted one that has no [`Backend`] is
//!    `no-such-store`.
//! 2. An instance has at most [`MAX_STORES`] stores open at once; one more is `store-table-full`.
//! 3. A write is durable when it returns. What one call changes, it changes as a whole.
//! 4. Results over [`MAX_RESULT_BYTES`] are refused with `other`, and so are keys over
//!    [`MAX_KEY_BYTES`] and more calls at once than [`InFlight`] allows.
//! 5. `fermyon:spin/key-value@2.0.0` and `wasi:keyvalue@0.2.0-draft2` see the same stores.
//!
//! It does not watch for changes, expire keys or order them.
#![deny(missing_docs)]

mod local;
mod remote;
mod spin2;
mod spin3;
mod wasi;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use chatly_in_flight::InFlight;
use chatly_manifest::Component;
use tokio::sync::{mpsc, oneshot};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

pub use local::Local;
pub use remote::Redis;
pub use spin3::Error;

/// Stores that one instance may have open at once: the default capacity of Spin's table.
pub const MAX_STORES: usize = 256;

/// Compare-and-swap handles that one instance may hold at once. Each keeps a value.
pub const MAX_SWAPS: usize = 256;

/// Bytes that one call may return: Spin's `MAX_HOST_BUFFERED_BYTES`.
pub const MAX_RESULT_BYTES: usize = 128 << 20;

/// Bytes of a key. Listings are read a page of keys at a time, and each page has to fit.
pub const MAX_KEY_BYTES: usize = 64 << 10;

/// What an open store stands for.
pub type Handle = Arc<dyn Backend>;

/// The stores that the manifest allows one component: its `key_value_stores`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    labels: BTreeSet<String>,
}

impl Grant {
    /// The grant of one component.
    pub fn new(component: &Component) -> Self {
        component.key_value_stores.iter().cloned().collect()
    }

    /// Whether the component may open `label`.
    pub fn allows(&self, label: &str) -> bool {
        self.labels.contains(label)
    }
}

impl FromIterator<String> for Grant {
    fn from_iter<I: IntoIterator<Item = String>>(labels: I) -> Self {
        Self {
            labels: labels.into_iter().collect(),
        }
    }
}

/// The stores of the app: what stands behind each label.
#[derive(Default, Clone)]
pub struct Shared {
    backends: BTreeMap<String, Handle>,
}

impl Shared {
    /// Puts `backend` behind `label`.
    #[must_use]
    pub fn with(mut self, label: &str, backend: Handle) -> Self {
        self.backends.insert(label.to_owned(), backend);
        self
    }
}

/// The stores of one instance.
pub struct State {
    grant: Arc<Grant>,
    shared: Arc<Shared>,
    stores: ResourceTable,
    swaps: ResourceTable,
    in_flight: InFlight,
}

impl State {
    /// A new instance's state, with nothing open.
    pub fn new(grant: Arc<Grant>, shared: Arc<Shared>) -> Self {
        let table = |capacity| {
            let mut table = ResourceTable::new();
            table.set_max_capacity(capacity);
            table
        };
        Self {
            grant,
            shared,
            stores: table(MAX_STORES),
            swaps: table(MAX_SWAPS),
            in_flight: InFlight::default(),
        }
    }

    /// Opens the store behind `label`.
    fn open(&mut self, label: &str) -> Result<Resource<Handle>, Error> {
        if !self.grant.allows(label) {
            tracing::warn!(
                label,
                add = format!("key_value_stores = [{label:?}]"),
                "refused a key-value store that the manifest does not grant"
            );
            return Err(Error::AccessDenied);
        }
        let backend = self.shared.backends.get(label).cloned();
        let backend = backend.ok_or(Error::NoSuchStore)?;
        self.stores
            .push(backend)
            .map_err(|_full| Error::StoreTableFull)
    }

    /// The store that `handle` stands for; a trap when it stands for none.
    fn store(&self, handle: &Resource<Handle>) -> wasmtime::Result<Handle> {
        Ok(self.stores.get(handle)?.clone())
    }

    /// Closes a store.
    fn close(&mut self, handle: Resource<Handle>) -> wasmtime::Result<()> {
        self.stores.delete(handle)?;
        Ok(())
    }
}

/// Offers `spin:key-value@3.0.0`, `fermyon:spin/key-value@2.0.0` and `wasi:keyvalue@0.2.0-draft2`
/// to components.
///
/// # Errors
///
/// When the linker has one of the interfaces already.
pub fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    spin3::link(linker, get)?;
    spin2::link(linker, get)?;
    wasi::link(linker, get)
}

/// Tells wasmtime that the interfaces work on a [`State`].
struct Data;

impl HasData for Data {
    type Data<'a> = &'a mut State;
}

/// A store, whatever keeps its values. Every error is [`Error::Other`].
#[async_trait]
pub trait Backend: Send + Sync {
    /// The value of `key`.
    async fn get(&self, key: String) -> Result<Option<Vec<u8>>, Error>;

    /// Whether `key` has a value.
    async fn exists(&self, key: String) -> Result<bool, Error>;

    /// Gives `key` a value.
    async fn set(&self, key: String, value: Vec<u8>) -> Result<(), Error> {
        self.set_many(vec![(key, value)]).await
    }

    /// Removes `key`.
    async fn delete(&self, key: String) -> Result<(), Error> {
        self.delete_many(vec![key]).await
    }

    /// All keys, as they come.
    async fn keys(&self) -> Result<Keys, Error>;

    /// The values of `keys`, in their order.
    async fn get_many(&self, keys: Vec<String>) -> Result<Vec<Option<Vec<u8>>>, Error>;

    /// Gives each key its value, all or nothing.
    async fn set_many(&self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Error>;

    /// Removes the keys, all or nothing.
    async fn delete_many(&self, keys: Vec<String>) -> Result<(), Error>;

    /// Adds `delta` to the integer of `key` and returns the sum.
    async fn increment(&self, key: String, delta: i64) -> Result<i64, Error>;

    /// Gives `key` a value if its present one is `expected`; whether it was.
    async fn swap(
        &self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
    ) -> Result<bool, Error>;
}

/// A listing that is running.
pub struct Keys {
    /// The keys, in batches; ends with the listing.
    pub batches: mpsc::Receiver<Vec<String>>,
    /// How the listing ended.
    pub outcome: oneshot::Receiver<Result<(), Error>>,
}

impl Keys {
    /// Waits for all keys, at most [`MAX_RESULT_BYTES`] of them.
    ///
    /// # Errors
    ///
    /// [`Error::Other`] when there are more, or as the listing ended.
    pub async fn gather(mut self) -> Result<Vec<String>, Error> {
        let (mut keys, mut bytes) = (Vec::new(), 0);
        while let Some(batch) = self.batches.recv().await {
            bytes += batch
                .iter()
                .map(|key| key.len() + size_of::<String>())
                .sum::<usize>();
            if bytes > MAX_RESULT_BYTES {
                return Err(too_large());
            }
            keys.extend(batch);
        }
        self.outcome.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(keys)
    }
}

/// The error of a backend that has ended.
fn gone() -> Error {
    Error::Other("the store is closed".to_owned())
}

/// Refuses a key that is too long to be written.
fn check_key(key: &str) -> Result<(), Error> {
    if key.len() > MAX_KEY_BYTES {
        return Err(Error::Other(format!(
            "the key exceeds the limit of {MAX_KEY_BYTES} bytes"
        )));
    }
    Ok(())
}

/// The error of a result past the limit, in Spin's words.
fn too_large() -> Error {
    Error::Other(format!(
        "query result exceeds limit of {MAX_RESULT_BYTES} bytes"
    ))
}

#[cfg(test)]
mod tests;
