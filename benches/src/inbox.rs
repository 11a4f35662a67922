//! `chatly-bench inbox`: what a person waits for at the console, with little and with much behind it.
//!
//! 1. Three inboxes, each on a host of its own with a fresh state: a small one, one that fills a
//!    page, and a large one. The last two show the same number of rows, so that their difference is
//!    what size costs.
//! 2. Messages come in signed and through the webhook, and everything is stored, routed and enriched
//!    before anything is measured.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON values answer null for what they lack"
)]

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chatly_simulator::{Delivery, whatsapp};
use harness::{TestApp, secrets};

use crate::console::{PAGE, open_page, open_thread, waves};
use crate::figures::Figures;
use crate::{live, load};

/// Connections that messages are posted over.
const CONNECTIONS: usize = 16;
/// Openings that are not measured, for what is done once.
const WARM_UP: usize = 10;
/// How long nothing may move before the wait for the workers is given up.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub struct Arguments {
    /// Messages of the large inbox
    #[arg(long, default_value_t = 10_000, value_parser = at_least_1)]
    messages: usize,
    /// Conversations that they are spread over
    #[arg(long, default_value_t = 500, value_parser = at_least_1)]
    conversations: usize,
    /// How often the page and a thread are opened for each line
    #[arg(long, default_value_t = 200, value_parser = at_least_1)]
    times: usize,
}

fn at_least_1(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

/// How much is in an inbox.
#[derive(Clone, Copy)]
struct Size {
    messages: usize,
    conversations: usize,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} conversations, {} messages",
            self.conversations, self.messages
        )
    }
}

/// Fills and measures one inbox after another.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let large = Size {
        messages: arguments.messages,
        conversations: arguments.conversations,
    };
    // One more than a page holds, so that both pages have a next one.
    let page = Size {
        messages: (PAGE + 1) * large.messages.div_ceil(large.conversations),
        conversations: PAGE + 1,
    };
    let small = Size {
        messages: 100,
        conversations: 10,
    };
    for size in [small, page, large] {
        let app = live::host().await?;
        fill(&app, size).await?;
        measure(&app, arguments.times).await?;
    }
    Ok(())
}

/// Posts all messages and waits until nothing is left to do with them.
async fn fill(app: &TestApp, size: Size) -> Result<()> {
    println!("{size}");
    let address = app.base().trim_start_matches("http://").parse()?;
    let (start, next) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let posted = load::run(address, CONNECTIONS, move || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number > 0 && number.is_multiple_of(1000) && number <= size.messages {
            eprintln!("  {number} of {} messages posted", size.messages);
        }
        (number < size.messages).then(|| message(number, size.conversations))
    })
    .await?;
    println!("  posted: {posted}");
    ensure!(posted.failures == 0, "not all messages were taken");
    settle(app, size.messages).await?;
    let elapsed = start.elapsed().as_secs_f64();
    println!(
        "  stored, routed and enriched after {elapsed:.1} s: {:.0} messages/s",
        size.messages as f64 / elapsed
    );
    Ok(())
}

/// The `number`th message, in one of five languages.
fn message(number: usize, conversations: usize) -> Delivery {
    const TEXTS: [&str; 5] = [
        "Does it come in another color? We would take 20 of them, our budget is 500 USD",
        "Hola, quiero 20 unidades azules, mi correo es ana@example.com",
        "Quanto custa a entrega até sexta-feira?",
        "Guten Tag, wann kommt meine Bestellung endlich an?",
        "Bonjour, je voudrais annuler ma commande et être remboursé",
    ];
    let text = TEXTS[number % TEXTS.len()];
    whatsapp::text(text)
        .from_phone(&format!("1650{:07}", number % conversations))
        .at(whatsapp::AT_SECS + number as u64)
        .seed(number as u64)
        .signed_with(secrets::WHATSAPP_APP[0])
}

/// Waits until every message is in its conversation and no job is left, and says how far it is.
async fn settle(app: &TestApp, messages: usize) -> Result<()> {
    let (mut last, mut moved) = ((0, 0), Instant::now());
    loop {
        let mut stored = 0;
        for conversation in app.list("/v1/conversations").await? {
            stored += conversation["message_count"].as_u64().context("a count")?;
        }
        let left = if stored < messages as u64 {
            0
        } else {
            unfinished(app).await?
        };
        if stored >= messages as u64 && left == 0 {
            return Ok(());
        }
        if (stored, left) != last {
            (last, moved) = ((stored, left), Instant::now());
        }
        ensure!(moved.elapsed() < PATIENCE, "nothing moves any more");
        match left {
            0 => eprintln!("  {stored} of {messages} messages stored"),
            left => eprintln!("  {left} jobs left"),
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn unfinished(app: &TestApp) -> Result<usize> {
    for list in ["inbox", "outbox"] {
        let buried = app.list(&format!("/v1/{list}?state=buried")).await?;
        if let Some(job) = buried.first() {
            bail!("buried: {job}");
        }
    }
    let mut left = 0;
    for list in ["inbox", "outbox"] {
        for state in ["pending", "leased", "sending"] {
            left += app.list(&format!("/v1/{list}?state={state}")).await?.len();
        }
    }
    Ok(left)
}

/// Times of something, and of the part of it that reads the most.
#[derive(Default)]
struct Times {
    whole: Vec<Duration>,
    part: Vec<Duration>,
}

impl Times {
    fn push(&mut self, (whole, part): (Duration, Duration)) {
        self.whole.push(whole);
        self.part.push(part);
    }

    fn print(self, whole: &str, part: &str) {
        for (name, times) in [(whole, self.whole), (part, self.part)] {
            let elapsed = times.iter().sum();
            println!("  {name}: {}", Figures::new(times, elapsed, 0));
        }
    }
}

/// Opens the page and threads, again and again.
async fn measure(app: &TestApp, times: usize) -> Result<()> {
    let waves = waves(app).await?;
    let (mut page, mut thread) = (Times::default(), Times::default());
    let (mut rows, mut messages) = (Vec::new(), 0);
    for n in 0..WARM_UP + times {
        let took = open_page(app, &waves, &mut rows).await?;
        if n >= WARM_UP {
            page.push(took);
        }
    }
    for n in 0..WARM_UP + times {
        let took = open_thread(app, &rows[n % rows.len()], &mut messages).await?;
        if n >= WARM_UP {
            thread.push(took);
        }
    }
    let files = waves.iter().map(Vec::len).sum::<usize>();
    page.print(
        &format!("first page, {files} files and 4 calls"),
        &format!("  the list in it, {} rows", rows.len()),
    );
    thread.print(
        "a thread, 3 calls",
        &format!("  the messages in it, {messages} rows"),
    );
    Ok(())
}
