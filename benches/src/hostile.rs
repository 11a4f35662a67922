//! `chatly-bench hostile`: what genuine webhooks wait for while clients misbehave.
//!
//! 1. Genuine senders post a message each [`PAUSE`] over a few connections, to the whole app.
//! 2. In each round, each kind of hostile client is measured right after a quiet stretch; a ratio is of these
//!    two, and what is printed is the median of the rounds.
//! 3. Clients that the host sends away come back at once, so a core full of them is also a flood:
//!    what that costs is in the figures.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::figures::Figures;
use crate::live;
use crate::peers::wire::{self, Wire};

/// Genuine senders.
const SENDERS: usize = 4;
/// What a genuine sender waits after each answer.
const PAUSE: Duration = Duration::from_millis(20);
/// A slow client sends a byte and waits as long.
const BYTE_EVERY: Duration = Duration::from_secs(1);
const WEBHOOK: &str = "/webhooks/whatsapp";

/// What to measure.
#[derive(clap::Args)]
pub struct Arguments {
    /// Rounds; each measures every kind of client once
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each stretch
    #[arg(long, default_value_t = 4.0)]
    secs: f64,
}

/// A kind of hostile client, and how many of them there are.
#[derive(Clone, Copy)]
enum Kind {
    Idle(usize),
    Slow(usize),
    LongHeads(usize),
    EndlessBodies(usize),
}

/// Every kind by itself, then all of them together.
const CASES: [(&str, &[Kind]); 5] = [
    ("2 000 idle connections", &[Kind::Idle(2000)]),
    ("100 heads and bodies, a byte a second", &[Kind::Slow(100)]),
    ("heads over 64 KiB, again and again", &[Kind::LongHeads(1)]),
    (
        "a chunked body without end, again and again",
        &[Kind::EndlessBodies(1)],
    ),
    (
        "all of these",
        &[
            Kind::Idle(2000),
            Kind::Slow(100),
            Kind::LongHeads(1),
            Kind::EndlessBodies(1),
        ],
    ),
];

/// Measures and prints the table.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let app = live::host().await?;
    let address: SocketAddr = app.base().trim_start_matches("http://").parse()?;
    let stretch = Duration::from_secs_f64(arguments.secs);
    genuine(address, stretch).await?;
    let mut rows: Vec<Vec<(Figures, Figures)>> = CASES.iter().map(|_| Vec::new()).collect();
    for round in 1..=arguments.rounds {
        for ((name, kinds), row) in CASES.iter().zip(&mut rows) {
            let quiet = genuine(address, stretch).await?;
            let mut clients = start(address, kinds).await?;
            let beside = genuine(address, stretch).await?;
            clients.shutdown().await;
            eprintln!("round {round}, {name}: quiet {quiet}; beside {beside}");
            row.push((quiet, beside));
        }
    }
    println!("clients                                      quiet p99 ms   p99 ms   ratio  failed");
    for ((name, _), row) in CASES.iter().zip(&rows) {
        let p99 = |figures: &Figures| figures.percentile(99).as_secs_f64() * 1e3;
        println!(
            "{name:44} {:12.2} {:8.2} {:7.2} {:7}",
            median(row.iter().map(|(quiet, _)| p99(quiet))),
            median(row.iter().map(|(_, beside)| p99(beside))),
            median(row.iter().map(|(quiet, beside)| p99(beside) / p99(quiet))),
            row.iter()
                .map(|(_, beside)| beside.failures())
                .sum::<usize>(),
        );
    }
    println!(
        "resident memory after all: {:.1} MiB",
        live::resident_mib(&app)?
    );
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Genuine senders for that long.
pub(crate) async fn genuine(address: SocketAddr, stretch: Duration) -> Result<Figures> {
    let begin = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        senders.spawn(sender(address, begin + stretch));
    }
    let (mut times, mut failures) = (Vec::new(), 0);
    while let Some(sender) = senders.join_next().await {
        let (done, failed) = sender??;
        times.extend(done);
        failures += failed;
    }
    Ok(Figures::new(times, begin.elapsed(), failures))
}

async fn sender(address: SocketAddr, end: Instant) -> Result<(Vec<Duration>, usize)> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let mut wire = Wire::open(address).await?;
    let (mut times, mut failures) = (Vec::new(), 0);
    while Instant::now() < end {
        let number = NEXT.fetch_add(1, Relaxed);
        let delivery = live::delivery(&format!("genuine.{number}"), number % 200);
        let request = wire::request(&delivery, WEBHOOK);
        let sent = Instant::now();
        match wire.exchange(&request).await? {
            (200, _) => times.push(sent.elapsed()),
            _ => failures += 1,
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok((times, failures))
}

/// Starts the clients; all that only wait are connected when it returns.
async fn start(address: SocketAddr, kinds: &[Kind]) -> Result<JoinSet<()>> {
    let mut clients = JoinSet::new();
    let head = format!("POST {WEBHOOK} HTTP/1.1\r\nhost: x\r\n");
    for kind in kinds {
        match *kind {
            Kind::Idle(count) => {
                let mut streams = Vec::new();
                for _ in 0..count {
                    streams.push(TcpStream::connect(address).await?);
                }
                clients.spawn(async move {
                    std::future::pending::<()>().await;
                    drop(streams);
                });
            }
            Kind::Slow(count) => {
                let body = format!("{head}content-length: 1000000\r\n\r\n");
                for (n, start) in ["GET /v1/inbox HTTP/1.1\r\nhost: ", &body]
                    .into_iter()
                    .cycle()
                    .take(count)
                    .enumerate()
                {
                    let mut stream = TcpStream::connect(address).await?;
                    stream.write_all(start.as_bytes()).await?;
                    // Spread over the second, as they would be.
                    let first = BYTE_EVERY * u32::try_from(n)? / u32::try_from(count)?;
                    clients.spawn(slow(stream, first));
                }
            }
            Kind::LongHeads(count) => {
                let bytes = format!("{head}x-filler: {}", "x".repeat(80 << 10)).into_bytes();
                flood(&mut clients, address, count, bytes, Vec::new());
            }
            Kind::EndlessBodies(count) => {
                let bytes = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
                let chunk = [b"10000\r\n".as_slice(), &[b'x'; 0x10000], b"\r\n"].concat();
                flood(&mut clients, address, count, bytes, chunk);
            }
        }
    }
    Ok(clients)
}

async fn slow(mut stream: TcpStream, first: Duration) {
    tokio::time::sleep(first).await;
    while stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(BYTE_EVERY).await;
    }
}

/// Clients that send `start`, then `again` without end, and come back whenever they are sent away.
fn flood(
    clients: &mut JoinSet<()>,
    address: SocketAddr,
    count: usize,
    start: Vec<u8>,
    again: Vec<u8>,
) {
    let (start, again) = (Arc::new(start), Arc::new(again));
    for _ in 0..count {
        let (start, again) = (start.clone(), again.clone());
        clients.spawn(async move {
            while let Ok(mut stream) = TcpStream::connect(address).await {
                let (mut reader, mut writer) = stream.split();
                let send = async {
                    let mut sent = writer.write_all(&start).await;
                    while sent.is_ok() && !again.is_empty() {
                        sent = writer.write_all(&again).await;
                    }
                };
                let mut answer = Vec::new();
                let _ = tokio::join!(send, reader.read_to_end(&mut answer));
            }
        });
    }
}
