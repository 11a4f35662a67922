//! The request headers by which Spin tells a component how it was reached.
//!
//! 1. They are facts of the host: whatever a sender put under one of these names is removed first,
//!    also `spin-path-match-*` of names that the route does not have.
//! 2. `connection` is the server's own business and is removed.
//! 3. A `host` under `spin.internal` is removed: it is no name that a client may claim, and a
//!    called component must not take it for one.
//!
//! Names and values follow Spin 4.1 (`crates/trigger-http/src/headers.rs`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::header::{CONNECTION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::routes::Match;

/// The client address that a component sees when another component calls it.
pub const INTERNAL_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
const PATH_MATCH_PREFIX: &str = "spin-path-match-";

/// The scheme a request came by, as it stands in `spin-full-url`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP, and calls between components.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Removes what rule 1 to 3 forbid and sets the host's own values.
pub fn prepare(
    headers: &mut HeaderMap,
    uri: &Uri,
    scheme: Scheme,
    found: &Match,
    client: SocketAddr,
) {
    strip(headers);
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let full_url = format!("{}://{host}{path}", scheme.as_str());
    let prefix = found.route.strip_suffix("/...").unwrap_or(&found.route);

    set(headers, PATH_INFO, &found.path_info);
    set(headers, FULL_URL, &full_url);
    set(headers, MATCHED_ROUTE, &matched_route(&found.route));
    set(headers, BASE_PATH, "/");
    set(headers, RAW_COMPONENT_ROUTE, &found.route);
    set(headers, COMPONENT_ROUTE, prefix);
    set(headers, CLIENT_ADDR, &client.to_string());
    for (name, value) in &found.named {
        let name = format!(
            "{PATH_MATCH_PREFIX}{}",
            name.replace('_', "-").to_ascii_lowercase()
        );
        if let Ok(name) = HeaderName::try_from(name) {
            set(headers, name, value);
        }
    }
}

/// The route below the base path `/`: absolute, without one trailing slash.
fn matched_route(route: &str) -> String {
    let absolute = if route.starts_with('/') {
        route.to_owned()
    } else {
        format!("/{route}")
    };
    absolute.strip_suffix('/').unwrap_or(&absolute).to_owned()
}

fn strip(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_host_fact(name))
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
    headers.remove(CONNECTION);
    if headers
        .get(HOST)
        .is_some_and(|host| is_internal(host.as_bytes()))
    {
        headers.remove(HOST);
    }
}

fn is_host_fact(name: &HeaderName) -> bool {
    [
        PATH_INFO,
        FULL_URL,
        MATCHED_ROUTE,
        BASE_PATH,
        RAW_COMPONENT_ROUTE,
        COMPONENT_ROUTE,
        CLIENT_ADDR,
    ]
    .contains(name)
        || name.as_str().starts_with(PATH_MATCH_PREFIX)
}

/// Whether a `host` value, with or without a port, lies under `spin.internal`.
fn is_internal(host: &[u8]) -> bool {
    let host = String::from_utf8_lossy(host).to_ascii_lowercase();
    let name = host.split(':').next().unwrap_or_default();
    name == "spin.internal" || name.ends_with(".spin.internal")
}

/// Sets one header. A value that no header can hold (a path with a control character is refused
/// long before) is left out rather than replaced.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::Router;

    fn prepared(route: &str, path: &str, given: &[(&str, &str)]) -> HeaderMap {
        let found = Router::build([(route, "c")]).unwrap().find(path).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(
                HeaderName::try_from(*name).unwrap(),
                HeaderValue::try_from(*value).unwrap(),
            );
        }
        let client = SocketAddr::from(([127, 0, 0, 1], 8777));
        let uri = Uri::try_from(format!("{path}?key=1")).unwrap();
        prepare(&mut headers, &uri, Scheme::Http, &found, client);
        headers
    }

    #[test]
    fn a_component_sees_what_it_sees_on_spin() {
        let got = prepared("/foo/:user_id/...", "/foo/42/bar", &[("host", "edge.test")]);
        for (name, want) in [
            ("spin-path-info", "/bar"),
            ("spin-full-url", "http://edge.test/foo/42/bar?key=1"),
            ("spin-matched-route", "/foo/:user_id/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/foo/:user_id/..."),
            ("spin-component-route", "/foo/:user_id"),
            ("spin-client-addr", "127.0.0.1:8777"),
            ("spin-path-match-user-id", "42"),
        ] {
            assert_eq!(got.get(name).unwrap(), want, "{name}");
        }
    }

    #[test]
    fn the_root_route_is_empty_as_on_spin() {
        let got = prepared("/", "/", &[]);
        assert_eq!(got.get("spin-matched-route").unwrap(), "");
        assert_eq!(got.get("spin-component-route").unwrap(), "/");
    }

    #[test]
    fn a_sender_cannot_forge_a_fact_of_the_host() {
        for name in [
            "spin-path-info",
            "spin-full-url",
            "spin-matched-route",
            "spin-base-path",
            "spin-raw-component-route",
            "spin-component-route",
            "spin-client-addr",
            "spin-path-match-account",
        ] {
            let got = prepared(
                "/a",
                "/a",
                &[(name, "forged"), (name, "twice"), ("host", "h")],
            );
            assert!(
                got.get_all(name)
                    .iter()
                    .all(|value| value != "forged" && value != "twice"),
                "{name}"
            );
        }
    }

    #[test]
    fn internal_hosts_and_connection_are_removed_and_other_headers_stay() {
        for (host, kept) in [
            ("worker.spin.internal", false),
            ("Worker.Spin.Internal:80", false),
            ("spin.internal", false),
            ("spin.internal.example.com", true),
            ("notspin.internal", true),
        ] {
            let got = prepared(
                "/a",
                "/a",
                &[("host", host), ("connection", "close"), ("accept", "x/y")],
            );
            assert_eq!(got.get("host").is_some(), kept, "{host}");
            assert!(got.get("connection").is_none());
            assert_eq!(got.get("accept").unwrap(), "x/y");
        }
    }

    #[test]
    fn a_called_component_sees_localhost() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("worker.spin.internal"));
        let uri = Uri::from_static("http://worker.spin.internal/wake?x=1");
        prepare(
            &mut headers,
            &uri,
            Scheme::Http,
            &Match::internal("worker", "/wake"),
            INTERNAL_CLIENT,
        );
        for (name, want) in [
            ("spin-full-url", "http://localhost/wake?x=1"),
            ("spin-matched-route", "/..."),
            ("spin-component-route", ""),
            ("spin-path-info", "/wake"),
            ("spin-client-addr", "0.0.0.0:0"),
        ] {
            assert_eq!(headers.get(name).unwrap(), want, "{name}");
        }
        assert!(headers.get(HOST).is_none());
    }
}
