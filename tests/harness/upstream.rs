//! A platform's send API on a free port, played by the simulator.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use bytes::Bytes;
use chatly_simulator::{Mood, Platform, Sent, find};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// How one request is answered.
#[derive(Debug, Clone, Copy)]
pub enum Turn {
    /// As the platform does in this mood.
    Mood(Mood),
    /// By a plain status with this JSON as its body.
    Says(u16, &'static str),
    /// Not at all; the connection stays open.
    Holds,
}

#[derive(Default)]
struct State {
    plan: VecDeque<Turn>,
    got: Vec<Sent>,
}

/// A send API that keeps what it got. It answers by plan, and well after that.
pub struct Upstream {
    base: String,
    state: Arc<Mutex<State>>,
}

impl Upstream {
    /// Starts the platform of this name.
    pub async fn start(platform: &str, plan: &[Turn]) -> Result<Self> {
        let platform = find(platform).with_context(|| format!("no platform {platform}"))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State {
            plan: plan.iter().copied().collect(),
            got: Vec::new(),
        }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                let service = service_fn(move |request| answer(request, platform, state.clone()));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Upstream { base, state })
    }

    /// `http://127.0.0.1:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// All requests so far, in the order in which they came.
    pub fn got(&self) -> Vec<Sent> {
        match self.state.lock() {
            Ok(state) => state.got.clone(),
            Err(poisoned) => poisoned.into_inner().got.clone(),
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    platform: &'static dyn Platform,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let path = head.uri.path_and_query().map(ToString::to_string);
    let sent = Sent {
        method: head.method.to_string(),
        path: path.unwrap_or_default(),
        headers: headers.collect(),
        body: body.collect().await?.to_bytes().to_vec(),
    };
    let (turn, seed) = {
        let mut state = match state.lock() {
            Ok(state) => state,
            Err(poisoned) => poisoned.into_inner(),
        };
        state.got.push(sent.clone());
        let turn = state.plan.pop_front().unwrap_or(Turn::Mood(Mood::Well));
        (turn, state.got.len() as u64)
    };
    let answer = match turn {
        Turn::Mood(mood) => platform.answer(&sent, mood, seed),
        Turn::Says(status, body) => chatly_simulator::Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.as_bytes().to_vec(),
        },
        Turn::Holds => std::future::pending().await,
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = Full::new(Bytes::from(answer.body));
    Ok(response.body(body).unwrap_or_default())
}
