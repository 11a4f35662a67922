//! `ingest`: lets a delivery in only if it is genuine, and answers once it is durable.
//!
//! 1. The body is read up to a bound, the channel plugin checks and reads it, the store keeps it.
//! 2. A handshake is the plugin's to answer; it checks what the platform lets it check.
//! 3. 200 means stored, or known already. Whatever keeps it from being stored is a 503, so that the
//!    platform sends it again.
//! 4. The worker is woken after the answer, and nobody waits for it.

mod accept;
mod pieces;
mod read;
mod refuse;
mod settings;
mod wake;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "chatly:edge/ingest",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

use std::time::{SystemTime, UNIX_EPOCH};

use bindings::chatly::channel::channel;
use bindings::chatly::types::types::Reply;
use chatly_respond::{Response, method_not_allowed, relay};
use http::Method;
use spin_sdk::http::Request;
use spin_sdk::http_service;

use refuse::Refusal;
use settings::Settings;

#[http_service]
async fn ingest(request: Request) -> Response {
    match receive(request).await {
        Ok(response) => response,
        Err(refusal) => refusal.response(),
    }
}

async fn receive(request: Request) -> Result<Response, Refusal> {
    let is_get = request.method() == Method::GET;
    if !is_get && request.method() != Method::POST {
        return Ok(method_not_allowed("GET, POST"));
    }
    let settings = settings::load().await?;
    let received = read::Received::read(request, &settings).await?;
    if let Some(reply) = handshake(&settings, &received) {
        return Ok(send_on(reply));
    }
    if is_get {
        return Ok(method_not_allowed("POST"));
    }
    if let Some(trace) = accept::accept(&settings, &received).await? {
        wake::wake_worker(trace);
    }
    Ok(send_on(channel::acknowledge(&received.delivery)))
}

/// The plugin's answer when a delivery only sets up or checks the webhook.
fn handshake(settings: &Settings, received: &read::Received) -> Option<Reply> {
    let route = received.route_account.as_deref();
    let tokens: Vec<_> = settings
        .book
        .verify_tokens(route)
        .into_iter()
        .map(|token| token.expose().to_owned())
        .collect();
    let keyrings = settings.book.keyrings(route);
    let secrets: Vec<_> = keyrings
        .iter()
        .flat_map(|keyring| keyring.secrets())
        .map(|secret| secret.expose().to_owned())
        .collect();
    channel::handshake(&received.delivery, &tokens, &secrets, unix_millis() / 1000)
}

fn send_on(reply: Reply) -> Response {
    let headers: Vec<_> = reply
        .headers
        .iter()
        .map(|header| (header.name.as_str(), header.value.as_slice()))
        .collect();
    relay(reply.status, &headers, reply.body)
}

/// Unix milliseconds; 0 for a clock that stands before 1970.
fn unix_millis() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
