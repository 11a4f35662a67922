//! The host's own address for those who run it: metrics and health.
//!
//! 1. Off unless `--admin-listen` names an address; plain HTTP, without a password, so it belongs
//!    on a loopback or cluster-internal address.
//! 2. `/healthz` says that the process runs, `/readyz` that it takes requests: 503 from the moment
//!    it was told to stop. `/metrics` is Prometheus' text.
//! 3. It answers until the process ends, also while what is in flight is finished.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ALLOW, CACHE_CONTROL};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::{debug, warn};
use wasmtime_wasi_http::WasiBody;

use crate::http::admission::Admission;
use crate::http::dispatch::Dispatcher;
use crate::http::problem::{Problem, text};
use crate::instance::Stop;
use crate::metrics;

/// Connections at once: scrapers and probes are few.
const MAX_CONNECTIONS: usize = 64;
/// Time for the head of a request, and how long an idle connection is kept.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after the system refused a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is shown.
#[derive(Clone)]
pub struct Admin {
    /// The components.
    pub dispatcher: Arc<Dispatcher>,
    /// The connections.
    pub admission: Admission,
    /// Whether the host stops.
    pub stop: Stop,
}

impl Admin {
    /// Serves until it is dropped.
    pub async fn serve(self, listener: TcpListener) {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(slot) = slots.clone().acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let admin = self.clone();
                    tokio::spawn(async move {
                        admin.connection(stream).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    warn!(%error, "admin connection not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(&self, stream: TcpStream) {
        let service = service_fn(async |request| Ok::<_, Infallible>(self.answer(&request)));
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            debug!(%error, "admin connection ended early");
        }
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<WasiBody> {
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "");
            response
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let mut response = match request.uri().path() {
            "/healthz" => text(StatusCode::OK, "text/plain", "ok\n"),
            "/readyz" if self.stop.gently.is_cancelled() => {
                text(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "stopping\n")
            }
            "/readyz" => text(StatusCode::OK, "text/plain", "ready\n"),
            "/metrics" => text(
                StatusCode::OK,
                "text/plain; version=0.0.4; charset=utf-8",
                self.dispatcher.measured(|components| {
                    let connections = self.admission.measured();
                    metrics::text(components, connections, &self.dispatcher.table().commits)
                }),
            ),
            _ => Problem::NotFound.response(),
        };
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
