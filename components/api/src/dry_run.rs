//! Dry runs of rules, which a component of its own carries out: rules that take too long end that
//! one, and nobody else's request.

use chatly_api::{Error, MAX_CANDIDATE_BYTES};
use chatly_respond::{Response, relay};
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use spin_sdk::http::{Request, send};

use crate::write::read_up_to;

const TARGET: &str = "http://rules-test.spin.internal/";

/// Hands a request that was let in over, and its answer back.
pub async fn run(request: Request) -> Result<Response, Error> {
    let target = match request.uri().query() {
        Some(query) => format!("{TARGET}?{query}"),
        None => TARGET.to_owned(),
    };
    let body = read_up_to(request, MAX_CANDIDATE_BYTES).await?;
    let body = String::from_utf8(body);
    let body = body.map_err(|_| Error::Body("The body is not UTF-8.".to_owned()))?;
    let request = spin_sdk::http::Request::post(target)
        .header(CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|_| Error::Store)?;
    let failed = |error: &dyn std::fmt::Display| {
        eprintln!("error: no dry run: {error}");
        Error::Store
    };
    let response = send(request).await.map_err(|error| failed(&error))?;
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).cloned();
    let kind = kind
        .as_ref()
        .map(|kind| kind.as_bytes())
        .unwrap_or_default();
    let answered = matches!(kind, b"application/json" | b"application/problem+json");
    if !answered {
        eprintln!("warn: a dry run was ended: status={}", status.as_u16());
        return Err(Error::Unprocessable(
            "The rules took too long, or too much memory, and the dry run was ended.",
        ));
    }
    let body = response.into_body().collect().await;
    let body = body.map_err(|error| failed(&error))?.to_bytes();
    Ok(relay(status.as_u16(), &[("content-type", kind)], body))
}
