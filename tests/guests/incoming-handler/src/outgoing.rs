//! Requests through `wasi:http/outgoing-handler`.

use std::io::Write as _;

use serde_json::{Value, json};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, Scheme,
};

/// Gets `url`: `{status, body}`, or `{error}` with the host's word for it.
pub fn get(url: &str) -> Value {
    let answer = start(url, &Method::Get, Fields::new())
        .and_then(|request| wait(&outgoing_handler::handle(request, None)?));
    tell(answer)
}

/// Posts `body` to `url`; answers as [`get`] does.
pub fn post(url: &str, body: &[u8]) -> Value {
    let headers = Fields::new();
    _ = headers.append("content-length", body.len().to_string().as_bytes());
    let answer = start(url, &Method::Post, headers).and_then(|request| {
        let sink = request.body().map_err(|()| internal("no body"))?;
        let response = outgoing_handler::handle(request, None)?;
        let mut stream = sink.write().map_err(|()| internal("no stream"))?;
        stream
            .write_all(body)
            .map_err(|error| internal(&error.to_string()))?;
        drop(stream);
        OutgoingBody::finish(sink, None)?;
        wait(&response)
    });
    tell(answer)
}

fn start(url: &str, method: &Method, headers: Fields) -> Result<OutgoingRequest, ErrorCode> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    let request = OutgoingRequest::new(headers);
    request
        .set_method(method)
        .and_then(|()| request.set_scheme(Some(&scheme)))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)))
        .map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    Ok(request)
}

fn wait(response: &FutureIncomingResponse) -> Result<IncomingResponse, ErrorCode> {
    response.subscribe().block();
    match response.get() {
        Some(Ok(answer)) => answer,
        None | Some(Err(())) => Err(internal("no answer after the wait")),
    }
}

fn internal(text: &str) -> ErrorCode {
    ErrorCode::InternalError(Some(text.to_owned()))
}

fn tell(answer: Result<IncomingResponse, ErrorCode>) -> Value {
    match answer {
        Ok(response) => {
            let mut body = Vec::new();
            super::read(response.consume(), |piece| {
                body.extend_from_slice(piece);
                true
            });
            json!({ "status": response.status(), "body": String::from_utf8_lossy(&body) })
        }
        Err(error) => json!({ "error": format!("{error:?}") }),
    }
}
