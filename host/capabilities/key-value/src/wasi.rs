//! `wasi:keyvalue@0.2.0-draft2` over [`State`]. A bucket is a store.
//!
//! `list-keys` has one page, as on Spin. A missing key of `get-many` is `none` in its place, as
//! the interface says; Spin leaves it out.

use chatly_in_flight::Hold;
use tracing::instrument;
use wasmtime::component::{Linker, Resource};

use super::{Data, Error, Handle, State};
use bindings::wasi::keyvalue::{atomics, batch, store};

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:key-value-capability/wasi",
        imports: { default: async | trappable },
        with: {
            "wasi:keyvalue/store.bucket": crate::Handle,
            "wasi:keyvalue/atomics.cas": crate::wasi::Swap,
        },
    });
}

/// A value that is to be replaced only if it has not changed.
pub struct Swap {
    store: Handle,
    key: String,
    /// The value of which note was taken.
    expected: Option<Vec<u8>>,
    /// Counts the value, so that handles do not add up to more memory than calls may hold.
    _hold: Hold,
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    store::add_to_linker::<T, Data>(linker, get)?;
    batch::add_to_linker::<T, Data>(linker, get)?;
    atomics::add_to_linker::<T, Data>(linker, get)
}

impl From<Error> for store::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::StoreTableFull => Self::Other("store table full".to_owned()),
            Error::NoSuchStore => Self::NoSuchStore,
            Error::AccessDenied => Self::AccessDenied,
            Error::Other(text) => Self::Other(text),
        }
    }
}

/// What a call of this package returns: a trap, or the guest's result.
type Answer<R> = wasmtime::Result<Result<R, store::Error>>;

impl store::Host for State {
    #[instrument(name = "wasi_key_value.open", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn open(&mut self, identifier: String) -> Answer<Resource<Handle>> {
        Ok(State::open(self, &identifier).map_err(Into::into))
    }
}

impl store::HostBucket for State {
    #[instrument(name = "wasi_key_value.get", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn get(&mut self, bucket: Resource<Handle>, key: String) -> Answer<Option<Vec<u8>>> {
        Ok(self.store(&bucket)?.get(key).await.map_err(Into::into))
    }

    #[instrument(name = "wasi_key_value.set", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn set(&mut self, bucket: Resource<Handle>, key: String, value: Vec<u8>) -> Answer<()> {
        let set = self.store(&bucket)?.set(key, value).await;
        Ok(set.map_err(Into::into))
    }

    #[instrument(name = "wasi_key_value.delete", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn delete(&mut self, bucket: Resource<Handle>, key: String) -> Answer<()> {
        Ok(self.store(&bucket)?.delete(key).await.map_err(Into::into))
    }

    #[instrument(name = "wasi_key_value.exists", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn exists(&mut self, bucket: Resource<Handle>, key: String) -> Answer<bool> {
        Ok(self.store(&bucket)?.exists(key).await.map_err(Into::into))
    }

    #[instrument(name = "wasi_key_value.list_keys", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn list_keys(
        &mut self,
        bucket: Resource<Handle>,
        cursor: Option<String>,
    ) -> Answer<store::KeyResponse> {
        if cursor.is_some() {
            let unsupported = "list_keys: cursor not supported".to_owned();
            return Ok(Err(store::Error::Other(unsupported)));
        }
        let listing = match self.store(&bucket)?.keys().await {
            Ok(keys) => keys.gather().await,
            Err(error) => Err(error),
        };
        let page = |keys| store::KeyResponse { keys, cursor: None };
        Ok(listing.map(page).map_err(Into::into))
    }

    async fn drop(&mut self, bucket: Resource<Handle>) -> wasmtime::Result<()> {
        self.close(bucket)
    }
}

