//! Traces, metrics and logs, as a collector gets them over OTLP.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::{Context, Result};
use bytes::Bytes;
use harness::{Options, TestApp, eventually};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

use crate::forwarding::{CURRENT, Receiver, add_rule};
use crate::payload;

/// The trace of the requests that tests send.
pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Everything that a collector has got.
#[derive(Default)]
pub struct Collected {
    pub spans: Vec<Span>,
    metrics: BTreeSet<String>,
    logs: Vec<String>,
    services: BTreeSet<String>,
    broken: Vec<String>,
}

/// An OTLP collector on a free port.
pub struct Collector {
    base: String,
    collected: Arc<Mutex<Collected>>,
}

impl Collector {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let collected = Arc::<Mutex<Collected>>::default();
        tokio::spawn({
            let collected = collected.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let collected = collected.clone();
                    let service = service_fn(move |request| answer(request, collected.clone()));
                    let http = hyper::server::conn::http1::Builder::new();
                    tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
                }
            }
        });
        Ok(Self { base, collected })
    }

    pub fn collected(&self) -> MutexGuard<'_, Collected> {
        self.collected.lock().expect("nobody panicked")
    }

    /// Names of the spans of one trace.
    pub fn names(&self, trace: &str) -> BTreeSet<String> {
        let collected = self.collected();
        let spans = collected
            .spans
            .iter()
            .filter(|span| hex(&span.trace_id) == trace);
        spans.map(|span| span.name.clone()).collect()
    }
}

async fn answer(
    request: Request<Incoming>,
    collected: Arc<Mutex<Collected>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    let mut collected = collected.lock().expect("nobody panicked");
    if let Err(error) = collect(&mut collected, head.uri.path(), &head.headers, body) {
        collected
            .broken
            .push(format!("{}: {error}", head.uri.path()));
    }
    Ok(Response::new(Full::default()))
}

fn collect(collected: &mut Collected, path: &str, headers: &HeaderMap, body: Bytes) -> Result<()> {
    anyhow::ensure!(
        headers["content-type"] == "application/x-protobuf",
        "{headers:?}"
    );
    let mut resources = Vec::new();
    match path {
        "/v1/traces" => {
            for one in ExportTraceServiceRequest::decode(body)?.resource_spans {
                resources.extend(one.resource);
                let spans = one.scope_spans.into_iter().flat_map(|scope| scope.spans);
                collected.spans.extend(spans);
            }
        }
        "/v1/metrics" => {
            for one in ExportMetricsServiceRequest::decode(body)?.resource_metrics {
                resources.extend(one.resource);
                let metrics = one
                    .scope_metrics
                    .into_iter()
                    .flat_map(|scope| scope.metrics);
                collected.metrics.extend(metrics.map(|metric| metric.name));
            }
        }
        "/v1/logs" => {
            for one in ExportLogsServiceRequest::decode(body)?.resource_logs {
                resources.extend(one.resource);
                let logs = one
                    .scope_logs
                    .into_iter()
                    .flat_map(|scope| scope.log_records);
                collected.logs.extend(logs.map(|log| format!("{log:?}")));
            }
        }
        other => anyhow::bail!("nothing is sent to {other}"),
    }
    for resource in resources {
        collected
            .services
            .extend(text(&resource.attributes, "service.name"));
    }
    Ok(())
}

/// The attribute `key`, if it is a text.
pub fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

/// An id as traces show it.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn options() -> Options {
    let mut options = Options::default();
    let secret = ("n8n_signing_secret".to_owned(), CURRENT.to_owned());
    options.variables.extend([secret]);
    options.arguments = vec!["--allow-private".to_owned(), "127.0.0.0/8".to_owned()];
    options
}

/// What has a host send its telemetry to `collector`.
pub fn environment(collector: &Collector) -> [(&str, &str); 4] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.base.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "100"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
    ]
}

/// The app, with its telemetry sent to `collector`, and rules that forward every message to
/// `receiver`.
async fn start(collector: &Collector, receiver: &Receiver) -> Result<TestApp> {
    let mut options = options();
    options.environment = environment(collector)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let app = TestApp::start_with(options).await?;
    add_rule(&app, "Hi", &receiver.base).await?;
    Ok(app)
}

