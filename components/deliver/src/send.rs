//! One request, and what came of it.
//!
//! What the platform may have taken without our seeing its answer is told apart from what never
//! left: only the second may be tried again.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use chatly_channel::{Header, Response};
use chatly_send::{Lost, Ready};
use futures::future::{Either, select};
use http::header::{CONTENT_LENGTH, USER_AGENT};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt, Limited};
use spin_sdk::http::FullBody;
use spin_sdk::time;
use spin_sdk::wasip3::http::types::{ErrorCode, RequestOptions};
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;

/// A platform whose connection takes longer than this is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most of an answer's body that is read: platforms answer in a few hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Sends and waits at most `timeout`. Both the host and this component watch the clock: the host
/// to let go of the connection, the component in case that a host does not.
pub async fn send(ready: Ready, timeout: Duration) -> Result<Response, Lost<'static>> {
    let request =
        build(ready, timeout).ok_or(Lost::Unsent("the request cannot be put into HTTP"))?;
    let answer = pin!(exchange(request));
    let end = pin!(time::sleep(timeout));
    match select(answer, end).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), _)) => Err(Lost::Unanswered("no answer in time")),
    }
}

async fn exchange(request: Request<FullBody<Bytes>>) -> Result<Response, Lost<'static>> {
    let answer = spin_sdk::http::send(request)
        .await
        .map_err(|code| lost(&code))?;
    let (head, body) = answer.into_parts();
    let body = match Limited::new(body, MAX_ANSWER_BYTES).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        // A success without its id: whether it was one is not known for sure.
        Err(_) if head.status.is_success() => {
            return Err(Lost::Unanswered("the answer was cut off or too long"));
        }
        Err(_) => Vec::new(),
    };
    let header = |(name, value): (&HeaderName, &HeaderValue)| Header {
        name: name.as_str().to_owned(),
        value: value.as_bytes().to_vec(),
    };
    Ok(Response {
        status: head.status.as_u16(),
        headers: head.headers.iter().map(header).collect(),
        body,
    })
}

pub(crate) fn build(ready: Ready, timeout: Duration) -> Option<Request<FullBody<Bytes>>> {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).ok();
    let options = RequestOptions::new();
    // A host that knows no such options leaves it to the race.
    _ = options.set_connect_timeout(nanos(CONNECT_TIMEOUT.min(timeout)));
    _ = options.set_first_byte_timeout(nanos(timeout));
    let mut request = Request::builder()
        .method(ready.method.as_str())
        .uri(ready.url)
        .header(CONTENT_LENGTH, ready.body.len())
        .header(USER_AGENT, "chatly-edge")
        .extension(RequestOptionsExtension(options));
    for header in ready.headers {
        request = request.header(header.name, HeaderValue::from_bytes(&header.value).ok()?);
    }
    request.body(FullBody::new(Bytes::from(ready.body))).ok()
}

/// What a failure says about the request: on its way, or never on it.
pub(crate) fn lost(code: &ErrorCode) -> Lost<'static> {
    match code {
        ErrorCode::DestinationIpProhibited => Lost::Unsent("private address"),
        ErrorCode::HttpRequestDenied => Lost::Unsent("address not granted"),
        ErrorCode::ConnectionTimeout => Lost::Unsent("connection timeout"),
        ErrorCode::ConnectionRefused => Lost::Unsent("connection refused"),
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            Lost::Unsent("name not found")
        }
        ErrorCode::TlsCertificateError => Lost::Unsent("tls certificate refused"),
        ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Lost::Unanswered("no answer in time"),
        _ => Lost::Unanswered("the connection broke"),
    }
}
