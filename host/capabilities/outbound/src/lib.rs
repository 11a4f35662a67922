//! `allowed_outbound_hosts`: where a component may connect to.
//!
//! 1. Nothing is allowed that no entry allows. The grammar is Spin's; see [`Entry`].
//! 2. Templates are filled in once, at the start. An entry that is empty, `http://` or
//!    `https://` after that is left out, so that an endpoint can be optional.
//! 3. A bad entry stops the start.
//! 4. A refusal is logged with the line of `spin.toml` that would allow it.
//!
//! 5. An entry with `*` for its host means public hosts: a private address (see [`is_private`])
//!    needs an entry that names it, its network or its host, or a network that whoever started
//!    the app opened to all ([`Grant::with_private`]). Unlike on Spin, where blocking networks is
//!    an option, this is so by default: a URL may come from a rule or a customer.
//!
//! 6. [`Blocked`] networks are reached by nobody, whatever an entry says.
//!
//! It does not look up names: whoever connects asks [`Grant::reaches`] about the address that a
//! name led to, and connects to that one. There is no interface of its own to link and no state: outgoing HTTP and
//! sockets ask a component's [`Grant`].
#![deny(missing_docs)]

mod blocked;
mod embedded;
mod entry;
mod network;
mod private;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};
use wasmtime_wasi::sockets::SocketAddrUse;

use chatly_manifest::Component;
use chatly_variables::{Resolver, ResolverError};

pub use blocked::Blocked;
pub use entry::{Entry, InvalidEntry};
pub use network::{InvalidNetwork, Network};
pub use private::is_private;

/// The domain under which a component reaches its siblings: `<id>.spin.internal`.
pub const SERVICE_CHAINING_DOMAIN: &str = "spin.internal";

/// Where one component may connect to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    component: String,
    entries: Vec<Entry>,
    /// Private networks that a wildcard reaches too.
    private: Vec<Network>,
    blocked: Blocked,
}

/// Why a grant cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An entry that is none.
    #[error("[component.{component}] allowed_outbound_hosts in spin.toml has {entry:?}: {cause}")]
    Entry {
        /// The component.
        component: String,
        /// The entry as written in the manifest; what a template became may be secret.
        entry: String,
        /// What is wrong with it.
        cause: InvalidEntry,
    },
    /// A template that cannot be filled in.
    #[error(transparent)]
    Template(#[from] ResolverError),
}

