//! Sends one signal's batches.
//!
//! The SDK's threads wait for each batch, so the client has a small runtime of its own: it works
//! while the host's is busy, and after that one is gone. A connection a batch is enough for one
//! every few seconds.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use crate::http::clients::public_connector;

/// Time for one batch when the environment names none: the specification's default.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What is read of a collector's answer: it says which spans it refused, at most.
const ANSWER_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Client {
    runtime: Runtime,
    timeout: Duration,
}

impl Client {
    pub(super) fn new() -> std::io::Result<Self> {
        let millis = std::env::var("OTEL_EXPORTER_OTLP_TIMEOUT").ok();
        let millis = millis.and_then(|millis| millis.parse().ok());
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            timeout: millis.map_or(TIMEOUT, Duration::from_millis),
        })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.runtime
            .block_on(async { tokio::time::timeout(self.timeout, send(request)).await? })
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let stream = open(request.uri()).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let (mut head, body) = request.into_parts();
    let authority = head.uri.authority().ok_or("the endpoint has no host")?;
    let host = HeaderValue::from_str(authority.as_str())?;
    head.headers.entry(http::header::HOST).or_insert(host);
    let path = head.uri.path_and_query().cloned();
    head.uri = path.map_or_else(Uri::default, Uri::from);
    let request = Request::from_parts(head, Full::new(body));
    let exchange = async {
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES).collect().await?.to_bytes();
        Ok::<_, HttpError>(Response::from_parts(head, body))
    };
    let mut exchange = pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        ended = connection => match ended {
            Err(error) => Err(error.into()),
            // The collector closed after its answer, which is here and not read yet.
            Ok(()) => exchange.await,
        },
    }
}

async fn open(uri: &Uri) -> Result<Box<dyn Stream>, HttpError> {
    let host = uri.host().ok_or("the endpoint has no host")?;
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let tls = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    let stream = TcpStream::connect((name, port)).await?;
    if !tls {
        return Ok(Box::new(stream));
    }
    let connector = public_connector().ok_or("TLS cannot be set up")?;
    let server = ServerName::try_from(name.to_owned())?;
    Ok(Box::new(connector.connect(server, stream).await?))
}
