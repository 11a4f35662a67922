//! `fermyon:spin/key-value@2.0.0` over [`State`].

use tracing::instrument;
use wasmtime::component::{Linker, Resource};

use super::{Data, Error, Handle, State};
use bindings::fermyon::spin::key_value;

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:key-value-capability/spin2",
        imports: { default: async | trappable },
        with: { "fermyon:spin/key-value.store": crate::Handle },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    key_value::add_to_linker::<T, Data>(linker, get)
}

impl From<Error> for key_value::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::StoreTableFull => Self::StoreTableFull,
            Error::NoSuchStore => Self::NoSuchStore,
            Error::AccessDenied => Self::AccessDenied,
            Error::Other(text) => Self::Other(text),
        }
    }
}

/// What a call of this interface returns: a trap, or the guest's result.
type Answer<R> = wasmtime::Result<Result<R, key_value::Error>>;

impl key_value::Host for State {}

impl key_value::HostStore for State {
    #[instrument(name = "spin_key_value.open", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn open(&mut self, label: String) -> Answer<Resource<Handle>> {
        Ok(State::open(self, &label).map_err(Into::into))
    }

    #[instrument(name = "spin_key_value.get", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn get(&mut self, store: Resource<Handle>, key: String) -> Answer<Option<Vec<u8>>> {
        Ok(self.store(&store)?.get(key).await.map_err(Into::into))
    }

    #[instrument(name = "spin_key_value.set", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn set(&mut self, store: Resource<Handle>, key: String, value: Vec<u8>) -> Answer<()> {
        let set = self.store(&store)?.set(key, value).await;
        Ok(set.map_err(Into::into))
    }

    #[instrument(name = "spin_key_value.delete", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn delete(&mut self, store: Resource<Handle>, key: String) -> Answer<()> {
        Ok(self.store(&store)?.delete(key).await.map_err(Into::into))
    }

    #[instrument(name = "spin_key_value.exists", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn exists(&mut self, store: Resource<Handle>, key: String) -> Answer<bool> {
        Ok(self.store(&store)?.exists(key).await.map_err(Into::into))
    }

    #[instrument(name = "spin_key_value.get_keys", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn get_keys(&mut self, store: Resource<Handle>) -> Answer<Vec<String>> {
        let listing = match self.store(&store)?.keys().await {
            Ok(keys) => keys.gather().await,
            Err(error) => Err(error),
        };
        Ok(listing.map_err(Into::into))
    }

    async fn drop(&mut self, store: Resource<Handle>) -> wasmtime::Result<()> {
        self.close(store)
    }
}
