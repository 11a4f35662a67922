//! What a person changes in a conversation, through the API: each field, what is refused, who is told.

use anyhow::{Context, Result};
use harness::{Answer, Options, TestApp, Upstream, eventually, secrets};
use http::Method;
use serde_json::{Value, json};

use crate::payload;
use crate::routing::{find, save, write};

const PHONE: &str = "16505551234";

async fn start(upstream: &Upstream) -> Result<TestApp> {
    let mut options = Options {
        arguments: vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()],
        ..Options::default()
    };
    let base = ("whatsapp_base_url".to_owned(), upstream.base().to_owned());
    options.variables.extend([base]);
    TestApp::start_with(options).await
}

async fn said(app: &TestApp, id: &str) -> Result<()> {
    let delivery = payload::fresh_text_delivery(PHONE, id, "Hi");
    assert_eq!(app.deliver(&delivery).await?.status, 200);
    Ok(())
}

/// The id of the only conversation, once it is there.
async fn opened(app: &TestApp) -> Result<String> {
    said(app, "wamid.first").await?;
    app.settle().await?;
    let conversations = app.list("/v1/conversations").await?;
    Ok(conversations[0]["id"].as_str().context("id")?.to_owned())
}

async fn patch(app: &TestApp, id: &str, body: &Value) -> Result<Answer> {
    write(app, Method::PATCH, &format!("/v1/conversations/{id}"), body).await
}

/// The conversation by itself, after a change that is taken.
async fn patched(app: &TestApp, id: &str, body: Value) -> Result<Value> {
    let answer = patch(app, id, &body).await?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 200, "{body}: {text}");
    let found = app.api(&format!("/v1/conversations/{id}")).await?.json()?;
    assert_eq!(answer.json()?, found, "what is answered is what is stored");
    Ok(found)
}

#[tokio::test]
async fn each_field_changes_and_null_takes_it_away() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start(&upstream).await?;
    let id = opened(&app).await?;
    let far = 4_000_000_000_000_u64;
    for (body, field, want) in [
        (json!({ "status": "pending" }), "status", json!("pending")),
        (json!({ "status": "resolved" }), "status", json!("resolved")),
        (
            json!({ "status": "snoozed", "snoozed_until": far }),
            "snoozed_until",
            json!(far),
        ),
        (json!({ "status": "open" }), "snoozed_until", Value::Null),
        (json!({ "priority": "urgent" }), "priority", json!("urgent")),
        (json!({ "priority": "low" }), "priority", json!("low")),
        (json!({ "assignee": "ann" }), "assignee", json!("ann")),
        (json!({ "priority": "high" }), "assignee", json!("ann")),
        (json!({ "assignee": null }), "assignee", Value::Null),
        (json!({ "assignee": "ben" }), "assignee", json!("ben")),
        (json!({ "assignee": "" }), "assignee", Value::Null),
        (json!({ "team": "sales" }), "team", json!("sales")),
        (json!({ "team": null }), "team", Value::Null),
        (
            json!({ "add_tags": ["b", "a", "a"] }),
            "tags",
            json!(["a", "b"]),
        ),
        (
            json!({ "add_tags": ["c"], "remove_tags": ["a", "none"] }),
            "tags",
            json!(["b", "c"]),
        ),
        (json!({ "handover": "human" }), "handover", json!("human")),
        (json!({ "handover": "bot" }), "handover", json!("bot")),
        (json!({ "muted_until": far }), "muted_until", json!(far)),
        (json!({ "muted_until": null }), "muted_until", Value::Null),
        (json!({ "muted_until": 0 }), "muted_until", Value::Null),
    ] {
        let found = patched(&app, &id, body.clone()).await?;
        assert_eq!(found[field], want, "{body}");
    }
    let found = patched(&app, &id, json!({ "status": "pending", "team": "care" })).await?;
    assert!(found["handed_over_at"].is_u64(), "{found}");

    // Assignments are kept over a restart.
    patched(&app, &id, json!({ "assignee": "ann" })).await?;
    let (_, state) = app.stop()?;
    let options = Options {
        state: Some(state),
        ..Options::default()
    };
    let app = TestApp::start_with(options).await?;
    let kept = app.api(&format!("/v1/conversations/{id}")).await?.json()?;
    let fields = ["assignee", "team", "status", "priority", "tags"].map(|name| kept[name].clone());
    let want = [
        json!("ann"),
        json!("care"),
        json!("pending"),
        json!("high"),
        json!(["b", "c"]),
    ];
    assert_eq!(fields, want);
    Ok(())
}

