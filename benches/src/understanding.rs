//! `chatly-bench understanding`: what a language model costs on our side.
//!
//! 1. Overhead: messages wait while the bench holds the right to ask (the table `holds`). Then one call
//!    at a time is made to a model that is played on loopback and answers at once. What lies between an
//!    answer and the next request is ours: the answer read, checked, put back and committed, the next
//!    job leased, redacted and reserved.
//! 2. Beside webhooks: 200 calls are in flight to a model that answers after some seconds, while genuine
//!    senders post webhooks; before that the same senders with a model at rest.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Model, Options, Says, TestApp, secrets};
use http::Method;
use rusqlite::Connection;

use crate::figures::Figures;
use crate::hostile::genuine;
use crate::{live, pinned};

/// The right that asking a model needs.
const RIGHT: &str = "understand";
/// How often the database is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// From here on no other part of the bench writes to conversations.
const FRESH: usize = 10_000;
/// Calls in flight beside the webhooks.
const AT_ONCE: usize = 200;
/// How long nothing may move before the bench is given up.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub struct Arguments {
    /// Calls to measure the overhead of
    #[arg(long, default_value_t = 300)]
    calls: usize,
    /// Seconds that the model takes while webhooks come
    #[arg(long, default_value_t = 4)]
    secs: u64,
    /// Rounds of webhooks, each with the model at rest and at work
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Measures both.
pub async fn run(arguments: &Arguments) -> Result<()> {
    overhead(arguments.calls).await?;
    beside(arguments).await
}

struct Bench {
    app: TestApp,
    model: Model,
    database: Connection,
}

impl Bench {
    async fn start(says: Says, at_once: usize) -> Result<Self> {
        let model = Model::start(&[says]).await?;
        let mut options = Options {
            launcher: pinned::launcher(pinned::SERVER_CORE),
            ..Options::default()
        };
        let at_once = at_once.to_string();
        for (name, value) in [
            ("llm_base_url", model.base().as_str()),
            ("llm_model", "small"),
            ("llm_api_key", "key-of-the-bench"),
            ("llm_concurrency", &at_once),
        ] {
            options.variables.insert(name.to_owned(), value.to_owned());
        }
        let app = TestApp::start_with(options).await?;
        // The tables are made when they are needed first.
        let answer = app.deliver(&live::delivery("first", 0)).await?;
        ensure!(answer.status == 200, "answered {}", answer.status);
        let database = Connection::open(app.state().join("sqlite/default.db"))?;
        database.busy_timeout(Duration::from_secs(10))?;
        let bench = Bench {
            app,
            model,
            database,
        };
        bench.hold()?;
        Ok(bench)
    }

    fn hold(&self) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO holds (name, token, until) VALUES (?, 'bench', ?)";
        self.database.execute(sql, (RIGHT, i64::MAX))?;
        Ok(())
    }

    /// Messages of that many conversations from `first` on, each with a job that waits. A conversation has
    /// one job at a time, so `first` is one that nobody has written to.
    async fn prepare(&self, run: &str, first: usize, count: usize) -> Result<()> {
        let before = self.jobs("state = 'pending'")?;
        for number in 0..count {
            // Words of its own, or memory would answer.
            let text = format!("What do {} blue mugs cost, {run}?", word(number));
            let delivery = live::saying(&format!("{run}.{number}"), first + number, &text);
            let answer = self.app.deliver(&delivery).await?;
            ensure!(answer.status == 200, "answered {}", answer.status);
        }
        self.until(|| Ok(self.jobs("state = 'pending'")? >= before + count))
            .await
    }

    async fn release(&self) -> Result<()> {
        self.database
            .execute("DELETE FROM holds WHERE name = ?", [RIGHT])?;
        let key = format!("Bearer {}", secrets::SWEEP);
        let swept = self
            .app
            .request(
                Method::POST,
                "/internal/sweep",
                &[("authorization", &key)],
                "",
            )
            .await?;
        ensure!(swept.status.is_success(), "no sweep: {}", swept.status);
        Ok(())
    }

    fn jobs(&self, condition: &str) -> Result<usize> {
        let sql = format!("SELECT count(*) FROM outbox WHERE kind = 'understand' AND {condition}");
        let count: i64 = self.database.query_row(&sql, [], |row| row.get(0))?;
        Ok(usize::try_from(count)?)
    }

    /// Calls that were not made, by reason.
    fn not_asked(&self) -> Result<String> {
        let sql = "SELECT coalesce(error, details) || ' ' || count(*) FROM external_calls
             WHERE kind = 'llm' AND status IS NULL GROUP BY coalesce(error, details)";
        let mut statement = self.database.prepare(sql)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        let reasons: Vec<String> = rows.collect::<Result<_, _>>()?;
        Ok(reasons.join(", "))
    }

    async fn until(&self, is_so: impl Fn() -> Result<bool>) -> Result<()> {
        let end = std::time::Instant::now() + PATIENCE;
        while !is_so()? {
            ensure!(std::time::Instant::now() < end, "nothing moves any more");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

/// A word for a number: a number itself may be taken out as personal data.
fn word(number: usize) -> String {
    let digits = number.to_string();
    let letters = digits.bytes().map(|digit| char::from(digit - b'0' + b'k'));
    letters.collect()
}

async fn overhead(calls: usize) -> Result<()> {
    let bench = Bench::start(Says::Form(Model::form()), 1).await?;
    bench.prepare("overhead", FRESH, calls).await?;
    bench.release().await?;
    bench
        .until(|| Ok(bench.jobs("state <> 'done'")? == 0))
        .await?;
    let gaps = bench.model.gaps();
    let asked = bench.model.got().len();
    let why = bench.not_asked()?;
    ensure!(asked >= calls, "only {asked} calls: {why}");
    let figures = Figures::new(gaps, Duration::ZERO, 0);
    let millis = |percent| figures.percentile(percent).as_secs_f64() * 1e3;
    println!(
        "from a model's answer to the next request, one at a time: p50 {:.2} ms, p99 {:.2} ms, {} calls",
        millis(50),
        millis(99),
        figures.count() + 1
    );
    Ok(())
}

async fn beside(arguments: &Arguments) -> Result<()> {
    let stretch = Duration::from_secs(arguments.secs);
    let late = Says::Late(stretch + Duration::from_secs(1), Model::form());
    let bench = Bench::start(late, AT_ONCE).await?;
    let address = bench.app.base().trim_start_matches("http://").parse()?;
    // The first messages of 200 conversations, which are not what is measured.
    genuine(address, stretch).await?;
    let mut ratios = Vec::new();
    for round in 1..=arguments.rounds {
        bench.hold()?;
        bench
            .prepare(&format!("round{round}"), FRESH * round, AT_ONCE)
            .await?;
        let quiet = genuine(address, stretch).await?;
        let asked = bench.model.got().len();
        bench.release().await?;
        bench
            .until(|| Ok(bench.model.got().len() >= asked + AT_ONCE))
            .await
            .context("not all were asked at once")?;
        let busy = genuine(address, stretch).await?;
        let ratio = busy.percentile(99).as_secs_f64() / quiet.percentile(99).as_secs_f64();
        println!("round {round}: webhooks, model at rest: {quiet}");
        println!(
            "round {round}: webhooks, {AT_ONCE} calls in flight: {busy}; p99 ratio {ratio:.2}"
        );
        ratios.push(ratio);
        bench
            .until(|| Ok(bench.jobs("state <> 'done'")? == 0))
            .await?;
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied();
    println!(
        "p99 beside {AT_ONCE} calls by p99 at rest, median: {:.2}",
        median.context("a round")?
    );
    Ok(())
}
