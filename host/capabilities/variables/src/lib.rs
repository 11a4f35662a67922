//! `spin:variables@3.0.0` and its relatives: the values of `[component.<id>.variables]`.
//!
//! 1. All values are decided once, at the start: a missing or malformed one stops it there.
//! 2. A component sees its own variables only. Another name is `undefined`, one that no
//!    variable can have is `invalid-name`.
//! 3. `fermyon:spin/variables@2.0.0` and `wasi:config@0.2.0-draft-2024-09-27` see the same.
//! 4. Values are never printed: [`Secret`] shows as `[redacted]`.
#![deny(missing_docs)]

mod name;
mod resolver;
mod secret;
mod spin2;
mod template;
mod wasi;

use std::collections::BTreeMap;
use std::sync::Arc;

use tracing::field::Empty;
use tracing::{Span, instrument};
use wasmtime::component::{Accessor, HasData, Linker};

pub use bindings::spin::variables::variables::Error;
pub use name::{InvalidName, environment_name};
pub use resolver::{Missing, Providers, Resolver, ResolverError};
pub use secret::Secret;

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "chatly:variables-capability/capability",
        imports: { default: async | trappable },
    });
}

/// The variables of one component, with their values.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    component: String,
    values: BTreeMap<String, Secret>,
}

impl Grant {
    /// The value of `name`, or the error that a guest gets.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidName`] and [`Error::Undefined`], in Spin's words.
    pub fn get(&self, name: &str) -> Result<&Secret, Error> {
        name::check(name).map_err(|invalid| Error::InvalidName(invalid.to_string()))?;
        self.values.get(name).ok_or_else(|| {
            Error::Undefined(format!("no variable for {:?}.{name:?}", self.component))
        })
    }

    /// What a span shows of a variable's name: those that the manifest has, not a text of any length.
    fn shown<'a>(&self, name: &'a str) -> Option<&'a str> {
        self.values.contains_key(name).then_some(name)
    }

    /// The names of the variables, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// What is built once per app: where all values come from.
pub type Shared = Resolver;

/// The variables of one instance.
#[derive(Debug, Clone)]
pub struct State {
    grant: Arc<Grant>,
}

impl State {
    /// A new instance's state.
    pub fn new(grant: Arc<Grant>) -> Self {
        Self { grant }
    }
}

/// Offers `spin:variables@3.0.0`, `fermyon:spin/variables@2.0.0` and
/// `wasi:config/store@0.2.0-draft-2024-09-27` to components.
///
/// # Errors
///
/// When the linker has one of the interfaces already.
pub fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    get: fn(&mut T) -> &mut State,
) -> wasmtime::Result<()> {
    bindings::spin::variables::variables::add_to_linker::<T, Data>(linker, get)?;
    spin2::link(linker, get)?;
    wasi::link(linker, get)
}

/// Tells wasmtime that the interface works on a [`State`].
struct Data;

impl HasData for Data {
    type Data<'a> = &'a mut State;
}

impl bindings::spin::variables::variables::Host for State {}

impl<T: Send> bindings::spin::variables::variables::HostWithStore<T> for Data {
    #[instrument(name = "spin_variables.get", level = "debug", skip_all, fields(otel.kind = "client", key = Empty))]
    async fn get(
        store: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, Error>> {
        let grant = store.with(|mut access| access.get().grant.clone());
        Span::current().record("key", grant.shown(&name));
        Ok(grant.get(&name).map(|value| value.expose().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use bindings::spin::variables::variables::HostWithStore;
    use wasmtime::{Config, Engine, Store};

    use super::*;

    async fn get(state: State, name: &str) -> Result<String, Error> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let mut store = Store::new(&Engine::new(&config).unwrap(), state);
        store
            .run_concurrent(async |accessor| {
                let accessor = accessor.with_getter(|state: &mut State| state);
                Data::get(&accessor, name.to_owned()).await.unwrap()
            })
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_guest_gets_its_values_and_spins_errors() {
        let values = [("channel".to_owned(), Secret::from("whatsapp"))];
        let grant = Grant {
            component: "ingest".to_owned(),
            values: values.into(),
        };
        let state = State::new(Arc::new(grant));
        assert_eq!(get(state.clone(), "channel").await.unwrap(), "whatsapp");
        match get(state.clone(), "secrets").await {
            Err(Error::Undefined(text)) => {
                assert_eq!(text, r#"no variable for "ingest"."secrets""#);
            }
            other => panic!("{other:?}"),
        }
        match get(state, "Channel").await {
            Err(Error::InvalidName(text)) => assert_eq!(
                text,
                r#""Channel": invalid character 'C'. Variable names may contain only lower-case letters, numbers, and underscores."#
            ),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn without_the_grant_every_name_is_undefined() {
        let state = State::new(Arc::new(Grant::default()));
        assert!(matches!(
            get(state, "channel").await,
            Err(Error::Undefined(_))
        ));
    }

    #[tokio::test]
    async fn the_older_interfaces_see_the_same() {
        use spin2::bindings::fermyon::spin::variables;
        use wasi::bindings::wasi::config::store;

        let values = [("channel".to_owned(), Secret::from("whatsapp"))];
        let grant = Grant {
            component: "ingest".to_owned(),
            values: values.into(),
        };
        for (name, grant, want) in [
            ("granted", grant, Some("whatsapp")),
            ("not granted", Grant::default(), None),
        ] {
            let mut state = State::new(Arc::new(grant));
            let got = variables::Host::get(&mut state, "channel".to_owned()).await;
            match (got.unwrap(), want) {
                (Ok(value), Some(want)) => assert_eq!(value, want, "{name}"),
                (Err(variables::Error::Undefined(_)), None) => {}
                other => panic!("{name}: {other:?}"),
            }
            let invalid = variables::Host::get(&mut state, "-".to_owned()).await;
            assert!(matches!(
                invalid.unwrap(),
                Err(variables::Error::InvalidName(_))
            ));
            let want = want.map(str::to_owned);
            let got = store::Host::get(&mut state, "channel".to_owned()).await;
            assert_eq!(got.unwrap().unwrap(), want, "{name}");
            let invalid = store::Host::get(&mut state, "-".to_owned()).await;
            assert_eq!(invalid.unwrap().unwrap(), None, "{name}");
            let all = store::Host::get_all(&mut state).await.unwrap().unwrap();
            let want = want.map(|value| ("channel".to_owned(), value));
            assert_eq!(all, Vec::from_iter(want), "{name}");
        }
    }

    #[test]
    fn the_interface_links() {
        let mut linker = Linker::<State>::new(&Engine::default());
        link(&mut linker, |state| state).unwrap();
    }
}
