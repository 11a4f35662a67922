//! An application: every component of a manifest, loaded, and served until it is told to stop.
//!
//! 1. [`App::load`] does everything that can fail because of the manifest, so that a host which
//!    says that it listens can answer every route.
//! 2. [`App::serve`] stops in order: no new connections, then what is in flight and the work in
//!    the background, at most [`STOP_TIMEOUT`]; what is left then is dropped.

mod load;
mod tls;

pub use load::Reloader;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tracing::{info, warn};
use wasmtime::Engine;

use crate::admin::Admin;
use crate::engine::Ticker;
use crate::http::admission::{self, Admission, MAX_CONNECTIONS};
use crate::http::dispatch::{Dispatcher, MAX_REQUESTS};
use crate::http::server;
use crate::instance::Stop;
use crate::manifest::runtime_config::RuntimeConfig;
use crate::outbound::Network;
use crate::schedule::Sweep;
use crate::telemetry::{self, Telemetry};

/// How long a stop waits for what is in flight: Kubernetes kills after 30 s, and the requests of
/// this product take milliseconds.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long dropped work has to let go of its files.
const DROP_TIMEOUT: Duration = Duration::from_secs(1);

/// What the command line decides. Not `Debug`: the variables are secrets.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 picks a port.
    pub listen: SocketAddr,
    /// Take the next free port when that one is in use.
    pub find_free_port: bool,
    /// Certificate and key for TLS, PEM files.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Folder of the SQLite databases and the compiled components.
    pub state_dir: PathBuf,
    /// `--variable`: name → value.
    pub variables: BTreeMap<String, String>,
    /// `--env`: environment variables of every component.
    pub env: BTreeMap<String, String>,
    /// Folder for the components' output.
    pub log_dir: Option<PathBuf>,
    /// Keep the components' output off the terminal.
    pub quiet: bool,
    /// Run only these components; empty for all.
    pub only: Vec<String>,
    /// Private networks that components with a wildcard host may reach; none by default.
    pub allow_private: Vec<Network>,
    /// Where to show metrics and health; nowhere by default.
    pub admin_listen: Option<SocketAddr>,
    /// Connections at once.
    pub max_connections: usize,
    /// Requests at once that wait for their response heads.
    pub max_requests: usize,
    /// How long a stop waits for what is in flight.
    pub stop_timeout: Duration,
    /// The runtime config. Its `state_dir`, `log_dir` and variables are already in the others.
    pub runtime_config: RuntimeConfig,
    /// Let components see the folders of `files` themselves, not copies of them.
    pub direct_mounts: bool,
    /// Sends what the environment asks for; nothing by default.
    pub telemetry: Arc<Telemetry>,
}

impl Options {
    /// The defaults, for a state dir that exists.
    pub fn new(state_dir: PathBuf) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            find_free_port: false,
            tls: None,
            state_dir,
            variables: BTreeMap::new(),
            env: BTreeMap::new(),
            log_dir: None,
            quiet: false,
            only: Vec::new(),
            allow_private: Vec::new(),
            admin_listen: None,
            max_connections: MAX_CONNECTIONS,
            max_requests: MAX_REQUESTS,
            stop_timeout: STOP_TIMEOUT,
            runtime_config: RuntimeConfig::default(),
            direct_mounts: false,
            telemetry: Arc::default(),
        }
    }
}

/// A loaded application.
pub struct App {
    name: String,
    options: Options,
    engine: Engine,
    dispatcher: Arc<Dispatcher>,
    sweep: Option<Sweep>,
    tls: Option<tokio_rustls::TlsAcceptor>,
    stop: Stop,
    /// Copies of the components' files, removed with this.
    _files: Option<TempDir>,
}

impl App {
    /// Serves until `shutdown`; calls `on_ready` with the address once connections are accepted.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()>,
        on_ready: impl FnOnce(SocketAddr),
    ) -> anyhow::Result<()> {
        let Self {
            name,
            options,
            engine,
            dispatcher,
            sweep,
            tls,
            stop,
            _files,
        } = self;
        let listener = server::bind(options.listen, options.find_free_port).await?;
        let _ticker = Ticker::start(&engine)?;
        admission::raise_file_limit(options.max_connections);
        let admission = Admission::new(options.max_connections, tls.is_none());
        telemetry::observe(&options.telemetry, &name, &dispatcher, &admission);
        let admin = match options.admin_listen {
            Some(address) => Some(server::bind(address, false).await?),
            None => None,
        };
        let admin = admin.map(|listener| {
            if let Ok(address) = listener.local_addr() {
                info!(%address, "metrics and health are shown");
            }
            let admin = Admin {
                dispatcher: dispatcher.clone(),
                admission: admission.clone(),
                stop: stop.clone(),
            };
            tokio::spawn(admin.serve(listener))
        });
        on_ready(listener.local_addr()?);
        if let Some(sweep) = sweep {
            stop.tasks
                .spawn(sweep.run(dispatcher.clone(), stop.clone()));
        }
        tokio::select! {
            () = server::serve(listener, tls, dispatcher.clone(), admission, stop.clone()) => {}
            () = shutdown => {}
        }
        end(&stop, options.stop_timeout).await;
        // What the metrics tell of components is read from the dispatcher, which ends with this.
        let telemetry = options.telemetry.clone();
        _ = tokio::task::spawn_blocking(move || telemetry.flush_metrics()).await;
        if let Some(admin) = admin {
            admin.abort();
        }
        Ok(())
    }
}

/// Ends everything: first gently, then at once.
async fn end(stop: &Stop, timeout: Duration) {
    stop.gently.cancel();
    stop.tasks.close();
    if tokio::time::timeout(timeout, stop.tasks.wait())
        .await
        .is_ok()
    {
        info!("stopped; nothing was left to do");
        return;
    }
    warn!(
        left = stop.tasks.len(),
        waited_secs = timeout.as_secs(),
        "stopped with work left"
    );
    stop.now.cancel();
    // What does not end even now ends with the process.
    _ = tokio::time::timeout(DROP_TIMEOUT, stop.tasks.wait()).await;
}
