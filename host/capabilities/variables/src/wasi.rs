//! `wasi:config/store@0.2.0-draft-2024-09-27` over [`State`].
//!
//! A name that no variable can have is absent like any other.

use tracing::instrument;
use wasmtime::component::Linker;

use super::{Data, Error, State};
use bindings::wasi::config::store;

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:variables-capability/wasi",
        imports: { default: async | trappable },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    store::add_to_linker::<T, Data>(linker, get)
}

impl store::Host for State {
    #[instrument(name = "wasi_config.get", level = "debug", skip_all, fields(otel.kind = "client", key = self.grant.shown(&name)))]
    async fn get(
        &mut self,
        name: String,
    ) -> wasmtime::Result<Result<Option<String>, store::Error>> {
        Ok(match self.grant.get(&name) {
            Ok(value) => Ok(Some(value.expose().to_owned())),
            Err(Error::InvalidName(_) | Error::Undefined(_)) => Ok(None),
            Err(Error::Provider(text)) => Err(store::Error::Upstream(text)),
            Err(Error::Other(text)) => Err(store::Error::Io(text)),
        })
    }

    #[instrument(name = "wasi_config.get_all", level = "debug", skip_all, fields(otel.kind = "client"))]
    async fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, store::Error>> {
        let values = self.grant.values.iter();
        Ok(Ok(values
            .map(|(name, value)| (name.clone(), value.expose().to_owned()))
            .collect()))
    }
}
