//! `cargo run -p chatly-fuzz -- --secs 20`: throws mutated deliveries at every channel, each for that
//! long, and prints seed, executions and result of each.
//!
//! 1. What it starts from are the golden cases in `tests/cases`, and what was kept of them because
//!    it gave another shape of events.
//! 2. What it holds every channel to is in [`check`].
//! 3. A finding is written to `fuzz/findings/` and repeated by `--replay FILE`. The same seed and the same
//!    number of executions give the same inputs.
//!
//! It runs on a stable toolchain; `cargo fuzz` needs a nightly one.

mod check;
mod mutate;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use chatly_channel::Delivery;
use chatly_channels::{ALL, Plugin};
use clap::Parser;

/// Inputs that are kept because they showed something new.
const MAX_CORPUS: usize = 4096;

/// Throw mutated deliveries at every channel
#[derive(Parser)]
struct Arguments {
    /// Seconds for each channel
    #[arg(long, default_value_t = 20)]
    secs: u64,
    /// Only this channel
    #[arg(long)]
    channel: Option<String>,
    /// Decides all mutations [default: by the clock]
    #[arg(long)]
    seed: Option<u64>,
    /// Run one body that was found, on the channel that its name begins with
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(file) = &arguments.replay {
        return replay(file);
    }
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    let mut clean = true;
    for plugin in ALL {
        let name = (plugin.describe)().name;
        if arguments.channel.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let (executions, finding) =
            target(*plugin, &name, seed, Duration::from_secs(arguments.secs))?;
        match finding {
            None => println!("{name}: seed {seed}, {executions} executions, ok"),
            Some(finding) => {
                clean = false;
                println!("{name}: seed {seed}, {executions} executions, FAILED: {finding}");
            }
        }
    }
    Ok(if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One channel for `duration`: executions, and the first finding.
fn target(
    plugin: Plugin,
    name: &str,
    seed: u64,
    duration: Duration,
) -> Result<(u64, Option<String>)> {
    let cases = chatly_cases::load(&chatly_cases::folder().join(name))?;
    let mut corpus: Vec<Delivery> = cases.iter().map(chatly_cases::Case::delivery).collect();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut shapes = HashSet::new();
    let end = Instant::now() + duration;
    let mut executions = 0;
    while Instant::now() < end {
        let from = corpus
            .get(random.usize(..corpus.len()))
            .context("a corpus")?;
        let other = corpus
            .get(random.usize(..corpus.len()))
            .context("a corpus")?;
        let delivery = mutate::mutated(&mut random, from, &other.body);
        executions += 1;
        match check::check(plugin, &delivery) {
            Ok(shape) => {
                if corpus.len() < MAX_CORPUS && shapes.insert(shape) {
                    corpus.push(delivery);
                }
            }
            Err(finding) => {
                let path = keep(name, &delivery)?;
                return Ok((
                    executions,
                    Some(format!("{finding}; see {}", path.display())),
                ));
            }
        }
    }
    Ok((executions, None))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("findings")
}

fn keep(name: &str, delivery: &Delivery) -> Result<PathBuf> {
    std::fs::create_dir_all(folder())?;
    let path = folder().join(format!("{name}-{:08x}.body", fastrand::u32(..)));
    std::fs::write(&path, &delivery.body)?;
    Ok(path)
}

fn replay(file: &Path) -> Result<ExitCode> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = stem.split('-').next().unwrap_or_default();
    let plugin = chatly_channels::find(name).with_context(|| format!("{name:?} is no channel"))?;
    let body = std::fs::read(file)?;
    for content_type in ["application/json", "application/x-www-form-urlencoded"] {
        let delivery = mutate::delivery(body.clone(), content_type);
        if let Err(finding) = check::check(plugin, &delivery) {
            println!("FAILED: {finding}");
            return Ok(ExitCode::FAILURE);
        }
    }
    println!("ok");
    Ok(ExitCode::SUCCESS)
}
