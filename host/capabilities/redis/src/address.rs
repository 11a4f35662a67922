//! Where a connection goes: checked, looked up, checked again, and opened.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chatly_outbound::Grant;
use redis::io::AsyncDNSResolver;
use redis::{AsyncConnectionConfig, Client, RedisFuture};
use tracing::field::Empty;
use tracing::{Span, instrument};
use url::Url;

use super::{Error, Handle};

/// How long connecting may take; a server that does not answer by then is down.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens a connection to `address`, if `grant` allows it.
///
/// # Errors
///
/// [`Error::InvalidAddress`] when it does not, [`Error::Other`] when nobody answers.
#[instrument(name = "spin_outbound_redis.open_connection", level = "debug", skip_all, fields(otel.kind = "client", db.system.name = "redis", server.address = Empty, server.port = Empty, db.namespace = Empty))]
pub async fn connect(grant: &Arc<Grant>, address: &str) -> Result<Handle, Error> {
    let scheme = allowed(grant, address)?;
    let client = Client::open(address).map_err(|_unreadable| Error::InvalidAddress)?;
    let resolver = Resolver {
        grant: grant.clone(),
        scheme,
    };
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        // As on Spin: a command such as BLPOP may take any time.
        .set_response_timeout(None)
        .set_dns_resolver(resolver);
    let connected = client.get_multiplexed_async_connection_with_config(&config);
    connected.await.map_err(|error| {
        tracing::warn!(%error, "cannot connect to a Redis server");
        Error::Other(error.to_string())
    })
}

/// The scheme of an address that the grant allows.
fn allowed(grant: &Grant, address: &str) -> Result<&'static str, Error> {
    let url = Url::parse(address).map_err(|_| Error::InvalidAddress)?;
    let scheme = match url.scheme() {
        "redis" => "redis",
        "rediss" => "rediss",
        _ => return Err(Error::InvalidAddress),
    };
    let host = url.host_str().ok_or(Error::InvalidAddress)?;
    if !grant.allows(scheme, host, port(&url)) {
        grant.refusal(scheme, host, port(&url)).log();
        return Err(Error::InvalidAddress);
    }
    // Neither user nor password.
    let span = Span::current();
    span.record("server.address", host);
    span.record("server.port", port(&url));
    span.record("db.namespace", url.path().trim_start_matches('/'));
    Ok(scheme)
}

/// The port, 6379 when the URL names none: Redis has one for both of its schemes.
fn port(url: &Url) -> Option<u16> {
    url.port().or(Some(6379))
}

/// Looks names up, and leaves the addresses that the grant reaches.
struct Resolver {
    grant: Arc<Grant>,
    scheme: &'static str,
}

impl AsyncDNSResolver for Resolver {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            let name = host.trim_start_matches('[').trim_end_matches(']');
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name, port)).await?.collect();
            let reaches = |address: &SocketAddr| {
                self.grant
                    .reaches(self.scheme, host, Some(port), address.ip())
            };
            let open: Vec<SocketAddr> = found.into_iter().filter(reaches).collect();
            if open.is_empty() {
                self.grant.refusal(self.scheme, host, Some(port)).log();
                return Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied).into());
            }
            Ok(Box::new(open.into_iter()) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}
