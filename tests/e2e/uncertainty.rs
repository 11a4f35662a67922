//! Sends of which nobody can know what became, messages of several requests, and accounts that a
//! platform holds back.

use anyhow::{Context, Result, ensure};
use chatly_simulator::Mood;
use harness::{Options, TestApp, Turn, Upstream, eventually, secrets};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::payload;

const PHONE: &str = "16505551234";

async fn start(upstream: &Upstream, token: &str, state: Option<TempDir>) -> Result<TestApp> {
    let mut options = Options {
        state,
        arguments: vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()],
        ..Options::default()
    };
    options.variables.extend([
        ("whatsapp_base_url".to_owned(), upstream.base().to_owned()),
        ("whatsapp_access_token".to_owned(), token.to_owned()),
    ]);
    TestApp::start_with(options).await
}

/// The customer writes; the id of the conversation.
async fn opened(app: &TestApp, phone: &str) -> Result<String> {
    let id = format!("wamid.{phone}");
    let delivery = payload::fresh_text_delivery(phone, &id, "Hi");
    ensure!(app.deliver(&delivery).await?.status == 200);
    app.settle().await?;
    let conversations = app.list("/v1/conversations").await?;
    Ok(conversations[0]["id"].as_str().context("id")?.to_owned())
}

async fn say(app: &TestApp, conversation: &str, text: &str) -> Result<String> {
    let bearer = format!("Bearer {}", secrets::API_KEY);
    let body = json!({ "conversation_id": conversation, "type": "text", "text": text });
    let headers = [("authorization", bearer.as_str())];
    let answer = app
        .request(Method::POST, "/v1/messages", &headers, body.to_string())
        .await?;
    ensure!(answer.status == 201, "{}", answer.status);
    Ok(answer.json()?["id"].as_str().context("id")?.to_owned())
}

async fn became(app: &TestApp, id: &str, state: &str) -> Result<Value> {
    eventually(&format!("the message is {state}"), async || {
        let messages = app.messages().await?;
        let message = messages.into_iter().find(|message| message["id"] == id);
        Ok(message.filter(|message| message["state"] == state))
    })
    .await
}

fn text_of(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["text"]["body"].as_str().unwrap_or_default().to_owned()
}

fn database(state: &std::path::Path) -> Result<rusqlite::Connection> {
    let database = rusqlite::Connection::open(state.join("sqlite/default.db"))?;
    database.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(database)
}

#[tokio::test]
async fn a_gateways_failure_is_uncertain_and_nothing_goes_out_again() -> Result<()> {
    let plan = [Turn::Says(502, "{}"), Turn::Says(504, "{}")];
    let upstream = Upstream::start("whatsapp", &plan).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app, PHONE).await?;
    for text in ["bad gateway", "gateway timeout"] {
        let id = say(&app, &conversation, text).await?;
        became(&app, &id, "uncertain").await?;
    }
    let next = say(&app, &conversation, "next").await?;
    became(&app, &next, "sent").await?;
    let texts: Vec<String> = upstream.got().iter().map(|it| text_of(&it.body)).collect();
    assert_eq!(texts, ["bad gateway", "gateway timeout", "next"]);
    Ok(())
}

#[tokio::test]
async fn a_kill_between_parts_sends_none_twice_and_hides_nothing() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[Turn::Mood(Mood::Well), Turn::Holds]).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app, PHONE).await?;
    let id = say(&app, &conversation, &"ä".repeat(4_097)).await?;
    eventually("the second part is on its way", async || {
        Ok((upstream.count() == 2).then_some(()))
    })
    .await?;
    // The first is known, with its id, before the second begins.
    let first = became(&app, &id, "sent").await?;
    let platform_id = first["message"]["id"].as_str().context("id")?.to_owned();
    let state = app.kill()?;
    let rows = database(state.path())?;
    let expired = "UPDATE outbox SET due_at = 0 WHERE state = 'sending' AND step = 1";
    assert_eq!(rows.execute(expired, [])?, 1);
    rows.execute("UPDATE holds SET until = 0", [])?;
    drop(rows);

    let app = start(&upstream, secrets::WHATSAPP_ACCESS, Some(state)).await?;
    let message = became(&app, &id, "uncertain").await?;
    assert_eq!(message["message"]["id"], platform_id.as_str());
    let jobs = app.list("/v1/outbox?kind=send-whatsapp").await?;
    assert_eq!(
        (&jobs[0]["state"], &jobs[0]["error"]),
        (&json!("buried"), &json!("uncertain"))
    );
    let next = say(&app, &conversation, "next").await?;
    became(&app, &next, "sent").await?;
    let lengths: Vec<usize> = upstream
        .got()
        .iter()
        .map(|it| text_of(&it.body).chars().count())
        .collect();
    assert_eq!(lengths, [4_096, 1, 4]);
    Ok(())
}

#[tokio::test]
async fn too_fast_in_one_conversation_holds_the_account_back() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[Turn::Throttles("2")]).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let one = opened(&app, PHONE).await?;
    let two = opened(&app, "16505559999").await?;
    let first = say(&app, &one, "first").await?;
    let rows = database(app.state())?;
    let until = eventually("the account is held back", async || {
        let sql = "SELECT max(held_until) FROM channel_accounts";
        Ok(rows.query_row(sql, [], |row| row.get::<_, Option<i64>>(0))?)
    })
    .await?;
    let other = say(&app, &two, "elsewhere").await?;
    for id in [&first, &other] {
        became(&app, id, "sent").await?;
    }
    let calls = app.list("/v1/external-calls").await?;
    let after = calls.iter().filter(|call| call["status"] == 200);
    assert_eq!(after.clone().count(), 2);
    for call in after {
        assert!(call["at"].as_i64() >= Some(until), "{call}");
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_token_stops_the_account_visibly_until_there_is_one() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start(&upstream, "", None).await?;
    let conversation = opened(&app, PHONE).await?;
    let id = say(&app, &conversation, "Hi").await?;
    let account = eventually("the account is stopped", async || {
        let accounts = app.list("/v1/accounts?channel=whatsapp").await?;
        Ok(accounts.into_iter().find(|it| it["health"] == "stopped"))
    })
    .await?;
    assert_eq!(account["reason"], "no access token is configured");
    assert_eq!(upstream.count(), 0);
    let (_, state) = app.stop()?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, Some(state)).await?;
    became(&app, &id, "sent").await?;
    assert_eq!(app.list("/v1/accounts").await?[0]["health"], "ok");
    Ok(())
}
