//! Where a medium may be fetched, and whether the account's token goes there.
//!
//! 1. The base URL's origin is the platform's: trusted. Beside it stand the channel's own list and what
//!    the operator adds, which is never trusted.
//! 2. The token goes with the request that the channel asked for, to a trusted origin, and over no
//!    redirect to another one.
//! 3. At most [`MAX_REDIRECTS`] redirects, each held against the same list.

use chatly_channel::MediaHost;
use chatly_webhook::Target;

/// Redirects that are followed: platforms need one.
pub const MAX_REDIRECTS: u32 = 3;

/// The longest address: one that is signed with a session's token has some thousand bytes.
const MAX_URL_BYTES: usize = 8 << 10;

/// What an address gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// No request.
    Refused,
    /// A request without the token.
    Open,
    /// The token, where the request asks for it.
    Trusted,
}

/// Scheme, host and port of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of a URL; none for what nothing is sent to.
    pub fn of(url: &str) -> Option<Self> {
        let fits = url.len() <= MAX_URL_BYTES;
        let target = Target::parse_of_any_length(url).ok().filter(|_| fits)?;
        let uri = target.uri();
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let port = match uri.port() {
            Some(port) => port.as_str().parse().ok()?,
            None if scheme == "http" => 80,
            None => 443,
        };
        let host = uri.host()?.trim_end_matches('.').to_ascii_lowercase();
        Some(Self { scheme, host, port })
    }
}

/// An entry of the list: an origin, or all hosts below a domain.
#[derive(Debug, Clone)]
struct Entry {
    origin: Origin,
    below: bool,
    trusted: bool,
}

impl Entry {
    fn read(text: &str, trusted: bool) -> Option<Self> {
        let (plain, below) = match text.split_once("://*.") {
            Some((scheme, domain)) => (format!("{scheme}://{domain}"), true),
            None => (text.to_owned(), false),
        };
        let origin = Origin::of(&plain)?;
        Some(Self {
            origin,
            below,
            trusted,
        })
    }

    fn holds(&self, origin: &Origin) -> bool {
        let host = if self.below {
            let before = origin.host.strip_suffix(&self.origin.host);
            before.is_some_and(|before| before.len() > 1 && before.ends_with('.'))
        } else {
            origin.host == self.origin.host
        };
        host && origin.scheme == self.origin.scheme && origin.port == self.origin.port
    }
}

/// Where the media of one account may be fetched.
#[derive(Debug, Clone)]
pub struct Allowed(Vec<Entry>);

impl Allowed {
    /// The base URL, the channel's hosts, and origins that the operator adds, comma-separated. What is no
    /// origin allows nothing.
    pub fn new(base_url: &str, hosts: &[MediaHost], more: &str) -> Self {
        let base = Entry::read(base_url.trim(), true);
        let hosts = hosts
            .iter()
            .filter_map(|host| Entry::read(&host.origin, host.trusted));
        let more = more.split(',').map(str::trim);
        let more = more.filter_map(|origin| Entry::read(origin, false));
        Self(base.into_iter().chain(hosts).chain(more).collect())
    }

    /// What a URL gets. Of several entries the most trusted decides.
    pub fn trust(&self, url: &str) -> Trust {
        let Some(origin) = Origin::of(url) else {
            return Trust::Refused;
        };
        let mut found = Trust::Refused;
        for entry in self.0.iter().filter(|entry| entry.holds(&origin)) {
            if entry.trusted {
                return Trust::Trusted;
            }
            found = Trust::Open;
        }
        found
    }
}

/// Where a redirect from `url` leads; none for what leads nowhere that could be asked.
pub fn follow(url: &str, location: &str) -> Option<String> {
    let location = location.trim();
    let next = if is_absolute(location) {
        location.to_owned()
    } else {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = rest.get(..end)?;
        if let Some(other) = location.strip_prefix("//") {
            format!("{scheme}://{other}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else {
            return None;
        }
    };
    Origin::of(&next).map(|_| next)
}

/// Whether it begins with a scheme; a query may hold a whole URL too.
fn is_absolute(location: &str) -> bool {
    let scheme = location.split_once("://").map_or("", |(scheme, _)| scheme);
    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allowed() -> Allowed {
        let hosts = [
            MediaHost::trusted("https://lookaside.fbsbx.com"),
            MediaHost::open("https://*.fbcdn.net"),
        ];
        let more = "http://127.0.0.1:9, nonsense, https://cdn.example";
        Allowed::new("https://graph.facebook.com/", &hosts, more)
    }

    #[test]
    fn the_list_decides_who_is_asked_and_who_gets_the_token() {
        use Trust::{Open, Refused, Trusted};
        for (url, want) in [
            ("https://graph.facebook.com/v26.0/1?x=y", Trusted),
            ("https://GRAPH.facebook.com:443/v26.0/1", Trusted),
            ("https://graph.facebook.com./v26.0/1", Trusted),
            ("https://lookaside.fbsbx.com/whatsapp/1", Trusted),
            ("https://scontent.fbcdn.net/1", Open),
            ("https://a.b.fbcdn.net/1", Open),
            ("http://127.0.0.1:9/1", Open),
            ("https://cdn.example/1", Open),
            ("http://graph.facebook.com/1", Refused),
            ("https://graph.facebook.com:8443/1", Refused),
            ("https://graph.facebook.com.evil.example/1", Refused),
            ("https://evilgraph.facebook.com/1", Refused),
            ("https://fbcdn.net/1", Refused),
            ("https://evilfbcdn.net/1", Refused),
            ("https://.fbcdn.net/1", Refused),
            ("https://graph.facebook.com@evil.example/1", Refused),
            ("https://evil.example\\@graph.facebook.com/1", Refused),
            ("http://worker.spin.internal/", Refused),
            ("file:///etc/passwd", Refused),
            ("", Refused),
        ] {
            assert_eq!(allowed().trust(url), want, "{url}");
        }
        for (bytes, want) in [(4_000, Open), (MAX_URL_BYTES, Refused)] {
            let signed = format!("https://cdn.example/1?token={}", "x".repeat(bytes));
            assert_eq!(allowed().trust(&signed), want, "{bytes}");
        }
    }

    #[test]
    fn a_redirect_leads_to_a_whole_address() {
        let from = "https://a.com:8443/x/y?z=1";
        for (location, want) in [
            ("https://b.com/1", Some("https://b.com/1")),
            ("/1?q", Some("https://a.com:8443/1?q")),
            ("//b.com/1", Some("https://b.com/1")),
            (
                "/1?from=https://c.com/2",
                Some("https://a.com:8443/1?from=https://c.com/2"),
            ),
            ("1", None),
            ("", None),
            ("javascript:alert(1)", None),
            ("ftp://b.com/1", None),
        ] {
            assert_eq!(follow(from, location).as_deref(), want, "{location}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(url in "\\PC*", location in "\\PC*") {
            let _ = follow(&url, &location);
            prop_assert_eq!(allowed().trust(&format!("https://evil.example/{url}")), Trust::Refused);
        }
    }
}
