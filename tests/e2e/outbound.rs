//! What we say, against a platform that is played.

use anyhow::{Context, Result, ensure};
use chatly_simulator::Mood;
use harness::{Answer, Options, TestApp, Turn, Upstream, eventually, secrets};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::payload;

const PHONE: &str = "16505551234";

/// A host whose WhatsApp is `upstream`, on `state` if there is one.
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
async fn opened(app: &TestApp) -> Result<String> {
    app.deliver(&payload::fresh_text_delivery(PHONE, "wamid.theirs", "Hi"))
        .await?;
    app.settle().await?;
    let conversations = app.list("/v1/conversations").await?;
    Ok(conversations[0]["id"].as_str().context("id")?.to_owned())
}

async fn post(app: &TestApp, conversation: &str, key: Option<&str>, body: &str) -> Result<Answer> {
    let bearer = format!("Bearer {}", secrets::API_KEY);
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    let path = format!("/v1/conversations/{conversation}/messages");
    let body = body.to_owned();
    app.request(Method::POST, &path, &headers, body).await
}

/// Says a text; our id of the message.
async fn say(app: &TestApp, conversation: &str, text: &str) -> Result<String> {
    let body = json!({ "type": "text", "text": text }).to_string();
    let answer = post(app, conversation, None, &body).await?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    ensure!(answer.status == 201, "{text}");
    let row = answer.json()?;
    assert_eq!(row["direction"], "outbound");
    Ok(row["id"].as_str().context("id")?.to_owned())
}

async fn message(app: &TestApp, id: &str) -> Result<Value> {
    let messages = app.messages().await?;
    let found = messages.into_iter().find(|message| message["id"] == id);
    found.with_context(|| id.to_owned())
}

/// Waits until the message is in this state.
async fn became(app: &TestApp, id: &str, state: &str) -> Result<Value> {
    eventually(&format!("the message is {state}"), async || {
        let message = message(app, id).await?;
        Ok((message["state"] == state).then_some(message))
    })
    .await
}

#[tokio::test]
async fn a_text_reaches_the_platform_as_documented_and_its_status_comes_back() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app).await?;
    let id = say(&app, &conversation, "Olá 👋").await?;
    let sent = became(&app, &id, "sent").await?;

    let got = upstream.got();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].method, "POST");
    assert_eq!(got[0].path, format!("/v26.0/{}/messages", payload::ACCOUNT));
    let bearer = format!("Bearer {}", secrets::WHATSAPP_ACCESS);
    assert_eq!(got[0].header("authorization"), Some(bearer.as_str()));
    assert_eq!(got[0].header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_slice(&got[0].body)?;
    assert_eq!(
        body,
        json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": PHONE,
            "biz_opaque_callback_data": id, "type": "text",
            "text": { "preview_url": false, "body": "Olá 👋" },
        })
    );

    let platform_id = sent["message"]["id"].as_str().context("id")?;
    assert!(platform_id.starts_with("wamid."), "{platform_id}");
    let status = payload::status(PHONE, platform_id, "delivered");
    let value = payload::value(json!({ "statuses": [status] }));
    app.deliver(&payload::signed(&payload::envelope(value)))
        .await?;
    became(&app, &id, "delivered").await?;

    let calls = app
        .list(&format!("/v1/external-calls?message_id={id}"))
        .await?;
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["status"], 200);
    let target = format!("{}{}", upstream.base(), got[0].path);
    assert_eq!(calls[0]["target"], target);
    // An echo of our own send is no second message.
    let echo = payload::echo_envelope(PHONE, platform_id, "Olá 👋");
    app.deliver(&payload::signed(&echo)).await?;
    app.settle().await?;
    assert_eq!(app.messages().await?.len(), 2);
    let (output, _) = app.stop()?;
    assert!(!output.contains(secrets::WHATSAPP_ACCESS));
    Ok(())
}

#[tokio::test]
async fn a_throttled_send_is_tried_again_and_order_holds() -> Result<()> {
    let plan = [Turn::Mood(Mood::Throttled), Turn::Mood(Mood::Failing)];
    let upstream = Upstream::start("whatsapp", &plan).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app).await?;
    let first = say(&app, &conversation, "first").await?;
    let second = say(&app, &conversation, "second").await?;
    became(&app, &first, "sent").await?;
    became(&app, &second, "sent").await?;
    let texts: Vec<Value> = upstream
        .got()
        .iter()
        .map(|sent| {
            let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
            body["text"]["body"].clone()
        })
        .collect();
    assert_eq!(texts, ["first", "first", "first", "second"]);
    let calls = app.list("/v1/external-calls").await?;
    let statuses: Vec<_> = calls.iter().map(|call| call["status"].clone()).collect();
    assert_eq!(statuses, [200, 200, 500, 429], "newest first");
    Ok(())
}

