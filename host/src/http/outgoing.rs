//! Requests that components send.
//!
//! 1. Each is checked against the sender's `allowed_outbound_hosts` first; a refusal is Spin's
//!    error value, `HTTP-request-denied`.
//! 2. `http://<id>.spin.internal/…` is answered by that component, in this process. A component
//!    that is not there is `destination-not-found`.
//! 3. Everything else goes out over the network, by the timeouts the sender set, to an address
//!    that the grant reaches; see `connect`.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use http::{Request, Response, Uri};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::clients::Clients;
use super::connect;
use super::dispatch::Dispatcher;
use crate::outbound::{Grant, service_chaining};
use crate::telemetry;

/// Each timeout that the sender did not set: Spin's number.
pub(super) const TIMEOUT: Duration = Duration::from_secs(600);

/// The way from one component to the others; empty until all of them are loaded.
pub type Neighbours = Arc<OnceLock<Weak<Dispatcher>>>;

/// What sends the requests of one component.
#[derive(Clone)]
pub struct Outgoing {
    /// The sender.
    pub component: Arc<str>,
    /// The sender's `allowed_outbound_hosts`.
    pub hosts: Arc<Grant>,
    /// The other components.
    pub neighbours: Neighbours,
    /// What goes over the network goes out by these.
    pub clients: Arc<Clients>,
}

/// A response, and what goes on with its connection.
pub(super) type Sent = (
    Response<WasiBody>,
    Box<dyn Future<Output = Result<(), Error>> + Send>,
);

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        // What the sender has to say about the response's body: nobody waits for it.
        _fut: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Sent, Error>> + Send> {
        let sender = self.clone();
        let trace = telemetry::outgoing(&mut request);
        let sent = sender.send(request, options);
        Box::new(trace.send(sent, |(response, _)| response.status()))
    }
}

impl Outgoing {
    async fn send(
        self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<Sent, Error> {
        self.check(request.uri())?;
        match request
            .uri()
            .host()
            .and_then(service_chaining)
            .map(str::to_owned)
        {
            Some(target) => self.call(&target, request, options).await,
            None => connect::send(request, options.unwrap_or_default(), &self).await,
        }
    }

    fn check(&self, uri: &Uri) -> Result<(), Error> {
        let (scheme, host) = (
            uri.scheme_str().unwrap_or("https"),
            uri.host().unwrap_or_default(),
        );
        if self.hosts.allows(scheme, host, uri.port_u16()) {
            return Ok(());
        }
        self.hosts.refusal(scheme, host, uri.port_u16()).log();
        Err(Error::HttpRequestDenied)
    }

    async fn call(
        self,
        target: &str,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<Sent, Error> {
        let neighbours = self.neighbours.get().and_then(Weak::upgrade);
        let neighbours = neighbours.ok_or(Error::DestinationUnavailable)?;
        let limit = options.and_then(|options| options.first_byte_timeout);
        let answer = neighbours.call(target, request);
        let answer = tokio::time::timeout(limit.unwrap_or(TIMEOUT), answer).await;
        let response = answer.map_err(|_elapsed| Error::ConnectionReadTimeout)?;
        let response = response.ok_or(Error::DestinationNotFound)?;
        Ok((response, Box::new(std::future::ready(Ok(())))))
    }
}