impl Grant {
    /// The grant of one component. `components` are the ids of all components of the app:
    /// `*.spin.internal` stands for these.
    ///
    /// # Errors
    ///
    /// [`Error`] for a bad entry or template.
    pub fn new<'a>(
        component: &Component,
        resolver: &Resolver,
        components: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        let key = || format!("[component.{}] allowed_outbound_hosts", component.id);
        let siblings: Vec<&str> = components.into_iter().collect();
        let mut entries = Vec::new();
        for written in &component.allowed_outbound_hosts {
            let rendered = resolver.render_at(written, key)?;
            let optional = written.contains("{{");
            if optional && matches!(rendered.as_str(), "" | "http://" | "https://") {
                continue;
            }
            let entry = rendered.parse::<Entry>();
            let entry = match entry {
                // A variable may say more than the host, such as the base of an API. What the
                // manifest itself says stays strict, as in Spin.
                Err(InvalidEntry::Path) if optional => origin(&rendered).parse::<Entry>(),
                entry => entry,
            };
            let entry = entry.map_err(|cause| Error::Entry {
                component: component.id.clone(),
                entry: written.clone(),
                cause,
            })?;
            entries.extend(entry.expand(&siblings));
        }
        Ok(Self {
            component: component.id.clone(),
            entries,
            private: Vec::new(),
            blocked: Blocked::default(),
        })
    }

    /// The same grant, but for these networks.
    #[must_use]
    pub fn with_blocked(mut self, blocked: Blocked) -> Self {
        self.blocked = blocked;
        self
    }

    /// The same grant, in which entries with `*` for their host reach these private networks too.
    #[must_use]
    pub fn with_private(mut self, networks: Vec<Network>) -> Self {
        self.private = networks;
        self
    }

    /// Whether a connection to `host` that is allowed may be made to `address`, to which the name
    /// led. Arguments as for [`Grant::allows`].
    pub fn reaches(&self, scheme: &str, host: &str, port: Option<u16>, address: IpAddr) -> bool {
        if self.blocked.contains(address) {
            return false;
        }
        if !is_private(address) || self.private.iter().any(|open| open.contains(address)) {
            return true;
        }
        let named = Host::parse(host).ok();
        let candidates = [named, Some(host_of(address))];
        candidates.iter().flatten().any(|host| {
            let mut explicit = self.entries.iter().filter(|entry| entry.is_explicit());
            explicit.any(|entry| entry.allows(scheme, host, port))
        })
    }

    /// Whether the component may connect to `host`. `port` is the one in the URL, if any;
    /// otherwise the usual one of `scheme` counts. A v6 address is in brackets.
    pub fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        // A component of this app is no public host: it has to be named.
        let sibling = service_chaining(host).is_some();
        Host::parse(host).is_ok_and(|host| {
            let mut entries = self.entries.iter();
            entries
                .any(|entry| entry.allows(scheme, &host, port) && (!sibling || entry.is_explicit()))
        })
    }

    /// Whether the component may request `url`.
    pub fn allows_url(&self, url: &Url) -> bool {
        url.host_str()
            .is_some_and(|host| self.allows(url.scheme(), host, url.port()))
    }

    /// Whether the component may request a path of its own app, without a host: `self`.
    pub fn allows_self(&self, scheme: &str) -> bool {
        self.entries.iter().any(|entry| entry.allows_self(scheme))
    }

    /// Whether the component may use `address` for a raw socket. As in Spin, TCP connections
    /// have the scheme `tcp`, all UDP `udp`, and nobody may listen on TCP. Connecting and
    /// sending take a free local port, which needs any entry of that scheme.
    pub fn allows_socket(&self, address: SocketAddr, purpose: SocketAddrUse) -> bool {
        use SocketAddrUse::{
            TcpAccept, TcpBind, TcpConnect, TcpListen, UdpBind, UdpReceive, UdpSend,
        };
        let free_port = address.ip().is_unspecified() && address.port() == 0;
        let scheme = match purpose {
            TcpBind if free_port => {
                return self.entries.iter().any(|entry| entry.has_scheme("tcp"));
            }
            UdpBind if free_port => {
                return self.entries.iter().any(|entry| entry.has_scheme("udp"));
            }
            TcpBind | TcpListen | TcpAccept => return false,
            TcpConnect => "tcp",
            UdpBind | UdpSend | UdpReceive => "udp",
        };
        let (host, port) = (host_of(address.ip()), Some(address.port()));
        let allowed = self
            .entries
            .iter()
            .any(|entry| entry.allows(scheme, &host, port));
        let leaves = matches!(purpose, TcpConnect | UdpSend);
        allowed && (!leaves || self.reaches(scheme, &host.to_string(), port, address.ip()))
    }

    /// Whether the component may look up names itself. Only raw sockets take addresses; for
    /// outgoing HTTP the host looks up, and a lookup alone carries data to whoever answers it.
    pub fn allows_lookup(&self) -> bool {
        let has = |scheme| self.entries.iter().any(|entry| entry.has_scheme(scheme));
        has("tcp") || has("udp")
    }

    /// The refusal of a connection, for the log.
    pub fn refusal(&self, scheme: &str, host: &str, port: Option<u16>) -> Refusal {
        let port = port.filter(|port| entry::usual_port(scheme) != Some(*port));
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Refusal {
            component: self.component.clone(),
            target: format!("{scheme}://{host}{port}"),
        }
    }

    /// The entries, as they are after templates and `*.spin.internal` are filled in.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// A connection that was refused. Displays as a sentence that says how to allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The component that asked.
    pub component: String,
    /// Scheme, host and, when not the usual one, port.
    pub target: String,
}

impl Refusal {
    /// The line of `[component.<id>]` in `spin.toml` that would allow the connection.
    pub fn line(&self) -> String {
        format!("allowed_outbound_hosts = [{:?}]", self.target)
    }

    /// Logs the refusal.
    pub fn log(&self) {
        tracing::warn!(
            component = self.component,
            to = self.target,
            add = self.line(),
            "refused an outbound connection that the manifest does not grant"
        );
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { component, target } = self;
        let line = self.line();
        write!(
            formatter,
            "{component:?} may not connect to {target}; to allow it, put `{line}` under [component.{component}] in spin.toml"
        )
    }
}

/// The scheme, host and port of a URL; empty for what has none.
fn origin(url: &str) -> String {
    let origin = Url::parse(url.trim()).map(|url| url.origin());
    match origin {
        Ok(origin) if origin.is_tuple() => origin.ascii_serialization(),
        _ => String::new(),
    }
}

fn host_of(address: IpAddr) -> Host {
    match address {
        IpAddr::V4(address) => Host::Ipv4(address),
        IpAddr::V6(address) => Host::Ipv6(address),
    }
}

/// The component that `host`, with or without a port, stands for when it is
/// `<id>.spin.internal`.
pub fn service_chaining(host: &str) -> Option<&str> {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let (id, domain) = host.split_once('.')?;
    (domain.eq_ignore_ascii_case(SERVICE_CHAINING_DOMAIN) && !id.is_empty()).then_some(id)
}
