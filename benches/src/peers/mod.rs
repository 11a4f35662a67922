//! `chatly-bench peers`: this host and others that do the same work, in turn, each pinned to one
//! core, the load to another.
//!
//! 1. Two tasks. *Verify only*: HMAC-SHA256 of the raw body in constant time, the JSON read, an
//!    empty 200. *Durable*: besides that, stored once and on disk (fsync) before the 200.
//! 2. The same request to each, and a check before each timing: 200 for the right signature, 401
//!    for one flipped bit.
//! 3. In each round all servers are started afresh, one after another; a ratio is of two servers of
//!    one round, and what is printed is the median of the rounds. CPU time per request is printed
//!    beside requests/s, because others' work on the machine disturbs it less.
//! 4. What cannot be had is named on one line.
//!
//! No thresholds. The sources of the peers are in `benches/peers/`, their programs in
//! `target/peers/`.

mod install;
mod line;
mod server;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chatly_simulator::Delivery;

use crate::pinned;
use line::{Line, Sample};
use server::Server;
use wire::Next;

/// The secret of the peers' sources.
pub const SECRET: &str = "bench-app-secret";
/// Load before the timing, so that compilers and caches are warm.
const WARM_UP: Duration = Duration::from_millis(700);

/// What to measure.
#[derive(clap::Args)]
pub struct Arguments {
    /// Rounds; each measures every server once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of load for each server in each round
    #[arg(long, default_value_t = 3.0)]
    secs: f64,
    /// Only the servers whose names hold one of these words, comma-separated, and ours
    #[arg(long)]
    only: Option<String>,
    /// Another build of this host to measure too, for what a change does
    #[arg(long)]
    against: Option<PathBuf>,
    /// Measure the host and the components as they are built
    #[arg(long)]
    no_build: bool,
    /// A Spin binary to measure too
    #[arg(long, env = "SPIN")]
    spin: Option<PathBuf>,
}

