//! One entry of `allowed_outbound_hosts`.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::str::FromStr;

use url::Host;

use super::SERVICE_CHAINING_DOMAIN;
use super::network::Network;

/// `<scheme>://<host>[:<port>]`, by Spin's grammar:
///
/// - scheme: letters, or `*`;
/// - host: a name or an address (v6 in brackets), `*` for all, `*.example.com` for all names
///   below a domain but not itself, `10.0.0.0/8` for all addresses of a network, or `self`
///   for requests without a host;
/// - port: a number, `*`, or `8000..9000`, of which the second is not part; without one, the
///   usual port of the scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    written: String,
    scheme: Scheme,
    host: Pattern,
    port: Ports,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scheme {
    Any,
    Is(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Any,
    /// The domain with a dot in front.
    Below(String),
    Itself,
    Is(Host),
    Network(Network),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ports {
    Any,
    In(Range<u32>),
}

/// What is wrong with an entry, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEntry {
    /// `*`, `?`, `:` or nothing.
    #[error("an entry is <scheme>://<host>[:<port>]; all hosts over HTTPS are \"https://*:*\"")]
    NotAnEntry,
    /// No `://`.
    #[error("there is no scheme; put \"https://\" in front")]
    NoScheme,
    /// A scheme of other than letters.
    #[error("the scheme may have letters only, or be `*`")]
    Scheme,
    /// `{…}`.
    #[error("lists in braces are not supported; write one entry for each")]
    List,
    /// Something after the host and port.
    #[error("there is a path; hosts are allowed as a whole, so remove it")]
    Path,
    /// `*` elsewhere than at the start of the host.
    #[error("`*` may stand for the whole host, or for what is before the first dot")]
    Wildcard,
    /// A host that is neither name nor address nor network.
    #[error("the host is neither a name, an address nor a network")]
    Host,
    /// A port that is no number up to 65535, range or `*`.
    #[error("the port is no number from 0 to 65535, no range such as 8000..9000, and not `*`")]
    Port,
    /// A range whose end is not after its start.
    #[error("the port range is empty; its end is not part of it, so it must be above its start")]
    EmptyRange,
    /// No port and no usual one.
    #[error("this scheme has no usual port; add one, or `:*` for all")]
    NoPort,
}

impl FromStr for Entry {
    type Err = InvalidEntry;

    fn from_str(written: &str) -> Result<Self, InvalidEntry> {
        let text = written.trim();
        let (scheme, rest) = text.split_once("://").ok_or(match text {
            "" | "*" | ":" | "?" => InvalidEntry::NotAnEntry,
            _ => InvalidEntry::NoScheme,
        })?;
        let (host, port) = split_port(rest)?;
        Ok(Self {
            written: text.to_owned(),
            port: Ports::parse(port, scheme)?,
            scheme: Scheme::parse(scheme)?,
            host: Pattern::parse(host)?,
        })
    }
}

/// Splits `host[:port][/]`. Colons are also part of v6 addresses, so a rest that is a host as
/// a whole has no port.
fn split_port(rest: &str) -> Result<(&str, &str), InvalidEntry> {
    match rest.rsplit_once(':') {
        None => Ok((rest, "")),
        Some((host, "" | "/")) => Ok((host, "")),
        Some(_) if Pattern::parse(rest).is_ok() => Ok((rest, "")),
        Some((host, tail)) => match tail.split_once('/') {
            None => Ok((host, tail)),
            Some((port, "")) => Ok((host, port)),
            Some(_) => Err(InvalidEntry::Path),
        },
    }
}

impl Entry {
    /// Whether a connection is allowed. Without `port`, the usual one of `scheme` counts.
    pub fn allows(&self, scheme: &str, host: &Host, port: Option<u16>) -> bool {
        let port = port.or_else(|| usual_port(scheme));
        self.scheme.allows(scheme) && self.host.allows(host) && self.port.allows(port)
    }

    /// Whether a request without a host is allowed.
    pub fn allows_self(&self, scheme: &str) -> bool {
        self.scheme.allows(scheme) && matches!(self.host, Pattern::Itself | Pattern::Any)
    }

    /// Whether it says which host or network it means, rather than any.
    pub(super) fn is_explicit(&self) -> bool {
        !matches!(self.host, Pattern::Any | Pattern::Below(_))
    }

    /// Whether connections of this scheme are allowed, to whomever.
    pub(super) fn has_scheme(&self, scheme: &str) -> bool {
        self.scheme.allows(scheme)
    }

    /// `*.spin.internal` as one entry for each of `siblings`; any other entry as it is.
    pub(super) fn expand(self, siblings: &[&str]) -> Vec<Self> {
        match &self.host {
            Pattern::Below(domain) if domain.strip_prefix('.') == Some(SERVICE_CHAINING_DOMAIN) => {
                let host =
                    |id| Pattern::Is(Host::Domain(format!("{id}.{SERVICE_CHAINING_DOMAIN}")));
                siblings
                    .iter()
                    .map(|id| Self {
                        host: host(id),
                        ..self.clone()
                    })
                    .collect()
            }
            _ => vec![self],
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl Scheme {
    fn parse(scheme: &str) -> Result<Self, InvalidEntry> {
        match scheme {
            "*" => Ok(Self::Any),
            _ if scheme.starts_with('{') => Err(InvalidEntry::List),
            "" => Err(InvalidEntry::Scheme),
            _ if !scheme.chars().all(|c| c.is_ascii_alphabetic()) => Err(InvalidEntry::Scheme),
            _ => Ok(Self::Is(scheme.to_owned())),
        }
    }

    fn allows(&self, scheme: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(allowed) => allowed == scheme,
        }
    }
}

impl Pattern {
    fn parse(host: &str) -> Result<Self, InvalidEntry> {
        let host = host.trim();
        match host {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::Itself),
            _ if host.starts_with('{') => return Err(InvalidEntry::List),
            _ => {}
        }
        if let Some(network) = Self::network(host) {
            return Ok(network);
        }
        let host = host.strip_suffix('/').unwrap_or(host);
        if host.contains('/') {
            return Err(InvalidEntry::Path);
        }
        if let Some(domain) = host.strip_prefix("*.") {
            if domain.contains('*') {
                return Err(InvalidEntry::Wildcard);
            }
            return match Host::parse(domain) {
                Ok(Host::Domain(domain)) => Ok(Self::Below(format!(".{domain}"))),
                _ => Err(InvalidEntry::Host),
            };
        }
        if host.contains('*') {
            return Err(InvalidEntry::Wildcard);
        }
        Host::parse(host)
            .map(Self::Is)
            .map_err(|_| InvalidEntry::Host)
    }

    /// `<address>/<prefix>`, with v6 addresses bare.
    fn network(host: &str) -> Option<Self> {
        let network = host.contains('/').then(|| host.parse().ok())?;
        network.map(Self::Network)
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Below(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Is(allowed), host) => allowed == host,
            (Self::Network(network), Host::Ipv4(address)) => network.contains(IpAddr::V4(*address)),
            (Self::Network(network), Host::Ipv6(address)) => network.contains(IpAddr::V6(*address)),
            (Self::Below(_) | Self::Network(_) | Self::Itself, _) => false,
        }
    }
}

impl Ports {
    fn parse(port: &str, scheme: &str) -> Result<Self, InvalidEntry> {
        let number = |text: &str| match text.parse::<u16>() {
            Ok(number) => Ok(u32::from(number)),
            Err(_) => Err(InvalidEntry::Port),
        };
        let range = match (port, port.split_once("..")) {
            ("*", _) => return Ok(Self::Any),
            ("", _) => {
                let usual = u32::from(usual_port(scheme).ok_or(InvalidEntry::NoPort)?);
                usual..usual + 1
            }
            _ if port.starts_with('{') => return Err(InvalidEntry::List),
            (_, None) => number(port)?..number(port)? + 1,
            (_, Some((start, end))) => number(start)?..number(end)?,
        };
        if range.is_empty() {
            Err(InvalidEntry::EmptyRange)
        } else {
            Ok(Self::In(range))
        }
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match self {
            Self::Any => true,
            Self::In(range) => port.is_some_and(|port| range.contains(&u32::from(port))),
        }
    }
}

/// The port that a scheme has by itself, for the schemes that Spin knows.
pub(super) fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}
