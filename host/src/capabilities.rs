//! Everything that a component may be granted beside WASI itself, in one place: a further
//! capability is one line in each of the four items here.
//!
//! 1. [`Grants`]: what the manifest allows one component.
//! 2. [`Shared`]: what is built once per app.
//! 3. [`States`]: what one instance holds.
//! 4. [`link`]: the interfaces. Every component gets all of them; what is not granted answers
//!    with an error value.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use wasmtime::component::Linker;

use crate::instance::Data;
use crate::manifest::runtime_config::{KeyValueStore, LlmApi, RuntimeConfig};
use crate::manifest::{Component, Manifest};
use crate::variables::Resolver;
use crate::{key_value, llm, mqtt, outbound, postgres, redis, sqlite, variables};

/// What the manifest allows one component.
#[derive(Clone)]
pub struct Grants {
    /// Where it may connect to.
    pub hosts: Arc<outbound::Grant>,
    variables: Arc<variables::Grant>,
    sqlite: Arc<sqlite::Grant>,
    key_value: Arc<key_value::Grant>,
    llm: Arc<llm::Grant>,
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
            llm: Arc::new(llm::Grant::new(component)),
        })
    }
}

/// What is built once per app.
#[derive(Clone)]
pub struct Shared {
    sqlite: Arc<sqlite::Shared>,
    key_value: Arc<key_value::Shared>,
    llm: Arc<llm::Shared>,
    postgres: Arc<postgres::Shared>,
}

impl Shared {
    /// Backends for every label that a component of `manifest` names: those of `config`, else
    /// files below `state_dir`.
    ///
    /// # Errors
    /// When a label cannot be a file's name, or a backend of `config` cannot be had.
    pub fn new(
        manifest: &Manifest,
        state_dir: &Path,
        config: &RuntimeConfig,
    ) -> anyhow::Result<Self> {
        let databases = labels(manifest, |component| &component.sqlite_databases);
        let stores = labels(manifest, |component| &component.key_value_stores);
        let file = key_value::Local::new(state_dir);
        let behind = |shared: key_value::Shared, label| shared.with(label, file.store(label));
        let stores = stores
            .into_iter()
            .fold(key_value::Shared::default(), behind);
        let mut sqlite = sqlite::Shared::local(state_dir, databases)?;
        for (label, path) in &config.sqlite_databases {
            sqlite = sqlite.with(label, Arc::new(sqlite::Local::at(path.clone())));
        }
        Ok(Self {
            sqlite: Arc::new(sqlite),
            key_value: Arc::new(configured_stores(stores, config)?),
            llm: Arc::new(llm::Shared::new(models(config)?)),
            postgres: Arc::default(),
        })
    }

    /// How many statements the commits of each database held, by label.
    pub fn commits(&self) -> BTreeMap<String, Arc<sqlite::Commits>> {
        let commits = self.sqlite.commits();
        commits
            .map(|(label, commits)| (label.to_owned(), commits))
            .collect()
    }
}

/// The server of models that `config` names.
fn models(config: &RuntimeConfig) -> anyhow::Result<Option<llm::Settings>> {
    let Some(compute) = &config.llm_compute else {
        return Ok(None);
    };
    let url = compute.url.parse();
    Ok(Some(llm::Settings {
        url: url.context("[llm_compute] url in the runtime config is no URL")?,
        auth_token: compute.auth_token.expose().to_owned(),
        api_type: match compute.api_type {
            LlmApi::Default => llm::Api::Default,
            LlmApi::OpenAi => llm::Api::OpenAi,
        },
    }))
}

/// Puts the key-value stores of `config` behind their labels.
fn configured_stores(
    mut stores: key_value::Shared,
    config: &RuntimeConfig,
) -> anyhow::Result<key_value::Shared> {
    // Labels with one file share its threads.
    let mut files = BTreeMap::new();
    for (label, store) in &config.key_value_stores {
        let handle: key_value::Handle = match store {
            KeyValueStore::Spin(path) => files
                .entry(path)
                .or_insert_with(|| key_value::Local::at(path.clone()))
                .store(label),
            KeyValueStore::Redis(url) => {
                let redis = key_value::Redis::new(url.expose()).map_err(|error| {
                    anyhow::anyhow!("[key_value_store.{label}] url in the runtime config: {error}")
                })?;
                Arc::new(redis)
            }
        };
        stores = stores.with(label, handle);
    }
    Ok(stores)
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
    redis: redis::State,
    mqtt: mqtt::State,
    llm: llm::State,
    postgres: postgres::State,
}

impl States {
    /// A new instance's states, with nothing open.
    pub fn new(grants: &Grants, shared: &Shared) -> Self {
        Self {
            variables: variables::State::new(grants.variables.clone()),
            sqlite: sqlite::State::new(grants.sqlite.clone(), shared.sqlite.clone()),
            key_value: key_value::State::new(grants.key_value.clone(), shared.key_value.clone()),
            redis: redis::State::new(grants.hosts.clone()),
            mqtt: mqtt::State::new(grants.hosts.clone()),
            llm: llm::State::new(grants.llm.clone(), shared.llm.clone()),
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
    redis::link(linker, |data| &mut data.capabilities.redis)?;
    mqtt::link(linker, |data| &mut data.capabilities.mqtt)?;
    llm::link(linker, |data| &mut data.capabilities.llm)?;
    postgres::link(linker, |data| &mut data.capabilities.postgres)
}
