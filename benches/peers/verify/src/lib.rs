//! Verify only, as one component for every host that runs WASI 0.3: HMAC-SHA256 over the raw body,
//! compared in constant time, the JSON read, an empty 200. `verify.js` does the same.

use chatly_respond::{Response, empty};
use chatly_signature::{Encoding, verify};
use http::StatusCode;
use http_body_util::BodyExt as _;
use spin_sdk::http::Request;
use spin_sdk::http_service;

/// A secret of the benches; nothing else uses it.
const SECRET: &str = "bench-app-secret";

#[http_service]
async fn handle(request: Request) -> Response {
    empty(match check(request).await {
        Some(_) => StatusCode::OK,
        None => StatusCode::UNAUTHORIZED,
    })
}

async fn check(request: Request) -> Option<serde_json::Value> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.ok()?.to_bytes();
    let signature = head.headers.get("x-hub-signature-256")?.to_str().ok()?;
    let signature = signature.strip_prefix("sha256=")?;
    verify(&[SECRET.to_owned()], &body, signature, Encoding::Hex).ok()?;
    serde_json::from_slice(&body).ok()
}
