//! Turns a manifest into an application that is ready to serve.
//!
//! 1. Variables first: one without a value stops the start before anything is compiled.
//! 2. Only components that answer a trigger are loaded; the others are parts of these.
//! 3. Components are composed, compiled or taken from the cache, and linked on all cores at once.
//! 4. An import that nothing provides stops the start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tracing::info;
use wasmtime::Engine;
use wasmtime::component::Linker;

use super::{App, Options, tls};
use crate::cache::Cache;
use crate::capabilities::{Grants, Shared};
use crate::compose::Digest;
use crate::files::{self, Mount};
use crate::http::clients::Clients;
use crate::http::dispatch::{Dispatcher, Table};
use crate::http::outgoing::{Neighbours, Outgoing};
use crate::http::routes::Router;
use crate::instance::{Blueprint, Data, Limits, Pool, Settings, Sinks, Stop};
use crate::manifest::{Answer, Component, HttpTrigger, Manifest, Route, StaticResponse};
use crate::outbound::Blocked;
use crate::schedule::{SECRET_VARIABLE, Sweep};
use crate::variables::{Providers, Resolver, Secret};
use crate::{compose, engine, fence, instance, outbound};

/// Folder of the compiled components in the state dir.
const CACHE_DIR: &str = "cache";
/// The schedule's only name.
const SWEEP: &str = "sweep";

impl App {
    /// Loads everything that `manifest` names.
    ///
    /// # Errors
    /// Whatever is wrong with the manifest, its variables or its components; the text names the
    /// component and what to change.
    pub fn load(manifest: &Manifest, options: Options) -> anyhow::Result<Self> {
        let engine = engine::build()?;
        let stop = Stop::default();
        let tls = match &options.tls {
            Some((certificate, key)) => Some(tls::acceptor(certificate, key)?),
            None => None,
        };
        let parts = Parts::load(manifest, &options, &engine, &stop)?;
        let dispatcher = Arc::new(Dispatcher::new(
            parts.table,
            options.max_requests,
            stop.clone(),
        ));
        _ = parts.neighbours.set(Arc::downgrade(&dispatcher));
        Ok(Self {
            name: manifest.application.name.clone(),
            options,
            engine,
            dispatcher,
            sweep: parts.sweep,
            tls,
            stop,
            _files: parts.files,
        })
    }

    /// Route and component of every public route, in order of precedence.
    pub fn routes(&self) -> Vec<(String, String)> {
        let table = self.dispatcher.table();
        let routes = table.router.routes();
        routes
            .map(|(route, component)| (route.to_owned(), component.to_owned()))
            .collect()
    }

    /// What puts a changed manifest or changed components in place while this app serves.
    pub fn reloader(&self) -> Reloader {
        Reloader {
            options: self.options.clone(),
            engine: self.engine.clone(),
            dispatcher: self.dispatcher.clone(),
            stop: self.stop.clone(),
            files: Vec::new(),
        }
    }
}

/// Puts a changed manifest or changed components in place while an app serves.
pub struct Reloader {
    options: Options,
    engine: Engine,
    dispatcher: Arc<Dispatcher>,
    stop: Stop,
    /// Copies of the components' files; instances of any age may read them.
    files: Vec<TempDir>,
}

impl Reloader {
    /// Loads everything that `manifest` names, and dispatches to it from then on. The address, the
    /// limits of the process and the schedule stay as they were at the start.
    ///
    /// # Errors
    /// As [`App::load`]; then nothing has changed.
    pub fn reload(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        let parts = Parts::load(manifest, &self.options, &self.engine, &self.stop)?;
        _ = parts.neighbours.set(Arc::downgrade(&self.dispatcher));
        self.files.extend(parts.files);
        self.dispatcher.replace(parts.table);
        Ok(())
    }
}

/// What a manifest makes.
struct Parts {
    table: Table,
    sweep: Option<Sweep>,
    /// To be told of the dispatcher.
    neighbours: Neighbours,
    files: Option<TempDir>,
}

