//! OpenTelemetry: traces, metrics and logs to an OTLP collector.
//!
//! 1. Off unless the environment names a collector: `OTEL_EXPORTER_OTLP_ENDPOINT`, or one of the
//!    variables for a single signal. `OTEL_SDK_DISABLED` wins. As in Spin.
//! 2. The other standard variables are read by the SDK: headers, resource attributes, sampler,
//!    batch sizes. The protocol is `http/protobuf`; another one stops the start.
//! 3. Spans have Spin's names where Spin has them. They are `debug` spans of this workspace's
//!    crates, so that neither the log nor a request pays for them while nobody collects.
//! 4. What is collected is sent by threads of its own. A collector that is down costs nothing but
//!    what was meant for it.

mod client;
mod figures;
mod spans;

use std::env;
use std::sync::OnceLock;

use anyhow::{Context as _, bail};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Registry};

use client::Client;
pub use figures::{observe, served};
pub use spans::{Ambient, Trace, Traced, outgoing};

/// The service's name when the environment has none.
const SERVICE: &str = "chatly";
/// Any of these switches a signal on, together with the first.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// Whether spans are collected; decided once, before the first request.
static TRACES: OnceLock<()> = OnceLock::new();

/// Whether spans are collected.
fn collects_traces() -> bool {
    TRACES.get().is_some()
}

/// What sends the three signals; sends what is left when dropped.
#[derive(Debug, Default)]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: Option<SdkMeterProvider>,
    logs: Option<SdkLoggerProvider>,
}

/// A layer of the process's subscriber.
type Boxed = Box<dyn Layer<Registry> + Send + Sync>;

impl Telemetry {
    /// What the environment asks for; nothing by default.
    ///
    /// # Errors
    /// When it asks for a protocol that this host does not speak, or names an unusable endpoint.
    pub fn from_environment() -> anyhow::Result<Self> {
        let mut telemetry = Self::default();
        if wants("TRACES") {
            check_protocol("TRACES")?;
            let exporter = SpanExporter::builder()
                .with_http()
                .with_http_client(Client::new()?);
            let exporter = exporter.build().context("cannot send traces")?;
            let provider = SdkTracerProvider::builder().with_resource(resource());
            telemetry.traces = Some(provider.with_batch_exporter(exporter).build());
            _ = TRACES.set(());
        }
        if wants("METRICS") {
            check_protocol("METRICS")?;
            let exporter = MetricExporter::builder()
                .with_http()
                .with_http_client(Client::new()?);
            let exporter = exporter.build().context("cannot send metrics")?;
            let provider = SdkMeterProvider::builder().with_resource(resource());
            let provider = provider.with_periodic_exporter(exporter).build();
            opentelemetry::global::set_meter_provider(provider.clone());
            telemetry.metrics = Some(provider);
        }
        if wants("LOGS") {
            check_protocol("LOGS")?;
            let exporter = LogExporter::builder()
                .with_http()
                .with_http_client(Client::new()?);
            let exporter = exporter.build().context("cannot send logs")?;
            let provider = SdkLoggerProvider::builder().with_resource(resource());
            telemetry.logs = Some(provider.with_batch_exporter(exporter).build());
        }
        Ok(telemetry)
    }

    /// Layers that hand over spans, and those events that `log` lets through.
    pub fn layers(&self, log: impl Fn() -> EnvFilter) -> Vec<Boxed> {
        let mut layers: Vec<Boxed> = Vec::new();
        if let Some(provider) = &self.traces {
            let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer(SERVICE));
            // Where a span begins in the source, and in which thread, helps nobody who reads a trace.
            let layer = layer.with_location(false).with_threads(false);
            layers.push(layer.with_filter(own_spans()).boxed());
        }
        if let Some(provider) = &self.logs {
            let layer = OpenTelemetryTracingBridge::new(provider);
            layers.push(layer.with_filter(not_about_sending(log())).boxed());
        }
        layers
    }
}

impl Telemetry {
    /// Sends the metrics as they are now. Blocks until they are sent, at most for the exporter's
    /// timeout.
    pub fn flush_metrics(&self) {
        if let Some(Err(error)) = self.metrics.as_ref().map(SdkMeterProvider::force_flush) {
            tracing::warn!(%error, "the last metrics were not sent");
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let ended = [
            self.traces.take().map(|traces| traces.shutdown()),
            self.metrics.take().map(|metrics| metrics.shutdown()),
            self.logs.take().map(|logs| logs.shutdown()),
        ];
        for error in ended.into_iter().flatten().filter_map(Result::err) {
            tracing::warn!(%error, "telemetry was not sent whole");
        }
    }
}

/// This workspace's spans and nobody else's.
fn own_spans<S: for<'a> LookupSpan<'a> + tracing::Subscriber>()
-> impl tracing_subscriber::layer::Filter<S> {
    FilterFn::new(is_own_span).with_max_level_hint(LevelFilter::DEBUG)
}

fn is_own_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target().starts_with("chatly")
}

/// Without what the exporters say about themselves, which would be sent by them.
fn not_about_sending(filter: EnvFilter) -> EnvFilter {
    [
        "opentelemetry=off",
        "opentelemetry_sdk=off",
        "opentelemetry_otlp=off",
        "opentelemetry_http=off",
    ]
    .into_iter()
    .filter_map(|directive| directive.parse().ok())
    .fold(filter, EnvFilter::add_directive)
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Whether the environment asks for a signal.
fn wants(signal: &str) -> bool {
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT");
    !is_set(DISABLED) && (is_set(ENDPOINT) || is_set(&own))
}

fn check_protocol(signal: &str) -> anyhow::Result<()> {
    let own = format!("OTEL_EXPORTER_OTLP_{signal}_PROTOCOL");
    for name in [own.as_str(), "OTEL_EXPORTER_OTLP_PROTOCOL"] {
        match env::var(name).as_deref() {
            Ok("http/protobuf") => return Ok(()),
            Ok("") | Err(_) => {}
            Ok(other) => bail!("{name}={other}: this host speaks http/protobuf; set that"),
        }
    }
    Ok(())
}

/// Who sends: what the environment says, and a name when it says none.
fn resource() -> Resource {
    let attributes = env::var("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let is_named = is_set("OTEL_SERVICE_NAME") || attributes.contains("service.name=");
    let builder = Resource::builder();
    if is_named {
        builder.build()
    } else {
        builder.with_service_name(SERVICE).build()
    }
}
