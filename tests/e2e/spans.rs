//! Spans of what guests ask of the host: all of it, with no secret in any. Values, keys, topics,
//! prompts and the text of statements that these tests use have `qZ4` in them.

use std::path::PathBuf;

use anyhow::{Context, Result};
use harness::{GuestApp, Postgres, Server, Setup, eventually, guest};
use http::Method;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;

use crate::telemetry::{Collector, TRACE, environment, hex, text};

/// A host with this guest as `granted`.
async fn start_guest(collector: &Collector, source: PathBuf, grants: &str) -> Result<GuestApp> {
    Setup::new()?
        .component("granted", &source, grants)
        .environment(environment(collector))
        .start()
        .await
}

/// Has the guest make these calls in [`TRACE`]; gives its spans once all of `names` are there, after
/// a look for secrets.
async fn spans_of(
    collector: &Collector,
    app: &GuestApp,
    calls: serde_json::Value,
    names: &[&str],
) -> Result<Vec<Span>> {
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [("traceparent", parent.as_str())];
    let sent = app.request(Method::POST, "/granted", &headers, calls.to_string());
    let answer = sent.await?.json()?;
    eventually("all calls have spans", async || {
        let seen = collector.names(TRACE);
        Ok(names.iter().all(|name| seen.contains(*name)).then_some(()))
    })
    .await
    .with_context(|| format!("{:?} {answer}", collector.names(TRACE)))?;
    let spans = collector.collected().spans.clone();
    for span in &spans {
        let whole = format!("{span:?}");
        assert!(!whole.contains("qZ4"), "{whole}");
    }
    let of_trace = spans.into_iter();
    Ok(of_trace
        .filter(|span| hex(&span.trace_id) == TRACE)
        .collect())
}

/// An attribute of the first span of this name.
fn attribute(spans: &[Span], name: &str, key: &str) -> Option<String> {
    let span = spans.iter().find(|span| span.name == name)?;
    text(&span.attributes, key)
}

#[tokio::test]
async fn calls_of_every_capability_of_the_host_itself_have_spans() -> Result<()> {
    let collector = Collector::start().await?;
    let grants = "key_value_stores = [\"default\"]\nsqlite_databases = [\"default\"]\n\
                  ai_models = [\"llama\"]\n[component.granted.variables]\nchannel = \"qZ4value\"";
    let app = start_guest(&collector, guest("spin-2")?, grants).await?;
    let calls = json!([
        ["store", "default"],
        ["set", "qZ4key", "qZ4value"],
        ["database", "default"],
        ["execute", "SELECT 'qZ4literal', ?", ["qZ4parameter"]],
        ["variable", "channel"],
        ["variable", "qZ4unknown"],
        ["infer", "llama", "qZ4prompt"],
        ["infer", "qZ4model", "qZ4prompt"],
        ["embed", "llama", "qZ4text"],
    ]);
    let names = [
        "spin_key_value.open",
        "spin_key_value.set",
        "spin_sqlite.open",
        "spin_sqlite.execute",
        "spin_variables.get",
        "spin_llm.infer",
        "spin_llm.generate_embeddings",
    ];
    let spans = spans_of(&collector, &app, calls, &names).await?;
    let shown = |name, key| attribute(&spans, name, key);
    assert_eq!(
        shown("spin_variables.get", "key").as_deref(),
        Some("channel")
    );
    assert_eq!(shown("spin_llm.infer", "model").as_deref(), Some("llama"));
    let infers = spans.iter().filter(|span| span.name == "spin_llm.infer");
    assert_eq!(infers.count(), 2, "a refused one, too");
    Ok(())
}

#[tokio::test]
async fn variables_read_through_wasi_config_have_spans() -> Result<()> {
    let collector = Collector::start().await?;
    let grants = "[component.granted.variables]\nchannel = \"qZ4value\"";
    let app = start_guest(&collector, guest("wasi-config")?, grants).await?;
    let names = ["wasi_config.get", "wasi_config.get_all"];
    let calls = json!(["channel", "qZ4unknown"]);
    let spans = spans_of(&collector, &app, calls, &names).await?;
    let key = attribute(&spans, "wasi_config.get", "key");
    assert_eq!(key.as_deref(), Some("channel"));
    Ok(())
}

