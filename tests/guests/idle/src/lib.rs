//! Takes the worker's place and does nothing, so that jobs stay where they are.

use spin_sdk::http::{IntoResponse, Request, StatusCode};
use spin_sdk::http_service;

#[http_service]
async fn idle(_: Request) -> anyhow::Result<impl IntoResponse> {
    Ok(StatusCode::ACCEPTED)
}
