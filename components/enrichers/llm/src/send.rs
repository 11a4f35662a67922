//! One request, its answer within a deadline and a number of bytes.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use chatly_understand::{Error, Response};
use futures::future::{Either, select};
use http::header::{CONTENT_LENGTH, USER_AGENT};
use http::{HeaderValue, Request};
use http_body_util::{BodyExt, Limited};
use spin_sdk::http::FullBody;
use spin_sdk::time;
use spin_sdk::wasip3::http::types::{ErrorCode, RequestOptions};
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;

/// A service whose connection takes longer than this is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most of an answer that is read: four times the form at its longest. A stream without an end
/// ends here, or at the deadline.
const MAX_ANSWER_BYTES: usize = 256 << 10;

/// Why there is no answer, and whether the request may have arrived and been billed.
pub type Lost = (Error, bool);

/// Posts `body` and waits at most `timeout` for the whole answer. Redirects are not followed.
pub async fn post(
    url: &str,
    headers: Vec<(&'static str, String)>,
    body: String,
    timeout: Duration,
) -> Result<Response, Lost> {
    if timeout.is_zero() {
        return Err((Error::Timeout, false));
    }
    let request = build(url, headers, body, timeout).ok_or_else(|| {
        let error = "the key or the address cannot be put into HTTP";
        (Error::Other(error.to_owned()), false)
    })?;
    let answer = pin!(exchange(request));
    let end = pin!(time::sleep(timeout));
    match select(answer, end).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), _)) => Err((Error::Timeout, true)),
    }
}

async fn exchange(request: Request<FullBody<Bytes>>) -> Result<Response, Lost> {
    let answer = spin_sdk::http::send(request)
        .await
        .map_err(|code| lost(&code))?;
    let (head, body) = answer.into_parts();
    let body = match Limited::new(body, MAX_ANSWER_BYTES).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(_) if head.status.is_success() => {
            let error = "the answer was cut off, or longer than 256 KiB";
            return Err((Error::Unavailable(error.to_owned()), true));
        }
        // The status says enough.
        Err(_) => Vec::new(),
    };
    let headers = head.headers.iter();
    Ok(Response {
        status: head.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body,
    })
}

fn build(
    url: &str,
    headers: Vec<(&'static str, String)>,
    body: String,
    timeout: Duration,
) -> Option<Request<FullBody<Bytes>>> {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).ok();
    let options = RequestOptions::new();
    // A host that knows no such options leaves it to the race.
    _ = options.set_connect_timeout(nanos(CONNECT_TIMEOUT.min(timeout)));
    _ = options.set_first_byte_timeout(nanos(timeout));
    let mut request = Request::post(url)
        .header(CONTENT_LENGTH, body.len())
        .header(USER_AGENT, "chatly-edge")
        .extension(RequestOptionsExtension(options));
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        request = request.header(name, value);
    }
    request.body(FullBody::new(Bytes::from(body))).ok()
}

/// What a failure says about the request: on its way, or never on it.
fn lost(code: &ErrorCode) -> Lost {
    let unavailable = |why: &str, sent| (Error::Unavailable(why.to_owned()), sent);
    match code {
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => (Error::Denied, false),
        ErrorCode::ConnectionTimeout | ErrorCode::DnsTimeout => (Error::Timeout, false),
        ErrorCode::ConnectionRefused => unavailable("connection refused", false),
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            unavailable("name not found", false)
        }
        ErrorCode::TlsCertificateError => unavailable("tls certificate refused", false),
        ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => (Error::Timeout, true),
        _ => unavailable("the connection broke", true),
    }
}
