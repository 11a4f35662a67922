//! The host's counters as OpenTelemetry metrics.
//!
//! They are read when a batch is made; only the histogram of durations is told of each request.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use http::StatusCode;
use opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};
use opentelemetry::{InstrumentationScope, KeyValue, global};

use super::Telemetry;
use crate::http::admission::Admission;
use crate::http::dispatch::Dispatcher;
use crate::metrics::Component;

/// Set once metrics are collected.
static DURATIONS: OnceLock<Histogram<f64>> = OnceLock::new();

/// A request has its response head.
pub fn served(component: &str, status: StatusCode, elapsed: Duration) {
    if let Some(durations) = DURATIONS.get() {
        durations.record(
            elapsed.as_secs_f64(),
            &[
                KeyValue::new("component_id", component.to_owned()),
                KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
            ],
        );
    }
}

/// Has the application's figures read for every batch, if metrics are collected.
pub fn observe(
    telemetry: &Telemetry,
    app: &str,
    dispatcher: &Arc<Dispatcher>,
    admission: &Admission,
) {
    if telemetry.metrics.is_none() {
        return;
    }
    let meter = global::meter_with_scope(InstrumentationScope::builder(super::SERVICE).build());
    let durations = meter
        .f64_histogram("http.server.request.duration")
        .with_unit("s");
    // The specification's advice for this metric, and two bounds below it.
    let bounds = [
        0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5,
        10.0,
    ];
    let durations = durations.with_boundaries(bounds.to_vec());
    _ = DURATIONS.set(
        durations
            .with_description("Time from a request to its response head")
            .build(),
    );

    let app = app.to_owned();
    each(
        &meter,
        "spin.request_count",
        Kind::Counter,
        dispatcher,
        move |component, observer| {
            for (class, count) in component.counters.by_class() {
                let labels = [
                    KeyValue::new("trigger_type", "http"),
                    KeyValue::new("app_id", app.clone()),
                    KeyValue::new("component_id", component.id.to_owned()),
                    KeyValue::new("status_class", class),
                ];
                observer.observe(count, &labels);
            }
        },
    );
    each(
        &meter,
        "http.server.active_requests",
        Kind::Gauge,
        dispatcher,
        |component, observer| {
            observer.observe(component.counters.in_flight(), &label(component));
        },
    );
    each(
        &meter,
        "chatly.instances",
        Kind::Gauge,
        dispatcher,
        |component, observer| {
            observer.observe(component.instances as u64, &label(component));
        },
    );
    each(
        &meter,
        "chatly.requests.queued",
        Kind::Gauge,
        dispatcher,
        |component, observer| {
            observer.observe(component.queued as u64, &label(component));
        },
    );
    each(
        &meter,
        "chatly.traps",
        Kind::Counter,
        dispatcher,
        |component, observer| {
            observer.observe(component.counters.traps(), &label(component));
        },
    );
    let admission = admission.clone();
    // The instrument lives as long as its meter.
    _ = meter
        .u64_observable_gauge("chatly.connections")
        .with_callback(move |observer| observer.observe(admission.measured().open as u64, &[]))
        .build();
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

fn label(component: &Component<'_>) -> [KeyValue; 1] {
    [KeyValue::new("component_id", component.id.to_owned())]
}

fn each(
    meter: &Meter,
    name: &'static str,
    kind: Kind,
    dispatcher: &Arc<Dispatcher>,
    read: impl Fn(&Component<'_>, &dyn AsyncInstrument<u64>) + Send + Sync + 'static,
) {
    let dispatcher: Weak<Dispatcher> = Arc::downgrade(dispatcher);
    let all = move |observer: &dyn AsyncInstrument<u64>| {
        let Some(dispatcher) = dispatcher.upgrade() else {
            return;
        };
        dispatcher.measured(|components| {
            for component in components.iter().filter(|one| !one.id.is_empty()) {
                read(component, observer);
            }
        });
    };
    match kind {
        Kind::Counter => {
            _ = meter
                .u64_observable_counter(name)
                .with_callback(all)
                .build()
        }
        Kind::Gauge => _ = meter.u64_observable_gauge(name).with_callback(all).build(),
    }
}
