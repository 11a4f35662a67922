//! Rules: saved when sound, run for each message, explained.

use anyhow::{Context, Result};
use harness::{Answer, TestApp, eventually, secrets};
use http::Method;
use serde_json::{Value, json};

use crate::payload;

const PHONE: &str = "16505551234";

/// A write with the operator's key.
pub async fn write(app: &TestApp, method: Method, path: &str, body: &Value) -> Result<Answer> {
    let key = format!("Bearer {}", secrets::API_KEY);
    app.request(
        method,
        path,
        &[
            ("authorization", &key),
            ("content-type", "application/json"),
        ],
        body.to_string(),
    )
    .await
}

/// Saves a rule.
pub async fn save(app: &TestApp, rule: Value) -> Result<Value> {
    let answer = write(app, Method::POST, "/v1/rules", &rule).await?;
    assert_eq!(answer.status, 201, "{:?}", answer.json()?);
    answer.json()
}

/// Delivers one text, and gives the message as the API shows it once `done` says so.
pub async fn say(
    app: &TestApp,
    id: &str,
    text: &str,
    done: impl Fn(&Value) -> bool,
) -> Result<Value> {
    let delivery = payload::text_delivery(PHONE, id, text);
    assert_eq!(app.deliver(&delivery).await?.status, 200);
    find(app, id, done).await
}

/// The message with this id of the platform's, once `done` says so.
pub async fn find(app: &TestApp, id: &str, done: impl Fn(&Value) -> bool) -> Result<Value> {
    eventually("the message is routed", async || {
        let messages = app.messages().await?;
        Ok(messages
            .into_iter()
            .find(|message| message["message"]["id"] == id && done(message)))
    })
    .await
}

fn is_routed(message: &Value) -> bool {
    !message["explanation"].is_null()
}

async fn outbox(app: &TestApp, kind: &str) -> Result<Vec<Value>> {
    app.list(&format!("/v1/outbox?kind={kind}")).await
}

#[tokio::test]
async fn a_rule_changes_the_conversation_and_the_message_says_why() -> Result<()> {
    let app = TestApp::start().await?;
    save(
        &app,
        json!({
            "id": "late", "name": "Never reached", "priority": 20, "when": "true",
            "then": [{ "do": "tag", "tags": ["late"] }],
        }),
    )
    .await?;
    save(
        &app,
        json!({
            "id": "colour", "name": "Asks for a colour", "priority": 10, "stop": true,
            "when": "message.text.contains(\"color\") && conversation.message_count == 1",
            "then": [
                { "do": "tag", "tags": ["colour"] },
                { "do": "assign", "to": "sales" },
                { "do": "set_priority", "priority": "high" },
            ],
        }),
    )
    .await?;
    save(
        &app,
        json!({
            "id": "off", "name": "Switched off", "priority": 1, "when": "true", "enabled": false,
            "then": [{ "do": "tag", "tags": ["off"] }],
        }),
    )
    .await?;
    let message = say(&app, "wamid.A", "Does it come in another color?", is_routed).await?;
    let run = &message["explanation"][0];
    assert_eq!(run["phase"], "received");
    let verdicts: Vec<_> = run["rules"]
        .as_array()
        .context("rules")?
        .iter()
        .map(|rule| (rule["rule_id"].as_str(), rule["verdict"].as_str()))
        .collect();
    assert_eq!(
        verdicts,
        [
            (Some("colour"), Some("matched")),
            (Some("late"), Some("skipped"))
        ]
    );
    assert_eq!(run["actions"].as_array().map(Vec::len), Some(3), "{run}");
    let conversation = app.list("/v1/conversations").await?.remove(0);
    assert_eq!(conversation["tags"], json!(["colour"]));
    assert_eq!(conversation["assignee"], "sales");
    assert_eq!(conversation["priority"], "high");

    let second = say(&app, "wamid.B", "Another color, please", is_routed).await?;
    assert_eq!(
        second["explanation"][0]["rules"][0]["verdict"], "not_matched",
        "the second message of the conversation"
    );
    Ok(())
}

