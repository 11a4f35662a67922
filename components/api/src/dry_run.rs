//! Dry runs of rules, which a component of its own carries out: rules that take too long end that
//! one, and nobody else's request.

use chatly_api::{ANSWERED, Error, MAX_CANDIDATE_BYTES};
use chatly_respond::{Response, relay};
use http::StatusCode;
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
    if !response.headers().contains_key(ANSWERED) {
        return Err(ended(status));
    }
    let kind = response.headers().get(CONTENT_TYPE).cloned();
    let kind = kind
        .as_ref()
        .map(|kind| kind.as_bytes())
        .unwrap_or_default();
    let body = response.into_body().collect().await;
    let body = body.map_err(|error| failed(&error))?.to_bytes();
    Ok(relay(status.as_u16(), &[("content-type", kind)], body))
}

/// What the host's own answer means: the dry run did not come to one.
fn ended(status: StatusCode) -> Error {
    eprintln!("warn: a dry run was ended: status={}", status.as_u16());
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Error::Busy,
        StatusCode::INTERNAL_SERVER_ERROR | StatusCode::GATEWAY_TIMEOUT => Error::Unprocessable(
            "The rules took too long, or too much memory, and the dry run was ended.",
        ),
        _ => Error::Store,
    }
}
