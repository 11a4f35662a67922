//! `chatly-bench instructions`: instructions of the host's process for one verified request, counted by
//! `valgrind --tool=callgrind`, guest and host together, without the kernel's.
//!
//! The host runs twice, once with few requests and once with many: the difference, by the difference
//! of the requests, is what one costs. Unlike times, it is the same on a busy machine, to about 1 %:
//! the order in which tasks meet still varies.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::peers::{Server, verify_request, wire};

/// Requests of the two runs.
const RUNS: [u64; 2] = [500, 2500];
/// Time to come up: valgrind is some fifty times slower, and the first start compiles.
const BOUND: Duration = Duration::from_secs(600);

/// Counts, and prints the figure.
pub fn run() -> Result<()> {
    let chatly = harness::chatly();
    let manifest = harness::root().join("benches/peers/verify.toml");
    let built = Command::new(chatly)
        .args(["build", "--from"])
        .arg(&manifest)
        .status()?;
    ensure!(built.success(), "{} is not built", manifest.display());
    let cache = chatly.with_file_name("../peers/cache");
    std::fs::create_dir_all(&cache)?;
    // What it compiles for valgrind's processor is kept for the runs that count.
    count(chatly, &manifest, &cache, 1)?;
    let mut collected = Vec::new();
    for requests in RUNS {
        collected.push(count(chatly, &manifest, &cache, requests)?);
    }
    let [few, many] = RUNS;
    let [base, more] = collected.as_slice() else {
        anyhow::bail!("two runs were made");
    };
    let each = (more - base) / (many - few);
    println!("verify only: {each} instructions per request, guest and host");
    Ok(())
}

/// Instructions of a whole run, start and stop included.
fn count(chatly: &Path, manifest: &Path, cache: &Path, requests: u64) -> Result<u64> {
    let folder = tempfile::tempdir()?;
    std::os::unix::fs::symlink(cache.canonicalize()?, folder.path().join("cache"))?;
    let log = folder.path().join("log");
    let server = Server::start(&log, BOUND, |address| {
        let (listen, state) = (address.to_string(), folder.path().display().to_string());
        let up = [
            "up",
            "--no-build",
            "--quiet",
            "--listen",
            &listen,
            "--state-dir",
            &state,
        ];
        let valgrind = ["env", "RUST_LOG=warn", "valgrind", "--tool=callgrind"];
        let discarded = "--callgrind-out-file=/dev/null".to_owned();
        let chatly = [discarded, chatly.display().to_string()];
        let from = ["--from".to_owned(), manifest.display().to_string()];
        let words = valgrind.map(str::to_owned).into_iter().chain(chatly);
        words.chain(up.map(str::to_owned)).chain(from).collect()
    })?;
    let address = server.address();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let sent = async move {
        let mut wire = wire::Wire::open(address).await?;
        for _ in 0..requests {
            let (status, _) = wire.exchange(&verify_request()).await?;
            ensure!(status == 200, "it answers {status}");
        }
        Ok(())
    };
    std::thread::scope(|scope| scope.spawn(|| runtime.block_on(sent)).join())
        .map_err(|_| anyhow::anyhow!("the load panicked"))??;
    server.stop()?;
    let text = std::fs::read_to_string(log)?;
    let line = text.lines().find_map(|line| line.split_once("Collected :"));
    let (_, count) = line.context("callgrind prints what it collected (is valgrind here?)")?;
    Ok(count.trim().parse()?)
}
