//! `chatly-bench pipeline`: what happens to a message after its webhook was answered.
//!
//! 1. Signed LINE webhooks are stored while nobody works on them: the bench holds the rights that
//!    worker, enricher and sender need (the table `holds`). Then one step after the other is let go,
//!    so that each is measured alone: routing (contact, conversation, message, rules, outbox),
//!    sending (to a LINE that is played on loopback), enrichment (and routing once more).
//! 2. Then messages come at a steady rate with everything at work, and the times that the store
//!    keeps say how long each one took.
//! 3. LINE, because its published pace (2 000 requests a second and account, none by conversation)
//!    is far above what is measured. A conversation gets at most four replies: the guard against
//!    two machines that talk to each other ends the sixth within a minute.
//! 4. With `--perf DIR` each step is recorded by perf: all of the server's core, since threads come
//!    and go. `perf report --pid` with the server's id, which is printed, leaves other work out.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chatly_simulator::{Delivery, Platform, Wish, find};
use harness::{Options, TestApp, Upstream, secrets};
use http::Method;
use rusqlite::Connection;
use serde_json::json;

use crate::cost::Cost;
use crate::figures::Figures;
use crate::{load, pinned};

/// Connections that messages are posted over.
const CONNECTIONS: usize = 16;
/// Replies that a conversation gets.
const PER_CONVERSATION: usize = 4;
/// Rules that are tried on each message and do not match, before the one that replies.
const OTHER_RULES: usize = 9;
/// How long nothing may move before a step is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the database is looked at: a step ends that much late at most.
const LOOK: Duration = Duration::from_millis(20);
/// Whoever works after the webhook, by the right that it needs.
const WORKERS: [&str; 3] = ["worker", "deliver-line", "enrich"];

#[derive(clap::Args)]
pub struct Arguments {
    /// Messages that are stored before the steps
    #[arg(long, default_value_t = 2_000)]
    messages: usize,
    /// Messages that come at a steady rate after that
    #[arg(long, default_value_t = 500)]
    steady: usize,
    /// How many of those come in a second
    #[arg(long, default_value_t = 25)]
    rate: u32,
    /// Where to put a profile of each step, made by perf
    #[arg(long)]
    perf: Option<PathBuf>,
}

struct Bench {
    app: TestApp,
    upstream: Upstream,
    database: Connection,
    platform: &'static dyn Platform,
    perf: Option<PathBuf>,
}

/// Measures the steps, then messages at a steady rate.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let bench = Bench::start(arguments).await?;
    println!("server: process {}", bench.app.pid());
    let count = arguments.messages;
    for worker in WORKERS {
        bench.hold(worker)?;
    }
    println!("{}", bench.post(0, count).await?);
    let routed = bench.step("worker", "route", &["event"], count).await?;
    println!("stored to routed, outbox written: {routed}");
    ensure!(
        bench.count("kind = 'send-line'")? == count,
        "not every message has its reply"
    );
    let sent = bench
        .step("deliver-line", "send", &["send-line"], count)
        .await?;
    println!("outbox to the platform: {sent}");
    ensure!(bench.upstream.count() == count, "not every reply was sent");
    let enriched = bench
        .step("enrich", "enrich", &["enrich", "route"], count)
        .await?;
    println!("enriched and routed once more: {enriched}");
    bench.steady(count, arguments.steady, arguments.rate).await
}

