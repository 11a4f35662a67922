//! Takes a request to the component that answers it.
//!
//! 1. A request from outside finds its component by its path; a call from another component by
//!    name. Both get Spin's request headers, a request id, and one `request served` event.
//! 2. More requests at once from outside than the limit ([`MAX_REQUESTS`] by default), or that many
//!    calls, are refused with 503: each costs memory before any component sees it.
//! 3. Whatever happens in the guest, the caller gets a response; if it is the guest's fault, a 5xx
//!    without the cause.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tokio::sync::Semaphore;
use tracing::{debug, error, info, warn};
use wasmtime_wasi_http::WasiBody;

use super::headers::{self, INTERNAL_CLIENT, Scheme};
use super::problem::{Problem, text};
use super::routes::{Match, Router};
use super::{body, request_id};
use crate::instance::{Failure, Pool, Stop};
use crate::manifest::StaticResponse;
use crate::metrics::{Component, Counters};
use crate::sqlite::Commits;
use crate::telemetry::{self, Trace};

/// Requests at once that wait for a response head: a queue of some seconds on two cores.
pub const MAX_REQUESTS: usize = 4096;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Spin's health check, which every application answers.
const HEALTH: &str = "/.well-known/spin/health";

/// How a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Outside { scheme: Scheme, client: SocketAddr },
    Inside,
}

/// All components of an application and the routes to them.
pub struct Table {
    /// The public routes.
    pub router: Router,
    /// The components, by id.
    pub pools: BTreeMap<String, Arc<Pool>>,
    /// `static_response`, by route.
    pub fixed: BTreeMap<String, StaticResponse>,
    /// What is counted of their databases, by label.
    pub commits: BTreeMap<String, Arc<Commits>>,
}

/// Gives requests to the components of an application.
pub struct Dispatcher {
    table: ArcSwap<Table>,
    stop: Stop,
    outside: Semaphore,
    inside: Semaphore,
    /// Requests that reached no component, static responses among them.
    unmatched: Counters,
}

impl Dispatcher {
    /// Dispatches by `table`; `max_requests` may be waiting for their response heads.
    pub fn new(table: Table, max_requests: usize, stop: Stop) -> Self {
        let max_requests = max_requests.min(Semaphore::MAX_PERMITS);
        Self {
            table: ArcSwap::from_pointee(table),
            stop,
            outside: Semaphore::new(max_requests),
            inside: Semaphore::new(max_requests),
            unmatched: Counters::default(),
        }
    }

    /// Dispatches by another table from now on. Requests that have begun go on with the old one,
    /// whose instances end when they are idle.
    pub fn replace(&self, table: Table) {
        self.table.store(Arc::new(table));
    }