#[tokio::test]
async fn a_message_is_forwarded_once_with_its_event_and_ids() -> Result<()> {
    let app = TestApp::start().await?;
    let url = "http://127.0.0.1:9/hook";
    save(
        &app,
        json!({
            "id": "fwd", "name": "Forward all", "when": "true",
            "then": [{ "do": "forward", "url": url }, { "do": "forward", "endpoint": "nowhere" }],
        }),
    )
    .await?;
    let message = say(&app, "wamid.A", "Hello", |message| {
        message["explanation"].as_array().map(Vec::len) == Some(2)
    })
    .await?;
    let outcome = &message["explanation"][0]["actions"][1]["outcome"];
    assert_eq!(outcome, "not done: no endpoint of that name is configured");
    let jobs = outbox(&app, "forward").await?;
    assert_eq!(jobs.len(), 1, "the second run forwards nothing again");
    let job = &jobs[0]["payload"];
    assert_eq!(job["url"], url);
    assert_eq!(
        (&job["rule_id"], &job["rule_name"]),
        (&json!("fwd"), &json!("Forward all"))
    );
    assert_eq!(job["event"]["message"]["text"], "Hello");
    assert_eq!(job["message_id"], message["id"]);
    assert_eq!(job["conversation_id"], message["conversation_id"]);
    assert_eq!(job["contact_id"], message["contact_id"]);
    Ok(())
}

#[tokio::test]
async fn an_unsound_rule_is_refused_with_its_place() -> Result<()> {
    let app = TestApp::start().await?;
    for (name, when) in [
        ("unknown fact", "mesage.text == \"a\""),
        ("syntax", "message.text =="),
    ] {
        let rule = json!({ "name": name, "when": when, "then": [{ "do": "enrich" }] });
        let answer = write(&app, Method::POST, "/v1/rules", &rule).await?;
        assert_eq!(answer.status, 422, "{name}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json()?;
        assert_eq!(problem["code"], "unsound_rule");
        let defect = &problem["defects"][0];
        assert!(defect["line"].as_u64() >= Some(1), "{name}: {defect}");
        assert!(defect["column"].as_u64() >= Some(1), "{name}: {defect}");
        assert!(defect["reason"].is_string(), "{name}: {defect}");
    }
    let unknown = json!({ "name": "n", "when": "true", "then": [{ "do": "launch" }] });
    let answer = write(&app, Method::POST, "/v1/rules", &unknown).await?;
    assert_eq!(answer.status, 422);
    assert!(app.list("/v1/rules").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn rules_are_made_changed_listed_and_deleted() -> Result<()> {
    let app = TestApp::start().await?;
    let body = |name: &str, priority: i32| json!({ "name": name, "when": "true", "then": [{ "do": "enrich" }], "priority": priority });
    let second = save(&app, body("second", 2)).await?;
    let first = save(&app, body("first", -1)).await?;
    let names = |rules: Vec<Value>| -> Vec<Value> {
        rules.into_iter().map(|rule| rule["name"].clone()).collect()
    };
    assert_eq!(names(app.list("/v1/rules").await?), ["first", "second"]);
    assert_eq!(
        names(app.list("/v1/rules?platform_client_id=default").await?).len(),
        2
    );
    assert!(
        app.list("/v1/rules?platform_client_id=other")
            .await?
            .is_empty()
    );
    let path = format!("/v1/rules/{}", second["id"].as_str().context("id")?);
    assert_eq!(app.api(&path).await?.json()?, second);
    let changed = write(&app, Method::PUT, &path, &body("second", -2)).await?;
    assert_eq!(changed.status, 200);
    assert_eq!(names(app.list("/v1/rules").await?), ["second", "first"]);
    let taken =
        json!({ "id": first["id"], "name": "n", "when": "true", "then": [{ "do": "enrich" }] });
    let taken = write(&app, Method::POST, "/v1/rules", &taken).await?;
    assert_eq!(taken.status, 409);
    for want in [204, 404] {
        let deleted = write(&app, Method::DELETE, &path, &Value::Null).await?;
        assert_eq!(deleted.status, want);
    }
    assert_eq!(app.api(&path).await?.status, 404);
    assert_eq!(names(app.list("/v1/rules").await?), ["first"]);
    let without_key = app.request(Method::POST, "/v1/rules", &[], "{}").await?;
    assert_eq!(without_key.status, 401);
    Ok(())
}

#[tokio::test]
async fn echoes_are_not_routed() -> Result<()> {
    let app = TestApp::start().await?;
    save(
        &app,
        json!({ "name": "all", "when": "true", "then": [{ "do": "tag", "tags": ["routed"] }] }),
    )
    .await?;
    let echo = payload::echo_envelope(PHONE, "wamid.out", "From the phone");
    assert_eq!(app.deliver(&payload::signed(&echo)).await?.status, 200);
    app.settle().await?;
    let message = find(&app, "wamid.out", |_| true).await?;
    assert!(message["explanation"].is_null());
    assert_eq!(app.list("/v1/conversations").await?[0]["tags"], json!([]));
    assert!(outbox(&app, "enrich").await?.is_empty());
    Ok(())
}
