//! Posts one document and reads one, over HTTP/1.1 with or without TLS.
//!
//! A connection a call: a model takes far longer than a handshake. The status is not looked
//! at, as in Spin: what counts is whether the answer can be read.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Url;

use super::{DEADLINE, MAX_RESULT_BYTES};

/// Built once: the roots are many.
static TLS: LazyLock<Result<TlsConnector, rustls::Error>> = LazyLock::new(|| {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.into(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
});

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The token cannot be in a header.
    Token,
    /// The server cannot be reached, or says nothing in time.
    Send,
    /// The answer breaks off.
    Read,
    /// The answer exceeds [`MAX_RESULT_BYTES`].
    TooLarge,
}

/// Either kind of stream.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Posts `body`, which is JSON, to `url`; what came back.
pub async fn post(url: &Url, token: &str, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let mut authorization =
        HeaderValue::from_str(&format!("bearer {token}")).map_err(|_| Failure::Token)?;
    authorization.set_sensitive(true);
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Err(Failure::Send),
    };
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, host)
        .header(AUTHORIZATION, authorization)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| Failure::Send)?;
    let exchange = exchange(url, request);
    timeout(DEADLINE, exchange)
        .await
        .unwrap_or(Err(Failure::Send))
}

async fn exchange(url: &Url, request: Request<Full<Bytes>>) -> Result<Vec<u8>, Failure> {
    let stream = connect(url).await.ok_or(Failure::Send)?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| Failure::Send)?;
    let answer = async {
        let response = sender.send_request(request).await;
        let mut body = response.map_err(|_| Failure::Send)?.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Failure::Read)?;
            if let Some(data) = frame.data_ref() {
                // The server decides how much comes.
                if bytes.len() + data.len() > MAX_RESULT_BYTES {
                    return Err(Failure::TooLarge);
                }
                bytes.extend_from_slice(data);
            }
        }
        Ok(bytes)
    };
    // The connection moves the bytes, here rather than in a task that could outlive the call.
    let moving = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        answer = answer => answer,
        never = moving => never,
    }
}

async fn connect(url: &Url) -> Option<Box<dyn Stream>> {
    let host = url.host_str()?;
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default()?;
    let stream = TcpStream::connect((name, port)).await.ok()?;
    _ = stream.set_nodelay(true);
    if url.scheme() != "https" {
        return Some(Box::new(stream));
    }
    let server = ServerName::try_from(name.to_owned()).ok()?;
    let connector = TLS.as_ref().ok()?;
    let stream = connector.connect(server, stream).await.ok()?;
    Some(Box::new(stream))
}
