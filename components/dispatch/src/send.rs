//! One request, and what came of it.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use chatly_webhook::Outcome;
use futures::future::{Either, select};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Request};
use spin_sdk::http::FullBody;
use spin_sdk::time;
use spin_sdk::wasip3::http::types::{ErrorCode, RequestOptions};
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;

/// The time from the first step to the head of the answer. Standard Webhooks asks receivers to
/// answer before they work, and 10 s covers a cold start of most serverless platforms.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// A server whose connection takes longer than this is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest `Retry-After` that is looked at; an HTTP date has 29 bytes.
const RETRY_AFTER_BYTES: usize = 64;

/// What came of a request; [`Sent::outcome`] is the same for the judge.
pub enum Sent {
    /// An answer's status and `Retry-After`. Its body is not read.
    Answer(u16, Option<String>),
    /// No answer in time.
    Timeout,
    /// The host's word for what went wrong.
    Failed(ErrorCode),
}

impl Sent {
    /// The status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(status, _) => Some(*status),
            Self::Timeout | Self::Failed(_) => None,
        }
    }

    /// The outcome to judge.
    pub fn outcome(&self) -> Outcome<'_> {
        match self {
            Self::Answer(status, retry_after) => Outcome::Answer {
                status: *status,
                retry_after: retry_after.as_deref(),
            },
            Self::Timeout => Outcome::Timeout,
            Self::Failed(code) => outcome(code),
        }
    }
}

/// Posts `body` and waits at most [`TIMEOUT`]. Both the host and this component watch the clock:
/// the host to let go of the connection, the component in case that a host does not.
pub async fn post(uri: &http::Uri, headers: &[(&str, String)], body: Vec<u8>) -> Sent {
    let Some(request) = build(uri, headers, body) else {
        return Sent::Failed(ErrorCode::HttpProtocolError);
    };
    let answer = pin!(spin_sdk::http::send(request));
    let timeout = pin!(time::sleep(TIMEOUT));
    match select(answer, timeout).await {
        Either::Left((Ok(answer), _)) => {
            let retry_after = answer.headers().get(RETRY_AFTER);
            let retry_after = retry_after
                .and_then(|value| value.to_str().ok())
                .filter(|value| value.len() <= RETRY_AFTER_BYTES)
                .map(str::to_owned);
            Sent::Answer(answer.status().as_u16(), retry_after)
        }
        Either::Left((Err(code), _)) => Sent::Failed(code),
        Either::Right(((), _)) => Sent::Timeout,
    }
}

fn build(
    uri: &http::Uri,
    headers: &[(&str, String)],
    body: Vec<u8>,
) -> Option<Request<FullBody<Bytes>>> {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).ok();
    let options = RequestOptions::new();
    // A host that knows no such options leaves it to the race.
    _ = options.set_connect_timeout(nanos(CONNECT_TIMEOUT));
    _ = options.set_first_byte_timeout(nanos(TIMEOUT));
    let mut request = Request::post(uri.clone())
        .header(CONTENT_TYPE, chatly_webhook::forward::CONTENT_TYPE)
        .header(CONTENT_LENGTH, body.len())
        .header(USER_AGENT, "chatly-edge")
        .extension(RequestOptionsExtension(options));
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_str(value).ok()?);
    }
    request.body(FullBody::new(Bytes::from(body))).ok()
}

fn outcome(code: &ErrorCode) -> Outcome<'static> {
    match code {
        ErrorCode::DestinationIpProhibited => Outcome::PrivateAddress,
        ErrorCode::HttpRequestDenied => Outcome::NotGranted,
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout
        | ErrorCode::DnsTimeout => Outcome::Timeout,
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            Outcome::Broken("name not found")
        }
        ErrorCode::ConnectionRefused => Outcome::Broken("connection refused"),
        ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => Outcome::Broken("tls error"),
        _ => Outcome::Broken("connection failed"),
    }
}
