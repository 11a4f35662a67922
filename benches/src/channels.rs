//! `chatly-bench channels`: size of each channel component, and what verifying and parsing a typical
//! delivery takes in the component and natively.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chatly_plugin::Plugin;
use chatly_simulator::{ALL, Wish};
use harness::secrets;

/// Rounds, of which the median counts.
const ROUNDS: usize = 7;
/// What one round takes.
const ROUND: Duration = Duration::from_millis(200);
/// When deliveries are signed and received, in Unix seconds.
const NOW: u64 = 1_749_416_400;

/// Measures and prints the table.
pub fn run() -> Result<()> {
    harness::chatly();
    let folder = std::env::current_exe()?;
    let folder = folder.ancestors().nth(2).context("target")?;
    let folder = folder.join("wasm32-unknown-unknown/release");
    println!("channel      size bytes   body bytes   component us   native us");
    for platform in ALL {
        let name = platform.name();
        let path = folder.join(format!("channel_{name}.wasm"));
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        let kind = platform
            .kinds()
            .first()
            .copied()
            .unwrap_or_default()
            .to_owned();
        let unsigned = platform.unsigned(&[Wish {
            kind,
            ..Wish::default()
        }])?;
        let account = unsigned.path.split('/').nth(3).map(str::to_owned);
        let base = "https://chat.example.org";
        let delivery = platform
            .sign(unsigned, base, secrets::signing(name), NOW)
            .received_at(base);
        let secrets = [secrets::verifying(name)];

        let mut plugin = Plugin::new(&bytes)?;
        let component = median(|| {
            plugin.verify(&delivery, &secrets, NOW)??;
            let events = plugin.parse(&delivery, account.as_deref())?;
            ensure!(!events.is_empty(), "{name} gives no event");
            Ok(())
        })?;
        let native = chatly_channels::find(name).context("a channel")?;
        let native = median(|| {
            (native.verify)(&delivery, &secrets, NOW)?;
            ensure!(
                !(native.parse)(&delivery, account.as_deref()).is_empty(),
                "{name}"
            );
            Ok(())
        })?;
        println!(
            "{name:12} {:10} {:12} {component:14.1} {native:11.1}",
            bytes.len(),
            delivery.body.len()
        );
    }
    Ok(())
}

/// Microseconds of one call, the median of all rounds.
fn median(mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (start, mut calls) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            call()?;
            calls += 1;
        }
        rounds.push(start.elapsed().as_secs_f64() * 1e6 / f64::from(calls.max(1)));
    }
    rounds.sort_by(f64::total_cmp);
    rounds.get(ROUNDS / 2).copied().context("a round")
}
