//! `traces`: hands spans on to a collector of OpenTelemetry.
//!
//! 1. Private, and the only one that may reach the collector: who makes a span, as `enrich` does, gets no
//!    other address by it.
//! 2. The body is taken as it is, up to 1 MiB. What the collector says is answered; nothing is kept and
//!    nothing tried again: a span may be lost, and no message waits for one.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use chatly_respond::{Response, empty, method_not_allowed, problem, unavailable};
use futures::future::{Either, select};
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use spin_sdk::http::{FullBody, Request};
use spin_sdk::{http_service, time, variables};

/// The most of a request that is read: a window with all that was said is below a quarter of it.
const MAX_BYTES: usize = 1 << 20;
/// How long a collector may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a sender may wait until it tries again.
const RETRY_AFTER_SECS: u32 = 60;

#[http_service]
async fn traces(request: Request) -> Response {
    if request.method() != Method::POST {
        return method_not_allowed("POST");
    }
    let Ok(body) = Limited::new(request.into_body(), MAX_BYTES).collect().await else {
        return problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "A request has at most 1 MiB.",
        );
    };
    let Some(onward) = onward(body.to_bytes()).await else {
        let detail = "otlp_endpoint or otlp_headers cannot be used.";
        return unavailable("not_configured", detail, RETRY_AFTER_SECS);
    };
    let answer = pin!(spin_sdk::http::send(onward));
    let end = pin!(time::sleep(TIMEOUT));
    match select(answer, end).await {
        Either::Left((Ok(answer), _)) if answer.status().is_success() => {
            empty(StatusCode::ACCEPTED)
        }
        Either::Left((Ok(answer), _)) => {
            let status = answer.status().as_u16();
            failed(&format!("the collector answered {status}"))
        }
        Either::Left((Err(code), _)) => failed(&format!("the collector is away: {code}")),
        Either::Right(_) => failed("the collector took too long"),
    }
}

fn failed(detail: &str) -> Response {
    unavailable("not_exported", detail, RETRY_AFTER_SECS)
}

/// The request to the collector; none when a variable cannot be read or is no address or header.
async fn onward(body: Bytes) -> Option<http::Request<FullBody<Bytes>>> {
    let endpoint = variables::get("otlp_endpoint").await.ok()?;
    let headers = variables::get("otlp_headers").await.ok()?;
    let endpoint = endpoint.trim().trim_end_matches('/');
    let mut onward = http::Request::post(format!("{endpoint}/v1/traces"))
        .header(CONTENT_TYPE, "application/json");
    for (name, value) in chatly_traces::headers(&headers) {
        onward = onward.header(name, value);
    }
    onward.body(FullBody::new(body)).ok()
}
