//! A model is asked after the baseline: whatever it does, messages are routed in their time, the budget
//! holds, nothing is billed twice and no personal data leaves.

mod injection;
mod privacy;
mod records;

use anyhow::{Context, Result};
use harness::{Model, Options, Says, TestApp, eventually};
use http::Method;
use serde_json::{Value, json};

use crate::payload;
use crate::routing::{find, write};

/// Long enough for a busy machine to answer at once, short enough to wait for.
const TIMEOUT_MS: &str = "4000";

/// A host that asks this model, with more variables.
pub async fn start(model: &Model, more: &[(&str, &str)]) -> Result<TestApp> {
    TestApp::start_with(options(model, more)).await
}

fn options(model: &Model, more: &[(&str, &str)]) -> Options {
    let mut options = Options::default();
    let base = model.base();
    let own = [
        ("llm_base_url", base.as_str()),
        ("llm_model", "small"),
        ("llm_api_key", "qZ4model-key-88"),
        ("llm_timeout_ms", TIMEOUT_MS),
        ("llm_input_price", "10"),
        ("llm_output_price", "50"),
    ];
    for (name, value) in own.into_iter().chain(more.iter().copied()) {
        options.variables.insert(name.to_owned(), value.to_owned());
    }
    options
}

/// Delivers a text of somebody's, and waits until its model has had its say.
pub async fn ask(app: &TestApp, number: u32, text: &str) -> Result<Value> {
    deliver(app, number, text).await?;
    understood(app, number).await
}

pub async fn deliver(app: &TestApp, number: u32, text: &str) -> Result<()> {
    let delivery = payload::text_delivery(&phone(number), &id(number), text);
    assert_eq!(app.deliver(&delivery).await?.status, 200);
    Ok(())
}

/// The message once its job is over.
pub async fn understood(app: &TestApp, number: u32) -> Result<Value> {
    let message = find(app, &id(number), |message| !message["enrichment"].is_null()).await?;
    eventually("the model had its say", async || {
        let jobs = app.list("/v1/outbox?kind=understand").await?;
        let own = jobs
            .iter()
            .find(|job| job["payload"]["message_id"] == message["id"]);
        Ok(own.is_some_and(|job| job["state"] == "done").then_some(()))
    })
    .await?;
    find(app, &id(number), |_| true).await
}

pub fn phone(number: u32) -> String {
    format!("1650555{number:04}")
}

pub fn id(number: u32) -> String {
    format!("wamid.{number:04}")
}

/// Why each provider that was asked for a message gave no answer, oldest first; blank for one that did.
async fn calls(app: &TestApp, message: &Value) -> Result<Vec<String>> {
    let id = message["id"].as_str().context("id")?;
    let mut calls = app
        .list(&format!("/v1/external-calls?message_id={id}"))
        .await?;
    calls.retain(|call| call["kind"] == "llm");
    calls.reverse();
    for call in &calls {
        assert_eq!(call["target"], "llm:small");
    }
    let errors = calls
        .iter()
        .map(|call| call["error"].as_str().unwrap_or_default());
    Ok(errors.map(str::to_owned).collect())
}

async fn usage(app: &TestApp) -> Result<Value> {
    app.api("/v1/usage").await?.json()
}

