//! What rules do, from the webhook to the API and the platform.

use anyhow::{Context, Result};
use harness::{Options, TestApp, Turn, Upstream, eventually, secrets};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::payload;
use crate::routing::{find, save, write};

const PHONE: &str = "16505551234";

/// A host whose WhatsApp is `upstream`, on `state` if there is one.
async fn start(upstream: &Upstream, state: Option<TempDir>) -> Result<TestApp> {
    let mut options = Options {
        state,
        arguments: vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()],
        ..Options::default()
    };
    options.variables.extend([
        ("whatsapp_base_url".to_owned(), upstream.base().to_owned()),
        (
            "whatsapp_access_token".to_owned(),
            secrets::WHATSAPP_ACCESS.to_owned(),
        ),
        ("time_zone".to_owned(), "Asia/Kolkata".to_owned()),
        (
            "business_hours".to_owned(),
            "mon-sun 00:00-24:00".to_owned(),
        ),
    ]);
    TestApp::start_with(options).await
}

async fn quiet() -> Result<Upstream> {
    Upstream::start("whatsapp", &[]).await
}

async fn rule(app: &TestApp, id: &str, when: &str, then: Value) -> Result<()> {
    let rule = json!({ "id": id, "name": id, "when": when, "then": then });
    save(app, rule).await.map(drop)
}

async fn say_as(app: &TestApp, phone: &str, id: &str, text: &str) -> Result<()> {
    let answer = app
        .deliver(&payload::fresh_text_delivery(phone, id, text))
        .await?;
    assert_eq!(answer.status, 200);
    Ok(())
}

/// The first run's outcomes of a message's actions, once it was routed.
async fn outcomes(app: &TestApp, id: &str) -> Result<Vec<String>> {
    let message = find(app, id, |message| !message["explanation"].is_null()).await?;
    let actions = message["explanation"][0]["actions"]
        .as_array()
        .context("actions")?;
    let outcome = |action: &Value| action["outcome"].as_str().unwrap_or_default().to_owned();
    Ok(actions.iter().map(outcome).collect())
}

/// The texts that the platform got, in order.
fn texts(upstream: &Upstream) -> Vec<String> {
    let got = upstream.got();
    let body = |sent: &chatly_simulator::Sent| -> Value {
        serde_json::from_slice(&sent.body).unwrap_or_default()
    };
    got.iter()
        .filter_map(|sent| Some(body(sent)["text"]["body"].as_str()?.to_owned()))
        .collect()
}

async fn reached(upstream: &Upstream, count: usize) -> Result<Vec<String>> {
    eventually("the platform has the replies", async || {
        let texts = texts(upstream);
        Ok((texts.len() >= count).then_some(texts))
    })
    .await
}

/// Nothing is left that could still be sent.
async fn at_rest(app: &TestApp) -> Result<()> {
    app.settle().await?;
    eventually("no reply and no send is left", async || {
        for kind in [
            "enrich",
            "route",
            "reply",
            "send-whatsapp",
            "enrich",
            "route",
        ] {
            for state in ["pending", "leased", "sending"] {
                let path = format!("/v1/outbox?kind={kind}&state={state}");
                if !app.list(&path).await?.is_empty() {
                    return Ok(None);
                }
            }
        }
        Ok(Some(()))
    })
    .await
}

async fn conversation(app: &TestApp, phone: &str) -> Result<Value> {
    let contacts = app.list(&format!("/v1/contacts?identity={phone}")).await?;
    let id = contacts[0]["id"].as_str().context("id")?;
    let mut found = app
        .list(&format!("/v1/conversations?contact_id={id}"))
        .await?;
    assert_eq!(found.len(), 1);
    Ok(found.remove(0))
}