#[tokio::test]
async fn one_webhook_is_one_trace_from_ingest_to_dispatch() -> Result<()> {
    let collector = Collector::start().await?;
    let receiver = Receiver::start(&[]).await?;
    let app = start(&collector, &receiver).await?;
    let mut delivery = payload::text_delivery("16505551234", "wamid.A", "Hi");
    let incoming = format!("00-{TRACE}-00f067aa0ba902b7-01");
    delivery.headers.push(("traceparent".to_owned(), incoming));
    assert_eq!(app.deliver(&delivery).await?.status, 200);
    app.settle().await?;

    let wanted = [
        "POST /webhooks/whatsapp",
        "execute_wasm_component ingest-whatsapp",
        "execute_wasm_component worker",
        "execute_wasm_component dispatch",
        "spin_sqlite.execute",
        // What is forwarded; it may end after the rest.
        "POST",
    ];
    eventually("the trace is whole", async || {
        let names = collector.names(TRACE);
        let whole = wanted.iter().all(|name| names.contains(*name));
        Ok(whole.then_some(()))
    })
    .await
    .with_context(|| format!("{:?}", collector.names(TRACE)))?;

    // What the sender named is the parent of the first span, and every other span has a parent.
    let spans = collector.collected().spans.clone();
    let first = spans
        .iter()
        .find(|span| span.name == "POST /webhooks/whatsapp");
    assert_eq!(
        hex(&first.context("first")?.parent_span_id),
        "00f067aa0ba902b7"
    );
    for span in spans.iter().filter(|span| hex(&span.trace_id) == TRACE) {
        assert!(!span.parent_span_id.is_empty(), "{span:?}");
        let whole = format!("{span:?}");
        assert!(!whole.contains("Hi\""), "a message's text: {whole}");
    }
    // The trace goes on at the receiver.
    let got = eventually("the receiver got it", async || Ok(receiver.got().pop())).await?;
    let sent = got.headers["traceparent"].to_str()?.to_owned();
    assert!(sent.starts_with(&format!("00-{TRACE}-")), "{sent}");
    let span = sent.split('-').nth(2).context("span id")?;
    let client = eventually("the span of the call", async || {
        let spans = &collector.collected().spans;
        Ok(spans.iter().find(|one| hex(&one.span_id) == span).cloned())
    })
    .await?;
    assert_eq!(
        text(&client.attributes, "http.request.method").as_deref(),
        Some("POST")
    );
    Ok(())
}

/// The collector answers while the stop is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_and_logs_are_sent_too_and_what_is_left_at_the_end() -> Result<()> {
    let collector = Collector::start().await?;
    let receiver = Receiver::start(&[]).await?;
    let app = start(&collector, &receiver).await?;
    app.deliver(&payload::text_delivery("16505551234", "wamid.A", "Hi"))
        .await?;
    app.settle().await?;
    app.stop()?;
    let collected = collector.collected();
    assert_eq!(collected.broken, Vec::<String>::new());
    for name in [
        "spin.request_count",
        "http.server.request.duration",
        "http.server.active_requests",
        "chatly.instances",
        "chatly.connections",
    ] {
        assert!(
            collected.metrics.contains(name),
            "{name}: {:?}",
            collected.metrics
        );
    }
    assert!(
        collected
            .logs
            .iter()
            .any(|log| log.contains("request served"))
    );
    assert_eq!(collected.services, BTreeSet::from(["chatly".to_owned()]));
    assert!(!collected.spans.is_empty());
    Ok(())
}

/// Without a collector, what the sender says of its trace comes through as it is.
#[tokio::test]
async fn without_a_collector_nothing_is_added() -> Result<()> {
    let receiver = Receiver::start(&[]).await?;
    let app = TestApp::start_with(options()).await?;
    add_rule(&app, "Hi", &receiver.base).await?;
    let mut delivery = payload::text_delivery("16505551234", "wamid.A", "Hi");
    let incoming = format!("00-{TRACE}-00f067aa0ba902b7-01");
    delivery.headers.push(("traceparent".to_owned(), incoming));
    assert_eq!(app.deliver(&delivery).await?.status, 200);
    let got = eventually("the receiver got it", async || Ok(receiver.got().pop())).await?;
    let sent = got.headers["traceparent"].to_str()?;
    assert!(sent.starts_with(&format!("00-{TRACE}-")), "{sent}");
    Ok(())
}