impl batch::Host for State {
    #[instrument(name = "spin_key_value.get_many", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn get_many(
        &mut self,
        bucket: Resource<Handle>,
        keys: Vec<String>,
    ) -> Answer<Vec<(String, Option<Vec<u8>>)>> {
        let values = self.store(&bucket)?.get_many(keys.clone()).await;
        Ok(values
            .map(|values| keys.into_iter().zip(values).collect())
            .map_err(Into::into))
    }

    #[instrument(name = "spin_key_value.set_many", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn set_many(
        &mut self,
        bucket: Resource<Handle>,
        entries: Vec<(String, Vec<u8>)>,
    ) -> Answer<()> {
        let set = self.store(&bucket)?.set_many(entries).await;
        Ok(set.map_err(Into::into))
    }

    #[instrument(name = "spin_key_value.delete_many", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn delete_many(&mut self, bucket: Resource<Handle>, keys: Vec<String>) -> Answer<()> {
        let deleted = self.store(&bucket)?.delete_many(keys).await;
        Ok(deleted.map_err(Into::into))
    }
}

impl State {
    fn hold(&self, value: &Option<Vec<u8>>) -> Result<Hold, store::Error> {
        let bytes = value.as_ref().map_or(0, Vec::len);
        let held = self.in_flight.hold(bytes);
        held.map_err(|full| store::Error::Other(full.to_string()))
    }

    /// Takes note of the value of `key`, and makes a handle of it.
    async fn note(&mut self, store: Handle, key: String) -> Result<Resource<Swap>, store::Error> {
        let expected = store.get(key.clone()).await?;
        let hold = self.hold(&expected)?;
        let swap = Swap {
            store,
            key,
            expected,
            _hold: hold,
        };
        self.swaps
            .push(swap)
            .map_err(|_full| store::Error::Other("too many compare_and_swaps opened".to_owned()))
    }
}

impl atomics::HostCas for State {
    #[instrument(name = "wasi_key_value_cas.new", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn new(&mut self, bucket: Resource<Handle>, key: String) -> Answer<Resource<Swap>> {
        let store = self.store(&bucket)?;
        Ok(self.note(store, key).await)
    }

    #[instrument(name = "wasi_key_value_cas.current", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn current(&mut self, cas: Resource<Swap>) -> Answer<Option<Vec<u8>>> {
        let swap = self.swaps.get(&cas)?;
        let (store, key) = (swap.store.clone(), swap.key.clone());
        let value = match store.get(key).await {
            Ok(value) => value,
            Err(error) => return Ok(Err(error.into())),
        };
        let hold = match self.hold(&value) {
            Ok(hold) => hold,
            Err(error) => return Ok(Err(error)),
        };
        let swap = self.swaps.get_mut(&cas)?;
        swap.expected.clone_from(&value);
        swap._hold = hold;
        Ok(Ok(value))
    }

    async fn drop(&mut self, cas: Resource<Swap>) -> wasmtime::Result<()> {
        self.swaps.delete(cas)?;
        Ok(())
    }
}

impl atomics::Host for State {
    #[instrument(name = "spin_key_value.increment", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn increment(
        &mut self,
        bucket: Resource<Handle>,
        key: String,
        delta: i64,
    ) -> Answer<i64> {
        let sum = self.store(&bucket)?.increment(key, delta).await;
        Ok(sum.map_err(Into::into))
    }

    #[instrument(name = "spin_key_value.swap", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn swap(
        &mut self,
        cas: Resource<Swap>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), atomics::CasError>> {
        let Swap {
            store,
            key,
            expected,
            _hold,
        } = self.swaps.delete(cas)?;
        let swapped = store.swap(key.clone(), expected, value).await;
        Ok(match swapped {
            Ok(true) => Ok(()),
            Ok(false) => Err(match self.note(store, key).await {
                Ok(fresh) => atomics::CasError::CasFailed(fresh),
                Err(error) => atomics::CasError::StoreError(error),
            }),
            Err(error) => Err(atomics::CasError::StoreError(error.into())),
        })
    }
}
