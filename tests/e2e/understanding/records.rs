//! What is told of calls: spans for a collector, and what was said only where it is asked for.

use anyhow::{Context, Result};
use harness::{Model, Says, eventually};
use http::Method;
use serde_json::{Value, json};

use super::{ask, start};
use crate::routing::write;

/// What a customer writes, and what of it goes nowhere.
const TEXT: &str = "What do your mugs cost? Write to ana@example.com";
const SECRET: &str = "qZ4collector-key";

/// The spans that came, each with its head.
fn spans(collector: &Model) -> Result<Vec<(String, Value)>> {
    let of = |got: String| -> Result<(String, Value)> {
        let (head, body) = got.split_once('\n').context("a head and a body")?;
        let body: Value = serde_json::from_str(body)?;
        Ok((
            head.to_owned(),
            body["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone(),
        ))
    };
    collector.got().into_iter().map(of).collect()
}

fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a Value> {
    let attributes = span["attributes"].as_array()?;
    let found = attributes.iter().find(|one| one["key"] == key)?;
    found["value"].as_object()?.values().next()
}

#[tokio::test]
async fn every_call_is_a_span_and_says_nothing_that_was_said() -> Result<()> {
    let model = Model::start(&[Says::Status(400), Says::Form(Model::form())]).await?;
    let collector = Model::start(&[Says::Text("{}".to_owned())]).await?;
    let endpoint = collector.base().trim_end_matches("/v1").to_owned();
    let more = [
        ("llm_traces", "on"),
        ("otlp_endpoint", endpoint.as_str()),
        ("otlp_headers", "x-key=qZ4collector-key"),
    ];
    let app = start(&model, &more).await?;
    ask(&app, 1, TEXT).await?;
    let message = ask(&app, 2, TEXT).await?;
    assert_eq!(message["enrichment"]["source"], "llm:small");
    eventually("both spans are there", async || {
        Ok((collector.got().len() == 2).then_some(()))
    })
    .await?;
    let spans = spans(&collector)?;
    let (input, output) = Model::TOKENS;
    for (head, span) in &spans {
        assert!(
            head.contains("/v1/traces") && head.contains(SECRET),
            "{head}"
        );
        assert_eq!(span["name"], "chat small");
        assert_eq!(
            attribute(span, "gen_ai.provider.name"),
            Some(&json!("openai"))
        );
        assert_eq!(attribute(span, "gen_ai.input.messages"), None);
        let whole = span.to_string();
        assert!(!whole.contains("mugs") && !whole.contains("qZ4"), "{whole}");
    }
    let (refused, answered) = (&spans[0].1, &spans[1].1);
    assert_eq!(attribute(refused, "error.type"), Some(&json!("refused")));
    assert_eq!(
        attribute(answered, "gen_ai.usage.input_tokens"),
        Some(&json!(input.to_string()))
    );
    assert_eq!(
        attribute(answered, "gen_ai.usage.output_tokens"),
        Some(&json!(output.to_string()))
    );
    assert_eq!(
        attribute(answered, "gen_ai.conversation.id"),
        Some(&message["conversation_id"])
    );

    // What is there without being asked for holds no content either.
    let calls = app.list("/v1/external-calls").await?;
    let details = |call: &Value| call["details"].to_string();
    assert!(
        calls.iter().all(|call| !details(call).contains("mugs")),
        "{calls:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_tenant_may_have_what_was_said_kept_without_personal_data() -> Result<()> {
    let mut form = Model::form();
    form["summary"] = "[EMAIL_1] asks.".into();
    let model = Model::start(&[Says::Form(form)]).await?;
    let collector = Model::start(&[Says::Status(500)]).await?;
    let endpoint = collector.base().trim_end_matches("/v1").to_owned();
    let more = [
        ("llm_traces", "on"),
        ("llm_record_content", "on"),
        ("otlp_endpoint", endpoint.as_str()),
    ];
    let app = start(&model, &more).await?;
    let message = ask(&app, 1, TEXT).await?;
    // A collector that fails changes nothing.
    assert_eq!(message["enrichment"]["source"], "llm:small");
    let calls = app.list("/v1/external-calls").await?;
    let call = calls
        .iter()
        .find(|call| call["kind"] == "llm")
        .context("call")?;
    assert_eq!(
        call["details"]["input"],
        json!([{"role": "customer", "text": "What do your mugs cost? Write to [EMAIL_1]"}])
    );
    assert_eq!(call["details"]["output"]["summary"], "[EMAIL_1] asks.");
    eventually("the span was sent", async || {
        Ok((!collector.got().is_empty()).then_some(()))
    })
    .await?;
    let (_, span) = spans(&collector)?.remove(0);
    let said = |key| {
        attribute(&span, key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    assert!(
        said("gen_ai.input.messages").contains("[EMAIL_1]"),
        "{span}"
    );
    assert!(
        said("gen_ai.output.messages").contains("[EMAIL_1] asks."),
        "{span}"
    );
    assert!(!span.to_string().contains("ana@example.com"), "{span}");
    Ok(())
}

#[tokio::test]
async fn anthropics_messages_are_spoken_from_end_to_end() -> Result<()> {
    let tool = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "small", "stop_reason": "tool_use",
        "content": [{"type": "tool_use", "id": "t1", "name": "understanding", "input": Model::form()}],
        "usage": {"input_tokens": 70, "cache_read_input_tokens": 30, "output_tokens": 20},
    });
    let model = Model::start(&[Says::Body(tool.to_string())]).await?;
    let app = start(&model, &[("llm_api", "anthropic")]).await?;
    let message = ask(&app, 1, TEXT).await?;
    assert_eq!(message["enrichment"]["source"], "llm:small");
    assert_eq!(message["enrichment"]["summary"], "Asks for a price.");
    let sent = model.got().remove(0);
    let (head, body) = sent.split_once('\n').context("a head and a body")?;
    for part in ["/v1/messages", "x-api-key", "anthropic-version"] {
        assert!(head.contains(part), "{part}: {head}");
    }
    let body: Value = serde_json::from_str(body)?;
    assert_eq!(body["tool_choice"]["type"], "tool");
    assert!(!sent.contains("ana@example.com"), "{sent}");
    let used = app.api("/v1/usage").await?.json()?;
    let row = &used["data"][0];
    assert_eq!(
        (&row["input_tokens"], &row["output_tokens"]),
        (&json!(100), &json!(20))
    );

    // A second look is answered from memory by this provider too.
    let id = message["id"].as_str().context("id")?;
    let path = format!("/v1/messages/{id}/enrich");
    assert_eq!(
        write(&app, Method::POST, &path, &json!({})).await?.status,
        202
    );
    eventually("it is understood once more", async || {
        let used = app.api("/v1/usage").await?.json()?;
        Ok((used["data"][0]["cached"] == 1).then_some(()))
    })
    .await?;
    assert_eq!(model.got().len(), 1);
    Ok(())
}
