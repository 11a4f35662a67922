//! Accepts connections and reads requests from them.
//!
//! 1. HTTP/1.1 with keep-alive; `TCP_NODELAY`, so that the end of a chunked body is not held back
//!    for a delayed acknowledgement (44 ms for each response otherwise).
//! 2. A client has `HEADER_TIMEOUT` to send the head of a request, and `MAX_HEAD_BYTES` for it.
//!    That is also how long an idle connection is kept. Nothing is kept of a body beyond what one
//!    read brings: the component takes it, or the sender waits.
//! 3. The `host` decides nothing: routes are paths. It has to be a valid authority, because
//!    components build URLs from it.
//! 4. When the host stops, idle connections close at once and others after their response.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http::header::HOST;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};
use wasmtime_wasi_http::WasiBody;

use super::admission::Admission;
use super::body;
use super::dispatch::Dispatcher;
use super::headers::Scheme;
use super::problem::Problem;
use crate::instance::Stop;

/// Time for the head of a request: hyper's default, made explicit.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Start line and headers of a request, and what one read takes of a body: twice what Apache and
/// nginx take by default. More is answered 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Pause after the system refused a connection, for example for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Ports that `--find-free-port` tries: Spin's number.
const PORTS_TO_TRY: u16 = 10;

/// Opens the listening socket.
///
/// # Errors
/// When the address is taken or not ours; the text says what to do.
pub async fn bind(address: SocketAddr, find_free_port: bool) -> anyhow::Result<TcpListener> {
    let tries = if find_free_port && address.port() != 0 {
        PORTS_TO_TRY
    } else {
        1
    };
    for offset in 0..tries {
        let Some(port) = address.port().checked_add(offset) else {
            break;
        };
        match TcpListener::bind(SocketAddr::new(address.ip(), port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(error).context(format!("cannot listen on {address}")),
        }
    }
    if find_free_port {
        bail!(
            "no free port among {PORTS_TO_TRY} from {address} on; pass another one with --listen"
        );
    }
    bail!("{address} is already in use; pass another address with --listen, or --find-free-port")
}

/// Serves connections until the host stops. Connections outlive this call; `stop.tasks` counts them.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    dispatcher: Arc<Dispatcher>,
    admission: Admission,
    stop: Stop,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.gently.cancelled() => return,
        };
        match accepted {
            Ok((stream, client)) => {
                let Some((stream, slot)) = admission.admit(stream, &stop) else {
                    continue;
                };
                let connection = Connection {
                    dispatcher: dispatcher.clone(),
                    stop: stop.clone(),
                    client,
                };
                stop.tasks.spawn(connection.open(stream, tls.clone(), slot));
            }
            Err(error) => {
                warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

struct Connection {
    dispatcher: Arc<Dispatcher>,
    stop: Stop,
    client: SocketAddr,
}

impl Connection {
    async fn open(self, stream: TcpStream, tls: Option<TlsAcceptor>, _slot: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "connection without TCP_NODELAY");
        }
        let Some(tls) = tls else {
            return self.run(stream, Scheme::Http).await;
        };
        match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.run(stream, Scheme::Https).await,
            Ok(Err(error)) => debug!(%error, "TLS handshake failed"),
            Err(_elapsed) => debug!("TLS handshake took too long"),
        }
    }

    async fn run(self, stream: impl AsyncRead + AsyncWrite + Unpin, scheme: Scheme) {
        let service = service_fn(|request| self.answer(request, scheme));
        let mut connection = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .max_header_size(MAX_HEAD_BYTES)
                .max_buf_size(MAX_HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), service)
        );
        let mut stopping = false;
        loop {
            tokio::select! {
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        // Clients that leave in the middle end up here too.
                        debug!(%error, "connection ended early");
                    }
                    return;
                }
                () = self.stop.gently.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = self.stop.now.cancelled() => return,
            }
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        scheme: Scheme,
    ) -> Result<Response<WasiBody>, Infallible> {
        let (mut head, body) = request.into_parts();
        match absolute(&head.uri, &head.headers, head.version, scheme) {
            Some(uri) => head.uri = uri,
            None => return Ok(Problem::BadHost.response()),
        }
        let body = body::at_hand(body).await;
        let request = Request::from_parts(head, body);
        Ok(self.dispatcher.serve(request, scheme, self.client).await)
    }
}

/// The request's target with scheme and authority, as components get it. `None` when the sender
/// named no valid host, or two different ones (RFC 9112, section 3.2).
fn absolute(uri: &Uri, headers: &HeaderMap, version: Version, scheme: Scheme) -> Option<Uri> {
    let mut hosts = headers.get_all(HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (None, _) => None,
        (Some(host), None) => Some(host.to_str().ok()?.parse::<Authority>().ok()?),
        (Some(_), Some(_)) => return None,
    };
    let authority = match (uri.authority(), named) {
        (Some(target), Some(named)) if *target != named => return None,
        (Some(target), _) => target.clone(),
        (None, Some(named)) => named,
        // Only HTTP/1.1 requires the header.
        (None, None) if version < Version::HTTP_11 => Authority::from_static("localhost"),
        (None, None) => return None,
    };
    let path = uri
        .path_and_query()
        .cloned()
        .unwrap_or(PathAndQuery::from_static("/"));
    Uri::builder()
        .scheme(scheme.as_str())
        .authority(authority)
        .path_and_query(path)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_request_names_exactly_one_host() {
        for (name, target, hosts, version, want) in [
            (
                "header",
                "/a?b",
                &["h:1"][..],
                Version::HTTP_11,
                Some("http://h:1/a?b"),
            ),
            (
                "target",
                "http://t/a",
                &[][..],
                Version::HTTP_11,
                Some("http://t/a"),
            ),
            (
                "both, same",
                "http://t/a",
                &["t"][..],
                Version::HTTP_11,
                Some("http://t/a"),
            ),
            (
                "both, different",
                "http://t/a",
                &["u"][..],
                Version::HTTP_11,
                None,
            ),
            ("none", "/a", &[][..], Version::HTTP_11, None),
            (
                "none, old client",
                "/a",
                &[][..],
                Version::HTTP_10,
                Some("http://localhost/a"),
            ),
            ("twice", "/a", &["h", "h"][..], Version::HTTP_11, None),
            ("no authority", "/a", &["h/i"][..], Version::HTTP_11, None),
            ("empty", "/a", &[""][..], Version::HTTP_11, None),
            ("no text", "/a", &["\u{e4}"][..], Version::HTTP_11, None),
        ] {
            let mut headers = HeaderMap::new();
            for host in hosts {
                headers.append(HOST, HeaderValue::from_bytes(host.as_bytes()).unwrap());
            }
            let got = absolute(&Uri::from_static(target), &headers, version, Scheme::Http);
            assert_eq!(got.map(|uri| uri.to_string()).as_deref(), want, "{name}");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_an_error_unless_another_may_be_found() {
        let taken = bind(SocketAddr::from(([127, 0, 0, 1], 0)), false)
            .await
            .unwrap();
        let address = taken.local_addr().unwrap();
        let error = bind(address, false).await.unwrap_err().to_string();
        assert!(
            error.contains("already in use") && error.contains("--find-free-port"),
            "{error}"
        );
        let found = bind(address, true).await.unwrap().local_addr().unwrap();
        assert!(found.port() > address.port());
    }
}
