//! The text that says what to connect to.
//!
//! 1. It is a URL or `key=value` pairs, by tokio-postgres' grammar, which is close to libpq's.
//! 2. Each host must be allowed by the manifest with its port. An address in `hostaddr` counts
//!    as a host too: it is what the connection would go to, whatever `host` says.
//! 3. Unix sockets are refused.

use std::net::{IpAddr, Ipv6Addr};

use tokio_postgres::Config;
use tokio_postgres::config::Host as Configured;
use tracing::Span;

use super::{Error, Grant, SCHEME, failure};

/// The port of a server whose address names none.
const USUAL_PORT: u16 = 5432;

/// What to connect to; every host is allowed.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    config: Config,
    hosts: Vec<Host>,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text has the password in it; the settings hide theirs.
        self.config.fmt(formatter)
    }
}

/// One of the hosts of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// The name or address that TLS is checked against; none when only `hostaddr` is given.
    pub name: Option<String>,
    /// The address to use instead of looking the name up.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
}

impl Address {
    /// Reads `text` and asks `grant` about every host.
    ///
    /// # Errors
    ///
    /// [`Error::ConnectionFailed`] for a text that is no address, and for a host that is not
    /// allowed.
    pub fn new(text: &str, grant: &Grant) -> Result<Self, Error> {
        let config: Config = text
            .parse()
            .map_err(|error| failed(&failure::in_a_line(&error)))?;
        let names = config.get_hosts();
        let addresses = config.get_hostaddrs();
        let ports = config.get_ports();
        let count = names.len().max(addresses.len());
        for (at, name) in names.iter().enumerate() {
            let Configured::Tcp(name) = name else {
                return Err(failed(&"Unix sockets are not supported on WebAssembly"));
            };
            permit(name, port_of(ports, at), grant)?;
        }
        for (at, address) in addresses.iter().enumerate() {
            permit(&address.to_string(), port_of(ports, at), grant)?;
        }
        if count == 0 {
            return Err(failed(
                &"invalid configuration: both host and hostaddr are missing",
            ));
        }
        if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
            return Err(failed(&format!(
                "invalid configuration: number of hosts ({}) is different from number of hostaddrs ({})",
                names.len(),
                addresses.len()
            )));
        }
        if ports.len() > 1 && ports.len() != count {
            return Err(failed(&"invalid configuration: invalid number of ports"));
        }
        let host = |at| Host {
            name: names.get(at).and_then(name_of).map(str::to_owned),
            address: addresses.get(at).copied(),
            port: port_of(ports, at).unwrap_or(USUAL_PORT),
        };
        let hosts = (0..count).map(host).collect();
        Ok(Self {
            text: text.to_owned(),
            config,
            hosts,
        })
    }

    /// The hosts, in the order in which to try them.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// Tells the present span where the connection goes, as far as that is no secret: the first host,
    /// its port and the database.
    pub(super) fn record(&self) {
        let span = Span::current();
        if let Some(host) = self.hosts.first() {
            span.record("server.address", host.target());
            span.record("server.port", host.port);
        }
        span.record("db.namespace", self.config.get_dbname());
    }

    /// The address as it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Everything else: user, password, database, options, TLS.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }
}

impl Host {
    /// The host that the connection goes to, as in a URL: a v6 address is in brackets.
    pub fn target(&self) -> String {
        match (self.address, &self.name) {
            (Some(address), _) => in_url(&address.to_string()),
            (None, Some(name)) => in_url(name),
            (None, None) => String::new(),
        }
    }
}

fn name_of(host: &Configured) -> Option<&str> {
    match host {
        Configured::Tcp(name) => Some(name),
        Configured::Unix(_) => None,
    }
}

/// The port at the host's place, or the only one.
fn port_of(ports: &[u16], at: usize) -> Option<u16> {
    let only = || ports.first().filter(|_| ports.len() == 1);
    ports.get(at).or_else(only).copied()
}

fn in_url(host: &str) -> String {
    match host.parse::<Ipv6Addr>() {
        Ok(_) => format!("[{host}]"),
        Err(_) => host.to_owned(),
    }
}

/// Refuses a host that the manifest does not allow, in Spin's words.
fn permit(host: &str, port: Option<u16>, grant: &Grant) -> Result<(), Error> {
    if grant.allows(SCHEME, &in_url(host), port) {
        return Ok(());
    }
    grant.refusal(SCHEME, &in_url(host), port).log();
    Err(refused(host, port))
}

/// The error of a host that is not allowed.
pub(super) fn refused(host: &str, port: Option<u16>) -> Error {
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    failed(&format!("address {SCHEME}://{host}{port} is not permitted"))
}

fn failed(cause: &dyn std::fmt::Display) -> Error {
    Error::ConnectionFailed(cause.to_string())
}
