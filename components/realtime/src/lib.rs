//! `realtime`: what changes, as it changes, to whoever may see it.
//!
//! 1. `GET /v1/events` is a stream of server-sent events. A caller shows the operator's key, or a
//!    ticket where it can send no header.
//! 2. With `Last-Event-ID` it gets everything after that; without, everything after the moment of
//!    the request: the newest change is looked up before the response head goes out.
//! 3. All streams of an instance share one reader of `changes` (`hub`); `chatly-sse` argues that
//!    none of them misses a change or gets one twice.

mod bell;
mod hub;
mod session;

use std::time::{SystemTime, UNIX_EPOCH};

use chatly_api::Query;
use chatly_auth::ticket::{self, Scope};
use chatly_respond::{Response, bad_request, internal_error, problem, unauthorized, unavailable};
use chatly_sse::{Filter, last_event_id};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, StatusCode};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::wasip3::http::types::{ErrorCode, Response as WasiResponse};
use spin_sdk::{http_service, variables};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "realtime",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use bindings::chatly::store::store;

/// The query parameters of the one address.
const PARAMETERS: &[&str] = &[
    "platform_client_id",
    "conversation_id",
    "last_event_id",
    "ticket",
];

#[http_service]
async fn realtime(request: Request) -> Result<WasiResponse, ErrorCode> {
    match open(&request).await {
        Ok((filter, after, now)) => stream(filter, after, now),
        Err(refusal) => refusal.into_response(),
    }
}

/// What a caller wants to see, where it resumes, and the newest change.
async fn open(request: &Request) -> Result<(Filter, u64, u64), Response> {
    if request.method() != Method::GET {
        return Err(chatly_respond::method_not_allowed("GET"));
    }
    let query =
        Query::parse(request.uri().query(), PARAMETERS).map_err(|error| error.response())?;
    let scope = authorize(request, query.text("ticket")).await?;
    let text = |name| query.text(name).map(str::to_owned);
    let tenant = match (scope, text("platform_client_id")) {
        (Scope::All, asked) => asked,
        (Scope::Tenant(own), asked) if asked.as_ref().is_none_or(|asked| *asked == own) => {
            Some(own)
        }
        (Scope::Tenant(_), _) => {
            let detail = "This ticket is for another platform_client_id.";
            return Err(problem(StatusCode::FORBIDDEN, "forbidden", detail));
        }
    };
    let header = request
        .headers()
        .get("last-event-id")
        .map(HeaderValue::as_bytes);
    let last = last_event_id(header, query.text("last_event_id")).map_err(|error| {
        bad_request(
            "invalid_last_event_id",
            &format!("Resuming needs an id that was sent: {error}."),
        )
    })?;
    let now = store::find_last_change().await.map_err(|error| {
        eprintln!("error stream refused, the store failed error={error:?}");
        unavailable("not_ready", "The database does not answer.", 1)
    })?;
    Ok((
        Filter {
            tenant,
            conversation: text("conversation_id"),
        },
        last.unwrap_or(now),
        now,
    ))
}

/// Checks the ticket where there is one, else the key.
async fn authorize(request: &Request, sent: Option<&str>) -> Result<Scope, Response> {
    // A key that is not granted is a blank one: it lets nobody in.
    let key = variables::get("api_key").await.unwrap_or_default();
    let Some(sent) = sent else {
        let authorization = request
            .headers()
            .get(AUTHORIZATION)
            .map(HeaderValue::as_bytes);
        let checked = chatly_auth::check_bearer(authorization, &key);
        return checked
            .map(|()| Scope::All)
            .map_err(chatly_auth::Error::response);
    };
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| internal_error())?
        .as_secs();
    ticket::check(&key, sent, now).map_err(|refusal| match refusal {
        ticket::Error::NotConfigured => chatly_auth::Error::NotConfigured.response(),
        ticket::Error::Invalid => unauthorized("unauthorized", "The ticket is not valid."),
        ticket::Error::Expired => {
            unauthorized("ticket_expired", "The ticket has expired. Get a new one.")
        }
    })
}

fn stream(filter: Filter, after: u64, now: u64) -> Result<WasiResponse, ErrorCode> {
    let mut response = http::Response::new(session::body(filter, after, now));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Reverse proxies of the nginx family hold back what is not marked so.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response.into_response()
}