impl Bench {
    async fn start(arguments: &Arguments) -> Result<Self> {
        let platform = find("line").context("the simulator plays LINE")?;
        let upstream = Upstream::start("line", &[]).await?;
        let mut options = Options {
            launcher: pinned::launcher(pinned::SERVER_CORE),
            arguments: vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()],
            ..Options::default()
        };
        options.variables.extend([
            ("line_base_url".to_owned(), upstream.base().to_owned()),
            (
                "line_access_token".to_owned(),
                "token-of-the-bench".to_owned(),
            ),
        ]);
        let app = TestApp::start_with(options).await?;
        let database = Connection::open(app.state().join("sqlite/default.db"))?;
        database.busy_timeout(Duration::from_secs(10))?;
        let bench = Bench {
            app,
            upstream,
            database,
            platform,
            perf: arguments.perf.clone(),
        };
        bench.rules().await?;
        Ok(bench)
    }

    /// Several rules that do not match, then one that replies with the message's id.
    async fn rules(&self) -> Result<()> {
        for number in 0..=OTHER_RULES {
            let (when, then) = if number == OTHER_RULES {
                let reply = json!({ "do": "reply", "text": "{{message.id}}" });
                ("message.text.contains(\"color\")".to_owned(), reply)
            } else {
                let when = format!(
                    "message.text.lower().contains(\"word {number}\") || contact.tags.exists(tag, tag == \"{number}\")"
                );
                (when, json!({ "do": "tag", "tags": ["never"] }))
            };
            let rule = json!({ "id": format!("r{number}"), "name": format!("Rule {number}"),
                "priority": number, "when": when, "then": [then] });
            let key = format!("Bearer {}", secrets::API_KEY);
            let headers = [("authorization", key.as_str())];
            let saved = self
                .app
                .request(Method::POST, "/v1/rules", &headers, rule.to_string())
                .await?;
            ensure!(saved.status == 201, "a rule is refused: {saved:?}");
        }
        Ok(())
    }

    /// Keeps a worker from its work.
    fn hold(&self, name: &str) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO holds (name, token, until) VALUES (?, 'bench', ?)";
        self.database.execute(sql, (name, i64::MAX))?;
        Ok(())
    }

    /// Posts `count` messages from number `first` on, as fast as they are taken.
    async fn post(&self, first: usize, count: usize) -> Result<String> {
        let address = self.app.base().trim_start_matches("http://").parse()?;
        let deliveries: Result<Vec<_>> = (first..first + count)
            .map(|number| message(self.platform, number))
            .collect();
        let deliveries = Arc::new(Mutex::new(deliveries?.into_iter()));
        let posted = load::run(address, CONNECTIONS, move || {
            let mut deliveries = deliveries.lock().unwrap_or_else(PoisonError::into_inner);
            deliveries.next()
        })
        .await?;
        ensure!(posted.count() == count, "not all messages were taken");
        Ok(format!("webhooks, stored only: {posted}"))
    }

    /// Lets a worker go and waits until no job of these kinds is left.
    async fn step(&self, worker: &str, name: &str, kinds: &[&str], count: usize) -> Result<String> {
        let before = Cost::read(self.app.pid())?;
        let recording = self.record(name)?;
        let sql = "DELETE FROM holds WHERE name = ?";
        self.database.execute(sql, [worker])?;
        let start = Instant::now();
        let headers = [("authorization", format!("Bearer {}", secrets::SWEEP))];
        let headers = headers.each_ref().map(|(name, value)| (*name, &**value));
        let swept = self
            .app
            .request(Method::POST, "/internal/sweep", &headers, "")
            .await?;
        ensure!(swept.status.is_success(), "no sweep: {}", swept.status);
        self.until_done(kinds).await?;
        let elapsed = start.elapsed();
        stop(recording)?;
        let spent = Cost::read(self.app.pid())?.since(&before);
        Ok(format!(
            "{:.0}/s, {:.2} s, {}",
            count as f64 / elapsed.as_secs_f64(),
            elapsed.as_secs_f64(),
            spent.of(count)
        ))
    }

    async fn until_done(&self, kinds: &[&str]) -> Result<()> {
        let kinds = format!("kind IN ('{}')", kinds.join("','"));
        let (mut last, mut moved) = (usize::MAX, Instant::now());
        loop {
            ensure!(
                self.count(&format!("{kinds} AND state = 'buried'"))? == 0,
                "a job was buried"
            );
            let left = self.count(&format!("{kinds} AND state <> 'done'"))?;
            if left == 0 {
                return Ok(());
            }
            if left != last {
                (last, moved) = (left, Instant::now());
            }
            ensure!(moved.elapsed() < PATIENCE, "nothing moves any more");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Jobs in inbox and outbox.
    fn count(&self, condition: &str) -> Result<usize> {
        let sql = format!(
            "SELECT (SELECT count(*) FROM inbox WHERE {condition})
                  + (SELECT count(*) FROM outbox WHERE {condition})"
        );
        let count: i64 = self.database.query_row(&sql, [], |row| row.get(0))?;
        Ok(usize::try_from(count)?)
    }

    /// Messages at a steady rate with everything at work, and what the store says of each.
    async fn steady(&self, first: usize, count: usize, rate: u32) -> Result<()> {
        let before = Cost::read(self.app.pid())?;
        let recording = self.record("steady")?;
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate.max(1));
        for number in first..first + count {
            ticks.tick().await;
            let answer = self.app.deliver(&message(self.platform, number)?).await?;
            ensure!(answer.status == 200, "answered {}", answer.status);
        }
        self.until_done(&["event", "send-line", "enrich", "route"])
            .await?;
        stop(recording)?;
        let spent = Cost::read(self.app.pid())?.since(&before);
        println!("{rate} messages/s, all at work: {}", spent.of(count));
        let received = self.times("SELECT payload ->> '$.message.id', created_at, 0 FROM inbox")?;
        let replies = self.times(
            "SELECT payload ->> '$.message.text', created_at, finished_at FROM outbox WHERE kind = 'send-line'",
        )?;
        let mut steps: [Vec<Duration>; 3] = Default::default();
        for number in first..first + count {
            let id = self.platform.message_id(&wish(number))?;
            let (received, _) = received.get(&id).context("every message is stored")?;
            let (routed, sent) = replies.get(&id).context("every message has its reply")?;
            for (times, (from, to)) in
                steps
                    .iter_mut()
                    .zip([(received, routed), (routed, sent), (received, sent)])
            {
                times.push(Duration::from_millis(to.saturating_sub(*from)));
            }
        }
        let names = ["received to routed", "routed to sent", "received to sent"];
        for (name, times) in names.into_iter().zip(steps) {
            let figures = Figures::new(times, Duration::ZERO, 0);
            let [p50, p90, p99, most] =
                [50, 90, 99, 100].map(|percent| figures.percentile(percent).as_millis());
            println!("  {name}: p50 {p50} ms, p90 {p90} ms, p99 {p99} ms, most {most} ms");
        }
        Ok(())
    }

    /// Two times of each row, by its message's id.
    fn times(&self, sql: &str) -> Result<BTreeMap<String, (u64, u64)>> {
        let mut statement = self.database.prepare(sql)?;
        let rows = statement.query_map([], |row| {
            let (from, to): (i64, i64) = (row.get(1)?, row.get(2)?);
            Ok((row.get(0)?, (from.unsigned_abs(), to.unsigned_abs())))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn record(&self, step: &str) -> Result<Option<Child>> {
        let Some(folder) = &self.perf else {
            return Ok(None);
        };
        std::fs::create_dir_all(folder)?;
        let child = Command::new("perf")
            .args(["record", "--quiet", "--freq", "499", "-g", "--cpu"])
            .args([pinned::SERVER_CORE, "--output"])
            .arg(folder.join(format!("{step}.data")))
            .stdout(Stdio::null())
            .spawn()
            .context("perf is needed for --perf")?;
        Ok(Some(child))
    }
}

fn stop(recording: Option<Child>) -> Result<()> {
    let Some(mut child) = recording else {
        return Ok(());
    };
    Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()?;
    child.wait()?;
    Ok(())
}

/// The `number`th message: a text of a conversation that gets [`PER_CONVERSATION`] of them.
fn wish(number: usize) -> Wish {
    Wish {
        kind: "text".to_owned(),
        text: Some("Does it come in another color? We would take 20 of them.".to_owned()),
        from: Some(format!("U{:032x}", number / PER_CONVERSATION)),
        seed: number as u64,
        ..Wish::default()
    }
}

fn message(platform: &dyn Platform, number: usize) -> Result<Delivery> {
    let unsigned = platform.unsigned(&[wish(number)])?;
    Ok(platform.sign(unsigned, "", secrets::signing("line"), 0))
}
