//! `cargo run --bin chatly-bench`: the figures of the webhook path, each beside a native server that
//! does the same verify and parse, both pinned to one core, the load to another.
//!
//! 1. requests/s, p50 and p99 of verify + parse + durable append + 200, at 16 and 64 connections;
//! 2. webhook → SSE on an idle host, p50 and p99;
//! 3. process start to `listening`, with a warm cache of compiled components;
//! 4. resident memory with all components loaded.
//!
//! No thresholds: compare ratios of one run, not figures of two machines.

mod figures;
mod live;
mod load;
mod native;
mod pinned;

use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measure the webhook path
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Seconds of load for each line
    #[arg(long, default_value_t = 10)]
    secs: u64,
    /// Messages sent one by one for webhook → SSE
    #[arg(long, default_value_t = 200)]
    messages: usize,
    /// Starts to measure
    #[arg(long, default_value_t = 10)]
    starts: usize,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the native counterpart (the bench starts this by itself)
    Native,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(Command::Native) = arguments.command {
        return native::serve().await;
    }
    pinned::pin_self(pinned::LOAD_CORE);
    let duration = Duration::from_secs(arguments.secs);
    println!("server pinned to core {}, load to core {}", pinned::SERVER_CORE, pinned::LOAD_CORE);
    live::starts(arguments.starts)?;
    let app = live::Host::start()?;
    println!("resident memory, all components loaded: {:.1} MiB", app.resident_mib()?);
    live::webhook_to_sse(&app, arguments.messages).await?;
    for connections in [16, 64] {
        let chatly = load::run(app.address(), connections, duration).await?;
        println!("webhook, {connections} connections, chatly: {chatly}");
        let server = native::Child::start()?;
        let native = load::run(server.address(), connections, duration).await?;
        println!("webhook, {connections} connections, native: {native}");
        println!("webhook, {connections} connections, ratio:  {:.3}", chatly.per_second() / native.per_second());
    }
    println!("resident memory after the load: {:.1} MiB", app.resident_mib()?);
    Ok(())
}