impl Parts {
    fn load(
        manifest: &Manifest,
        options: &Options,
        engine: &Engine,
        stop: &Stop,
    ) -> anyhow::Result<Self> {
        let triggers: Vec<&HttpTrigger> = triggers(manifest, &options.only);
        let router = router(&triggers)?;
        let resolver = resolver(manifest, options)?;
        let sweep = sweep(manifest, options, &router, &resolver)?;
        let loader = Loader::new(manifest, options, &resolver, engine)?;
        let ids: BTreeSet<&str> = triggers
            .iter()
            .filter_map(|trigger| trigger.component())
            .collect();
        let blueprints = loader.load_all(ids)?;
        let pool =
            |blueprint: Blueprint| (blueprint.id.to_string(), Pool::new(blueprint, stop.clone()));
        Ok(Self {
            table: Table {
                router,
                pools: blueprints.into_iter().map(pool).collect(),
                fixed: fixed(&triggers),
                commits: loader.shared.commits(),
            },
            sweep,
            neighbours: loader.neighbours,
            files: loader
                .files
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
        })
    }
}

/// The triggers of the components that are to run.
fn triggers<'a>(manifest: &'a Manifest, only: &[String]) -> Vec<&'a HttpTrigger> {
    let is_named = |id: &str| only.iter().any(|named| named == id);
    let runs =
        |trigger: &&HttpTrigger| only.is_empty() || trigger.component().is_some_and(is_named);
    manifest.triggers.iter().filter(runs).collect()
}

/// The routes that the host answers itself.
fn fixed(triggers: &[&HttpTrigger]) -> BTreeMap<String, StaticResponse> {
    let fixed = triggers
        .iter()
        .filter_map(|trigger| match (&trigger.route, &trigger.answer) {
            (Route::Path(path), Answer::Static(fixed)) => Some((path.clone(), fixed.clone())),
            _ => None,
        });
    fixed.collect()
}

fn router(triggers: &[&HttpTrigger]) -> anyhow::Result<Router> {
    let public = triggers.iter().filter_map(|trigger| match &trigger.route {
        Route::Path(path) => Some((path.as_str(), trigger.component().unwrap_or_default())),
        Route::Private => None,
    });
    Router::build(public).context("the manifest's [[trigger.http]] entries contradict each other")
}

fn resolver(manifest: &Manifest, options: &Options) -> anyhow::Result<Resolver> {
    let secret = |(name, value): (&String, &String)| (name.clone(), Secret::from(value.as_str()));
    let overrides = options.variables.iter().map(secret).collect();
    let providers = Providers {
        overrides,
        ..Providers::default()
    }
    .with_process_environment()?;
    Ok(Resolver::new(manifest, &providers)?)
}

/// The checked sweep schedule. With a selection of components only those count.
fn sweep(
    manifest: &Manifest,
    options: &Options,
    router: &Router,
    resolver: &Resolver,
) -> anyhow::Result<Option<Sweep>> {
    let Some(period) = manifest.application.schedule.get(SWEEP) else {
        return Ok(None);
    };
    if !options.only.is_empty() && router.find(crate::schedule::PATH).is_none() {
        info!("no sweep: its component is not among those that run");
        return Ok(None);
    }
    let secret = resolver.get(SECRET_VARIABLE).map(Secret::expose);
    Ok(Some(Sweep::new(*period, router, secret)?))
}

/// SHA-256 of each file that was read so far: many components share a dependency.
#[derive(Default)]
struct Sums(Mutex<BTreeMap<PathBuf, Digest>>);

impl Sums {
    fn of(&self, id: &str, path: &Path) -> anyhow::Result<Digest> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sum) = known().get(path) {
            return Ok(*sum);
        }
        let sum = sum(id, path)?;
        known().insert(path.to_owned(), sum);
        Ok(sum)
    }
}

fn sum(id: &str, path: &Path) -> anyhow::Result<Digest> {
    Ok(Sha256::digest(compose::bytes(id, path)?).into())
}

/// What loading each component needs.
struct Loader<'a> {
    manifest: &'a Manifest,
    options: &'a Options,
    resolver: &'a Resolver,
    cache: Cache<'a>,
    sums: Sums,
    linker: Linker<Data>,
    shared: Shared,
    neighbours: Neighbours,
    clients: Arc<Clients>,
    /// The folder of the copies of files, once a component has any.
    files: Mutex<Option<TempDir>>,
}

