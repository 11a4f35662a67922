//! `chatly simulate CHANNEL --serve ADDR`: the platform's send API, played.
//!
//! Each request is printed as one line of JSON, with what it was answered. The access token is not.

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use bytes::Bytes;
use chatly_simulator::{Answer, Mood, Platform, Sent};
use clap::ValueEnum;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

/// Most of a request's body: far above the largest message.
const MAX_BODY_BYTES: usize = 4 << 20;

/// How the send API behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Behaviour {
    /// Accepts what is of the documented form, refuses the rest
    Well,
    /// Too much is sent
    Throttled,
    /// Something went wrong on the platform's side
    Failing,
    /// The time for free messages is over
    WindowClosed,
    /// The access token is no longer good
    TokenExpired,
    /// The media cannot be had any more
    MediaExpired,
    /// One after the other
    Mixed,
}

const MOODS: [Mood; 6] = [
    Mood::Well,
    Mood::Throttled,
    Mood::Failing,
    Mood::WindowClosed,
    Mood::TokenExpired,
    Mood::MediaExpired,
];

impl Behaviour {
    /// The mood of the request with a number.
    fn mood(self, number: u64) -> Mood {
        match self {
            Self::Well => Mood::Well,
            Self::Throttled => Mood::Throttled,
            Self::Failing => Mood::Failing,
            Self::WindowClosed => Mood::WindowClosed,
            Self::TokenExpired => Mood::TokenExpired,
            Self::MediaExpired => Mood::MediaExpired,
            Self::Mixed => {
                let at = usize::try_from(number % MOODS.len() as u64).unwrap_or_default();
                MOODS.get(at).copied().unwrap_or_default()
            }
        }
    }
}

/// A platform that answers sends.
struct Api {
    platform: &'static dyn Platform,
    behaviour: Behaviour,
    seed: u64,
    count: AtomicU64,
}

/// Serves until the process ends.
pub(super) async fn run(
    platform: &'static dyn Platform,
    address: SocketAddr,
    behaviour: Behaviour,
    seed: u64,
) -> Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("--serve {address}"))?;
    print(&format!("listening on http://{}", listener.local_addr()?))?;
    let api = Arc::new(Api {
        platform,
        behaviour,
        seed,
        count: AtomicU64::new(0),
    });
    loop {
        let (stream, _) = listener.accept().await?;
        let api = api.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| api.serve(request));
            let connection = hyper::server::conn::http1::Builder::new();
            // A client that goes away is nothing to tell of.
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Api {
    async fn serve(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await;
        let Ok(body) = body.map(|body| body.to_bytes()) else {
            return Ok(response(Answer::json(
                413,
                &json!({ "error": "too large" }),
            )));
        };
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let path = parts.uri.path_and_query().map_or("/", |it| it.as_str());
        let sent = Sent {
            method: parts.method.as_str().to_owned(),
            path: path.to_owned(),
            headers: headers.collect(),
            body: body.to_vec(),
        };
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let mood = self.behaviour.mood(number);
        let answer = self
            .platform
            .answer(&sent, mood, self.seed.wrapping_add(number));
        let line = json!({
            "method": sent.method,
            "path": without_token(&sent.path),
            "body": String::from_utf8_lossy(&sent.body),
            "status": answer.status,
            "answer": String::from_utf8_lossy(&answer.body),
        });
        // Without standard output it still answers.
        let _ = print(&line.to_string());
        Ok(response(answer))
    }
}

/// A path as it may be shown: a bot's token in it is left out.
fn without_token(path: &str) -> String {
    match path
        .strip_prefix("/bot")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((_, rest)) => format!("/bot{{access_token}}/{rest}"),
        None => path.to_owned(),
    }
}

fn print(line: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    // What a platform says is always of HTTP's form.
    response
        .body(Full::new(Bytes::from(answer.body)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_path_is_not_shown() {
        for (path, want) in [
            (
                "/bot12:secret/sendMessage",
                "/bot{access_token}/sendMessage",
            ),
            ("/v26.0/1/messages?a=b", "/v26.0/1/messages?a=b"),
        ] {
            assert_eq!(without_token(path), want);
        }
    }

    #[test]
    fn a_mixed_api_has_every_mood_in_turn() {
        let moods: Vec<Mood> = (0..7).map(|n| Behaviour::Mixed.mood(n)).collect();
        assert_eq!(moods[..6], MOODS);
        assert_eq!(moods[6], Mood::Well);
        assert_eq!(Behaviour::Throttled.mood(3), Mood::Throttled);
    }
}
