//! `cargo run --bin chatly-bench`: the figures of the webhook path, each beside a native server that
//! does the same verify and parse, both pinned to one core, the load to another.
//!
//! 1. requests/s, p50 and p99 of verify + parse + durable append + 200, at 16 and 64 connections;
//! 2. webhook → SSE on an idle host, p50 and p99;
//! 3. process start to `listening`, with a warm cache of compiled components;
//! 4. resident memory with all components loaded.
//!
//! `chatly-bench channels` measures every channel component, see [`channels`];
//! `chatly-bench inbox` measures what the console waits for instead; `chatly-bench hostile` genuine
//! webhooks beside clients that misbehave, see [`hostile`]; `chatly-bench pipeline` a message after
//! its webhook, see [`pipeline`]; `chatly-bench understanding` what asking a model costs us, see
//! [`understanding`]; `chatly-bench peers` this
//! host beside others that do the same work, see [`peers`]; `chatly-bench instructions` counts what
//! one request costs, see [`instructions`].
//!
//! No thresholds: compare ratios of one run, not figures of two machines.

mod channels;
mod console;
mod cost;
mod figures;
mod hostile;
mod inbox;
mod instructions;
mod live;
mod load;
mod native;
mod peers;
mod pinned;
mod pipeline;
mod understanding;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use chatly_simulator::Delivery;
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
    Native {
        /// Where
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: std::net::SocketAddr,
    },
    /// Measure the console's first page and a thread, in a small inbox and in a large one
    Inbox(inbox::Arguments),
    /// Measure this host and others that do the same work, in turn
    Peers(peers::Arguments),
    /// Measure every channel component: size, and time to verify and parse
    Channels,
    /// Measure genuine webhooks beside clients that misbehave
    Hostile(hostile::Arguments),
    /// Measure a message after its webhook: routed, sent, enriched
    Pipeline(pipeline::Arguments),
    /// Measure what asking a language model costs on our side
    Understanding(understanding::Arguments),
    /// Count the instructions of one request, by valgrind
    Instructions,
    /// Post to a running server, for a profiler
    Load(peers::LoadArguments),
}

/// Conversations that the load is spread over.
const CONVERSATIONS: usize = 200;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = Arguments::parse();
    match arguments.command.take() {
        Some(Command::Native { listen }) => native::serve(listen).await,
        Some(Command::Peers(peers)) => {
            tokio::task::spawn_blocking(move || peers::run(&peers)).await?
        }
        Some(Command::Load(load)) => {
            tokio::task::spawn_blocking(move || peers::load(&load)).await?
        }
        Some(Command::Instructions) => tokio::task::spawn_blocking(instructions::run).await?,
        Some(Command::Inbox(inbox)) => {
            prepare();
            inbox::run(&inbox).await
        }
        Some(Command::Channels) => tokio::task::spawn_blocking(channels::run).await?,
        Some(Command::Hostile(hostile)) => {
            prepare();
            hostile::run(&hostile).await
        }
        Some(Command::Pipeline(pipeline)) => {
            prepare();
            pipeline::run(&pipeline).await
        }
        Some(Command::Understanding(understanding)) => {
            prepare();
            understanding::run(&understanding).await
        }
        None => {
            prepare();
            webhook(&arguments).await
        }
    }
}

/// Builds everything, and takes the core that the load runs on.
fn prepare() {
    // Built before anything is pinned.
    harness::chatly();
    pinned::pin_self(pinned::LOAD_CORE);
    println!(
        "server pinned to core {}, load to core {}",
        pinned::SERVER_CORE,
        pinned::LOAD_CORE
    );
}

/// The figures of the webhook path.
async fn webhook(arguments: &Arguments) -> Result<()> {
    println!(
        "process start to listening, warm cache: {}",
        live::starts(arguments.starts).await?
    );
    let app = live::host().await?;
    println!(
        "resident memory, all components loaded: {:.1} MiB",
        live::resident_mib(&app)?
    );
    println!(
        "webhook to SSE, idle host: {}",
        live::webhook_to_sse(&app, arguments.messages).await?
    );
    let address = app.base().trim_start_matches("http://").parse()?;
    let native = native::Child::start()?;
    let duration = Duration::from_secs(arguments.secs);
    for connections in [16, 64] {
        let ours = load::run(address, connections, until(duration)).await?;
        println!("webhook, {connections} connections, chatly: {ours}");
        let theirs = load::run(native.address(), connections, until(duration)).await?;
        println!("webhook, {connections} connections, native verify and parse: {theirs}");
        println!(
            "webhook, {connections} connections, ratio: {:.3}",
            ours.per_second() / theirs.per_second()
        );
    }
    println!(
        "resident memory after the load: {:.1} MiB",
        live::resident_mib(&app)?
    );
    Ok(())
}

/// Messages for that long. They are numbered across all runs, so that none is a duplicate.
fn until(duration: Duration) -> impl Fn() -> Option<Delivery> + Clone {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let end = Instant::now() + duration;
    move || {
        (Instant::now() < end).then(|| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            live::delivery(&format!("load.{number}"), number % CONVERSATIONS)
        })
    }
}
