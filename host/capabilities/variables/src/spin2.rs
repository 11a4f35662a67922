//! `fermyon:spin/variables@2.0.0` over [`State`].

use tracing::instrument;
use wasmtime::component::Linker;

use super::{Data, Error, State};
use bindings::fermyon::spin::variables;

pub(super) mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:variables-capability/spin2",
        imports: { default: async | trappable },
    });
}

pub(super) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    variables::add_to_linker::<T, Data>(linker, get)
}

impl From<Error> for variables::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidName(text) => Self::InvalidName(text),
            Error::Undefined(text) => Self::Undefined(text),
            Error::Provider(text) => Self::Provider(text),
            Error::Other(text) => Self::Other(text),
        }
    }
}

impl variables::Host for State {
    #[instrument(name = "spin_variables.get", level = "debug", skip_all, fields(otel.kind = "client", key = self.grant.shown(&name)))]
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, variables::Error>> {
        let value = self.grant.get(&name);
        Ok(value
            .map(|value| value.expose().to_owned())
            .map_err(Into::into))
    }
}
