//! How what came in with a message is fetched from the platform.
#![expect(
    missing_docs,
    reason = "every field is documented in wit/deps/channel/channel.wit"
)]

use chatly_canonical::Media;

use crate::outbound::{Auth, Request};

/// Where media of a platform may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaHost {
    pub origin: String,
    pub trusted: bool,
}

impl MediaHost {
    /// The platform's own, which asks for the token.
    pub fn trusted(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            trusted: true,
        }
    }

    /// One that never gets the token.
    pub fn open(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            trusted: false,
        }
    }
}

/// How a medium is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaStep {
    /// The answer's body is the medium.
    Download(Request),
    /// The answer says where it is.
    Ask(Request),
    /// There is nothing to fetch, in words.
    Absent(String),
}

impl MediaStep {
    /// What has neither an id nor a URL that the platform could be asked for.
    pub fn unnamed() -> Self {
        MediaStep::Absent("the delivery says neither where the medium is nor its id".to_owned())
    }

    /// Downloads from the URL that came with the delivery, or that an answer named.
    pub fn by_url(media: &Media, auth: Auth) -> Self {
        match &media.url {
            Some(url) => MediaStep::Download(get(url.clone(), auth)),
            None => MediaStep::unnamed(),
        }
    }
}

/// Where a medium is, and what the platform says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub request: Request,
    pub sha256: Option<String>,
    pub bytes: Option<u64>,
}

/// A request without a body.
pub fn get(url: String, auth: Auth) -> Request {
    Request {
        method: "GET".to_owned(),
        url,
        headers: Vec::new(),
        body: Vec::new(),
        auth,
    }
}

/// An id that came with a delivery, as one segment of a path: it may not lead anywhere else.
pub fn id_segment(id: &str) -> Option<&str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = !id.is_empty() && id.len() <= 256 && id.bytes().all(plain);
    fits.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_segment() {
        let long = "x".repeat(257);
        for (id, want) in [
            ("1037543291543636", true),
            ("AgACAgIAAxkBAAIB-_", true),
            ("", false),
            ("..", false),
            ("a/b", false),
            ("a?b", false),
            ("a%2fb", false),
            ("a b", false),
            (&long, false),
        ] {
            assert_eq!(id_segment(id).is_some(), want, "{id}");
        }
    }
}