impl<'a> Loader<'a> {
    fn new(
        manifest: &'a Manifest,
        options: &'a Options,
        resolver: &'a Resolver,
        engine: &'a Engine,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            manifest,
            options,
            resolver,
            cache: Cache::open(engine, options.state_dir.join(CACHE_DIR))?,
            sums: Sums::default(),
            linker: instance::linker(engine)?,
            shared: Shared::new(manifest, &options.state_dir, &options.runtime_config)?,
            neighbours: Neighbours::default(),
            clients: Arc::new(Clients::new(&options.runtime_config)?),
            files: Mutex::default(),
        })
    }

    /// Loads components on as many threads as there are cores.
    fn load_all(&self, ids: BTreeSet<&str>) -> anyhow::Result<Vec<Blueprint>> {
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(ids.len());
        let left = Mutex::new(ids.into_iter());
        let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || {
            std::iter::from_fn(next)
                .map(|id| self.load(id))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let mut loaded = Vec::new();
            for thread in threads {
                match thread.join() {
                    Ok(blueprints) => loaded.extend(blueprints?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(loaded)
        })
    }

    fn load(&self, id: &str) -> anyhow::Result<Blueprint> {
        let component = self.manifest.components.get(id);
        let component =
            component.with_context(|| format!("[[trigger.http]] names no component `{id}`"))?;
        let parts = compose::digest(self.manifest, id, |id, path| self.sums.of(id, path))?;
        let compose = || {
            let bytes = compose::load(self.manifest, id)?;
            Ok((bytes, compose::digest(self.manifest, id, sum)?))
        };
        let code = self
            .cache
            .composed(&parts, compose)
            .with_context(|| format!("cannot load component `{id}`"))?;
        let mut linker = self.linker.clone();
        fence::link(&mut linker, &code)
            .with_context(|| format!("cannot fence component `{id}`"))?;
        let pre = linker
            .instantiate_pre(&code)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("component `{id}` has an import that nothing provides"))?;
        let limits = Limits::resolve(&component.limits, &self.manifest.application.limits)
            .within_memory(self.options.runtime_config.max_instance_memory);
        Blueprint::new(id, pre, limits, self.settings(component)?)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("component `{id}` cannot answer HTTP requests"))
    }

    /// What `files` gives the component.
    fn mounts(&self, component: &Component) -> anyhow::Result<Vec<Mount>> {
        let folder = self.manifest.folder();
        if self.options.direct_mounts {
            return Ok(files::direct(component, folder, &self.own(folder))?);
        }
        if component.files.is_empty() {
            return Ok(Vec::new());
        }
        let mut copies = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let copies = match &mut *copies {
            Some(copies) => copies,
            none => none.insert(
                tempfile::Builder::new()
                    .prefix("chatly-files-")
                    .tempdir()
                    .context("no folder for the copies of the components' files")?,
            ),
        };
        Ok(files::copy(
            component,
            folder,
            &copies.path().join(&component.id),
            &self.own(folder),
        )?)
    }

    /// What no component may see, although it may lie in the application's folder.
    fn own(&self, folder: &Path) -> [PathBuf; 2] {
        [self.options.state_dir.clone(), folder.join(".env")]
    }

    /// What the runtime config lets nobody reach.
    fn blocked(&self) -> anyhow::Result<Blocked> {
        let blocked = &self.options.runtime_config.blocked_networks;
        let networks = blocked.networks.iter().map(|text| text.parse());
        Ok(Blocked {
            networks: networks
                .collect::<Result<_, _>>()
                .context("block_networks")?,
            private: blocked.private,
        })
    }

    fn settings(&self, component: &Component) -> anyhow::Result<Settings> {
        let Options {
            env,
            log_dir,
            quiet,
            ..
        } = self.options;
        let mut environment = component.environment.clone();
        environment.extend(env.clone());
        let siblings = self.manifest.components.keys().map(String::as_str);
        let hosts = outbound::Grant::new(component, self.resolver, siblings)?
            .with_private(self.options.allow_private.clone())
            .with_blocked(self.blocked()?);
        let grants = Grants::new(component, self.resolver, hosts)?;
        Ok(Settings {
            environment: environment.into_iter().collect(),
            files: self.mounts(component)?,
            sinks: Sinks::open(&component.id, log_dir.as_deref(), *quiet)?,
            outgoing: Outgoing {
                component: component.id.as_str().into(),
                hosts: grants.hosts.clone(),
                neighbours: self.neighbours.clone(),
                clients: self.clients.clone(),
            },
            grants,
            shared: self.shared.clone(),
        })
    }
}
