//! Everything that a component may be granted beside WASI itself, in one place: a further
//! capability is one line in each of the four items here.
//!
//! 1. [`Grants`]: what the manifest allows one component.
//! 2. [`Shared`]: what is built once per app.
//! 3. [`States`]: what one instance holds.
//! 4. [`link`]: the interfaces. Every component gets all of them; what is not granted answers
//!    with an error value.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use wasmtime::component::Linker;

use crate::instance::Data;
use crate::manifest::{Component, Manifest};
use crate::variables::Resolver;
use crate::{key_value, outbound, postgres, sqlite, variables};

/// What the manifest allows one component.
#[derive(Clone)]
pub struct Grants {
    /// Where it may connect to.
    pub hosts: Arc<outbound::Grant>,
    variables: Arc<variables::Grant>,
    sqlite: Arc<sqlite::Grant>,
    key_value: Arc<key_value::Grant>,
}

impl Grants {
    /// The grants of one component, which may connect to `hosts`.
    ///
    /// # Errors
    /// When a variable cannot be filled in.
    pub fn new(
        component: &Component,
        resolver: &Resolver,
        hosts: outbound::Grant,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            hosts: Arc::new(hosts),
            variables: Arc::new(resolver.component(component)?),
            sqlite: Arc::new(sqlite::Grant::new(component)),
            key_value: Arc::new(key_value::Grant::new(component)),
        })
    }
}

/// What is built once per app.
#[derive(Clone)]
pub struct Shared {
    sqlite: Arc<sqlite::Shared>,
    key_value: Arc<key_value::Shared>,
    postgres: Arc<postgres::Shared>,
}

impl Shared {
    /// Backends for every label that a component of `manifest` names, below `state_dir`.
    ///
    /// # Errors
    /// When a label cannot be a file's name.
    pub fn new(manifest: &Manifest, state_dir: &Path) -> anyhow::Result<Self> {
        let databases = labels(manifest, |component| &component.sqlite_databases);
        let stores = labels(manifest, |component| &component.key_value_stores);
        let file = key_value::Local::new(state_dir);
        let behind = |shared: key_value::Shared, label| shared.with(label, file.store(label));
        let stores = stores
            .into_iter()
            .fold(key_value::Shared::default(), behind);
        Ok(Self {
            sqlite: Arc::new(sqlite::Shared::local(state_dir, databases)?),
            key_value: Arc::new(stores),
            postgres: Arc::default(),
        })
    }
}

/// All labels that components name, each once.
fn labels(manifest: &Manifest, of: fn(&Component) -> &Vec<String>) -> BTreeSet<&str> {
    let components = manifest.components.values();
    components.flat_map(of).map(String::as_str).collect()
}

/// What one instance holds.
pub struct States {
    variables: variables::State,
    sqlite: sqlite::State,
    key_value: key_value::State,
    postgres: postgres::State,
}

impl States {
    /// A new instance's states, with nothing open.
    pub fn new(grants: &Grants, shared: &Shared) -> Self {
        Self {
            variables: variables::State::new(grants.variables.clone()),
            sqlite: sqlite::State::new(grants.sqlite.clone(), shared.sqlite.clone()),
            key_value: key_value::State::new(grants.key_value.clone(), shared.key_value.clone()),
            postgres: postgres::State::new(grants.hosts.clone(), shared.postgres.clone()),
        }
    }
}

/// Offers every capability's interfaces to components.
///
/// # Errors
/// When two of them offer the same interface.
pub fn link(linker: &mut Linker<Data>) -> wasmtime::Result<()> {
    variables::link(linker, |data| &mut data.capabilities.variables)?;
    sqlite::link(linker, |data| &mut data.capabilities.sqlite)?;
    key_value::link(linker, |data| &mut data.capabilities.key_value)?;
    postgres::link(linker, |data| &mut data.capabilities.postgres)
}
