//! `chatly up`: builds what is stale and serves the application.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::announce::{Announcement, KeySource};
use super::manifest_file::ManifestFile;
use super::watch::Remake;
use crate::app::{App, Options};
use crate::builder;
use crate::download;
use crate::http::admission::MAX_CONNECTIONS;
use crate::http::dispatch::MAX_REQUESTS;
use crate::manifest::Manifest;
use crate::manifest::runtime_config::{LogDir, RuntimeConfig};
use crate::outbound::Network;
use crate::runtime_config;
use crate::state_dir::{self, Secrets, StateDir};
use crate::telemetry::Telemetry;

/// Spin's own prefix of the environment variables that give variables a value.
const VARIABLE_PREFIX: &str = "SPIN_VARIABLE_";

/// Exit code after a second signal: that of a process which SIGINT ended.
const STOPPED_AT_ONCE: i32 = 130;

/// Build what is stale and serve the application
///
/// Prints `listening on http://ADDR` (`https` with --tls-cert) on standard output once it accepts connections. Stops on
/// SIGINT or SIGTERM after finishing what is in flight; a second signal stops it at once.
///
/// Variables are set, in this order, by --variable, by the providers of --runtime-config-file, by
/// SPIN_VARIABLE_NAME in the environment or in a file .env, and by `default` in the manifest. A secret variable that is required and has no value gets a random local one,
/// which is kept in the state dir and printed once.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    manifest: ManifestFile,
    /// The build profile: components that have it are built and run by it
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Serve what is built already, without running the build commands
    #[arg(long)]
    no_build: bool,
    /// Address to listen on; port 0 picks a free one
    #[arg(
        long,
        value_name = "ADDR",
        env = "SPIN_HTTP_LISTEN_ADDR",
        default_value = "127.0.0.1:3000",
        value_parser = parse_address
    )]
    listen: SocketAddr,
    /// Take the next free port when that of --listen is in use
    #[arg(long)]
    find_free_port: bool,
    /// Certificate chain for TLS, a PEM file; needs --tls-key
    #[arg(long, value_name = "FILE", env = "SPIN_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key for TLS, a PEM file; needs --tls-cert
    #[arg(long, value_name = "FILE", env = "SPIN_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Connections at once; one more is answered 503
    #[arg(long, value_name = "N", default_value_t = MAX_CONNECTIONS, value_parser = parse_limit)]
    max_connections: usize,
    /// Requests at once that wait for their response heads; one more is answered 503
    #[arg(long, value_name = "N", default_value_t = MAX_REQUESTS, value_parser = parse_limit)]
    max_requests: usize,
    /// Show metrics (/metrics, for Prometheus) and health (/healthz, /readyz) on this address
    #[arg(long, value_name = "ADDR", value_parser = parse_address)]
    admin_listen: Option<SocketAddr>,
    /// Folder for databases, caches, logs and local secrets [default: .chatly beside the manifest]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// What this place decides about the application: stores, providers of variables, networks
    #[arg(long, value_name = "FILE", env = "RUNTIME_CONFIG_FILE")]
    runtime_config_file: Option<PathBuf>,
    /// Let components see the folders that `files` names, in place of copies made at the start
    #[arg(long)]
    direct_mounts: bool,
    /// Set a variable that the manifest declares; may be repeated
    #[arg(long, value_name = "K=V", value_parser = parse_pair)]
    variable: Vec<(String, String)>,
    /// Set an environment variable of every component; may be repeated
    #[arg(short, long, value_name = "K=V", value_parser = parse_pair)]
    env: Vec<(String, String)>,
    /// Run only this component; may be repeated
    #[arg(short, long = "component-id", value_name = "ID")]
    component: Vec<String>,
    /// Let components whose grant has `*` for its host reach this private network too, such as
    /// 127.0.0.0/8 for a webhook receiver on this machine; may be repeated
    #[arg(long, value_name = "CIDR")]
    allow_private: Vec<Network>,
    /// Folder for the components' output; empty for none [default: logs/ in the state dir]
    #[arg(short = 'L', long, value_name = "DIR", env = "SPIN_LOG_DIR")]
    log_dir: Option<String>,
    /// Build again what changes, and put it in place without dropping a request
    #[arg(long)]
    watch: bool,
    /// Keep the components' output off this terminal
    #[arg(short, long)]
    quiet: bool,
}