/// One task, which several servers do.
struct Task {
    name: &'static str,
    path: &'static str,
    connections: usize,
    /// Whether each request carries a message of its own.
    unique: bool,
    servers: Vec<(&'static str, Start)>,
}

/// Starts a server; the folder is fresh.
type Start = Box<dyn Fn(&Path) -> Result<Server>>;

/// Runs everything and prints the tables.
pub fn run(arguments: &Arguments) -> Result<()> {
    // Built and installed before anything is pinned.
    let programs = Programs::find(arguments)?;
    pinned::pin_self(pinned::LOAD_CORE);
    println!("{}", line::machine());
    for task in [programs.verify(), programs.durable()] {
        measure(&task, arguments)?;
    }
    Ok(())
}

/// Measures one task and prints its table.
fn measure(task: &Task, arguments: &Arguments) -> Result<()> {
    let (ours, _) = task.servers.first().context("a server")?;
    let wanted = |name: &str| {
        let only = arguments.only.as_deref();
        name == *ours || only.is_none_or(|only| only.split(',').any(|part| name.contains(part)))
    };
    let servers = || task.servers.iter().filter(|(name, _)| wanted(name));
    let mut lines: Vec<Line> = servers().map(|(name, _)| Line::new(name)).collect();
    let body = delivery(0).body.len();
    println!(
        "\n{}: {} connections, body of {body} bytes, {} rounds of {} s",
        task.name, task.connections, arguments.rounds, arguments.secs
    );
    for round in 1..=arguments.rounds {
        for ((name, start), line) in servers().zip(&mut lines) {
            match sample(task, start, arguments) {
                Ok(sample) => {
                    eprintln!("round {round}, {name}: {sample}");
                    line.add(sample);
                }
                Err(error) => println!("{name}: not measured in round {round}: {error:#}"),
            }
        }
    }
    line::print(&lines);
    Ok(())
}

fn sample(task: &Task, start: &Start, arguments: &Arguments) -> Result<Sample> {
    let folder = tempfile::tempdir()?;
    let server = start(folder.path())?;
    check(&server, task.path)?;
    let next = next(task);
    let secs = Duration::from_secs_f64(arguments.secs);
    wire::run(server.address(), task.connections, WARM_UP, &next)?;
    let before = server.cpu()?;
    let figures = wire::run(server.address(), task.connections, secs, &next)?;
    Ok(Sample::new(&figures, server.cpu()? - before))
}

/// Numbers messages across all servers, so that none is a duplicate.
static NEXT: AtomicUsize = AtomicUsize::new(1);

fn next(task: &Task) -> Next {
    let path = task.path;
    if task.unique {
        return Arc::new(move || wire::request(&delivery(NEXT.fetch_add(1, Relaxed)), path));
    }
    let same = wire::request(&delivery(0), path);
    Arc::new(move || same.clone())
}

/// Refuses to time a server that does not do its work.
fn check(server: &Server, path: &str) -> Result<()> {
    let right = delivery(NEXT.fetch_add(1, Relaxed));
    let mut wrong = right.clone();
    if let Some(byte) = wrong.body.last_mut() {
        *byte ^= 1;
    }
    let answer = |delivery: Delivery| {
        let request = wire::request(&delivery, path);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let address = server.address();
        std::thread::spawn(move || runtime.block_on(wire::once(address, &request)))
            .join()
            .map_err(|_| anyhow::anyhow!("the check panicked"))?
    };
    let (status, body) = answer(right)?;
    ensure!(
        (status, body) == (200, 0),
        "it answers {status} with {body} bytes"
    );
    let (status, _) = answer(wrong)?;
    ensure!(status == 401, "it answers {status} to a flipped bit");
    Ok(())
}

/// A signed text message of the size that WhatsApp's are.
fn delivery(number: usize) -> Delivery {
    // Ids of WhatsApp are 60 to 70 characters long.
    let id = format!("HBgLMTY1MDU1NTEyMzQVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0Rg{number:010}");
    crate::live::signed(&id, number % 200, SECRET)
}

/// The programs of all servers.
struct Programs {
    chatly: PathBuf,
    against: Option<PathBuf>,
    bench: PathBuf,
    deno: Option<PathBuf>,
    wasmtime: Option<PathBuf>,
    spin: Option<PathBuf>,
    /// `benches/peers`.
    sources: PathBuf,
    /// `target/peers`.
    peers: PathBuf,
    /// The component that verifies.
    component: PathBuf,
}

impl Programs {
    /// Builds ours unless told not to, and installs theirs; prints what cannot be had.
    fn find(arguments: &Arguments) -> Result<Self> {
        let bench = std::env::current_exe()?;
        let target = bench.ancestors().nth(2).context("target/debug")?.to_owned();
        let peers = target.join("peers");
        let sources = harness::root().join("benches/peers").canonicalize()?;
        std::fs::create_dir_all(&peers)?;
        let chatly = bench.with_file_name("chatly");
        if !arguments.no_build {
            build(harness::chatly(), &sources)?;
        }
        let found = |name: &str, path: Result<PathBuf>| match path {
            Ok(path) => {
                println!("{name}: {}", install::version(&path).unwrap_or_default());
                Some(path)
            }
            Err(error) => {
                println!("{name}: cannot be had here: {error:#}");
                None
            }
        };
        let spin = arguments.spin.clone();
        Ok(Programs {
            bench,
            against: arguments.against.clone(),
            deno: found("deno", install::deno(&peers)),
            wasmtime: found("wasmtime serve", install::wasmtime(&peers)),
            spin: found("spin", spin.context("SPIN names no binary")),
            component: target.join("wasm32-wasip2/release/bench_verify.wasm"),
            chatly,
            sources,
            peers,
        })
    }

