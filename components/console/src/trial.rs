//! The test message: from the browser to the webhook of this app.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use chatly_auth::check_bearer;
use chatly_console::test_message::{Error, MAX_BODY_BYTES, Readiness, Signer};
use chatly_respond::{Response, json, method_not_allowed, problem, with};
use chatly_respond::{bad_request, internal_error};
use http::header::{AUTHORIZATION, CACHE_CONTROL};
use http::{HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use spin_sdk::http::Request;
use spin_sdk::{variables, wasip3};

/// The ingest of WhatsApp, inside of this app.
const INGEST: &str = "http://ingest-whatsapp.spin.internal";

/// Answers `GET` with whether a message can be sent, and `POST` by sending one.
pub async fn answer(request: Request) -> Result<Response, Response> {
    let is_post = request.method() == Method::POST;
    if !is_post && request.method() != Method::GET {
        return Ok(method_not_allowed("GET, POST"));
    }
    let authorization = request.headers().get(AUTHORIZATION);
    // A key that is not granted is a blank one: it lets nobody in.
    check_bearer(
        authorization.map(HeaderValue::as_bytes),
        &variable("api_key").await,
    )
    .map_err(|refusal| refusal.response())?;
    let (switch, secrets) = (
        variable("console_test_messages").await,
        variable("whatsapp_app_secret").await,
    );
    let signer = Signer::new(&switch, &secrets);
    let response = if is_post {
        let signer = signer.map_err(Error::response)?;
        send(&signer, read(request).await?).await?
    } else {
        json(StatusCode::OK, &Readiness::from(signer))
    };
    Ok(with(
        response,
        CACHE_CONTROL,
        HeaderValue::from_static("no-store"),
    ))
}

async fn send(signer: &Signer<'_>, body: Vec<u8>) -> Result<Response, Response> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| internal_error())?
        .as_secs();
    let seed = wasip3::random::random::get_random_u64();
    let (sent, delivery) = signer.delivery(&body, seed, now).map_err(Error::response)?;
    let mut request = http::Request::post(format!("{INGEST}{}", delivery.path));
    for (name, value) in &delivery.headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Full::<Bytes>::from(delivery.body))
        .map_err(|_| internal_error())?;
    match spin_sdk::http::send(request).await {
        Ok(response) if response.status() == StatusCode::OK => {
            Ok(json(StatusCode::ACCEPTED, &sent))
        }
        Ok(response) => {
            let status = response.status().as_u16();
            eprintln!("warn: test message refused: status={status}");
            Err(Error::NotTaken.response())
        }
        Err(error) => {
            eprintln!("error: test message not sent: error={error}");
            Err(Error::NotTaken.response())
        }
    }
}

/// The whole body, up to its bound.
async fn read(request: Request) -> Result<Vec<u8>, Response> {
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| bad_request("interrupted", "The body did not come to its end."))?;
        if let Some(piece) = frame.data_ref() {
            if bytes.len() + piece.len() > MAX_BODY_BYTES {
                return Err(problem(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too_large",
                    "A test message can have 64 KiB at most.",
                ));
            }
            bytes.extend_from_slice(piece);
        }
    }
    Ok(bytes)
}

/// A variable; blank when the manifest does not give it or it cannot be read: blank opens nothing.
async fn variable(name: &str) -> String {
    match variables::get(name).await {
        Ok(value) => value,
        Err(variables::Error::Undefined(_)) => String::new(),
        Err(_) => {
            eprintln!("error: the variable provider failed: name={name}");
            String::new()
        }
    }
}