#[tokio::test]
async fn what_the_platform_refuses_is_failed_with_its_code_and_holds_up_nothing() -> Result<()> {
    let refused = r#"{"error":{"code":131026,"message":"Message undeliverable"}}"#;
    let plan = [Turn::Says(400, refused), Turn::Mood(Mood::WindowClosed)];
    let upstream = Upstream::start("whatsapp", &plan).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app).await?;
    for (text, code) in [("undeliverable", "131026"), ("too late", "131047")] {
        let id = say(&app, &conversation, text).await?;
        let failed = became(&app, &id, "failed").await?;
        assert_eq!(failed["error"]["code"], code, "{text}");
    }
    let id = say(&app, &conversation, "well").await?;
    became(&app, &id, "sent").await?;
    assert_eq!(upstream.got().len(), 3);
    let buried = app
        .list("/v1/outbox?kind=send-whatsapp&state=buried")
        .await?;
    assert_eq!(buried.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_crash_between_request_and_answer_sends_nothing_twice() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[Turn::Holds]).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app).await?;
    let lost = say(&app, &conversation, "lost").await?;
    eventually("the platform has it", async || {
        Ok((!upstream.got().is_empty()).then_some(()))
    })
    .await?;
    let state = app.kill()?;
    // The lease runs out while nobody is there.
    let database = rusqlite::Connection::open(state.path().join("sqlite/default.db"))?;
    let marked = database.execute(
        "UPDATE outbox SET due_at = 0 WHERE kind = 'send-whatsapp' AND state = 'sending'",
        [],
    )?;
    assert_eq!(marked, 1);
    database.execute("UPDATE holds SET until = 0", [])?;
    drop(database);
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, Some(state)).await?;
    became(&app, &lost, "uncertain").await?;
    let next = say(&app, &conversation, "next").await?;
    became(&app, &next, "sent").await?;
    let got = upstream.got();
    let texts: Vec<_> = got
        .iter()
        .map(|sent| String::from_utf8_lossy(&sent.body).contains("lost"))
        .collect();
    assert_eq!(texts, [true, false], "the lost one went out once");
    Ok(())
}

#[tokio::test]
async fn an_idempotency_key_answers_the_first_message() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app).await?;
    let text = r#"{"type":"text","text":"once"}"#;
    let first = post(&app, &conversation, Some("k"), text).await?;
    let id = first.json()?["id"].as_str().context("id")?.to_owned();
    became(&app, &id, "sent").await?;
    let again = post(&app, &conversation, Some("k"), text).await?;
    assert_eq!(
        (again.status, &again.json()?["id"]),
        (first.status, &json!(id))
    );
    let other = r#"{"type":"text","text":"other"}"#;
    let reused = post(&app, &conversation, Some("k"), other).await?;
    assert_eq!(reused.status, 422);
    assert_eq!(reused.json()?["code"], "idempotency_key_reused");
    for (name, id, body, status) in [
        ("no such conversation", "nobody", text, 404),
        ("no type", conversation.as_str(), "{}", 400),
        ("not JSON", &conversation, "hello", 400),
        (
            "no message",
            &conversation,
            r#"{"type":"typing","message_id":"m"}"#,
            422,
        ),
    ] {
        let answer = post(&app, id, None, body).await?;
        assert_eq!(answer.status, status, "{name}");
    }
    assert_eq!(app.messages().await?.len(), 2);
    assert_eq!(upstream.got().len(), 1);
    Ok(())
}

#[tokio::test]
async fn without_an_access_token_nothing_is_sent_and_the_reason_shows() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start(&upstream, "", None).await?;
    let conversation = opened(&app).await?;
    let id = say(&app, &conversation, "Hi").await?;
    eventually("it was put off", async || {
        let jobs = app.list("/v1/outbox?kind=send-whatsapp").await?;
        Ok((jobs[0]["error"] == "no access token is configured").then_some(()))
    })
    .await?;
    assert_eq!(message(&app, &id).await?["state"], "accepted");
    assert!(upstream.got().is_empty());
    Ok(())
}
