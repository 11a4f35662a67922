//! Sends under everything at once: a platform that does anything, and a host that is killed at ten
//! moments. What the platform saw decides.
//!
//! `CHATLY_CHAOS_MESSAGES` says how many messages; the account's own limit (80 a second) makes 5 000
//! take minutes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use harness::{Options, TestApp, Turn, Upstream, eventually, secrets};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::payload;

const SEED: u64 = 20_261_123;
const CONVERSATIONS: usize = 200;
const KILLS: usize = 10;
/// Callers that post at the same time, each for conversations of its own.
const CALLERS: usize = 8;

async fn start(upstream: &Upstream, state: Option<TempDir>) -> Result<TestApp> {
    let mut options = Options {
        state,
        arguments: vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()],
        ..Options::default()
    };
    options.variables.extend([
        ("whatsapp_base_url".to_owned(), upstream.base().to_owned()),
        ("send_timeout_ms".to_owned(), "1000".to_owned()),
    ]);
    TestApp::start_with(options).await
}

fn database(state: &std::path::Path) -> Result<rusqlite::Connection> {
    let database = rusqlite::Connection::open(state.join("sqlite/default.db"))?;
    database.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(database)
}

/// SIGKILL, and the leases run out while nobody is there.
fn kill(app: TestApp) -> Result<TempDir> {
    let state = app.kill()?;
    let database = database(state.path())?;
    database.execute(
        "UPDATE outbox SET due_at = 0 WHERE state IN ('leased', 'sending')",
        [],
    )?;
    database.execute("UPDATE holds SET until = 0", [])?;
    Ok(state)
}

/// All customers write; the ids of their conversations.
async fn opened(app: &TestApp) -> Result<Vec<String>> {
    for number in 0..CONVERSATIONS {
        let (phone, id) = (format!("1650555{number:04}"), format!("wamid.in.{number}"));
        let delivery = payload::fresh_text_delivery(&phone, &id, "Hi");
        ensure!(app.deliver(&delivery).await?.status == 200);
    }
    app.settle().await?;
    let conversations = app.list("/v1/conversations").await?;
    let id = |row: &Value| row["id"].as_str().map(str::to_owned).context("id");
    conversations.iter().map(id).collect()
}

/// Says the messages of these numbers: number `n` in conversation `n % CONVERSATIONS`, in order.
async fn say(
    app: &TestApp,
    conversations: &[String],
    numbers: std::ops::Range<usize>,
) -> Result<()> {
    let bearer = format!("Bearer {}", secrets::API_KEY);
    let caller = async |own: usize| -> Result<()> {
        for number in numbers.clone() {
            let conversation = number % CONVERSATIONS;
            if conversation % CALLERS != own {
                continue;
            }
            let id = &conversations[conversation];
            let text = format!("{conversation}:{number}");
            let body = json!({ "conversation_id": id, "type": "text", "text": text }).to_string();
            let key = format!("k{number}");
            let headers = [
                ("authorization", bearer.as_str()),
                ("idempotency-key", key.as_str()),
            ];
            let answer = app
                .request(Method::POST, "/v1/messages", &headers, body)
                .await?;
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            ensure!(answer.status == 201, "{number}: {} {text}", answer.status);
        }
        Ok(())
    };
    futures::future::try_join_all((0..CALLERS).map(caller)).await?;
    Ok(())
}

fn unfinished(app: &TestApp) -> Result<i64> {
    let sql = "SELECT count(*) FROM outbox WHERE kind = 'send-whatsapp' AND state NOT IN ('done', 'buried')";
    Ok(database(app.state())?.query_row(sql, [], |row| row.get(0))?)
}

/// A request as the platform saw it.
struct Seen {
    reference: String,
    conversation: usize,
    number: usize,
    turn: Turn,
}

