//! A webhook request and the answers to it.

/// One HTTP header. Names compare without case; values are raw bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name, in any case.
    pub name: String,
    /// The value as received.
    pub value: Vec<u8>,
}

impl Header {
    /// A header with a text value.
    pub fn new(name: &str, value: &str) -> Self {
        Header { name: name.to_owned(), value: value.as_bytes().to_vec() }
    }
}

/// One webhook request, as received.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    /// Upper-case HTTP method.
    pub method: String,
    /// The public URL that the platform called, query included.
    pub url: String,
    /// All headers, in order.
    pub headers: Vec<Header>,
    /// The raw body: what signatures cover.
    pub body: Vec<u8>,
}

/// Why a header that must be there once cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It is absent.
    #[error("absent")]
    Missing,
    /// It is there more than once, so nobody can say which one counts.
    #[error("more than once")]
    Repeated,
    /// Its value is no visible ASCII text.
    #[error("not text")]
    NotText,
}

impl Delivery {
    /// The value of a header that must be there exactly once.
    pub fn header(&self, name: &str) -> Result<&str, HeaderError> {
        let mut values = self.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        let Some(first) = values.next() else { return Err(HeaderError::Missing) };
        if values.next().is_some() {
            return Err(HeaderError::Repeated);
        }
        std::str::from_utf8(&first.value).map(str::trim).map_err(|_| HeaderError::NotText)
    }

    /// The query of the URL as sent, empty when there is none.
    pub fn query(&self) -> &str {
        let without_fragment = self.url.split_once('#').map_or(self.url.as_str(), |(url, _)| url);
        without_fragment.split_once('?').map_or("", |(_, query)| query)
    }
}

/// An HTTP answer that the caller sends on unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: Vec<Header>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer with a body of a type, which the receiver may not guess at.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = vec![
            Header::new("content-type", content_type),
            Header::new("content-length", &body.len().to_string()),
            Header::new("x-content-type-options", "nosniff"),
        ];
        Reply { status, headers, body }
    }

    /// A refusal by RFC 9457; `code` and `title` are ours, never the sender's.
    pub fn problem(status: u16, code: &str, title: &str) -> Self {
        let body = serde_json::json!({ "title": title, "status": status, "code": code });
        Reply::new(status, "application/problem+json", body.to_string())
    }
}

/// Why a delivery was refused. Safe to log: holds no key, signature or body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The named header is absent.
    #[error("header {0} is absent")]
    MissingHeader(String),
    /// The named header is there but not of the scheme's form, or more than once.
    #[error("header {0} is malformed")]
    MalformedHeader(String),
    /// No current or previous secret matches.
    #[error("no secret matches the signature")]
    Mismatch,
    /// The sender's clock differs by this many seconds, more than the scheme allows.
    #[error("the timestamp is {0} seconds off")]
    Stale(u64),
    /// No secret is configured, or only blank ones.
    #[error("no secret is configured")]
    NoSecret,
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_counts_only_when_it_is_there_once() {
        let header = |name: &str, value: &[u8]| Header { name: name.into(), value: value.into() };
        for (name, headers, want) in [
            ("absent", vec![header("a", b"1")], Err(HeaderError::Missing)),
            ("once, other case", vec![header("X-SIG", b" v ")], Ok("v")),
            ("twice", vec![header("x-sig", b"v"), header("X-Sig", b"v")], Err(HeaderError::Repeated)),
            ("not text", vec![header("x-sig", &[0xff])], Err(HeaderError::NotText)),
        ] {
            let delivery = Delivery { headers, ..Delivery::default() };
            assert_eq!(delivery.header("X-Sig"), want, "{name}");
        }
    }

    #[test]
    fn the_query_ends_at_the_fragment() {
        for (url, want) in [
            ("https://a/b", ""),
            ("https://a/b?c=d", "c=d"),
            ("https://a/b?c=d?e#f", "c=d?e"),
            ("https://a/b#f?c", ""),
        ] {
            let delivery = Delivery { url: url.into(), ..Delivery::default() };
            assert_eq!(delivery.query(), want, "{url}");
        }
    }
}
