//! Where a platform keeps media, on a free port: answers by path, and keeps what it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::{Request, Response};
use http_body_util::StreamBody;
use http_body_util::combinators::BoxBody;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Gives {
    /// With this status and body.
    Body(u16, Vec<u8>),
    /// With a redirect to this address.
    Redirect(String),
    /// With a body that starts so and never ends.
    Endless(Vec<u8>),
    /// With a body that starts so and then stays away.
    Stalls(Vec<u8>),
    /// Not at all; the connection stays open.
    Holds,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Path and query.
    pub path: String,
    /// The header, if there was one.
    pub authorization: Option<String>,
}

#[derive(Default)]
struct State {
    /// By path without the query; the last of several answers stays.
    plan: BTreeMap<String, VecDeque<Gives>>,
    asked: Vec<Asked>,
}

/// A running host. What it does not know is not found.
pub struct MediaHost {
    base: String,
    state: Arc<Mutex<State>>,
}

impl MediaHost {
    /// Starts one that knows nothing yet.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                let service = service_fn(move |request| answer(request, state.clone()));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        Ok(Self { base, state })
    }

    /// `http://127.0.0.1:port`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// From now on a path is answered so, in turn.
    pub fn put(&self, path: &str, gives: &[Gives]) {
        let gives = gives.iter().cloned().collect();
        lock(&self.state).plan.insert(path.to_owned(), gives);
    }

    /// All requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        lock(&self.state).asked.clone()
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> usize {
        let asked = self.asked();
        let of_path = asked
            .iter()
            .filter(|it| it.path.split('?').next() == Some(path));
        of_path.count()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn next(request: &Request<Incoming>, state: &Mutex<State>) -> Gives {
    let (path, header) = (request.uri().path(), request.headers().get("authorization"));
    let mut state = lock(state);
    let query = request.uri().path_and_query().map(ToString::to_string);
    state.asked.push(Asked {
        path: query.unwrap_or_default(),
        authorization: header.map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned()),
    });
    let plan = state.plan.get_mut(path);
    let gives = plan.and_then(|plan| match plan.len() {
        0 | 1 => plan.front().cloned(),
        _ => plan.pop_front(),
    });
    gives.unwrap_or(Gives::Body(404, Vec::new()))
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<Mutex<State>>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, http::Error> {
    let frame = |bytes: Vec<u8>| Ok::<_, Infallible>(Frame::data(Bytes::from(bytes)));
    let start = |bytes| stream::once(std::future::ready(frame(bytes)));
    let response = Response::builder();
    match next(&request, &state) {
        Gives::Body(status, bytes) => {
            let response = response
                .status(status)
                .header("content-length", bytes.len());
            response.body(BoxBody::new(StreamBody::new(start(bytes))))
        }
        Gives::Redirect(location) => {
            let response = response.status(302).header("location", location);
            response.body(BoxBody::new(StreamBody::new(stream::empty())))
        }
        Gives::Endless(bytes) => {
            let more = stream::repeat_with(move || frame(vec![7; 64 << 10]));
            response.body(BoxBody::new(StreamBody::new(start(bytes).chain(more))))
        }
        Gives::Stalls(bytes) => {
            let body = start(bytes).chain(stream::pending());
            response.body(BoxBody::new(StreamBody::new(body)))
        }
        Gives::Holds => std::future::pending().await,
    }
}
