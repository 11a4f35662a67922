//! The responses that the host itself makes: RFC 9457 problems of known size.
//!
//! A `code` says what happened, never why: causes are in the log, by the request id.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::WasiBody;

/// Seconds after which a refused client may try again: enough for a burst to drain.
const RETRY_AFTER_SECS: &str = "1";

/// What went wrong, on the host's side of the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No route fits.
    NotFound,
    /// The request has no usable `host`.
    BadHost,
    /// The guest failed.
    Failed,
    /// Too many requests at once.
    Busy,
    /// No response head in time.
    Late,
}

impl Problem {
    /// Status and `code`.
    fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "route_not_found"),
            Self::BadHost => (StatusCode::BAD_REQUEST, "invalid_host"),
            Self::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "component_failed"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            Self::Late => (StatusCode::GATEWAY_TIMEOUT, "response_timeout"),
        }
    }

    /// The whole response, without a request's id: the caller has no business with the log.
    pub fn response(self) -> Response<WasiBody> {
        self.with("")
    }

    /// The whole response to the request `id`, which the log knows.
    pub fn response_to(self, id: &str) -> Response<WasiBody> {
        self.with(&format!(r#","request_id":"{id}""#))
    }

    fn with(self, more: &str) -> Response<WasiBody> {
        let (status, code) = self.parts();
        let title = status.canonical_reason().unwrap_or_default();
        let body = format!(
            r#"{{"type":"about:blank","title":"{title}","status":{},"code":"{code}"{more}}}"#,
            status.as_u16()
        );
        let mut response = text(status, "application/problem+json", body);
        if self == Self::Busy {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECS));
        }
        response
    }
}

/// A response of known size.
pub fn text(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Response<WasiBody> {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(
        Full::new(body)
            .map_err(|never| match never {})
            .boxed_unsync(),
    );
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_problem_is_json_of_the_size_it_says() {
        for (problem, status, code) in [
            (Problem::NotFound, 404, "route_not_found"),
            (Problem::BadHost, 400, "invalid_host"),
            (Problem::Failed, 500, "component_failed"),
            (Problem::Busy, 503, "overloaded"),
            (Problem::Late, 504, "response_timeout"),
        ] {
            let (head, body) = problem.response_to("0a1b").into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(head.status, status);
            assert_eq!(json["status"], status);
            assert_eq!(json["code"], code);
            assert_eq!(json["request_id"], "0a1b");
            assert_eq!(head.headers[CONTENT_TYPE], "application/problem+json");
            assert_eq!(head.headers[CONTENT_LENGTH], body.len().to_string());
            assert_eq!(
                head.headers.contains_key(RETRY_AFTER),
                problem == Problem::Busy
            );
        }
    }
}
