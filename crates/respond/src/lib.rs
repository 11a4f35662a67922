//! The one place where answers are made.
//!
//! 1. Every answer says its size: `content-length` is always set, also 0. Without it a stock Spin
//!    sends the body in chunks, and the closing chunk costs a keep-alive client 44 ms.
//! 2. Every error is `application/problem+json` (RFC 9457) with a `code` for programs and a
//!    `detail` for people. Neither may hold anything that the request or the backend said.
//! 3. Every answer carries `x-content-type-options: nosniff`, because a body may echo what a
//!    stranger wrote.
//!
//! It does not stream: an SSE stream has no known size and is not made here.
#![deny(missing_docs)]

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::header::{CONNECTION, TRANSFER_ENCODING, UPGRADE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::Full;
use serde::Serialize;

/// An answer of known size.
pub type Response = http::Response<Full<Bytes>>;

/// A problem's members (RFC 9457, section 3.1). `type` is `about:blank`, so `title` is the status's
/// own phrase; `code` is the extension member that programs read.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'a str,
    detail: &'a str,
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response {
    sized(status, None, Bytes::new())
}

/// `value` as JSON; a value that is not expressible as JSON gives a 500 problem.
pub fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => sized(
            status,
            Some(HeaderValue::from_static("application/json")),
            body.into(),
        ),
        Err(_) => internal_error(),
    }
}

/// A body with its media type.
pub fn content(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Response {
    sized(
        status,
        Some(HeaderValue::from_static(media_type)),
        body.into(),
    )
}

/// An error. `code` is lower snake case and stable; `detail` is a sentence for people.
pub fn problem(status: StatusCode, code: &str, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let problem = Problem {
        r#type: "about:blank",
        title,
        status: status.as_u16(),
        code,
        detail,
    };
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    sized(
        status,
        Some(HeaderValue::from_static("application/problem+json")),
        body.into(),
    )
}

/// 400: the request cannot be understood.
pub fn bad_request(code: &str, detail: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, code, detail)
}

/// 401, with the challenge that RFC 9110, section 11.6.1 asks for.
pub fn unauthorized(code: &str, detail: &str) -> Response {
    let response = problem(StatusCode::UNAUTHORIZED, code, detail);
    with(
        response,
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Bearer"),
    )
}

/// 404.
pub fn not_found(detail: &str) -> Response {
    problem(StatusCode::NOT_FOUND, "not_found", detail)
}

/// 405, with the methods that are allowed, as in `GET, POST` (RFC 9110, section 15.5.6).
pub fn method_not_allowed(allow: &'static str) -> Response {
    let response = problem(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address does not take that method.",
    );
    with(response, ALLOW, HeaderValue::from_static(allow))
}

/// 503, with the seconds after which trying again makes sense.
pub fn unavailable(code: &str, detail: &str, retry_after_secs: u32) -> Response {
    let response = problem(StatusCode::SERVICE_UNAVAILABLE, code, detail);
    with(response, RETRY_AFTER, HeaderValue::from(retry_after_secs))
}

/// 500 that says nothing of its cause.
pub fn internal_error() -> Response {
    problem(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong on our side.",
    )
}

/// An answer that a plugin made. Its headers are kept, except those that are ours to set (size,
/// `nosniff`), those that belong to the connection, and those that are no legal header; an
/// impossible status becomes 500.
pub fn relay(status: u16, headers: &[(&str, &[u8])], body: impl Into<Bytes>) -> Response {
    let Some(status) = StatusCode::from_u16(status)
        .ok()
        .filter(|s| s.as_u16() >= 200)
    else {
        return internal_error();
    };
    let mut response = sized(status, None, body.into());
    for (name, value) in headers {
        let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value))
        else {
            continue;
        };
        if !OURS.contains(&name) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// What a plugin cannot set.
