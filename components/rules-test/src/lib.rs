//! `rules-test`: says what a candidate set of rules would do with stored messages.
//!
//! 1. Private: the api has checked who asks. It writes nothing.
//! 2. Both sets of rules see the same facts, made by the same code as the worker's: see `facts`.
//! 3. A call ends by itself, with a cursor to go on from, when its time is used up: see `trial`.
//!
//! Shapes are in `chatly-api`, what counts as different in `chatly-routing`, files in
//! `chatly-rules`.

mod candidate;
mod facts;
mod trial;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "chatly:edge/rules-test",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
chatly_canonical::wit_conversions!(crate::bindings::chatly::types::types);

use chatly_api::{ANSWERED, Error, MAX_CANDIDATE_BYTES, Query, Route};
use chatly_respond::{Response, json};
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use spin_sdk::http::Request;
use spin_sdk::{http_service, variables};

use crate::bindings::chatly::store::store;

#[http_service]
async fn rules_test(request: Request) -> Response {
    let mut response = serve(request).await.unwrap_or_else(|error| {
        if error.response().status().is_server_error() {
            eprintln!("error: dry run failed: {error}");
        }
        error.response()
    });
    let answered = HeaderName::from_static(ANSWERED);
    let headers = response.headers_mut();
    headers.insert(answered, HeaderValue::from_static("1"));
    response
}

async fn serve(request: Request) -> Result<Response, Error> {
    let query = Query::parse(request.uri().query(), Route::TestRules.parameters())?;
    let tenant = match query.text("platform_client_id") {
        Some(tenant) => tenant.to_owned(),
        None => default_tenant().await,
    };
    let body = Limited::new(request.into_body(), MAX_CANDIDATE_BYTES)
        .collect()
        .await;
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => Error::TooLarge,
        false => Error::Body("The body did not arrive whole.".to_owned()),
    })?;
    let candidate = candidate::read(&body.to_bytes(), &tenant).await?;
    let dry_run = trial::run(&tenant, candidate, &query).await?;
    Ok(json(StatusCode::OK, &dry_run))
}

async fn default_tenant() -> String {
    let tenant = variables::get("platform_client_id").await;
    let tenant = tenant.unwrap_or_default();
    Some(tenant)
        .filter(|tenant| !tenant.is_empty())
        .unwrap_or_else(|| "default".to_owned())
}

/// How a store's error is answered. What the store says in words is logged, never answered.
fn failure(error: store::Error) -> Error {
    match error {
        store::Error::Denied => Error::Denied,
        store::Error::Busy => Error::Busy,
        store::Error::InvalidCursor => Error::Cursor,
        store::Error::Invalid(words) => {
            eprintln!("warn: the store refused an argument: error={words:?}");
            Error::Argument
        }
        store::Error::Stale => Error::Store,
        store::Error::Other(words) => {
            eprintln!("error: the store failed: error={words:?}");
            Error::Store
        }
    }
}
