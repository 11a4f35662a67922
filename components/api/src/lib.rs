//! `api`: conversations, messages, contacts and jobs for frontends and n8n.
//!
//! 1. Everything under `/v1` needs the operator's key, also what does not exist.
//! 2. `/healthz` says that this process serves; `/readyz` that its database answers.
//!
//! What an address means and how a row looks is decided in `chatly-api`.

mod dry_run;
mod jobs;
mod media;
mod patch;
mod read;
mod rows;
mod send;
mod understanding;
mod write;

use std::time::{SystemTime, UNIX_EPOCH};

use chatly_api::{Error, Query, Route, Ticket};
use chatly_auth::ticket::{self, Scope};
use chatly_respond::{Response, json, with};
use http::header::{AUTHORIZATION, CACHE_CONTROL};
use http::{HeaderValue, StatusCode};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::{http_service, variables};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "api",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use bindings::chatly::store::rows::Health;
use bindings::chatly::store::store;
use read::text;

#[http_service]
async fn api(request: Request) -> anyhow::Result<impl IntoResponse> {
    let path = request.uri().path().to_owned();
    let response = serve(request).await.unwrap_or_else(|error| {
        if error.response().status().is_server_error() {
            eprintln!("error request failed path={path:?} error={error}");
        }
        error.response()
    });
    // What is shown changes at any time, and is for the caller only.
    Ok(with(
        response,
        CACHE_CONTROL,
        HeaderValue::from_static("no-store"),
    ))
}

async fn serve(request: Request) -> Result<Response, Error> {
    let (method, path) = (request.method().as_str(), request.uri().path());
    let mut key = String::new();
    if path != "/healthz" && path != "/readyz" {
        // A key that is not granted is a blank one: it lets nobody in.
        key = variables::get("api_key").await.unwrap_or_default();
        let authorization = request
            .headers()
            .get(AUTHORIZATION)
            .map(HeaderValue::as_bytes);
        if let Err(refusal) = chatly_auth::check_bearer(authorization, &key) {
            return Ok(refusal.response());
        }
    }
    let route = Route::find(method, path)?;
    let query = Query::parse(request.uri().query(), route.parameters())?;
    match route {
        Route::Health => Ok(json(StatusCode::OK, &Status { status: "ok" })),
        Route::Ready => match store::check_ready().await {
            Ok(()) => ready().await,
            Err(error) => {
                eprintln!("error not ready error={error:?}");
                Err(Error::NotReady)
            }
        },
        Route::Ticket => issue_ticket(&key),
        Route::ReplayInbox(_)
        | Route::ReplayOutbox(_)
        | Route::InboxJob(_)
        | Route::OutboxJob(_)
        | Route::CancelOutbox(_)
        | Route::ReplayMany => jobs::serve(route, &query).await,
        Route::ChangeConversation(id) => patch::change(id, &query, request).await,
        Route::TestRules => dry_run::run(request).await,
        Route::Send => send::send(None, &query, request).await,
        Route::SendMessage(id) => send::send(Some(id), &query, request).await,
        Route::Usage => understanding::usage(&query).await,
        Route::LeadHistory(id) => understanding::lead_history(id, &query).await,
        Route::Enrich(id) => understanding::enrich(id, &query).await,
        Route::ResumeAccount { channel, account } => {
            send::resume(&channel, &account, text(&query, "platform_client_id")).await
        }
        Route::MakeRule | Route::PutRule(_) | Route::DeleteRule(_) | Route::EnableEndpoint => {
            write::write(route, &query, request).await
        }
        route => read::read(route, &query).await,
    }
}

/// An account that is stopped makes nothing else unready; that there are some is said all the same.
async fn ready() -> Result<Response, Error> {
    let accounts = store::list_accounts(None, None).await;
    let accounts = accounts.map_err(rows::failure)?.into_iter();
    let stopped = accounts.filter(|account| account.health == Health::Stopped);
    Ok(json(
        StatusCode::OK,
        &Ready {
            status: "ready",
            stopped_accounts: stopped.count(),
        },
    ))
}

#[derive(serde::Serialize)]
struct Ready {
    status: &'static str,
    stopped_accounts: usize,
}

#[derive(serde::Serialize)]
struct Status {
    status: &'static str,
}

fn issue_ticket(key: &str) -> Result<Response, Error> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| Error::Store)?
        .as_secs();
    // The key was checked just now, so it is not blank.
    let ticket = ticket::issue(key, &Scope::All, now).map_err(|_| Error::Store)?;
    let url = format!("/v1/events?ticket={ticket}");
    let expires_at = (now + ticket::LIFETIME_SECS) * 1000;
    Ok(json(
        StatusCode::CREATED,
        &Ticket {
            ticket,
            expires_at,
            url,
        },
    ))
}
