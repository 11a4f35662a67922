//! A small HTTP client: whole answers, and streams for SSE.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A keep-alive client.
#[derive(Clone)]
pub struct Client(hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>);

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Status line.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{} {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    /// A header's text; empty when absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

impl Default for Client {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Client(hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector))
    }
}

impl Client {
    /// Sends and reads the whole answer.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Answer> {
        let (head, body) = self.open(request).await?.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    /// Sends and leaves the body to be read.
    pub async fn open(&self, request: Request<Bytes>) -> Result<Response<Incoming>> {
        Ok(self.0.request(request.map(Full::new)).await?)
    }
}
