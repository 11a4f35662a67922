//! A model's service on a free port, as OpenAI's chat completions look, that answers by plan.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// How one request is answered.
#[derive(Debug, Clone)]
pub enum Says {
    /// With this form.
    Form(Value),
    /// With this form, after so long.
    Late(Duration, Value),
    /// With this text where the form belongs.
    Text(String),
    /// With this body as it is.
    Body(String),
    /// By a plain status.
    Status(u16),
    /// Too fast, with this `Retry-After`.
    Throttled(&'static str),
    /// Not at all; the connection stays open.
    Holds,
    /// With a body that begins and has no end.
    Endless,
}

#[derive(Default)]
struct State {
    plan: VecDeque<Says>,
    after: Option<Says>,
    got: Vec<String>,
    /// When the last answer was ready.
    answered: Option<Instant>,
    gaps: Vec<Duration>,
}

/// A service that keeps what it got. It answers by plan, and by the plan's last word after that.
pub struct Model {
    base: String,
    state: Arc<Mutex<State>>,
}

impl Model {
    /// Tokens that each answer reports, in and out.
    pub const TOKENS: (u64, u64) = (100, 20);

    /// Starts it.
    pub async fn start(plan: &[Says]) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State {
            plan: plan.iter().cloned().collect(),
            after: plan.last().cloned(),
            ..State::default()
        }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                let service = service_fn(move |request| answer(request, state.clone()));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Model { base, state })
    }

    /// `http://127.0.0.1:port/v1`: a base with a path, as most are given.
    pub fn base(&self) -> String {
        format!("{}/v1", self.base)
    }

    /// All bodies so far, with their heads, in the order in which they came.
    pub fn got(&self) -> Vec<String> {
        lock(&self.state).got.clone()
    }

    /// How long after each answer the next request had come.
    pub fn gaps(&self) -> Vec<Duration> {
        lock(&self.state).gaps.clone()
    }

    /// A form that says nothing in particular.
    pub fn form() -> Value {
        json!({
            "language": "en", "intents": [{ "name": "pricing", "confidence": 0.9 }],
            "sentiment": "positive", "urgency": "high", "entities": [], "topics": ["mugs"],
            "summary": "Asks for a price.", "suggested_reply": "How many would you like?",
        })
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

type Answered = Response<Either<Full<Bytes>, Endless>>;

async fn answer(request: Request<Incoming>, state: Arc<Mutex<State>>) -> Result<Answered> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let says = {
        let mut state = lock(&state);
        let gap = state.answered.take().map(|at| at.elapsed());
        state.gaps.extend(gap);
        let body = String::from_utf8_lossy(&body);
        state.got.push(format!("{head:?}\n{body}"));
        let after = state.after.clone();
        let next = state.plan.pop_front().or(after);
        next.unwrap_or_else(|| Says::Form(Model::form()))
    };
    let (status, text) = match says {
        Says::Form(form) => (200, completion(&form.to_string())),
        Says::Late(wait, form) => {
            tokio::time::sleep(wait).await;
            (200, completion(&form.to_string()))
        }
        Says::Body(body) => (200, body),
        Says::Text(text) => (200, completion(&text)),
        Says::Status(status) => (status, r#"{"error":{"message":"no"}}"#.to_owned()),
        Says::Throttled(after) => {
            let answer = Response::builder().status(429).header("retry-after", after);
            return Ok(answer.body(Either::Left(Full::default()))?);
        }
        Says::Holds => std::future::pending().await,
        Says::Endless => return Ok(Response::new(Either::Right(Endless))),
    };
    lock(&state).answered = Some(Instant::now());
    let answer = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    Ok(answer.body(Either::Left(Full::from(text)))?)
}

fn completion(text: &str) -> String {
    let (input, output) = Model::TOKENS;
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "small",
        "choices": [{ "index": 0, "finish_reason": "stop",
            "message": { "role": "assistant", "content": text } }],
        "usage": { "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output },
    })
    .to_string()
}

/// Blanks without end, as fast as they are read.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 4096])))))
    }
}
