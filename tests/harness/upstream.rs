//! A platform's send API on a free port, played by the simulator.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use chatly_random::Random;
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
    /// Too fast, with this `Retry-After`.
    Throttles(&'static str),
    /// Not at all; the connection stays open.
    Holds,
    /// Not at all; the connection is closed.
    Resets,
}

impl Turn {
    /// Whether the platform may have taken the message, for all that its caller can know.
    pub fn may_have_taken(self) -> bool {
        matches!(self, Turn::Mood(Mood::Well) | Turn::Holds | Turn::Resets)
    }
}

/// Turns at random, always the same ones for a seed: of a hundred, 86 are taken, five each are too
/// fast or fail, two each are held or reset; each after up to 30 ms.
#[derive(Debug, Clone, Copy)]
struct Chaos {
    seed: u64,
}

impl Chaos {
    /// How the request with this number is answered; the first is 0.
    fn turn(self, number: u64) -> (Turn, Duration) {
        let bits = Random::at(self.seed, number);
        let turn = match bits % 100 {
            0..=4 => Turn::Throttles("0.2"),
            5..=9 => Turn::Mood(Mood::Failing),
            10 | 11 => Turn::Holds,
            12 | 13 => Turn::Resets,
            _ => Turn::Mood(Mood::Well),
        };
        (turn, Duration::from_millis((bits >> 32) % 30))
    }
}

#[derive(Default)]
struct State {
    plan: VecDeque<Turn>,
    chaos: Option<Chaos>,
    got: Vec<(Sent, Turn)>,
}

/// A send API that keeps what it got. It answers by plan, and well after that.
pub struct Upstream {
    base: String,
    state: Arc<Mutex<State>>,
}

impl Upstream {
    /// Starts the platform of this name.
    pub async fn start(platform: &str, plan: &[Turn]) -> Result<Self> {
        let state = State {
            plan: plan.iter().copied().collect(),
            ..State::default()
        };
        Self::serve(platform, state).await
    }

    /// Starts the platform of this name in a state where it does anything, by `seed`.
    pub async fn start_chaotic(platform: &str, seed: u64) -> Result<Self> {
        let state = State {
            chaos: Some(Chaos { seed }),
            ..State::default()
        };
        Self::serve(platform, state).await
    }

    async fn serve(platform: &str, state: State) -> Result<Self> {
        let platform = find(platform).with_context(|| format!("no platform {platform}"))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(state));
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
        self.log().into_iter().map(|(sent, _)| sent).collect()
    }

    /// The same, with what came of each.
    pub fn log(&self) -> Vec<(Sent, Turn)> {
        lock(&self.state).got.clone()
    }

    /// How many requests came so far.
    pub fn count(&self) -> usize {
        lock(&self.state).got.len()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(
    request: Request<Incoming>,
    platform: &'static dyn Platform,
    state: Arc<Mutex<State>>,
) -> Result<Response<Full<Bytes>>> {
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
    let (turn, pause, seed) = {
        let mut state = lock(&state);
        let before = state.got.len() as u64;
        let number = before + 1;
        let (turn, pause) = match state.chaos {
            Some(chaos) => chaos.turn(before),
            None => {
                let turn = state.plan.pop_front().unwrap_or(Turn::Mood(Mood::Well));
                (turn, Duration::ZERO)
            }
        };
        state.got.push((sent.clone(), turn));
        (turn, pause, number)
    };
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    let answer = match turn {
        Turn::Mood(mood) => platform.answer(&sent, mood, seed),
        Turn::Says(status, body) => chatly_simulator::Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.as_bytes().to_vec(),
        },
        Turn::Throttles(after) => {
            let mut answer = platform.answer(&sent, Mood::Throttled, seed);
            let is_wait = |name: &str| name.eq_ignore_ascii_case("retry-after");
            answer.headers.retain(|(name, _)| !is_wait(name));
            answer
                .headers
                .push(("retry-after".to_owned(), after.to_owned()));
            answer
        }
        Turn::Holds => std::future::pending().await,
        Turn::Resets => bail!("the connection is closed"),
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = Full::new(Bytes::from(answer.body));
    Ok(response.body(body).unwrap_or_default())
}