    fn verify(&self) -> Task {
        let manifest = "verify.toml";
        let mut servers = vec![
            ("chatly", self.ours(&self.chatly, manifest, "warn")),
            (
                "chatly with its request log",
                self.ours(&self.chatly, manifest, "info"),
            ),
            ("native hyper", self.native()),
        ];
        if let Some(against) = &self.against {
            servers.push(("chatly, other build", self.ours(against, manifest, "warn")));
        }
        if let Some(deno) = &self.deno {
            let source = text(&self.sources.join("verify.js"));
            servers.push((
                "deno",
                start(text(deno), move |_, address| {
                    vec![
                        "run".into(),
                        "--allow-net".into(),
                        source.clone(),
                        port(address),
                    ]
                }),
            ));
        }
        if let Some(wasmtime) = &self.wasmtime {
            let component = text(&self.component);
            servers.push((
                "wasmtime serve",
                start(text(wasmtime), move |_, address| {
                    let options = ["serve", "-Scli,p3", "-Wcomponent-model-async", "--addr"];
                    let options = options.map(str::to_owned).into_iter();
                    options
                        .chain([address.to_string(), component.clone()])
                        .collect()
                }),
            ));
        }
        if let Some(spin) = &self.spin {
            let manifest = text(&self.sources.join("verify.toml"));
            servers.push((
                "spin",
                start(text(spin), move |_, address| {
                    let listen = address.to_string();
                    ["up", "--quiet", "--from", &manifest, "--listen", &listen]
                        .map(str::to_owned)
                        .into()
                }),
            ));
        }
        Task {
            name: "verify only",
            path: "/verify",
            connections: 16,
            unique: false,
            servers,
        }
    }

    fn durable(&self) -> Task {
        let manifest = "ingest.toml";
        let mut servers = vec![("chatly", self.ours(&self.chatly, manifest, "warn"))];
        if let Some(against) = &self.against {
            servers.push(("chatly, other build", self.ours(against, manifest, "warn")));
        }
        if let Some(deno) = &self.deno {
            for (name, mode) in [
                ("deno, a commit per request", "each"),
                ("deno, grouped commits", "group"),
            ] {
                let source = text(&self.sources.join("durable.js"));
                servers.push((
                    name,
                    start(text(deno), move |folder, address| {
                        let file = text(&folder.join("inbox.db"));
                        let options = ["run", "-A", &source, &port(address), &file, mode];
                        options.map(str::to_owned).into()
                    }),
                ));
            }
        }
        Task {
            name: "durable",
            path: "/webhooks/whatsapp",
            connections: 64,
            unique: true,
            servers,
        }
    }

    /// This host on a state folder of its own, with the compiled components of the last start.
    fn ours(&self, chatly: &Path, manifest: &str, log: &'static str) -> Start {
        let (chatly, manifest) = (text(chatly), text(&self.sources.join(manifest)));
        let cache = self.peers.join("cache");
        Box::new(move |folder| {
            std::fs::create_dir_all(&cache)?;
            std::os::unix::fs::symlink(&cache, folder.join("cache"))?;
            let program = ["env".to_owned(), format!("RUST_LOG={log}"), chatly.clone()];
            Server::start(&folder.join("log"), |address| {
                let (listen, folder) = (address.to_string(), text(folder));
                let up = ["up", "--no-build", "--from", &manifest, "--listen", &listen];
                let up = up.into_iter().chain(["--state-dir", &folder]);
                program.into_iter().chain(up.map(str::to_owned)).collect()
            })
        })
    }

    fn native(&self) -> Start {
        start(text(&self.bench), |_, address| {
            vec!["native".into(), "--listen".into(), address.to_string()]
        })
    }
}

/// Builds the components of the benches.
fn build(chatly: &Path, sources: &Path) -> Result<()> {
    for manifest in ["verify.toml", "ingest.toml"] {
        let built = std::process::Command::new(chatly)
            .args(["build", "--from"])
            .arg(sources.join(manifest))
            .status()?;
        ensure!(built.success(), "{manifest} is not built");
    }
    Ok(())
}

/// Starts `program` with the arguments that `make` gives.
fn start(
    program: String,
    make: impl Fn(&Path, std::net::SocketAddr) -> Vec<String> + 'static,
) -> Start {
    Box::new(move |folder| {
        Server::start(&folder.join("log"), |address| {
            [vec![program.clone()], make(folder, address)].concat()
        })
    })
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn port(address: std::net::SocketAddr) -> String {
    address.port().to_string()
}