fn seen(upstream: &Upstream) -> Result<Vec<Seen>> {
    let mut all = Vec::new();
    for (sent, turn) in upstream.log() {
        let body: Value = serde_json::from_slice(&sent.body)?;
        let text = body["text"]["body"].as_str().context("text")?;
        let (conversation, number) = text.split_once(':').context("our text")?;
        all.push(Seen {
            reference: body["biz_opaque_callback_data"]
                .as_str()
                .context("reference")?
                .to_owned(),
            conversation: conversation.parse()?,
            number: number.parse()?,
            turn,
        });
    }
    Ok(all)
}

#[tokio::test]
async fn no_message_is_lost_doubled_or_overtaken() -> Result<()> {
    let count = match std::env::var("CHATLY_CHAOS_MESSAGES") {
        Ok(text) => text.parse()?,
        Err(_) => 1_000,
    };
    let upstream = Upstream::start_chaotic("whatsapp", SEED).await?;
    let mut app = start(&upstream, None).await?;
    let conversations = opened(&app).await?;
    assert_eq!(conversations.len(), CONVERSATIONS);
    let begun = std::time::Instant::now();
    for slice in 0..KILLS {
        let from = upstream.count();
        let numbers = count * slice / KILLS..count * (slice + 1) / KILLS;
        // Killed somewhere in the middle of what this slice brings.
        let enough = (numbers.len() / 3).max(1);
        say(&app, &conversations, numbers).await?;
        eventually("some of it is on its way", async || {
            Ok((upstream.count() >= from + enough).then_some(()))
        })
        .await?;
        app = start(&upstream, Some(kill(app)?)).await?;
    }
    let mut left = unfinished(&app)?;
    while left > 0 {
        left = eventually("another job is done", async || {
            let now = unfinished(&app)?;
            Ok((now < left).then_some(now))
        })
        .await?;
    }
    let took = begun.elapsed();

    let seen = seen(&upstream)?;
    let mut taken: BTreeMap<&str, Turn> = BTreeMap::new();
    let mut newest = vec![0; CONVERSATIONS];
    for request in &seen {
        assert!(
            !taken.contains_key(request.reference.as_str()),
            "{}: sent again after {:?}",
            request.number,
            taken[request.reference.as_str()]
        );
        if request.turn.may_have_taken() {
            taken.insert(&request.reference, request.turn);
        }
        let newest = &mut newest[request.conversation];
        assert!(
            *newest <= request.number,
            "{} after {newest}",
            request.number
        );
        *newest = request.number;
    }
    let jobs = app.list("/v1/outbox?kind=send-whatsapp").await?;
    assert_eq!(jobs.len(), count);
    for job in &jobs {
        let is_told = job["error"].as_str().is_some_and(|error| !error.is_empty());
        assert!(
            job["state"] == "done" || (job["state"] == "buried" && is_told),
            "{job}"
        );
    }
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    let mut numbers = BTreeSet::new();
    for message in app.messages().await? {
        if message["direction"] != "outbound" {
            continue;
        }
        let id = message["id"].as_str().context("id")?;
        let state = message["state"].as_str().context("state")?;
        numbers.insert(
            message["message"]["text"]
                .as_str()
                .context("text")?
                .to_owned(),
        );
        let turn = taken.get(id).copied();
        let is_sound = match state {
            "sent" => matches!(turn, Some(Turn::Mood(_))),
            // Taken or not: nobody on our side saw an answer, or the request never left.
            "uncertain" => true,
            "failed" => turn.is_none() && !message["error"].is_null(),
            _ => false,
        };
        assert!(is_sound, "{turn:?} {message}");
        *states.entry(state.to_owned()).or_default() += 1;
    }
    assert_eq!(numbers.len(), count, "every message is in its thread once");
    assert_eq!(states.values().sum::<usize>(), count);
    eprintln!(
        "{count} messages, {} requests, {KILLS} kills, {took:?}: {states:?}",
        seen.len()
    );
    Ok(())
}