/// The collector answers while the stop is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_to_redis_have_spans_by_their_names() -> Result<()> {
    let Some(server) = Server::redis()? else {
        return Ok(());
    };
    let collector = Collector::start().await?;
    let address = format!("redis://127.0.0.1:{}", server.port());
    let hosts = format!("allowed_outbound_hosts = [\"{address}\"]");
    let app = start_guest(&collector, guest("redis")?, &hosts).await?;
    let calls = json!([
        ["open", format!("{address}/3")],
        ["set", "qZ4key", "qZ4value"],
        ["get", "qZ4key"],
        ["incr", "qZ4number"],
        ["sadd", "qZ4set", ["qZ4member"]],
        ["smembers", "qZ4set"],
        ["srem", "qZ4set", ["qZ4member"]],
        ["del", ["qZ4key"]],
        ["publish", "qZ4channel", "qZ4payload"],
        ["execute", "STRLEN", ["qZ4key"]],
        ["execute", "qZ4 no command", []],
    ]);
    let open = "spin_outbound_redis.open_connection";
    let names = [
        open, "SET", "GET", "INCRBY", "SADD", "SMEMBERS", "SREM", "DEL", "PUBLISH", "STRLEN",
        "execute",
    ];
    let spans = spans_of(&collector, &app, calls, &names).await?;
    for (key, want) in [
        ("server.address", "127.0.0.1"),
        ("db.namespace", "3"),
        ("db.system.name", "redis"),
    ] {
        assert_eq!(attribute(&spans, open, key).as_deref(), Some(want), "{key}");
    }

    // A password, which this server does not even have, stays out of the span of the refusal.
    let secret = format!("redis://user:qZ4password@127.0.0.1:{}", server.port());
    let calls = json!([["open", secret]]);
    spans_of(&collector, &app, calls, &[open]).await?;
    app.stop()?;
    assert!(!format!("{:?}", collector.collected().spans).contains("qZ4"));
    Ok(())
}

#[tokio::test]
async fn statements_to_postgres_have_spans_without_their_text() -> Result<()> {
    let Some(server) = Postgres::start()? else {
        return Ok(());
    };
    let collector = Collector::start().await?;
    let hosts = format!(
        "allowed_outbound_hosts = [\"postgres://127.0.0.1:{}\"]",
        server.port()
    );
    let app = start_guest(&collector, guest("postgres")?, &hosts).await?;
    let statement = "SELECT 'qZ4literal', $1::text";
    let calls = json!([
        ["open-async", server.url()],
        ["query", statement, ["qZ4parameter"]],
        ["execute", statement, ["qZ4parameter"]],
        ["query-async", statement, ["qZ4parameter"]],
        ["execute-async", statement, ["qZ4parameter"]],
    ]);
    let open = "spin_outbound_pg.open_async";
    let names = [
        open,
        "spin_outbound_pg.query",
        "spin_outbound_pg.execute",
        "spin_outbound_pg.query_async",
    ];
    let spans = spans_of(&collector, &app, calls, &names).await?;
    for (key, want) in [
        ("server.address", "127.0.0.1"),
        ("db.namespace", "postgres"),
        ("db.system.name", "postgresql"),
    ] {
        assert_eq!(attribute(&spans, open, key).as_deref(), Some(want), "{key}");
    }
    let calls = json!([["build", server.url()]]);
    let names = ["spin_outbound_pg.open"];
    spans_of(&collector, &app, calls, &names).await?;
    Ok(())
}

#[tokio::test]
async fn messages_to_a_broker_have_spans_without_topic_and_text() -> Result<()> {
    let Some(server) = Server::mosquitto()? else {
        return Ok(());
    };
    let collector = Collector::start().await?;
    let here = format!("mqtt://127.0.0.1:{}", server.port());
    let hosts = format!("allowed_outbound_hosts = [\"{here}\"]");
    let app = start_guest(&collector, guest("mqtt")?, &hosts).await?;
    let calls = json!({
        "address": format!("{here}?client_id=qZ4client"),
        "messages": [["qZ4topic", "qZ4payload", 1]],
    });
    let open = "spin_outbound_mqtt.open_connection";
    let names = [open, "spin_outbound_mqtt.publish"];
    let spans = spans_of(&collector, &app, calls, &names).await?;
    let address = attribute(&spans, open, "server.address");
    assert_eq!(address.as_deref(), Some("127.0.0.1"));
    Ok(())
}