#[tokio::test]
async fn an_answer_adds_to_the_baseline_and_is_paid_once() -> Result<()> {
    let form = json!({
        "language": "en", "intents": [{ "name": "pricing", "confidence": 0.9 }],
        "sentiment": "positive", "urgency": "high", "topics": ["mugs"],
        "entities": [{ "kind": "product", "value": "blue mugs", "normalized": null }],
        "summary": "[EMAIL_1] asks for a price.", "suggested_reply": "We will write to [EMAIL_1].",
    });
    let model = Model::start(&[Says::Form(form)]).await?;
    let app = start(&model, &[]).await?;
    let text = "How much are 20 blue mugs? Write to ana@example.com";
    let message = ask(&app, 1, text).await?;
    let enrichment = &message["enrichment"];
    assert_eq!(
        enrichment["source"],
        "llm:small",
        "{:?}",
        calls(&app, &message).await?
    );
    assert_eq!(enrichment["summary"], "ana@example.com asks for a price.");
    assert_eq!(
        enrichment["suggested_reply"],
        "We will write to ana@example.com."
    );
    assert!(
        enrichment["lead"]["score"].is_u64(),
        "the baseline's: {enrichment}"
    );
    for entity in enrichment["entities"].as_array().context("entities")? {
        let place = |name: &str| usize::try_from(entity[name].as_u64().unwrap()).unwrap();
        assert_eq!(
            text.get(place("start")..place("end")),
            entity["value"].as_str()
        );
    }
    let kinds = enrichment["entities"]
        .as_array()
        .context("entities")?
        .iter();
    let kinds: Vec<&str> = kinds.filter_map(|it| it["kind"].as_str()).collect();
    assert!(
        kinds.contains(&"product") && kinds.contains(&"email"),
        "{kinds:?}"
    );
    let sent = model.got().remove(0);
    assert!(
        sent.contains("qZ4model-key-88") && !sent.contains("ana@example.com"),
        "{sent}"
    );
    let (input, output) = Model::TOKENS;
    let used = usage(&app).await?;
    let row = &used["data"][0];
    assert_eq!(
        row["provider"],
        format!("llm:openai:{}", model.base().trim_end_matches("/v1"))
    );
    assert_eq!((&row["calls"], &row["failed"]), (&json!(1), &json!(0)));
    assert_eq!(
        (&row["input_tokens"], &row["output_tokens"]),
        (&json!(input), &json!(output))
    );
    assert_eq!(row["cost_usd"], 0.002);
    assert_eq!(used["today"]["tokens"], input + output);

    // Somebody else who says the same is answered from memory; a re-run is, too.
    let again = ask(&app, 2, text).await?;
    assert_eq!(again["enrichment"]["source"], "llm:small");
    let path = format!(
        "/v1/messages/{}/enrich",
        message["id"].as_str().context("id")?
    );
    let answer = write(&app, Method::POST, &path, &json!({})).await?;
    assert_eq!(answer.status, 202);
    eventually("it is understood once more", async || {
        let row = usage(&app).await?["data"][0].clone();
        Ok((row["cached"] == 2).then_some(()))
    })
    .await?;
    assert_eq!(model.got().len(), 1);
    let contact = message["contact_id"].as_str().context("contact")?;
    let history = app
        .list(&format!("/v1/contacts/{contact}/lead-history"))
        .await?;
    assert_eq!(history[0]["message_id"], message["id"]);
    assert_eq!(history[0]["score"], enrichment["lead"]["score"]);
    Ok(())
}

#[tokio::test]
async fn whatever_a_model_does_the_message_is_routed_and_the_policy_holds() -> Result<()> {
    let good = || Says::Form(Model::form());
    let text = |text: &str| Says::Text(text.to_owned());
    let truncated = r#"{"language":"en","intents":[{"name":"pri"#;
    let cases: Vec<(&str, Vec<Says>, &[&str])> = vec![
        ("well", vec![good()], &[""]),
        ("slowly", vec![Says::Holds], &["timeout"]),
        ("repaired", vec![text("{}"), good()], &[""]),
        (
            "not repaired",
            vec![text("{}"), text("[1]")],
            &["invalid answer"],
        ),
        (
            "truncated",
            vec![text(truncated), text(truncated)],
            &["invalid answer"],
        ),
        (
            "too fast",
            vec![Says::Throttled("1"), good()],
            &["rate limited", ""],
        ),
        (
            "fails",
            vec![Says::Status(500); 3],
            &["unavailable", "unavailable", "unavailable"],
        ),
        (
            "recovers",
            vec![Says::Status(500), good()],
            &["unavailable", ""],
        ),
        ("refuses", vec![Says::Status(400)], &["refused"]),
        ("without end", vec![Says::Endless], &["unavailable"]),
        ("well again", vec![good()], &[""]),
    ];
    let plan: Vec<Says> = cases.iter().flat_map(|(_, plan, _)| plan.clone()).collect();
    let model = Model::start(&plan).await?;
    let app = start(&model, &[]).await?;
    for ((name, _, want), number) in cases.iter().zip(1..) {
        deliver(
            &app,
            number,
            &format!("What do your mugs cost, case {name}?"),
        )
        .await?;
        // By the baseline, which no model keeps waiting.
        let routed = find(&app, &id(number), |message| {
            !message["enrichment"].is_null()
        })
        .await?;
        if *name == "slowly" {
            assert_eq!(routed["enrichment"]["source"], "baseline:offline");
        }
        let message = understood(&app, number).await?;
        let errors = calls(&app, &message).await?;
        let fits = errors
            .iter()
            .zip(*want)
            .all(|(error, want)| error.starts_with(want));
        assert!(errors.len() == want.len() && fits, "{name}: {errors:?}");
        let answered = want.last() == Some(&"");
        let source = match answered {
            true => "llm:small",
            false => "baseline:offline",
        };
        assert_eq!(message["enrichment"]["source"], source, "{name}");
    }
    assert_eq!(model.got().len(), plan.len());
    Ok(())
}

