//! Messages are understood off the hot path, and routed once more.

use anyhow::{Context, Result};
use harness::TestApp;
use serde_json::{Value, json};

use crate::routing::{find, save, say};

const WANTS: &str =
    "Hola, quiero 20 unidades azules, presupuesto 500 USD, mi correo es ana@example.com";

fn is_enriched(message: &Value) -> bool {
    !message["enrichment"].is_null()
}

#[tokio::test]
async fn a_message_is_understood_and_its_contact_has_a_lead() -> Result<()> {
    let app = TestApp::start().await?;
    let message = say(&app, "wamid.A", WANTS, is_enriched).await?;
    let enrichment = &message["enrichment"];
    assert_eq!(enrichment["language"], "es", "{enrichment}");
    let emails: Vec<_> = enrichment["entities"]
        .as_array()
        .context("entities")?
        .iter()
        .filter(|entity| entity["kind"] == "email")
        .collect();
    assert_eq!(emails[0]["value"], "ana@example.com");
    let contact = message["contact_id"].as_str().context("contact")?;
    let contact = app.api(&format!("/v1/contacts/{contact}")).await?.json()?;
    let score = contact["lead"]["score"].as_u64().context("score")?;
    assert!((1..=100).contains(&score), "{contact}");
    let reasons = contact["lead"]["reasons"].as_array().context("reasons")?;
    assert!(
        reasons
            .iter()
            .any(|reason| reason["message_id"] == message["id"]),
        "a reason names the message that shows it: {reasons:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_rule_on_the_enrichment_acts_after_it_and_once() -> Result<()> {
    let app = TestApp::start().await?;
    save(
        &app,
        json!({
            "id": "es", "name": "Spanish lead",
            "when": "enrichment.language == \"es\" && lead.score > 0",
            "then": [
                { "do": "tag", "tags": ["es"] },
                { "do": "forward", "url": "http://127.0.0.1:9/lead" },
            ],
        }),
    )
    .await?;
    save(
        &app,
        json!({
            "id": "all", "name": "Every message", "when": "true",
            "then": [{ "do": "forward", "url": "http://127.0.0.1:9/all" }, { "do": "enrich" }],
        }),
    )
    .await?;
    let twice = |message: &Value| message["explanation"].as_array().map(Vec::len) == Some(2);
    let message = say(&app, "wamid.A", WANTS, twice).await?;
    let [received, enriched] = message["explanation"]
        .as_array()
        .context("runs")?
        .as_slice()
    else {
        panic!("two runs: {message}");
    };
    assert_eq!(received["phase"], "received");
    assert_eq!(enriched["phase"], "enriched");
    let verdict = |run: &Value, id: &str| {
        run["rules"]
            .as_array()
            .and_then(|rules| rules.iter().find(|rule| rule["rule_id"] == id))
            .map(|rule| rule["verdict"].clone())
    };
    assert_eq!(verdict(received, "es"), Some(json!("not_matched")));
    assert_eq!(verdict(enriched, "es"), Some(json!("matched")));
    assert_eq!(verdict(enriched, "all"), Some(json!("matched")));
    let outcome = enriched["actions"]
        .as_array()
        .and_then(|actions| actions.iter().find(|action| action["rule_id"] == "all"))
        .context("the action is explained")?;
    assert!(
        outcome["outcome"]
            .as_str()
            .is_some_and(|outcome| outcome.starts_with("not again")),
        "{outcome}"
    );
    assert_eq!(
        app.list("/v1/conversations").await?[0]["tags"],
        json!(["es"])
    );
    let forwards = app.list("/v1/outbox?kind=forward").await?;
    let mut urls: Vec<_> = forwards
        .iter()
        .filter_map(|job| job["payload"]["url"].as_str())
        .collect();
    urls.sort_unstable();
    assert_eq!(urls, ["http://127.0.0.1:9/all", "http://127.0.0.1:9/lead"]);
    let late = forwards
        .iter()
        .find(|job| job["payload"]["rule_id"] == "es")
        .context("forward")?;
    assert_eq!(late["payload"]["enrichment"]["language"], "es");
    assert_eq!(
        late["payload"]["event"]["key"],
        "whatsapp:106540352242922:wamid.A"
    );
    assert_eq!(app.list("/v1/outbox?kind=enrich").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_message_without_words_is_not_enriched() -> Result<()> {
    let app = TestApp::start().await?;
    let value = crate::payload::value(json!({
        "contacts": [{ "profile": { "name": "Sheena Nelson" }, "wa_id": "16505551234" }],
        "messages": [{
            "from": "16505551234", "id": "wamid.place", "timestamp": "1749416383",
            "type": "location", "location": { "latitude": 1.5, "longitude": 2.5 },
        }],
    }));
    let delivery = crate::payload::signed(&crate::payload::envelope(value));
    assert_eq!(app.deliver(&delivery).await?.status, 200);
    let message = find(&app, "wamid.place", |message| {
        !message["explanation"].is_null()
    })
    .await?;
    assert!(message["enrichment"].is_null());
    assert!(app.list("/v1/outbox?kind=enrich").await?.is_empty());
    Ok(())
}