#[tokio::test]
async fn actions_change_the_conversation_and_the_contact() -> Result<()> {
    let upstream = quiet().await?;
    let app = start(&upstream, None).await?;
    rule(&app, "a", "true", json!([
        { "do": "tag", "tags": ["new", "hot"] },
        { "do": "untag", "tags": ["new"] },
        { "do": "assign", "team": "sales", "round_robin": ["ann", "ben"] },
        { "do": "set_priority", "priority": "urgent" },
        { "do": "set_attribute", "name": "zone", "value": "{{time.zone}} {{time.business_hours}}" },
        { "do": "set_attribute", "name": "seats", "value": 3 },
        { "do": "set_stage", "stage": "customer" },
        { "do": "mute", "for": "1h" },
        { "do": "handover", "to": "human" },
    ]))
    .await?;
    for (phone, who) in [
        (PHONE, "ann"),
        ("16505550002", "ben"),
        ("16505550003", "ann"),
        (PHONE, "ann"),
    ] {
        let id = format!("wamid.{phone}.{}", app.messages().await?.len());
        say_as(&app, phone, &id, "Hi").await?;
        assert_eq!(outcomes(&app, &id).await?, ["done"; 9]);
        let row = conversation(&app, phone).await?;
        assert_eq!(row["assignee"], who, "{id}");
        assert_eq!(
            (&row["team"], &row["priority"]),
            (&json!("sales"), &json!("urgent"))
        );
        assert_eq!(
            (&row["tags"], &row["handover"]),
            (&json!(["hot"]), &json!("human"))
        );
        assert!(
            row["muted_until"].as_u64() > row["updated_at"].as_u64(),
            "{row}"
        );
    }
    let contact = app
        .list(&format!("/v1/contacts?identity={PHONE}"))
        .await?
        .remove(0);
    assert_eq!(
        contact["attributes"],
        json!({ "zone": "Asia/Kolkata true", "seats": 3 })
    );
    assert_eq!(contact["lead"]["stage"], "customer");
    Ok(())
}

#[tokio::test]
async fn the_least_busy_agent_is_picked() -> Result<()> {
    let app = TestApp::start().await?;
    rule(
        &app,
        "busy",
        "true",
        json!([{ "do": "assign", "least_busy": ["ann", "ben"] }]),
    )
    .await?;
    let done = json!([{ "do": "set_status", "status": "resolved" }]);
    rule(&app, "done", "message.text == \"bye\"", done).await?;
    for (phone, text, who) in [
        ("16505550001", "Hi", "ann"),
        ("16505550002", "Hi", "ben"),
        ("16505550002", "bye", "ben"),
        ("16505550003", "Hi", "ben"),
        ("16505550004", "Hi", "ann"),
    ] {
        let id = format!("wamid.{phone}.{text}");
        say_as(&app, phone, &id, text).await?;
        outcomes(&app, &id).await?;
        assert_eq!(conversation(&app, phone).await?["assignee"], who, "{id}");
    }
    Ok(())
}

