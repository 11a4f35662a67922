//! Ten SIGKILLs in a row: what was answered 200 is routed and understood once, and forwarded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use harness::{Options, TestApp, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Mutex;

use crate::forwarding::{CURRENT, Receiver};
use crate::payload;
use crate::routing::save;

const KILLS: usize = 10;
const CONVERSATIONS: usize = 6;
/// Messages of one conversation between two kills.
const EACH: usize = 5;

async fn start(state: Option<TempDir>) -> Result<TestApp> {
    let mut options = Options {
        state,
        ..Options::default()
    };
    options
        .variables
        .insert("n8n_signing_secret".to_owned(), CURRENT.to_owned());
    options.arguments = vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()];
    TestApp::start_with(options).await
}

/// Every conversation says something; the host is killed when `enough` of it was answered.
async fn burst(app: TestApp, round: usize, enough: usize) -> Result<(Vec<String>, TempDir)> {
    let app = Arc::new(app);
    let answered = Arc::new(Mutex::new(Vec::new()));
    let senders: Vec<_> = (0..CONVERSATIONS)
        .map(|conversation| {
            let (app, answered) = (app.clone(), answered.clone());
            tokio::spawn(async move {
                for n in 0..EACH {
                    let id = format!("wamid.{conversation}.{round}.{n}");
                    let phone = format!("1650555{conversation:04}");
                    let delivery = payload::text_delivery(&phone, &id, "Hola, quiero 20 unidades");
                    let Ok(answer) = app.deliver(&delivery).await else {
                        return;
                    };
                    if answer.status == 200 {
                        answered.lock().await.push(id);
                    }
                }
            })
        })
        .collect();
    eventually("enough is answered", async || {
        Ok((answered.lock().await.len() >= enough).then_some(()))
    })
    .await?;
    app.signal_kill()?;
    for sender in senders {
        sender.await?;
    }
    let state = Arc::into_inner(app)
        .context("all senders are done")?
        .kill()?;
    Ok((std::mem::take(&mut *answered.lock().await), state))
}

/// The runs of the router that a message went through.
fn phases(message: &Value) -> Vec<&str> {
    let runs = message["explanation"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    runs.iter()
        .filter_map(|run| run["phase"].as_str())
        .collect()
}

/// `webhook-id` by message, as the receiver saw them.
fn forwarded(receiver: &Receiver) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for got in receiver.got() {
        let event: Value = serde_json::from_slice(&got.body)?;
        let message = event["data"]["event"]["message"]["id"]
            .as_str()
            .context("message")?;
        let webhook = got.headers["webhook-id"].to_str()?.to_owned();
        ids.entry(message.to_owned()).or_default().insert(webhook);
    }
    Ok(ids)
}

#[tokio::test]
async fn after_ten_kills_everything_is_routed_understood_and_forwarded() -> Result<()> {
    let receiver = Receiver::start(&[]).await?;
    let url = format!("{}/hook", receiver.base);
    let (mut state, mut answered) = (None, Vec::new());
    for round in 0..KILLS {
        let app = start(state.take()).await?;
        if round == 0 {
            let then = json!([{ "do": "forward", "url": url }, { "do": "tag", "tags": ["seen"] }]);
            save(
                &app,
                json!({ "id": "all", "name": "Every message", "when": "true", "then": then }),
            )
            .await?;
        }
        let (more, left) = burst(app, round, 2 + round * 3 % (CONVERSATIONS * EACH)).await?;
        answered.extend(more);
        state = Some(left);
    }

    let app = start(state).await?;
    app.settle().await?;
    let messages = eventually(
        "all is routed twice, understood and forwarded",
        async || {
            let messages = app.messages().await?;
            let forwarded = forwarded(&receiver)?;
            let done = messages.iter().all(|message| {
                phases(message) == ["received", "enriched"]
                    && !message["enrichment"].is_null()
                    && message["message"]["id"]
                        .as_str()
                        .is_some_and(|id| forwarded.contains_key(id))
            });
            Ok(done.then_some(messages))
        },
    )
    .await?;

    let stored: Vec<_> = messages
        .iter()
        .filter_map(|message| message["message"]["id"].as_str())
        .collect();
    for id in &answered {
        assert_eq!(
            stored.iter().filter(|stored| *stored == id).count(),
            1,
            "{id}"
        );
    }
    let forwarded = forwarded(&receiver)?;
    assert_eq!(forwarded.len(), stored.len(), "one forward a message");
    for (message, webhooks) in &forwarded {
        assert_eq!(
            webhooks.len(),
            1,
            "{message}: a repeat has the id of the first: {webhooks:?}"
        );
    }
    let distinct: BTreeSet<_> = forwarded.values().flatten().collect();
    assert_eq!(distinct.len(), stored.len(), "no two messages share an id");
    let database = rusqlite::Connection::open(app.state().join("sqlite/default.db"))?;
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(
        count("SELECT count(*) FROM enrichments")?,
        i64::try_from(stored.len())?
    );
    assert_eq!(
        count("SELECT count(*) FROM outbox WHERE state = 'buried'")?,
        0
    );
    assert_eq!(
        count("SELECT count(*) FROM inbox WHERE state = 'buried'")?,
        0
    );
    Ok(())
}