#[tokio::test]
async fn what_is_no_change_is_refused_in_words_and_changes_nothing() -> Result<()> {
    let app = TestApp::start().await?;
    let id = opened(&app).await?;
    let path = format!("/v1/conversations/{id}");
    let before = app.api(&path).await?.json()?;
    for (name, body, status, words) in [
        (
            "an unknown field",
            r#"{"colour":"red"}"#,
            400,
            "not the JSON",
        ),
        ("no object", "[]", 400, "not the JSON"),
        ("no JSON", "{", 400, "line 1, column 1"),
        (
            "a number for a text",
            r#"{"assignee":7}"#,
            400,
            "not the JSON",
        ),
        (
            "a text for a number",
            r#"{"muted_until":"7"}"#,
            400,
            "not the JSON",
        ),
        (
            "a text for a list",
            r#"{"add_tags":"a"}"#,
            400,
            "not the JSON",
        ),
        (
            "a negative time",
            r#"{"muted_until":-1}"#,
            400,
            "not the JSON",
        ),
        (
            "an unknown status",
            r#"{"status":"closed"}"#,
            422,
            "open, pending, snoozed or resolved",
        ),
        (
            "an unknown priority",
            r#"{"priority":"top"}"#,
            422,
            "low, normal, high or urgent",
        ),
        (
            "an unknown handover",
            r#"{"handover":"cat"}"#,
            422,
            "bot or human",
        ),
        (
            "an end without a snooze",
            r#"{"snoozed_until":9}"#,
            422,
            "status snoozed",
        ),
        (
            "a time past all",
            r#"{"muted_until":253402300800000}"#,
            422,
            "year 10000",
        ),
        (
            "a control character",
            r#"{"team":"a\nb"}"#,
            422,
            "no control character",
        ),
        (
            "a tag both ways",
            r#"{"add_tags":["a"],"remove_tags":["a"]}"#,
            422,
            "both added and removed",
        ),
        ("nothing", "{}", 422, "changes nothing"),
        (
            "nothing in many words",
            r#"{"status":null,"add_tags":[]}"#,
            422,
            "changes nothing",
        ),
    ] {
        let key = format!("Bearer {}", secrets::API_KEY);
        let headers = [("authorization", key.as_str())];
        let answer = app.request(Method::PATCH, &path, &headers, body).await?;
        let problem = answer.json()?;
        assert_eq!(answer.status, status, "{name}: {problem}");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words), "{name}: {problem}");
    }
    let nobody = patch(&app, "nobody", &json!({ "status": "open" })).await?;
    assert_eq!(nobody.status, 404);
    let other = format!("{path}?platform_client_id=other");
    let theirs = write(&app, Method::PATCH, &other, &json!({ "status": "open" })).await?;
    assert_eq!(theirs.status, 404, "another tenant's");
    let bare = app.request(Method::PATCH, &path, &[], "{}").await?;
    assert_eq!(bare.status, 401);
    assert_eq!(app.api(&path).await?.json()?, before);
    Ok(())
}

#[tokio::test]
async fn a_change_reaches_the_stream_and_a_persons_turn_silences_the_rules() -> Result<()> {
    let upstream = Upstream::start("whatsapp", &[]).await?;
    let app = start(&upstream).await?;
    let id = opened(&app).await?;
    save(
        &app,
        json!({ "id": "hello", "name": "hello", "when": "true",
            "then": [{ "do": "reply", "text": "Hello" }] }),
    )
    .await?;
    let mut events = app.events(None).await?;
    patched(&app, &id, json!({ "handover": "human" })).await?;
    let told = events
        .find(|event| event.event == "conversation.updated")
        .await?;
    assert_eq!(told.data["conversation_id"], id.as_str(), "{}", told.data);

    let outcome = async |message: &str| -> Result<String> {
        said(&app, message).await?;
        let routed = find(&app, message, |row| !row["explanation"].is_null()).await?;
        let outcome = &routed["explanation"][0]["actions"][0]["outcome"];
        Ok(outcome.as_str().unwrap_or_default().to_owned())
    };
    let held = outcome("wamid.human").await?;
    assert!(
        held.starts_with("suppressed: the conversation is handed over"),
        "{held}"
    );
    // The rules answer again once it is theirs; so nothing of before was still on its way.
    patched(&app, &id, json!({ "handover": "bot" })).await?;
    outcome("wamid.bot").await?;
    eventually("the reply is out", async || {
        Ok((upstream.count() > 0).then_some(()))
    })
    .await?;
    assert_eq!(upstream.count(), 1);
    Ok(())
}
