//! What is not sent, and why it shows: dead tokens, closed windows, people who answered first.

use anyhow::{Context, Result, ensure};
use harness::{Answer, Options, TestApp, Turn, Upstream, chatly, eventually, root, secrets};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::payload;

const PHONE: &str = "16505551234";
/// The phone number id of the payloads.
const ACCOUNT: &str = "106540352242922";
const DEAD: Turn = Turn::Says(
    401,
    r#"{"error":{"code":190,"type":"OAuthException","message":"Error validating access token"}}"#,
);
const TEMPLATE: &str = r#"{"type":"template","template":{"name":"hello","language":"en_US"}}"#;

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

/// The customer writes now; the id of their conversation.
async fn opened(app: &TestApp, phone: &str) -> Result<String> {
    let id = format!("wamid.{phone}");
    let delivery = payload::fresh_text_delivery(phone, &id, "Hi");
    ensure!(app.deliver(&delivery).await?.status == 200);
    app.settle().await?;
    newest(app).await
}

async fn newest(app: &TestApp) -> Result<String> {
    let conversations = app.list("/v1/conversations").await?;
    Ok(conversations[0]["id"].as_str().context("id")?.to_owned())
}

async fn post(app: &TestApp, path: &str, body: &Value) -> Result<Answer> {
    let bearer = format!("Bearer {}", secrets::API_KEY);
    let headers = [("authorization", bearer.as_str())];
    app.request(Method::POST, path, &headers, body.to_string())
        .await
}

/// Says a text with more fields; our id of the message.
async fn say(app: &TestApp, conversation: &str, text: &str, more: Value) -> Result<String> {
    let mut body = json!({ "conversation_id": conversation, "type": "text", "text": text });
    let fields = more.as_object().cloned().unwrap_or_default();
    body.as_object_mut().context("object")?.extend(fields);
    let answer = post(app, "/v1/messages", &body).await?;
    let words = String::from_utf8_lossy(&answer.body).into_owned();
    ensure!(answer.status == 201, "{words}");
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

/// Waits until every send waits for its account.
async fn parked(app: &TestApp, count: usize) -> Result<()> {
    eventually("the jobs wait", async || {
        let jobs = app
            .list("/v1/outbox?kind=send-whatsapp&state=pending")
            .await?;
        // The year 9999.
        let waits = |job: &&Value| job["due_at"].as_u64() > Some(253_000_000_000_000);
        Ok((jobs.iter().filter(waits).count() == count).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_dead_token_stops_its_account_within_one_call_until_there_is_another() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[DEAD]).await?;
    let app = start(&upstream, "dead-token", None).await?;
    let one = opened(&app, PHONE).await?;
    let first = say(&app, &one, "first", json!({})).await?;
    parked(&app, 1).await?;
    let two = opened(&app, "16505559999").await?;
    let others = [
        say(&app, &one, "second", json!({})).await?,
        say(&app, &two, "elsewhere", json!({})).await?,
    ];
    parked(&app, 2).await?;
    let accounts = app.list("/v1/accounts?channel=whatsapp").await?;
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0]["account"], ACCOUNT);
    assert_eq!(
        (&accounts[0]["health"], &accounts[0]["code"]),
        (&json!("stopped"), &json!("190"))
    );
    let ready = app.request(Method::GET, "/readyz", &[], "").await?;
    assert_eq!(
        (ready.status.as_u16(), &ready.json()?["stopped_accounts"]),
        (200, &json!(1))
    );

    // A restart is no reason to try the same token again.
    let (_, state) = app.stop()?;
    let app = start(&upstream, "dead-token", Some(state)).await?;
    let three = opened(&app, "16505558888").await?;
    let late = say(&app, &three, "late", json!({})).await?;
    parked(&app, 3).await?;
    assert_eq!(upstream.count(), 1, "one call in all");

    let (output, state) = app.stop()?;
    assert!(!output.contains("dead-token"));
    let app = start(&upstream, "new-token", Some(state)).await?;
    for id in others.iter().chain([&first, &late]) {
        became(&app, id, "sent").await?;
    }
    assert_eq!(upstream.count(), 5);
    assert_eq!(app.list("/v1/accounts").await?[0]["health"], "ok");
    Ok(())
}

#[tokio::test]
async fn a_stopped_account_goes_on_when_a_person_says_so() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[DEAD]).await?;
    let app = start(&upstream, "token", None).await?;
    let conversation = opened(&app, PHONE).await?;
    let id = say(&app, &conversation, "first", json!({})).await?;
    parked(&app, 1).await?;
    let path = format!("/v1/accounts/whatsapp/{ACCOUNT}/resume");
    let resumed = post(&app, &path, &json!({})).await?;
    assert_eq!(
        (resumed.status.as_u16(), &resumed.json()?["health"]),
        (200, &json!("ok"))
    );
    became(&app, &id, "sent").await?;
    let nobody = post(&app, "/v1/accounts/whatsapp/nobody/resume", &json!({})).await?;
    assert_eq!(nobody.status, 404);
    Ok(())
}

