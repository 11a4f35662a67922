//! The sweep: a periodic call that wakes the workers, so that work whose wake-up was lost is done.
//!
//! 1. `POST /internal/sweep` goes to the public route's component in this process, once right after
//!    the start and then every period, with the bearer secret that a scheduler elsewhere would send.
//! 2. Sweeps never overlap: the next one starts a period after the last one was answered.
//! 3. A sweep that fails is logged; the next one comes all the same.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Empty};
use thiserror::Error;
use tracing::warn;
use wasmtime_wasi_http::WasiBody;

use crate::http::dispatch::Dispatcher;
use crate::http::routes::Router;
use crate::instance::Stop;

/// The route that is called.
pub const PATH: &str = "/internal/sweep";
/// The variable that holds the secret.
pub const SECRET_VARIABLE: &str = "sweep_secret";

/// Why there can be no sweep although the manifest asks for one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// No public route fits the path.
    #[error(
        "`[application.tool.chatly.schedule]` has `sweep`, but no [[trigger.http]] answers `{PATH}`; \
         add `route = \"{PATH}\"` for the sweep component, or remove the schedule"
    )]
    NoRoute,
    /// The secret has no value.
    #[error(
        "`[application.tool.chatly.schedule]` has `sweep`, but the variable `{SECRET_VARIABLE}` has no \
         value; set SPIN_VARIABLE_SWEEP_SECRET or pass --variable {SECRET_VARIABLE}=…"
    )]
    NoSecret,
    /// The secret cannot stand in a header.
    #[error("the variable `{SECRET_VARIABLE}` has characters that no HTTP header can hold")]
    InvalidSecret,
}

/// A checked schedule.
#[derive(Clone)]
pub struct Sweep {
    period: Duration,
    authorization: HeaderValue,
}

impl fmt::Debug for Sweep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweep")
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}

impl Sweep {
    /// Checks that there is something to call and a secret to call it with.
    pub fn new(period: Duration, router: &Router, secret: Option<&str>) -> Result<Self, Error> {
        if router.find(PATH).is_none() {
            return Err(Error::NoRoute);
        }
        let secret = secret
            .filter(|secret| !secret.trim().is_empty())
            .ok_or(Error::NoSecret)?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {secret}"))
            .map_err(|_invalid| Error::InvalidSecret)?;
        authorization.set_sensitive(true);
        Ok(Self {
            period,
            authorization,
        })
    }

    /// Sweeps until the host stops.
    pub async fn run(self, dispatcher: Arc<Dispatcher>, stop: Stop) {
        loop {
            tokio::select! {
                () = self.once(&dispatcher) => {}
                () = stop.gently.cancelled() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(self.period) => {}
                () = stop.gently.cancelled() => return,
            }
        }
    }

    async fn once(&self, dispatcher: &Dispatcher) {
        match dispatcher.request(self.request()).await {
            Some(response) if response.status().is_success() => {}
            Some(response) => warn!(status = response.status().as_u16(), "sweep refused"),
            None => warn!("sweep without a component"),
        }
    }

    fn request(&self) -> Request<WasiBody> {
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static("http://localhost/internal/sweep");
        request
            .headers_mut()
            .insert(AUTHORIZATION, self.authorization.clone());
        request
            .headers_mut()
            .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(route: &str) -> Router {
        Router::build([(route, "sweep")]).unwrap()
    }

    #[test]
    fn a_schedule_without_route_or_secret_is_refused() {
        for (name, route, secret, want) in [
            ("complete", "/internal/sweep", Some("s"), None),
            ("no route", "/other", Some("s"), Some(Error::NoRoute)),
            ("no secret", "/internal/sweep", None, Some(Error::NoSecret)),
            (
                "blank secret",
                "/internal/sweep",
                Some(" "),
                Some(Error::NoSecret),
            ),
            (
                "line break",
                "/internal/sweep",
                Some("a\nb"),
                Some(Error::InvalidSecret),
            ),
        ] {
            let got = Sweep::new(Duration::from_secs(5), &router(route), secret);
            assert_eq!(got.err(), want, "{name}");
        }
    }

    #[test]
    fn the_request_is_what_a_scheduler_elsewhere_sends() {
        let sweep = Sweep::new(Duration::from_secs(5), &router(PATH), Some("s3cret")).unwrap();
        let request = sweep.request();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri().path(), PATH);
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer s3cret");
        assert!(!format!("{sweep:?} {request:?}").contains("s3cret"));
    }
}
