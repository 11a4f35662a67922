//! `console`: the page for operators, and its test message.
//!
//! 1. The page holds no data and needs no key: it asks the API, with the key that the operator
//!    typed.
//! 2. `/console/test-message` needs the operator's key. What it makes goes to the real webhook and
//!    is checked there like any other delivery: nothing is stored from here.

mod trial;

use chatly_respond::{Response, method_not_allowed, not_found};
use http::Method;
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn console(request: Request) -> Response {
    let path = request.uri().path();
    if path == "/console/test-message" {
        return trial::answer(request)
            .await
            .unwrap_or_else(|refusal| refusal);
    }
    let Some(file) = chatly_console::page::find(path) else {
        return not_found("The console has no such file.");
    };
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return method_not_allowed("GET, HEAD");
    }
    file.response(request.headers())
}