#[tokio::test]
async fn a_second_provider_is_asked_when_the_first_does_not_answer() -> Result<()> {
    let first = Model::start(&[Says::Status(500)]).await?;
    let second = Model::start(&[Says::Form(Model::form())]).await?;
    let base = second.base();
    let more = [
        ("llm_fallback_api", "openai"),
        ("llm_fallback_base_url", base.as_str()),
        ("llm_fallback_model", "other"),
    ];
    let app = start(&first, &more).await?;
    let message = ask(&app, 1, "What do your mugs cost?").await?;
    assert_eq!(message["enrichment"]["source"], "llm:other");
    assert_eq!((first.got().len(), second.got().len()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_budget_is_passed_by_one_call_at_most() -> Result<()> {
    let model = Model::start(&[Says::Form(Model::form())]).await?;
    let app = start(
        &model,
        &[("llm_daily_tokens", "1"), ("llm_concurrency", "8")],
    )
    .await?;
    const MESSAGES: u32 = 12;
    for number in 1..=MESSAGES {
        deliver(&app, number, &format!("What do {number} mugs cost?")).await?;
    }
    let mut sources = Vec::new();
    for number in 1..=MESSAGES {
        let message = understood(&app, number).await?;
        let source = message["enrichment"]["source"].as_str().context("source")?;
        if source == "baseline:offline" {
            assert_eq!(
                calls(&app, &message).await?,
                ["the budget of the day is used up"]
            );
        }
        sources.push(source.to_owned());
    }
    assert_eq!(
        sources
            .iter()
            .filter(|source| *source == "llm:small")
            .count(),
        1
    );
    assert_eq!(model.got().len(), 1);
    let used = usage(&app).await?;
    assert_eq!(used["today"]["budget_tokens"], 1);
    assert_eq!(used["data"][0]["calls"], 1);
    Ok(())
}

#[tokio::test]
async fn what_a_killed_host_asked_is_not_asked_again() -> Result<()> {
    let model = Model::start(&[Says::Holds, Says::Form(Model::form())]).await?;
    let app = start(&model, &[("llm_total_ms", "4000")]).await?;
    deliver(&app, 1, "What do your mugs cost?").await?;
    eventually("the model is asked", async || {
        Ok((model.got().len() == 1).then_some(()))
    })
    .await?;
    let mut options = options(&model, &[("llm_total_ms", "4000")]);
    options.state = Some(app.kill()?);
    let app = TestApp::start_with(options).await?;
    let message = understood(&app, 1).await?;
    assert_eq!(message["enrichment"]["source"], "baseline:offline");
    assert_eq!(
        calls(&app, &message).await?,
        ["asked before, and perhaps billed"]
    );
    assert_eq!(model.got().len(), 1);
    let row = usage(&app).await?["data"][0].clone();
    assert_eq!((&row["calls"], &row["failed"]), (&json!(1), &json!(1)));
    assert!(
        row["input_tokens"]
            .as_u64()
            .is_some_and(|tokens| tokens > 0),
        "{row}"
    );
    Ok(())
}

#[tokio::test]
async fn without_the_grant_of_its_host_nothing_leaves() -> Result<()> {
    let model = Model::start(&[Says::Form(Model::form())]).await?;
    let mut options = options(&model, &[]);
    let text = std::fs::read_to_string(&options.manifest)?;
    let mut manifest: toml::Table = text.parse()?;
    crate::manifest::absolute_sources(&mut manifest)?;
    manifest["component"]["enrich"]["allowed_outbound_hosts"] =
        toml::Value::try_from(["http://worker.spin.internal"])?;
    let folder = tempfile::tempdir()?;
    options.manifest = folder.path().join("spin.toml");
    std::fs::write(&options.manifest, manifest.to_string())?;
    let app = TestApp::start_with(options).await?;
    let message = ask(&app, 1, "What do your mugs cost?").await?;
    assert_eq!(message["enrichment"]["source"], "baseline:offline");
    assert_eq!(calls(&app, &message).await?, ["the address is not granted"]);
    assert!(model.got().is_empty());
    Ok(())
}
