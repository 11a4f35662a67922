//! `spin:key-value@3.0.0` over [`State`].

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tracing::instrument;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    Accessor, Destination, FutureReader, Linker, Resource, StreamProducer, StreamReader,
    StreamResult, VecBuffer,
};

use chatly_in_flight::Hold;

use super::{Data, Handle, State, gone};
use bindings::spin::key_value::key_value;

pub use bindings::spin::key_value::key_value::Error;

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:key-value-capability/spin3",
        imports: { default: async | trappable },
        additional_derives: [PartialEq],
        with: { "spin:key-value/key-value.store": crate::Handle },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    key_value::add_to_linker::<T, Data>(linker, get)
}

impl key_value::Host for State {}

impl key_value::HostStore for State {
    async fn drop(&mut self, store: Resource<Handle>) -> wasmtime::Result<()> {
        self.close(store)
    }
}

/// The store behind a handle, without holding on to the instance, and the hold of a call whose
/// arguments have `bytes`.
fn opened<T>(
    access: &Accessor<T, Data>,
    store: &Resource<Handle>,
    bytes: usize,
) -> wasmtime::Result<Result<(Handle, Hold), Error>> {
    access.with(|mut access| {
        let state = access.get();
        let store = state.store(store)?;
        let held = state.in_flight.hold(bytes);
        Ok(held
            .map(|hold| (store, hold))
            .map_err(|full| Error::Other(full.to_string())))
    })
}

impl<T: Send> key_value::HostStoreWithStore<T> for Data {
    #[instrument(name = "spin_key_value.open", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn open(
        access: &Accessor<T, Self>,
        label: String,
    ) -> wasmtime::Result<Result<Resource<Handle>, Error>> {
        Ok(access.with(|mut access| access.get().open(&label)))
    }

    #[instrument(name = "spin_key_value.get", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn get(
        access: &Accessor<T, Self>,
        store: Resource<Handle>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(match opened(access, &store, key.len())? {
            Ok((store, _hold)) => store.get(key).await,
            Err(full) => Err(full),
        })
    }

    #[instrument(name = "spin_key_value.set", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn set(
        access: &Accessor<T, Self>,
        store: Resource<Handle>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(match opened(access, &store, key.len() + value.len())? {
            Ok((store, _hold)) => store.set(key, value).await,
            Err(full) => Err(full),
        })
    }

    #[instrument(name = "spin_key_value.delete", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn delete(
        access: &Accessor<T, Self>,
        store: Resource<Handle>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(match opened(access, &store, key.len())? {
            Ok((store, _hold)) => store.delete(key).await,
            Err(full) => Err(full),
        })
    }

    #[instrument(name = "spin_key_value.exists", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn exists(
        access: &Accessor<T, Self>,
        store: Resource<Handle>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        Ok(match opened(access, &store, key.len())? {
            Ok((store, _hold)) => store.exists(key).await,
            Err(full) => Err(full),
        })
    }

    #[instrument(name = "spin_key_value.get_keys", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn get_keys(
        access: &Accessor<T, Self>,
        store: Resource<Handle>,
    ) -> wasmtime::Result<Listing> {
        let listing = match opened(access, &store, 0)? {
            Ok((store, _hold)) => store.keys().await,
            Err(full) => Err(full),
        };
        let (batches, outcome) = match listing {
            Ok(keys) => (keys.batches, Ok(keys.outcome)),
            // A closed channel: no keys, and the error in the future.
            Err(error) => (mpsc::channel(1).1, Err(error)),
        };
        let outcome = async move {
            wasmtime::error::Ok(match outcome {
                Ok(outcome) => outcome.await.unwrap_or_else(|_| Err(gone())),
                Err(error) => Err(error),
            })
        };
        access.with(|mut access| {
            let keys = StreamReader::new(&mut access, Producer(batches))?;
            let outcome = FutureReader::new(&mut access, outcome)?;
            Ok((keys, outcome))
        })
    }
}

/// What `get-keys` returns.
type Listing = (StreamReader<String>, FutureReader<Result<(), Error>>);

/// Feeds the guest's stream from a listing's batches.
struct Producer(mpsc::Receiver<Vec<String>>);

impl<D> StreamProducer<D> for Producer {
    type Item = String;
    type Buffer = VecBuffer<String>;

    fn poll_produce<'a>(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Self::Item, Self::Buffer>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        // A read of no keys asks only if there is something to come.
        if destination.remaining(store) == Some(0) {
            return Poll::Ready(Ok(StreamResult::Completed));
        }
        Poll::Ready(Ok(match self.get_mut().0.poll_recv(context) {
            Poll::Ready(Some(batch)) => {
                destination.set_buffer(batch.into());
                StreamResult::Completed
            }
            Poll::Ready(None) => StreamResult::Dropped,
            Poll::Pending if finish => StreamResult::Cancelled,
            Poll::Pending => return Poll::Pending,
        }))
    }
}