/// Everything that is decided before the application starts.
struct Start {
    manifest: Manifest,
    listen: SocketAddr,
    find_free_port: bool,
    tls: Option<(PathBuf, PathBuf)>,
    admin_listen: Option<SocketAddr>,
    max_connections: usize,
    max_requests: usize,
    state_dir: StateDir,
    /// Values from the command line, and local secrets where nothing else has one.
    variables: BTreeMap<String, String>,
    env: BTreeMap<String, String>,
    log_dir: Option<PathBuf>,
    quiet: bool,
    only: Vec<String>,
    allow_private: Vec<Network>,
    config: RuntimeConfig,
    direct_mounts: bool,
    /// With `--watch`: how to make again what changes.
    remake: Option<Remake>,
    telemetry: Arc<Telemetry>,
}

pub(super) fn run(args: Args, telemetry: Arc<Telemetry>) -> Result<ExitCode> {
    let mut manifest = args.manifest.load_with(args.profile.as_deref())?;
    check_ids(&manifest, &args.component)?;
    let mut variables: BTreeMap<_, _> = args.variable.into_iter().collect();
    check_variables(&manifest, &variables)?;
    let config = match &args.runtime_config_file {
        Some(path) => RuntimeConfig::load(path)?,
        None => RuntimeConfig::default(),
    };
    add_provided(&mut variables, &config, &manifest)?;
    let state_root = args
        .state_dir
        .or_else(|| config.state_dir.clone())
        .unwrap_or_else(|| default_state_dir(&manifest));
    let state_dir = StateDir::open(&state_root)?;
    if !args.no_build {
        builder::build(&manifest, &args.component)?;
    }
    download::fetch_all(&mut manifest, state_dir.root())?;

    let has_value = |name: &str| variables.contains_key(name) || is_in_environment(name);
    let wanting = state_dir::wanting_local_secrets(&manifest, has_value);
    let secrets = state_dir.ensure_secrets(&wanting)?;
    let wanting: Vec<String> = wanting.into_iter().map(|(name, _)| name).collect();
    let announcement = Announcement {
        manifest: manifest.clone(),
        tls: args.tls_cert.is_some(),
        only: args.component.clone(),
        secrets_file: state_dir.secrets_file(),
        address_file: state_dir.address_file(),
        key_source: key_source(&wanting),
    };
    announcement.print_secrets(&secrets)?;
    add_secrets(&mut variables, &wanting, &secrets);

    let log_dir = match (args.log_dir.as_deref(), &config.log_dir) {
        (Some(""), _) | (None, Some(LogDir::Nowhere)) => None,
        (Some(folder), _) => Some(folder.into()),
        (None, Some(LogDir::At(folder))) => Some(folder.clone()),
        (None, None) => Some(state_dir.log_dir()),
    };
    let remake = Remake {
        from: args.manifest,
        profile: args.profile,
        only: args.component.clone(),
        no_build: args.no_build,
        state_root: state_dir.root().to_owned(),
    };
    let start = Start {
        manifest,
        listen: args.listen,
        find_free_port: args.find_free_port,
        tls: args.tls_cert.zip(args.tls_key),
        admin_listen: args.admin_listen,
        max_connections: args.max_connections,
        max_requests: args.max_requests,
        state_dir,
        variables,
        env: args.env.into_iter().collect(),
        log_dir,
        quiet: args.quiet,
        only: args.component,
        allow_private: args.allow_private,
        config,
        direct_mounts: args.direct_mounts,
        remake: args.watch.then_some(remake),
        telemetry,
    };
    let runtime = runtime().context("no threads for the runtime")?;
    runtime.block_on(run_app(start, move |address| {
        announcement.print_ready(address)
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// One thread for each core. With one core, none beside this one: what threads would hand to each
/// other costs a tenth of a small request.
fn runtime() -> std::io::Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut builder = match cores {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.enable_all().build()
}

/// Loads the application and serves it until a signal; the one place that knows the runtime.
async fn run_app(start: Start, ready: impl FnOnce(SocketAddr)) -> Result<()> {
    let options = Options {
        listen: start.listen,
        find_free_port: start.find_free_port,
        tls: start.tls,
        admin_listen: start.admin_listen,
        max_connections: start.max_connections,
        max_requests: start.max_requests,
        variables: start.variables,
        env: start.env,
        log_dir: start.log_dir,
        quiet: start.quiet,
        only: start.only,
        allow_private: start.allow_private,
        runtime_config: start.config,
        direct_mounts: start.direct_mounts,
        telemetry: start.telemetry,
        ..Options::new(start.state_dir.root().to_owned())
    };
    let app = App::load(&start.manifest, options)?;
    let _watcher = match start.remake {
        Some(remake) => Some(remake.start(start.manifest, app.reloader())?),
        None => None,
    };
    // Only now: a signal while it loads ends the process, as there is nothing to finish.
    let shutdown = stop_signal()?;
    app.serve(shutdown, ready).await
}

/// The state dir of `manifest` when nobody names another.
pub(super) fn default_state_dir(manifest: &Manifest) -> PathBuf {
    manifest.folder().join(state_dir::DEFAULT_NAME)
}

/// Adds what the providers of the runtime config, or a file `.env`, give.
fn add_provided(
    variables: &mut BTreeMap<String, String>,
    config: &RuntimeConfig,
    manifest: &Manifest,
) -> Result<()> {
    let folder = std::env::current_dir().context("the working directory is gone")?;
    let environment = |name: &str| std::env::var(name).ok();
    for (name, value) in runtime_config::variables(config, manifest, environment, &folder)? {
        variables.entry(name).or_insert(value);
    }
    Ok(())
}

fn add_secrets(variables: &mut BTreeMap<String, String>, names: &[String], secrets: &Secrets) {
    for name in names {
        if let Some(value) = secrets.get(name) {
            variables.insert(name.clone(), value.to_owned());
        }
    }
}

/// The name in the environment that gives the variable `name` a value.
pub(super) fn environment_name(name: &str) -> String {
    VARIABLE_PREFIX.to_owned() + &name.to_ascii_uppercase()
}

fn is_in_environment(name: &str) -> bool {
    std::env::var_os(environment_name(name)).is_some()
}

/// Where a shell finds the operator's key.
fn key_source(wanting: &[String]) -> KeySource {
    const KEY: &str = "api_key";
    if wanting.iter().any(|name| name == KEY) {
        KeySource::SecretsFile
    } else if is_in_environment(KEY) {
        KeySource::Environment(environment_name(KEY))
    } else {
        KeySource::Caller
    }
}

/// Resolves on the first SIGINT or SIGTERM; the second ends the process.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    Ok(async move {
        either(&mut interrupt, &mut terminate).await;
        tracing::info!("stopping once what is in flight is done; a second signal stops at once");
        tokio::spawn(async move {
            either(&mut interrupt, &mut terminate).await;
            std::process::exit(STOPPED_AT_ONCE);
        });
    })
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Refuses ids that the manifest does not have.
pub(super) fn check_ids(manifest: &Manifest, ids: &[String]) -> Result<()> {
    for id in ids {
        if !manifest.components.contains_key(id) {
            let known: Vec<_> = manifest.components.keys().map(String::as_str).collect();
            bail!(
                "--component-id {id}: there is no such component; known: {}",
                known.join(", ")
            );
        }
    }
    Ok(())
}

/// Refuses variables that the manifest does not declare: a mistyped name would set nothing.
fn check_variables(manifest: &Manifest, variables: &BTreeMap<String, String>) -> Result<()> {
    for name in variables.keys() {
        if !manifest.variables.contains_key(name) {
            let known: Vec<_> = manifest.variables.keys().map(String::as_str).collect();
            bail!(
                "--variable {name}: [variables] declares no such name; known: {}",
                known.join(", ")
            );
        }
    }
    Ok(())
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// A number of times to do something.
pub(super) fn parse_count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("write a whole number above zero".to_owned()),
    }
}

/// A number of things that there may be at once.
fn parse_limit(text: &str) -> Result<usize, String> {
    parse_count(text).and_then(|count| usize::try_from(count).map_err(|error| error.to_string()))
}

/// `HOST:PORT`; of a host with several addresses 127.0.0.1 first, as in Spin.
fn parse_address(text: &str) -> Result<SocketAddr, String> {
    let all: Vec<SocketAddr> = text
        .to_socket_addrs()
        .map_err(|error| format!("{error}; write HOST:PORT, like 127.0.0.1:3000"))?
        .collect();
    let is_localhost = |address: &&SocketAddr| address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST);
    all.iter()
        .find(is_localhost)
        .or(all.first())
        .copied()
        .ok_or_else(|| "the host has no address".to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Up {
        #[command(flatten)]
        args: Args,
    }

    fn parse(arguments: &[&str]) -> Result<Args, clap::Error> {
        let all = ["up"].iter().chain(arguments);
        Up::try_parse_from(all).map(|up| up.args)
    }

    #[test]
    fn flags_are_spins() {
        let args = parse(&[
            "-f",
            "x.toml",
            "--listen",
            "[::1]:0",
            "--find-free-port",
            "--state-dir",
            "s",
            "-e",
            "A=b=c",
            "--variable",
            "x=",
            "-c",
            "one",
            "-c",
            "two",
            "--allow-private",
            "127.0.0.0/8",
            "-L",
            "",
            "-q",
        ])
        .unwrap();
        assert_eq!(args.listen, "[::1]:0".parse().unwrap());
        assert!(args.find_free_port && args.quiet);
        assert_eq!(args.state_dir.as_deref(), Some(Path::new("s")));
        assert_eq!(args.env, [("A".to_owned(), "b=c".to_owned())]);
        assert_eq!(args.variable, [("x".to_owned(), String::new())]);
        assert_eq!(args.component, ["one", "two"]);
        assert_eq!(args.allow_private, ["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(args.log_dir.as_deref(), Some(""));
        assert_eq!(
            parse(&["--listen", "localhost:81"]).unwrap().listen,
            "127.0.0.1:81".parse().unwrap()
        );
        assert_eq!(
            parse(&[]).unwrap().listen,
            "127.0.0.1:3000".parse().unwrap()
        );
    }

    #[test]
    fn wrong_flags_are_refused_with_the_form() {
        for (arguments, want) in [
            (["--listen", "3000"], "write HOST:PORT, like 127.0.0.1:3000"),
            (["--variable", "x"], "write NAME=VALUE"),
            (["--env", "=x"], "write NAME=VALUE"),
            (
                ["--allow-private", "localhost"],
                "write an address or a network",
            ),
            (["--max-connections", "0"], "above zero"),
            (["--max-requests", "many"], "above zero"),
            (["--tls-cert", "cert.pem"], "--tls-key"),
            (["--tls-key", "key.pem"], "--tls-cert"),
        ] {
            let error = parse(&arguments).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        }
    }

    #[test]
    fn unknown_names_are_refused_with_the_known_ones() {
        let text = "spin_manifest_version = 2\napplication.name = \"app\"\ntrigger.http = []\n\
                    component.a.source = \"a\"\ncomponent.b.source = \"b\"\nvariables.x.default = \"\"\n";
        let manifest = Manifest::parse(text, Path::new("/app/spin.toml")).unwrap();
        let ids = |id: &str| check_ids(&manifest, &[id.to_owned()]).map_err(|e| e.to_string());
        assert_eq!(ids("a"), Ok(()));
        assert_eq!(
            ids("c"),
            Err("--component-id c: there is no such component; known: a, b".to_owned())
        );
        let variables = |name: &str| {
            let variables = BTreeMap::from([(name.to_owned(), String::new())]);
            check_variables(&manifest, &variables).map_err(|e| e.to_string())
        };
        assert_eq!(variables("x"), Ok(()));
        assert_eq!(
            variables("y"),
            Err("--variable y: [variables] declares no such name; known: x".to_owned())
        );
    }
}