#[tokio::test]
async fn a_snoozed_conversation_opens_when_its_time_is_over() -> Result<()> {
    let app = TestApp::start().await?;
    let snooze = json!([{ "do": "set_status", "status": "snoozed", "for": "2s" }]);
    rule(&app, "snooze", "message.text == \"later\"", snooze).await?;
    say_as(&app, PHONE, "wamid.1", "later").await?;
    assert_eq!(outcomes(&app, "wamid.1").await?, ["done"]);
    assert_eq!(app.list("/v1/outbox?kind=unsnooze").await?.len(), 1);
    eventually("it is open", async || {
        let row = conversation(&app, PHONE).await?;
        let open = row["status"] == "open" && row["snoozed_until"].is_null();
        let done = app.list("/v1/outbox?kind=unsnooze&state=done").await?;
        Ok((open && done.len() == 1).then_some(()))
    })
    .await?;
    rule(
        &app,
        "long",
        "message.text == \"long\"",
        json!([{ "do": "set_status", "status": "snoozed" }]),
    )
    .await?;
    for (id, text, status) in [
        ("wamid.2", "long", "snoozed"),
        ("wamid.3", "hello?", "open"),
    ] {
        say_as(&app, PHONE, id, text).await?;
        outcomes(&app, id).await?;
        assert_eq!(conversation(&app, PHONE).await?["status"], status, "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_reply_reaches_the_platform_with_its_facts() -> Result<()> {
    let upstream = quiet().await?;
    let app = start(&upstream, None).await?;
    let text = "Hello {{contact.name|there}}, plan {{contact.attributes.plan|free}}";
    let fallback = json!({ "name": "hello", "language": "en" });
    rule(
        &app,
        "hello",
        "conversation.message_count == 1",
        json!([
            { "do": "reply", "text": text, "fallback": fallback },
        ]),
    )
    .await?;
    say_as(&app, PHONE, "wamid.1", "Hi").await?;
    assert_eq!(
        reached(&upstream, 1).await?,
        ["Hello Sheena Nelson, plan free"]
    );
    at_rest(&app).await?;
    let messages = app.messages().await?;
    let reply = messages
        .iter()
        .find(|message| message["author"] == "bot")
        .context("reply")?;
    assert_eq!(
        (&reply["direction"], &reply["state"]),
        (&json!("outbound"), &json!("sent"))
    );
    let job = app.list("/v1/outbox?kind=send-whatsapp").await?.remove(0);
    let payload = &job["payload"];
    assert_eq!(payload["automatic"]["rule"], "hello", "{payload}");
    assert_eq!(payload["fallback"]["template"], fallback);
    assert!(conversation(&app, PHONE).await?["last_bot_at"].is_u64());
    // Neither our own echo nor one from another app triggers anything.
    let platform_id = reply["message"]["id"].as_str().context("id")?;
    rule(
        &app,
        "all",
        "true",
        json!([{ "do": "reply", "text": "again" }]),
    )
    .await?;
    for id in [platform_id, "wamid.other.app"] {
        let echo = payload::echo_envelope(PHONE, id, "Hello Sheena Nelson, plan free");
        assert_eq!(app.deliver(&payload::signed(&echo)).await?.status, 200);
    }
    at_rest(&app).await?;
    assert_eq!(texts(&upstream).len(), 1);
    assert_eq!(
        app.messages().await?.len(),
        3,
        "the other app's is in the thread"
    );
    Ok(())
}

#[tokio::test]
async fn five_quick_messages_under_debounce_get_one_reply() -> Result<()> {
    let upstream = quiet().await?;
    let app = start(&upstream, None).await?;
    save(
        &app,
        json!({
            "id": "slow", "name": "slow", "when": "true", "strategy": "debounce 2s",
            "then": [{ "do": "reply", "text": "You said {{message.text}}" }],
        }),
    )
    .await?;
    for n in 1..=5 {
        say_as(&app, PHONE, &format!("wamid.{n}"), &format!("part {n}")).await?;
    }
    assert_eq!(reached(&upstream, 1).await?, ["You said part 5"]);
    at_rest(&app).await?;
    assert_eq!(texts(&upstream).len(), 1);
    let jobs = app.list("/v1/outbox?kind=reply").await?;
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert_eq!(
        outcomes(&app, "wamid.1").await?,
        ["queued, once nothing came for 2000 ms"]
    );
    Ok(())
}

#[tokio::test]
async fn a_reply_that_waits_survives_a_kill() -> Result<()> {
    let upstream = quiet().await?;
    let app = start(&upstream, None).await?;
    save(
        &app,
        json!({
            "id": "slow", "name": "slow", "when": "true", "strategy": "debounce 3s",
            "then": [{ "do": "reply", "text": "One" }],
        }),
    )
    .await?;
    for id in ["wamid.1", "wamid.2"] {
        say_as(&app, PHONE, id, "Hi").await?;
        outcomes(&app, id).await?;
    }
    let state = app.kill()?;
    assert!(texts(&upstream).is_empty());
    let app = start(&upstream, Some(state)).await?;
    reached(&upstream, 1).await?;
    at_rest(&app).await?;
    assert_eq!(texts(&upstream), ["One"]);
    Ok(())
}

#[tokio::test]
async fn queued_replies_leave_one_after_another() -> Result<()> {
    let plan = [Turn::Mood(chatly_simulator::Mood::Failing)];
    let upstream = Upstream::start("whatsapp", &plan).await?;
    let app = start(&upstream, None).await?;
    save(
        &app,
        json!({
            "id": "queue", "name": "queue", "when": "true", "strategy": "queue",
            "then": [{ "do": "reply", "text": "To {{message.text}}" }],
        }),
    )
    .await?;
    for n in 1..=3 {
        say_as(&app, PHONE, &format!("wamid.{n}"), &n.to_string()).await?;
    }
    assert_eq!(
        reached(&upstream, 4).await?,
        ["To 1", "To 1", "To 2", "To 3"]
    );
    Ok(())
}

#[tokio::test]
async fn a_person_who_is_quicker_suppresses_a_reply_that_waits() -> Result<()> {
    let upstream = quiet().await?;
    let app = start(&upstream, None).await?;
    save(
        &app,
        json!({
            "id": "slow", "name": "slow", "when": "true", "strategy": "debounce 3s",
            "then": [{ "do": "reply", "text": "I am a machine" }],
        }),
    )
    .await?;
    say_as(&app, PHONE, "wamid.1", "Hi").await?;
    outcomes(&app, "wamid.1").await?;
    let id = conversation(&app, PHONE).await?["id"]
        .as_str()
        .context("id")?
        .to_owned();
    let said = json!({ "type": "text", "text": "I am a person" });
    let path = format!("/v1/conversations/{id}/messages");
    assert_eq!(write(&app, Method::POST, &path, &said).await?.status, 201);
    let of_reply = |message: &Value| {
        let runs = message["explanation"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        runs.into_iter().find(|run| run["phase"] == "reply")
    };
    let message = find(&app, "wamid.1", |message| of_reply(message).is_some()).await?;
    let run = of_reply(&message).context("run")?;
    assert_eq!(
        run["actions"][0]["outcome"],
        "suppressed: a person wrote meanwhile"
    );
    at_rest(&app).await?;
    assert_eq!(texts(&upstream), ["I am a person"]);
    Ok(())
}

#[tokio::test]
async fn rules_are_silent_once_a_person_has_the_conversation() -> Result<()> {
    let upstream = quiet().await?;
    let app = start(&upstream, None).await?;
    save(&app, json!({
        "id": "human", "name": "human", "priority": 1, "when": "message.text == \"human\"", "stop": true,
        "then": [{ "do": "reply", "text": "One moment" }, { "do": "handover", "to": "human" }],
    }))
    .await?;
    rule(
        &app,
        "all",
        "true",
        json!([{ "do": "reply", "text": "Hello" }]),
    )
    .await?;
    for (id, text) in [("wamid.1", "human"), ("wamid.2", "hello?")] {
        say_as(&app, PHONE, id, text).await?;
    }
    let held = "suppressed: the conversation is handed over to a person";
    assert_eq!(outcomes(&app, "wamid.2").await?, [held]);
    at_rest(&app).await?;
    assert_eq!(texts(&upstream), ["One moment"]);
    Ok(())
}

#[tokio::test]
async fn two_machines_do_not_talk_for_ever() -> Result<()> {
    let upstream = quiet().await?;
    let app = start(&upstream, None).await?;
    rule(
        &app,
        "all",
        "true",
        json!([{ "do": "reply", "text": "Hello" }]),
    )
    .await?;
    for n in 1..=7 {
        say_as(&app, PHONE, &format!("wamid.{n}"), "Hello").await?;
    }
    let last = outcomes(&app, "wamid.7").await?;
    assert_eq!(
        last,
        ["suppressed: 5 automatic replies within 60 s; a person should take over"]
    );
    at_rest(&app).await?;
    assert_eq!(texts(&upstream).len(), 5);
    Ok(())
}

#[tokio::test]
async fn hostile_rules_are_refused_and_one_that_is_there_fails_alone() -> Result<()> {
    let app = TestApp::start().await?;
    let loops = "contact.tags.exists(a, contact.tags.exists(b, contact.tags.exists(c, true)))";
    let text = |text: String| json!([{ "do": "reply", "text": text }]);
    let tag = json!([{ "do": "tag", "tags": ["routed"] }]);
    for (name, when, then, strategy) in [
        ("nested loops", loops.to_owned(), tag.clone(), "each"),
        (
            "nested brackets",
            format!("{}true{}", "(".repeat(999), ")".repeat(999)),
            tag.clone(),
            "each",
        ),
        (
            "a huge text",
            "true".to_owned(),
            text("x".repeat(60_000)),
            "each",
        ),
        (
            "places",
            "true".to_owned(),
            text("{{now}}".repeat(33)),
            "each",
        ),
        (
            "no such strategy",
            "true".to_owned(),
            tag.clone(),
            "debounce 99d",
        ),
    ] {
        let rule = json!({ "name": name, "when": when, "then": then, "strategy": strategy });
        let answer = write(&app, Method::POST, "/v1/rules", &rule).await?;
        assert_eq!(
            answer.status,
            422,
            "{name}: {}",
            String::from_utf8_lossy(&answer.body)
        );
    }
    rule(&app, "sound", "true", tag).await?;
    // One that came past the check, as from a newer version.
    let database = rusqlite::Connection::open(app.state().join("sqlite/default.db"))?;
    let nested = format!("{}true{}", "[".repeat(2000), "]".repeat(2000));
    database.execute(
        "INSERT INTO routing_rules (platform_client_id, id, name, priority, condition, actions, stop, enabled,
            created_at, updated_at) VALUES ('default', 'bad', 'bad', 1, ?, '[]', 0, 1, 0, 0)",
        [nested],
    )?;
    drop(database);
    say_as(&app, PHONE, "wamid.1", "Hi").await?;
    let message = find(&app, "wamid.1", |message| !message["explanation"].is_null()).await?;
    let verdict = |index: usize| message["explanation"][0]["rules"][index]["verdict"].clone();
    assert_eq!(
        (verdict(0), verdict(1)),
        (json!("failed"), json!("matched"))
    );
    assert_eq!(conversation(&app, PHONE).await?["tags"], json!(["routed"]));
    Ok(())
}
