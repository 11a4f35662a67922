//! Spans of requests, and where calls of a guest belong.
//!
//! 1. A request continues the trace that its `traceparent` names (W3C Trace Context), or begins
//!    one. The component sees the header of the span that runs it, so what it passes on, now or
//!    from a store later, leads back there. Without a collector the header is left as it came.
//! 2. A call that a guest makes belongs to the trace that the guest names in it. Else it belongs to
//!    the request that its instance works on; an instance that works on several cannot tell them
//!    apart, so its calls over HTTP begin traces of their own, and its other calls have no spans.
//! 3. Spans hold no query, since platforms put tokens there, and no bodies.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use http::uri::Authority;
use http::{HeaderMap, Request, StatusCode};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, ContextGuard};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::collects_traces;

/// The request of a guest's call cannot be told. Not sampled, so that spans below it are none.
fn unknown() -> SpanContext {
    let (trace, span) = (TraceId::from(1), SpanId::from(1));
    SpanContext::new(trace, span, TraceFlags::NOT_SAMPLED, true, TraceState::NONE)
}

/// The span of one request, and the one below it of the component's work.
#[derive(Debug, Clone)]
pub struct Trace {
    request: Span,
    component: Span,
}

impl Trace {
    /// Begins both, and tells the component of them.
    pub fn begin<B>(
        request: &mut Request<B>,
        component: &str,
        route: &str,
        client: SocketAddr,
    ) -> Self {
        let method = request.method();
        let span = debug_span!(
            "spin_trigger_http.handle_http_request",
            "otel.kind" = "server",
            "otel.name" = format!("{method} {route}"),
            "otel.status_code" = Empty,
            "http.request.method" = %method,
            "http.response.status_code" = Empty,
            "http.route" = route,
            "network.peer.address" = %client.ip(),
            "network.peer.port" = client.port(),
            "network.protocol.name" = "http",
            "url.path" = request.uri().path(),
            "url.scheme" = request.uri().scheme_str().unwrap_or_default(),
        );
        if span.is_disabled() {
            return Self {
                request: Span::none(),
                component: Span::none(),
            };
        }
        if collects_traces() {
            // Fails only for a span that has begun, which this one has not.
            _ = span.set_parent(named(request.headers()).unwrap_or_default());
        }
        let below = debug_span!(
            parent: &span,
            "spin_trigger_http.execute_wasm",
            "otel.name" = format!("execute_wasm_component {component}"),
            component_id = component,
        );
        tell(&below, request.headers_mut());
        Self {
            request: span,
            component: below,
        }
    }

    /// The work of the component, in its span.
    pub fn work<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        work.instrument(self.component.clone())
    }

    /// Notes the answer; `log` is what is logged about it.
    pub fn end(self, status: StatusCode, log: impl FnOnce()) {
        note(&self.request, status);
        self.request.in_scope(log);
    }
}

fn note(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// An authority without the user that may stand in it.
fn host_and_port(authority: &Authority) -> &str {
    let text = authority.as_str();
    text.rsplit_once('@').map_or(text, |(_, host)| host)
}

/// A request that a guest sends, in its span; the receiver is told of it.
pub struct Traced {
    span: Span,
}

/// Begins the span of a request that a guest sends. To be called while the guest runs.
pub fn outgoing<B>(request: &mut Request<B>) -> Traced {
    let uri = request.uri();
    let span = debug_span!(
        "spin_outbound_http.send_request",
        "otel.kind" = "client",
        "otel.name" = %request.method(),
        "otel.status_code" = Empty,
        "error.type" = Empty,
        "http.request.method" = %request.method(),
        "http.response.status_code" = Empty,
        "server.address" = uri.host().unwrap_or_default(),
        "server.port" = uri.port_u16(),
        // Without path and query: some platforms take tokens there.
        "url.full" = format!(
            "{}://{}/",
            uri.scheme_str().unwrap_or_default(),
            uri.authority().map_or("", host_and_port),
        ),
    );
    if collects_traces() && !span.is_disabled() {
        let own = Context::current();
        let parent = named(request.headers()).unwrap_or_else(|| {
            if own.span().span_context().trace_id() == unknown().trace_id() {
                Context::new()
            } else {
                own
            }
        });
        _ = span.set_parent(parent);
        tell(&span, request.headers_mut());
    }
    Traced { span }
}

impl Traced {
    /// Sends it.
    pub async fn send<R, E: std::fmt::Display>(
        self,
        send: impl Future<Output = Result<R, E>>,
        status: impl FnOnce(&R) -> StatusCode,
    ) -> Result<R, E> {
        let result = send.instrument(self.span.clone()).await;
        match &result {
            Ok(response) => note(&self.span, status(response)),
            Err(error) => {
                self.span
                    .record("error.type", tracing::field::display(error));
                self.span.record("otel.status_code", "ERROR");
            }
        }
        result
    }
}

/// The context that a `traceparent` names, if it is one.
fn named(headers: &HeaderMap) -> Option<Context> {
    let context = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
    let is_valid = context.span().span_context().is_valid();
    is_valid.then_some(context)
}

fn tell(span: &Span, headers: &mut HeaderMap) {
    if collects_traces() {
        let propagator = TraceContextPropagator::new();
        propagator.inject_context(&span.context(), &mut HeaderInjector(headers));
    }
}

/// The requests that one instance works on.
#[derive(Debug, Default)]
pub struct Ambient(Mutex<Vec<SpanContext>>);

impl Ambient {
    /// What [`Ambient::begin`] takes: the span that is current where a request is handed over.
    pub fn current() -> Option<SpanContext> {
        collects_traces().then(|| Span::current().context().span().span_context().clone())
    }

    /// The instance takes a request.
    pub fn begin(&self, request: Option<SpanContext>) {
        if let Some(request) = request.filter(SpanContext::is_valid) {
            self.lock().push(request);
        }
    }

    /// Nothing runs in the instance any more.
    pub fn clear(&self) {
        if collects_traces() {
            self.lock().clear();
        }
    }

    /// Makes what the guest calls belong where it should, as long as the guard lives.
    pub fn enter(&self) -> Option<ContextGuard> {
        if !collects_traces() {
            return None;
        }
        let requests = self.lock();
        let own = match requests.as_slice() {
            [] => return None,
            [only] => only.clone(),
            _ => unknown(),
        };
        Some(Context::new().with_remote_span_context(own).attach())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<SpanContext>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