#[tokio::test]
async fn a_closed_window_lets_only_the_template_through() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    // Written in 2025.
    app.deliver(&payload::text_delivery(PHONE, "wamid.old", "Hi"))
        .await?;
    app.settle().await?;
    let conversation = newest(&app).await?;
    let late = say(&app, &conversation, "too late", json!({})).await?;
    let failed = became(&app, &late, "failed").await?;
    assert_eq!(failed["error"]["code"], "window_closed");
    assert_eq!(upstream.count(), 0, "the platform is not asked");
    let buried = app
        .list("/v1/outbox?kind=send-whatsapp&state=buried")
        .await?;
    assert!(
        buried[0]["error"]
            .as_str()
            .is_some_and(|it| it.starts_with("window_closed"))
    );

    let template: Value = serde_json::from_str(TEMPLATE)?;
    let with = say(&app, &conversation, "text", json!({ "fallback": template })).await?;
    let sent = became(&app, &with, "sent").await?;
    assert_eq!(sent["explanation"][0]["actions"][0]["outcome"], "window_closed");
    let got = upstream.got();
    let body: Value = serde_json::from_slice(&got[0].body)?;
    assert_eq!((got.len(), &body["template"]["name"]), (1, &json!("hello")));

    // The customer writes: the text goes out as it is.
    opened(&app, PHONE).await?;
    let open = say(
        &app,
        &conversation,
        "in time",
        json!({ "fallback": template }),
    )
    .await?;
    became(&app, &open, "sent").await?;
    let body: Value = serde_json::from_slice(&upstream.got()[1].body)?;
    assert_eq!(body["text"]["body"], "in time");
    Ok(())
}

#[tokio::test]
async fn a_person_who_answered_first_keeps_the_automatic_answer_back() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app, PHONE).await?;
    let rows = app.messages().await?;
    let decided_at = rows[0]["created_at"].as_u64().context("created_at")?;
    let automatic = |at: u64| json!({ "automatic": { "rule": "hours", "decided_at": at } });
    let quick = say(&app, &conversation, "We are open.", automatic(decided_at)).await?;
    assert_eq!(became(&app, &quick, "sent").await?["author"], "bot");
    let person = say(&app, &conversation, "Let me see.", json!({})).await?;
    became(&app, &person, "sent").await?;
    let slow = say(&app, &conversation, "We are closed.", automatic(decided_at)).await?;
    let kept = became(&app, &slow, "failed").await?;
    assert_eq!(kept["error"]["code"], "suppressed");
    let anew = became(&app, &person, "sent").await?["created_at"].as_u64();
    let later = anew.context("created_at")? + 1;
    let fresh = say(&app, &conversation, "Anything else?", automatic(later)).await?;
    became(&app, &fresh, "sent").await?;
    assert_eq!(upstream.count(), 3);
    Ok(())
}

#[tokio::test]
async fn a_status_solves_what_nobody_knew() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[Turn::Resets]).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app, PHONE).await?;
    let id = say(&app, &conversation, "lost?", json!({})).await?;
    became(&app, &id, "uncertain").await?;
    let mut status = payload::status(PHONE, "wamid.solved", "delivered");
    status["biz_opaque_callback_data"] = id.as_str().into();
    let value = payload::value(json!({ "statuses": [status] }));
    app.deliver(&payload::signed(&payload::envelope(value)))
        .await?;
    let solved = became(&app, &id, "delivered").await?;
    assert_eq!(solved["message"]["id"], "wamid.solved");
    assert_eq!(upstream.count(), 1);
    assert!(app.list("/v1/outbox?state=buried").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_message_by_body_is_the_same_as_one_by_address() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start(&upstream, secrets::WHATSAPP_ACCESS, None).await?;
    let conversation = opened(&app, PHONE).await?;
    let text = |id: &str| json!({ "conversation_id": id, "type": "text", "text": "x" });
    let both = format!("/v1/conversations/{conversation}/messages");
    for (name, path, body, status) in [
        ("by body", "/v1/messages", text(&conversation), 201),
        (
            "nowhere",
            "/v1/messages",
            json!({ "type": "text", "text": "x" }),
            400,
        ),
        ("nobody's", "/v1/messages", text("nobody"), 404),
        ("named twice", &both, text(&conversation), 400),
        (
            "a fallback that is no template",
            "/v1/messages",
            json!({ "conversation_id": conversation, "type": "text", "text": "x",
                "fallback": { "type": "text", "text": "x" } }),
            400,
        ),
    ] {
        let answer = post(&app, path, &body).await?;
        let words = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{name}: {words}");
    }
    Ok(())
}

#[tokio::test]
async fn a_second_host_on_the_same_state_says_whose_it_is() -> Result<()> {
    let app = TestApp::start().await?;
    let second = std::process::Command::new(chatly())
        .args([
            "up",
            "--no-build",
            "--listen",
            "127.0.0.1:0",
            "--from",
            "spin.toml",
            "--state-dir",
        ])
        .arg(app.state())
        .current_dir(root())
        .output()?;
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success());
    assert!(said.contains(&format!("process {}", app.pid())), "{said}");
    assert!(said.contains("in use by another"), "{said}");
    Ok(())
}