const OURS: [HeaderName; 5] = [
    CONTENT_LENGTH,
    X_CONTENT_TYPE_OPTIONS,
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The same answer with one header more, in place of any of that name.
pub fn with(mut response: Response, name: HeaderName, value: HeaderValue) -> Response {
    response.headers_mut().insert(name, value);
    response
}

fn sized(status: StatusCode, media_type: Option<HeaderValue>, body: Bytes) -> Response {
    let length = body.len();
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // RFC 9110, section 8.6: no content-length on 204; a 304 would have to state the size of the
    // body that it does not send.
    if status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(media_type) = media_type {
        headers.insert(CONTENT_TYPE, media_type);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    fn body(response: Response) -> Bytes {
        let mut body = response.into_body();
        let mut frame = std::pin::pin!(body.frame());
        let waker = std::task::Waker::noop();
        match frame
            .as_mut()
            .poll(&mut std::task::Context::from_waker(waker))
        {
            std::task::Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap(),
            std::task::Poll::Ready(None) => Bytes::new(),
            other => panic!("a full body is there at once: {other:?}"),
        }
    }

    #[test]
    fn every_answer_says_its_size_also_when_it_is_zero() {
        for (name, response, want) in [
            ("empty", empty(StatusCode::OK), "0"),
            ("accepted", empty(StatusCode::ACCEPTED), "0"),
            (
                "json",
                json(StatusCode::OK, &BTreeMap::from([("a", 1)])),
                "7",
            ),
            ("content", content(StatusCode::OK, "text/plain", "äh"), "3"),
            ("relayed", relay(200, &[], "1158201444"), "10"),
            (
                "relayed, lying",
                relay(200, &[("content-length", b"99")], "ab"),
                "2",
            ),
        ] {
            assert_eq!(header(&response, "content-length"), Some(want), "{name}");
            assert_eq!(
                header(&response, "x-content-type-options"),
                Some("nosniff"),
                "{name}"
            );
            assert_eq!(body(response).len().to_string(), want, "{name}");
        }
        assert_eq!(
            header(&empty(StatusCode::NO_CONTENT), "content-length"),
            None
        );
    }

    #[test]
    fn an_error_is_a_problem_document_with_a_code() {
        for (name, response, status, code) in [
            (
                "plain",
                problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "d"),
                413,
                "too_large",
            ),
            (
                "bad",
                bad_request("invalid_cursor", "d"),
                400,
                "invalid_cursor",
            ),
            (
                "auth",
                unauthorized("unauthorized", "d"),
                401,
                "unauthorized",
            ),
            ("absent", not_found("d"), 404, "not_found"),
            (
                "method",
                method_not_allowed("POST"),
                405,
                "method_not_allowed",
            ),
            ("down", unavailable("not_stored", "d", 5), 503, "not_stored"),
            ("ours", internal_error(), 500, "internal"),
            ("relayed nonsense", relay(7, &[], "x"), 500, "internal"),
            ("relayed interim", relay(101, &[], ""), 500, "internal"),
        ] {
            assert_eq!(response.status(), status, "{name}");
            assert_eq!(
                header(&response, "content-type"),
                Some("application/problem+json"),
                "{name}"
            );
            let length = header(&response, "content-length")
                .unwrap()
                .parse::<usize>()
                .unwrap();
            let body = body(response);
            assert_eq!(body.len(), length, "{name}");
            let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(value["status"], status, "{name}");
            assert_eq!(value["code"], code, "{name}");
            assert_eq!(value["type"], "about:blank", "{name}");
            assert!(
                value["title"].is_string() && value["detail"].is_string(),
                "{name}"
            );
        }
    }

    #[test]
    fn the_headers_that_a_status_asks_for_are_there() {
        for (name, response, header_name, want) in [
            ("405", method_not_allowed("GET, POST"), "allow", "GET, POST"),
            (
                "401",
                unauthorized("unauthorized", ""),
                "www-authenticate",
                "Bearer",
            ),
            ("503", unavailable("not_stored", "", 5), "retry-after", "5"),
        ] {
            assert_eq!(header(&response, header_name), Some(want), "{name}");
        }
    }

    #[test]
    fn a_plugin_keeps_its_headers_but_not_the_connections() {
        let response = relay(
            200,
            &[
                ("content-type", b"text/plain"),
                ("x-a", b"1"),
                ("X-A", b"2"),
                ("connection", b"close"),
                ("Transfer-Encoding", b"chunked"),
                ("bad name", b"x"),
                ("x-split", b"a\r\nset-cookie: b"),
            ],
            "hi",
        );
        let mut names: Vec<_> = response.headers().keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "content-length",
                "content-type",
                "x-a",
                "x-content-type-options"
            ]
        );
        assert_eq!(response.headers().get_all("x-a").iter().count(), 2);
    }

    proptest! {
        #[test]
        fn whatever_a_plugin_says_the_size_is_true(
            status: u16,
            headers in proptest::collection::vec((".{0,12}", proptest::collection::vec(any::<u8>(), 0..12)), 0..6),
            sent in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
            let response = relay(status, &headers, sent);
            let length = header(&response, "content-length").map(|v| v.parse::<usize>().unwrap());
            let silent = matches!(response.status().as_u16(), 204 | 304);
            prop_assert_eq!(length.is_none(), silent);
            let read = body(response).len();
            prop_assert!(silent || Some(read) == length);
        }
    }
}
