//! Where a webhook may go.
//!
//! 1. `http` or `https`, a host, no user and password. A rule's author controls the URL, so it is
//!    read strictly: what one parser takes for another host than the next one does is refused.
//! 2. Never a component of this app: `<id>.spin.internal` would reach private routes, and the
//!    wildcard that `dispatch` is granted covers them.
//! 3. What is shown and stored of it ends before the query, which may hold a token.
//!
//! Whether a name leads to a private address shows only when it is looked up; the host refuses that
//! when it connects.

use http::Uri;

/// The longest URL: what browsers and proxies commonly take.
pub const MAX_BYTES: usize = 2048;

/// Why nothing is sent to a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`MAX_BYTES`].
    #[error("the URL is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// Not an absolute URL with a plain host.
    #[error("the URL is not absolute or has no plain host")]
    Malformed,
    /// Neither `http` nor `https`.
    #[error("the URL's scheme is neither http nor https")]
    Scheme,
    /// It carries a user or password, which would show in lists and logs.
    #[error("the URL carries a user or password")]
    Credentials,
    /// It names a component of this app.
    #[error("the URL names a component of this app")]
    Internal,
}

/// A URL that may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    uri: Uri,
    shown: String,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`Error`] for one that nothing is sent to.
    pub fn parse(url: &str) -> Result<Self, Error> {
        if url.len() > MAX_BYTES {
            return Err(Error::TooLong);
        }
        Self::parse_of_any_length(url)
    }

    /// The same without a bound of its own, for a URL that the caller has bounded: signed ones are
    /// longer.
    ///
    /// # Errors
    /// [`Error`] for one that nothing is sent to.
    pub fn parse_of_any_length(url: &str) -> Result<Self, Error> {
        let uri: Uri = url.trim().parse().map_err(|_| Error::Malformed)?;
        let scheme = uri
            .scheme_str()
            .ok_or(Error::Malformed)?
            .to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(Error::Scheme);
        }
        let authority = uri.authority().ok_or(Error::Malformed)?;
        if authority.as_str().contains('@') {
            return Err(Error::Credentials);
        }
        check_host(authority.host())?;
        let shown = format!("{scheme}://{authority}{}", uri.path());
        Ok(Self { uri, shown })
    }

    /// The whole URL, for the request.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Scheme, host, port and path.
    pub fn shown(&self) -> &str {
        &self.shown
    }
}

fn check_host(host: &str) -> Result<(), Error> {
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    if host.is_empty() || !(plain || bracketed) {
        return Err(Error::Malformed);
    }
    // A dot at the end makes a name absolute and is the same name.
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let internal = ["spin.internal", "self.alt"]
        .iter()
        .any(|domain| name.strip_suffix(domain).is_some_and(ends_a_label));
    if internal {
        Err(Error::Internal)
    } else {
        Ok(())
    }
}

/// Whether what stands before a domain leaves it a domain: nothing, or labels and a dot.
fn ends_a_label(before: &str) -> bool {
    before.is_empty() || before.ends_with('.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_public_looking_urls_are_taken() {
        let long = format!("https://a.com/{}", "x".repeat(MAX_BYTES));
        for (url, want) in [
            ("https://a.com", Ok("https://a.com/")),
            ("https://a.com/hook?token=1", Ok("https://a.com/hook")),
            ("http://a.com:5678/hook", Ok("http://a.com:5678/hook")),
            ("HTTPS://A.com/hook", Ok("https://A.com/hook")),
            ("http://127.0.0.1:9/x", Ok("http://127.0.0.1:9/x")),
            ("http://[::1]:9/x", Ok("http://[::1]:9/x")),
            ("https://a.com/hook#part", Ok("https://a.com/hook")),
            (
                "https://spin.internal.a.com/",
                Ok("https://spin.internal.a.com/"),
            ),
            ("https://myspin.internal/", Ok("https://myspin.internal/")),
            ("", Err(Error::Malformed)),
            ("/hook", Err(Error::Malformed)),
            ("a.com", Err(Error::Malformed)),
            ("https://", Err(Error::Malformed)),
            ("https:///x", Err(Error::Malformed)),
            ("https://a b.com/", Err(Error::Malformed)),
            ("https://a.com\\@b.com/", Err(Error::Malformed)),
            ("http://worker%2Espin.internal/", Err(Error::Malformed)),
            ("ftp://a.com/", Err(Error::Scheme)),
            ("file:///etc/passwd", Err(Error::Malformed)),
            ("https://user:word@a.com/", Err(Error::Credentials)),
            ("https://a.com@b.com/", Err(Error::Credentials)),
            ("http://worker.spin.internal/", Err(Error::Internal)),
            ("http://WORKER.Spin.Internal:80/", Err(Error::Internal)),
            ("http://worker.spin.internal./", Err(Error::Internal)),
            ("http://worker.spin.internal../", Err(Error::Internal)),
            ("https://spin.internal/", Err(Error::Internal)),
            ("http://self.alt/v1/rules", Err(Error::Internal)),
            (&long, Err(Error::TooLong)),
        ] {
            let shown = Target::parse(url).map(|target| target.shown);
            assert_eq!(shown, want.map(str::to_owned), "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_spelling_of_a_component_is_taken(id in "[a-zA-Z0-9-]{1,20}", dots in 0..3usize, port: Option<u16>, path in "(/[a-z]{0,5}){0,3}") {
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            let url = format!("http://{id}.SPIN.internal{}{port}{path}", ".".repeat(dots));
            prop_assert_eq!(Target::parse(&url), Err(Error::Internal));
        }

        #[test]
        fn never_panics_and_never_shows_a_query(url in "\\PC*") {
            if let Ok(target) = Target::parse(&url) {
                prop_assert!(!target.shown().contains('?'));
            }
        }
    }
}
