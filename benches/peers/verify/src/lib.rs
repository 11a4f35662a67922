//! Verify only, as one component for every host that runs WASI 0.3: HMAC-SHA256 over the raw body,
//! compared in constant time, the JSON read, an empty 200. `verify.js` does the same.
//!
//! It asks the host for no more than it needs: one header instead of all of them, and an answer
//! without a body stream. What is measured is the host, not a library in the guest.

use chatly_signature::{Encoding, verify};
use spin_sdk::wasip3::exports::http::handler::Guest;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Request, Response};
use spin_sdk::wasip3::wit_bindgen::StreamResult;
use spin_sdk::wasip3::{http::service::export, wit_future};

/// A secret of the benches; nothing else uses it.
const SECRET: &str = "bench-app-secret";
/// The first read: a message of a chat fits.
const FIRST_BYTES: usize = 2048;

struct Verify;

export!(Verify);

impl Guest for Verify {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        answer(match check(request).await {
            Some(_) => 200,
            None => 401,
        })
    }
}

fn answer(status: u16) -> Result<Response, ErrorCode> {
    let headers = [("content-length".to_owned(), b"0".to_vec())];
    let headers = Fields::from_list(&headers)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (_no_trailers, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(headers, None, trailers);
    let set = response.set_status_code(status);
    set.map_err(|()| ErrorCode::InternalError(None))?;
    Ok(response)
}

async fn check(request: Request) -> Option<serde_json::Value> {
    let signature = request.get_headers().get("x-hub-signature-256");
    let signature = str::from_utf8(signature.first()?).ok()?;
    let body = read(request).await;
    let signature = signature.strip_prefix("sha256=")?;
    verify(&[SECRET.to_owned()], &body, signature, Encoding::Hex).ok()?;
    serde_json::from_slice(&body).ok()
}

async fn read(request: Request) -> Vec<u8> {
    let (_read, result) = wit_future::new(|| Ok(()));
    let (mut stream, _trailers) = Request::consume_body(request, result);
    let mut body = Vec::with_capacity(FIRST_BYTES);
    loop {
        let (status, read) = stream.read(body).await;
        body = read;
        if status == StreamResult::Dropped {
            return body;
        }
        body.reserve(FIRST_BYTES);
    }
}
