//! What a browser asks for when an operator opens the console, without drawing it.
//!
//! The page is loaded as without a cache: what it names, and what that names, up to six requests at
//! once; then the calls that its script makes, in its order (`crates/console/assets`). Where the
//! script waits for an answer, so does this.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON values answer null for what they lack"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use harness::{Answer, TestApp, secrets};
use http::{Method, Request};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections that a browser opens to one host.
const CONNECTIONS: usize = 6;
/// Conversations on a page: `PAGE` in `list.js`.
pub const PAGE: usize = 50;

/// The page's files: first what the page is, then what each wave names that none before it did.
pub async fn waves(app: &TestApp) -> Result<Vec<Vec<String>>> {
    let mut known = BTreeSet::new();
    let (mut waves, mut wave) = (Vec::new(), vec!["/".to_owned()]);
    while !wave.is_empty() {
        let mut found = Vec::new();
        for path in &wave {
            let file = app.request(Method::GET, path, &[], "").await?;
            let named = named(std::str::from_utf8(&file.body)?);
            found.extend(named.into_iter().filter(|path| known.insert(path.clone())));
        }
        waves.push(std::mem::replace(&mut wave, found));
    }
    Ok(waves)
}

/// The files that a page links or a script imports.
fn named(text: &str) -> Vec<String> {
    let quoted = |open: &'static str, folder: &'static str| {
        let rests = text.split(open).skip(1);
        rests.filter_map(move |rest| Some(format!("{folder}{}", rest.split_once('"')?.0)))
    };
    quoted("href=\"/", "/")
        .chain(quoted("src=\"/", "/"))
        .chain(quoted("from \"./", "/console/"))
        .collect()
}

/// Loads the page and makes the calls of its first screen: sign in, ticket, stream, list. Gives the
/// time of all, and of the list; keeps the list's rows.
pub async fn open_page(
    app: &TestApp,
    waves: &[Vec<String>],
    rows: &mut Vec<Value>,
) -> Result<(Duration, Duration)> {
    let start = Instant::now();
    for wave in waves {
        fetch(app, wave).await?;
    }
    ok(app.api("/v1/conversations?limit=1").await?)?;
    let key = format!("Bearer {}", secrets::API_KEY);
    let headers = [("authorization", key.as_str())];
    let ticket = app
        .request(Method::POST, "/v1/events/ticket", &headers, "")
        .await?
        .json()?;
    let url = ticket["url"].as_str().context("a ticket has a url")?;
    let stream = Request::get(format!("{}{url}", app.base())).body(Bytes::new())?;
    let stream = app.client().open(stream).await?;
    ensure!(stream.status() == 200, "the stream: {}", stream.status());
    let asked = Instant::now();
    let list = app.api(&format!("/v1/conversations?limit={PAGE}")).await?;
    let took = (start.elapsed(), asked.elapsed());
    *rows = data(list)?;
    Ok(took)
}

/// Reads files as a browser does, several at once.
async fn fetch(app: &TestApp, paths: &[String]) -> Result<()> {
    let turns = Arc::new(Semaphore::new(CONNECTIONS));
    let mut files = JoinSet::new();
    for path in paths {
        let request = Request::get(format!("{}{path}", app.base())).body(Bytes::new())?;
        let (client, turns) = (app.client().clone(), turns.clone());
        files.spawn(async move {
            let _turn = turns.acquire().await?;
            client.send(request).await
        });
    }
    while let Some(file) = files.join_next().await {
        ok(file??)?;
    }
    Ok(())
}

/// Makes the calls of a thread that is opened from the list, at once as the script does: messages,
/// contact, deliveries. Gives the time of all, and of the messages; keeps how many those are.
pub async fn open_thread(
    app: &TestApp,
    row: &Value,
    messages: &mut usize,
) -> Result<(Duration, Duration)> {
    let id = row["id"].as_str().context("a conversation has an id")?;
    let contact = row["contact"]["id"].as_str().context("and a contact")?;
    let paths = [
        format!("/v1/conversations/{id}/messages?order=newest&limit=200"),
        format!("/v1/contacts/{contact}"),
        format!("/v1/external-calls?conversation_id={id}&limit=50"),
    ];
    let start = Instant::now();
    let thread = async {
        let page = app.api(&paths[0]).await?;
        Ok::<_, anyhow::Error>((page, start.elapsed()))
    };
    let (thread, contact, calls) = tokio::join!(thread, app.api(&paths[1]), app.api(&paths[2]));
    let (thread, part) = thread?;
    let took = (start.elapsed(), part);
    ok(contact?)?;
    ok(calls?)?;
    *messages = data(thread)?.len();
    Ok(took)
}

fn ok(answer: Answer) -> Result<Answer> {
    ensure!(answer.status == 200, "answered {}", answer.status);
    Ok(answer)
}

fn data(answer: Answer) -> Result<Vec<Value>> {
    let page = ok(answer)?.json()?;
    let rows = page["data"].as_array().context("a list has data")?;
    ensure!(!rows.is_empty(), "an empty list");
    Ok(rows.clone())
}