    /// What it dispatches by.
    pub fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// Tells what there is to tell of each component, and of requests that reached none.
    pub fn measured<R>(&self, tell: impl FnOnce(&[Component<'_>]) -> R) -> R {
        let table = self.table();
        let none = Component {
            id: "",
            counters: &self.unmatched,
            instances: 0,
            queued: 0,
        };
        let pools = table.pools.values().map(|pool| pool.measured());
        let all: Vec<_> = std::iter::once(none).chain(pools).collect();
        tell(&all)
    }

    /// Answers a request that came over the network.
    pub async fn serve(
        &self,
        request: Request<WasiBody>,
        scheme: Scheme,
        client: SocketAddr,
    ) -> Response<WasiBody> {
        let started = Instant::now();
        let path = request.uri().path();
        if path == HEALTH {
            return text(StatusCode::OK, "text/plain", "OK");
        }
        let table = self.table();
        let Some(found) = table.router.find(path) else {
            return self.refuse(&request, Problem::NotFound);
        };
        let Ok(_permit) = self.outside.try_acquire() else {
            return self.refuse(&request, Problem::Busy);
        };
        if let Some(fixed) = table.fixed.get(&found.route) {
            let response = respond(fixed, &found, request.method());
            let elapsed = started.elapsed();
            self.unmatched.served(response.status(), elapsed);
            telemetry::served("", response.status(), elapsed);
            return response;
        }
        let origin = Origin::Outside { scheme, client };
        match table.pools.get(&found.component) {
            Some(pool) => self.answer(pool, found, request, origin).await,
            None => self.refuse(&request, Problem::NotFound),
        }
    }

    /// Answers a call to `http://<component>.spin.internal`; `None` when there is no such component.
    pub async fn call(
        &self,
        component: &str,
        request: Request<WasiBody>,
    ) -> Option<Response<WasiBody>> {
        let table = self.table();
        let pool = table.pools.get(component)?;
        let Ok(_permit) = self.inside.try_acquire() else {
            return Some(self.refuse(&request, Problem::Busy));
        };
        let found = Match::internal(component, request.uri().path());
        Some(self.answer(pool, found, request, Origin::Inside).await)
    }

    /// Answers a request that the host itself makes to one of its public routes, if it has it.
    pub async fn request(&self, request: Request<WasiBody>) -> Option<Response<WasiBody>> {
        let table = self.table();
        let found = table.router.find(request.uri().path())?;
        let pool = table.pools.get(&found.component)?;
        Some(self.answer(pool, found, request, Origin::Inside).await)
    }

    async fn answer(
        &self,
        pool: &Arc<Pool>,
        found: Match,
        mut request: Request<WasiBody>,
        origin: Origin,
    ) -> Response<WasiBody> {
        let started = Instant::now();
        let _in_flight = pool.counters.begin();
        let id = request_id();
        let method = request.method().clone();
        let (scheme, client) = match origin {
            Origin::Outside { scheme, client } => (scheme, client),
            Origin::Inside => (Scheme::Http, INTERNAL_CLIENT),
        };
        let uri = request.uri().clone();
        headers::prepare(request.headers_mut(), &uri, scheme, &found, client);

        let trace = Trace::begin(&mut request, &found.component, &found.route, client);
        let mut response = match trace.work(pool.handle(id.clone(), request)).await {
            Ok((response, activity)) => body::track(response, activity, &self.stop.gently),
            Err(failure) => failed(&failure, &id, &found.component).response_to(&id),
        };
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        let status = response.status();
        pool.counters.served(status, started.elapsed());
        telemetry::served(&found.component, status, started.elapsed());
        let served = Served {
            id: &id,
            found: &found,
            method: &method,
            status,
            started,
            origin,
        };
        trace.end(status, || log(&served));
        response
    }

    /// A response without a component.
    fn refuse(&self, request: &Request<WasiBody>, problem: Problem) -> Response<WasiBody> {
        let id = request_id();
        let mut response = problem.response_to(&id);
        self.unmatched.served(response.status(), Duration::ZERO);
        let (method, status) = (request.method(), response.status().as_u16());
        info!(request_id = &*id, component = "", %method, route = "", status, "request served");
        if let Ok(id) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
}

/// A `static_response`. The manifest's reader has checked every part of it.
fn respond(fixed: &StaticResponse, found: &Match, method: &Method) -> Response<WasiBody> {
    let body = Full::new(Bytes::from(fixed.body.clone()));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    if let Ok(status) = StatusCode::from_u16(fixed.status_code) {
        *response.status_mut() = status;
    }
    for (name, value) in &fixed.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    let id = request_id();
    let (route, status) = (&*found.route, response.status().as_u16());
    info!(request_id = &*id, component = "", %method, route, status, "request served");
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Logs why a guest gave no response, and says what its caller gets to know.
fn failed(failure: &Failure, request_id: &str, component: &str) -> Problem {
    match failure {
        Failure::Late => {
            warn!(
                request_id,
                component, "no response head in time (limit `response_timeout`)"
            );
            Problem::Late
        }
        Failure::Busy => {
            warn!(
                request_id,
                component, "no instance was free in time (limit `max_concurrency`)"
            );
            Problem::Busy
        }
        // The instance has logged why, with this request's id.
        Failure::Ended => Problem::Failed,
        Failure::Unmade | Failure::Guest(_) => {
            error!(request_id, component, error = %failure, "component failed");
            Problem::Failed
        }
    }
}

struct Served<'a> {
    id: &'a str,
    found: &'a Match,
    method: &'a Method,
    status: StatusCode,
    started: Instant,
    origin: Origin,
}

/// One event per request; those between components are of interest only while debugging.
fn log(served: &Served<'_>) {
    let Served {
        id: request_id,
        found,
        method,
        status,
        started,
        origin,
    } = served;
    let (component, route, status) = (&*found.component, &*found.route, status.as_u16());
    let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match origin {
        Origin::Outside { .. } => {
            info!(request_id, component, %method, route, status, elapsed_ms, "request served");
        }
        Origin::Inside => {
            debug!(request_id, component, %method, route, status, elapsed_ms, "request served");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{CONTENT_LENGTH, RETRY_AFTER};
    use http_body_util::Empty;

    fn dispatcher() -> Dispatcher {
        with_fixed(BTreeMap::new())
    }

    fn with_fixed(fixed: BTreeMap<String, StaticResponse>) -> Dispatcher {
        let table = Table {
            router: Router::build([("/one", "one")]).unwrap(),
            pools: BTreeMap::new(),
            fixed,
            commits: BTreeMap::new(),
        };
        Dispatcher::new(table, MAX_REQUESTS, Stop::default())
    }

    fn get(path: &'static str) -> Request<WasiBody> {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        Request::get(path).body(body).unwrap()
    }

    async fn serve(dispatcher: &Dispatcher, path: &'static str) -> Response<WasiBody> {
        dispatcher
            .serve(get(path), Scheme::Http, INTERNAL_CLIENT)
            .await
    }

    #[tokio::test]
    async fn one_request_too_many_is_told_when_to_come_back() {
        let dispatcher = dispatcher();
        let all = u32::try_from(MAX_REQUESTS).unwrap();
        let others = dispatcher.outside.try_acquire_many(all).unwrap();
        let refused = serve(&dispatcher, "/one").await;
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.headers()[RETRY_AFTER], "1");
        assert!(refused.headers().contains_key(CONTENT_LENGTH));
        drop(others);
        assert_ne!(serve(&dispatcher, "/one").await.status(), 503);
    }

    #[tokio::test]
    async fn calls_between_components_are_bounded_by_themselves() {
        let dispatcher = dispatcher();
        let all = u32::try_from(MAX_REQUESTS).unwrap();
        let _others = dispatcher.outside.try_acquire_many(all).unwrap();
        assert!(dispatcher.call("nobody", get("/")).await.is_none());
        assert_eq!(dispatcher.inside.available_permits(), MAX_REQUESTS);
    }

    #[tokio::test]
    async fn a_static_response_needs_no_component() {
        let fixed = StaticResponse {
            status_code: 301,
            headers: vec![("location".to_owned(), "/new".to_owned())],
            body: "moved".to_owned(),
        };
        let dispatcher = with_fixed([("/one".to_owned(), fixed)].into());
        let answer = serve(&dispatcher, "/one").await;
        assert_eq!(answer.status(), 301);
        assert_eq!(answer.headers()["location"], "/new");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, "moved");
        assert_eq!(serve(&dispatcher, "/two").await.status(), 404);
        let counted: Vec<_> = dispatcher.unmatched.by_class().collect();
        let want = [("1xx", 0), ("2xx", 0), ("3xx", 1), ("4xx", 1), ("5xx", 0)];
        assert_eq!(counted, want);
    }

    #[tokio::test]
    async fn health_is_answered_without_a_component() {
        let answer = serve(&dispatcher(), HEALTH).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()[CONTENT_LENGTH], "2");
    }
}
