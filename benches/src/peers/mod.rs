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
mod programs;
mod server;
pub mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use chatly_simulator::Delivery;

use crate::pinned;
use line::{Line, Sample};
use programs::{Programs, Start, Task};
pub use server::Server;
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

/// A server that somebody else started, for a profiler.
#[derive(clap::Args)]
pub struct LoadArguments {
    /// Where it listens
    address: std::net::SocketAddr,
    /// The webhook's path
    #[arg(long, default_value = "/verify")]
    path: String,
    /// Connections
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Seconds of load
    #[arg(long, default_value_t = 5.0)]
    secs: f64,
    /// Send each message once
    #[arg(long)]
    unique: bool,
}

/// Posts to a running server and prints its figures.
pub fn load(arguments: &LoadArguments) -> Result<()> {
    pinned::pin_self(pinned::LOAD_CORE);
    let next = next(&arguments.path, arguments.unique);
    let secs = Duration::from_secs_f64(arguments.secs);
    let (address, connections) = (arguments.address, arguments.connections);
    println!("{}", wire::run(address, connections, secs, &next)?);
    Ok(())
}

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
    let next = next(task.path, task.unique);
    let secs = Duration::from_secs_f64(arguments.secs);
    wire::run(server.address(), task.connections, WARM_UP, &next)?;
    let before = server.cpu()?;
    let figures = wire::run(server.address(), task.connections, secs, &next)?;
    Ok(Sample::new(&figures, server.cpu()? - before))
}

/// Numbers messages across all servers, so that none is a duplicate.
static NEXT: AtomicUsize = AtomicUsize::new(1);

fn next(path: &str, unique: bool) -> Next {
    if unique {
        let path = path.to_owned();
        return Arc::new(move || wire::request(&delivery(NEXT.fetch_add(1, Relaxed)), &path));
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

/// The request of the task *verify only*.
pub fn verify_request() -> Vec<u8> {
    wire::request(&delivery(0), "/verify")
}

/// A signed text message of the size that WhatsApp's are.
fn delivery(number: usize) -> Delivery {
    // Ids of WhatsApp are 60 to 70 characters long.
    let id = format!("HBgLMTY1MDU1NTEyMzQVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0Rg{number:010}");
    crate::live::signed(&id, number % 200, SECRET)
}
