//! How many durable inserts a second a database takes from 1, 16 and 64 callers at once.
//!
//! `cargo run --example writers [SECONDS]`

use std::time::{Duration, Instant};

use chatly_sqlite::{Backend, Error, Local, Value};

/// What a stored message takes, about.
const BODY_BYTES: usize = 600;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let seconds = std::env::args()
        .nth(1)
        .and_then(|argument| argument.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(2));
    let folder = std::env::temp_dir().join(format!("chatly-writers-{}", std::process::id()));
    for callers in [1, 16, 64] {
        let (inserts, slowest) = measure(&folder, callers, time).await?;
        let rate = inserts as f64 / time.as_secs_f64();
        println!("{callers} callers: {rate:.0} inserts/s, 99 % within {slowest:?}");
    }
    let _ = std::fs::remove_dir_all(&folder);
    Ok(())
}

/// How many inserts were done, and the time within which 99 of 100 were.
async fn measure(
    folder: &std::path::Path,
    callers: usize,
    time: Duration,
) -> Result<(usize, Duration), Error> {
    let label = format!("of{callers}");
    let database = Local::new(folder, &label).map_err(|error| Error::Io(error.to_string()))?;
    let setup = database.open().await?;
    for sql in [
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, key TEXT UNIQUE, body TEXT)",
    ] {
        setup.execute(sql.to_owned(), vec![]).await?;
    }
    let end = Instant::now() + time;
    let database = &database;
    let calls = (0..callers).map(|caller| async move {
        let mut waits = Vec::new();
        while Instant::now() < end {
            let began = Instant::now();
            let connection = database.open().await?;
            let key = format!("{caller}-{}", waits.len());
            let parameters = vec![Value::Text(key), Value::Text("x".repeat(BODY_BYTES))];
            let sql = "INSERT INTO t (key, body) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING id";
            connection.execute(sql.to_owned(), parameters).await?;
            waits.push(began.elapsed());
        }
        Ok::<_, Error>(waits)
    });
    let mut waits = futures::future::try_join_all(calls).await?.concat();
    waits.sort_unstable();
    let slowest = waits.get(waits.len() * 99 / 100).copied();
    Ok((waits.len(), slowest.unwrap_or_default()))
}
