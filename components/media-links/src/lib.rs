//! `media-links`: media that came in, for whoever has a link to them.
//!
//! 1. The link is the permission: it is signed and ends. Nothing else is looked at, and nothing is
//!    looked up before it was found good. Without a key no link is good.
//! 2. What a link is and how a medium is served: `chatly-media`. This component reads the key-value
//!    store called `default`, and has nothing else.
//! 3. One part at a time is in memory, and the next one is read when the client took it.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use chatly_media::layout::{Head, head_key, part_key};
use chatly_media::link::{self, Refusal};
use chatly_media::serve::{self, Asked};
use chatly_respond::{Response, empty, internal_error, problem, unavailable};
use futures::stream::unfold;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::key_value::{Error, Store};
use spin_sdk::wasip3::http::types::{ErrorCode, Response as WasiResponse};
use spin_sdk::{http_service, variables};

#[http_service]
async fn media_links(request: Request) -> Result<WasiResponse, ErrorCode> {
    match open(&request).await {
        Ok(found) => serve(found, &request),
        Err(refusal) => {
            let no_store = HeaderValue::from_static("no-store");
            chatly_respond::with(refusal, CACHE_CONTROL, no_store).into_response()
        }
    }
}

/// A medium that may be served.
struct Found {
    store: Store,
    path: String,
    head: Head,
    /// How long the link is still good.
    secs: u64,
}

async fn open(request: &Request) -> Result<Found, Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(chatly_respond::method_not_allowed("GET, HEAD"));
    }
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| internal_error())?
        .as_secs();
    // Keys that are not granted are none: then no link is good.
    let keys = variables::get("signing_keys").await.unwrap_or_default();
    let keys: Vec<String> = keys.split(',').map(|key| key.trim().to_owned()).collect();
    let link = link::check(&keys, request.uri().path(), request.uri().query(), now);
    let link = link.map_err(refuse)?;
    let path = link.path.to_owned();
    let store = Store::open_default().await.map_err(failure)?;
    let head = store.get(head_key(&path)).await.map_err(failure)?;
    let head = head
        .as_deref()
        .and_then(Head::read)
        .ok_or_else(|| chatly_respond::not_found("There is no such medium."))?;
    let secs = link.expires_at.saturating_sub(now);
    Ok(Found {
        store,
        path,
        head,
        secs,
    })
}

fn refuse(refusal: Refusal) -> Response {
    let (code, detail) = match refusal {
        Refusal::NoKey => (
            "not_configured",
            "No link can be used: no signing key is set.",
        ),
        Refusal::Invalid => ("invalid_link", "This is no link of ours."),
        Refusal::Expired => (
            "link_expired",
            "The link has expired. Read the message again.",
        ),
    };
    problem(StatusCode::FORBIDDEN, code, detail)
}

fn failure(error: Error) -> Response {
    eprintln!("error: the key-value store failed: {error:?}");
    unavailable("not_ready", "The store of media does not answer.", 1)
}

fn serve(found: Found, request: &Request) -> Result<WasiResponse, ErrorCode> {
    let text = |name: &str| {
        let value = request.headers().get(name)?;
        value.to_str().ok()
    };
    let asked = Asked {
        range: text("range"),
        if_range: text("if-range"),
        if_none_match: text("if-none-match"),
    };
    let answer = serve::answer(&found.head, &asked, found.secs);
    let status = StatusCode::from_u16(answer.status).unwrap_or_default();
    if !status.is_success() {
        let mut response = empty(status);
        fill(response.headers_mut(), &answer.headers);
        return response.into_response();
    }
    let size = answer.span.end.saturating_sub(answer.span.start);
    let mut response = http::Response::new(body(found, answer.span));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    fill(headers, &answer.headers);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
    response.into_response()
}

fn fill(headers: &mut HeaderMap, more: &[(&'static str, String)]) {
    for (name, value) in more {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// The bytes, part by part. A part that is not there breaks the answer off, so that nobody takes
/// what came for the whole.
fn body(
    found: Found,
    span: Range<u64>,
) -> impl http_body::Body<Data = Bytes, Error = std::io::Error> + 'static {
    let state = (found, serve::parts(span));
    StreamBody::new(unfold(state, async |(found, mut parts)| {
        let (index, within) = parts.next()?;
        let frame = part(&found, index, within).await.map(Frame::data);
        Some((frame, (found, parts)))
    }))
}

async fn part(found: &Found, index: u32, within: Range<usize>) -> std::io::Result<Bytes> {
    let part = found.store.get(part_key(&found.path, index)).await;
    let part = part.map_err(|error| {
        eprintln!("error: the key-value store failed: {error:?}");
        std::io::Error::other("the store failed")
    })?;
    let bytes = part.map(Bytes::from).filter(|it| it.len() >= within.end);
    let bytes = bytes.ok_or_else(|| std::io::Error::other("a part is gone"))?;
    Ok(bytes.slice(within))
}
