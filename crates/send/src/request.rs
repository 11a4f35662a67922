//! The access token's place in a rendered request.
//!
//! 1. A token is put where the channel says and nowhere else.
//! 2. What is shown and stored of an address ends before the query, holds no user or password, and
//!    is of the request *before* it got its token. Of an address that needs no token only the origin is
//!    shown: it is one itself, as that of a Discord follow-up.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chatly_accounts::Secret;
use chatly_channel::Header;
use chatly_channel::outbound::{Auth, Request};
use sha2::{Digest, Sha256};

/// What stands in a URL for the token.
const PLACEHOLDER: &str = "{access_token}";

/// Why a request cannot get its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// None is configured.
    #[error("no access token is configured")]
    Missing,
    /// It holds a character that does not go where it has to.
    #[error("the access token holds a character that it cannot have")]
    Malformed,
}

/// A request that can go out. Not to be logged: it holds the token.
#[derive(Clone, PartialEq, Eq)]
pub struct Ready {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// All headers.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
}

/// Puts `token` into `request`, which may need none.
///
/// # Errors
/// [`TokenError`] when it needs one and there is none that can be used.
pub fn authorise(request: Request, token: Option<&Secret>) -> Result<Ready, TokenError> {
    let mut ready = Ready {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: request.body,
    };
    if request.auth == Auth::None {
        return Ok(ready);
    }
    let token = token.map(Secret::expose).ok_or(TokenError::Missing)?;
    if token.is_empty() {
        return Err(TokenError::Missing);
    }
    // Visible ASCII and no separator; a header's whole value may be words (`Bot …` on Discord).
    let is_words = matches!(request.auth, Auth::Header(_)) && token.trim() == token;
    if !token
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || (is_words && byte == b' '))
    {
        return Err(TokenError::Malformed);
    }
    match request.auth {
        Auth::None => {}
        Auth::Bearer => ready.add("authorization", &format!("Bearer {token}")),
        Auth::Basic(user) => {
            let pair = BASE64_STANDARD.encode(format!("{user}:{token}"));
            ready.add("authorization", &format!("Basic {pair}"));
        }
        Auth::Header(name) => ready.add(&name, token),
        Auth::Path => {
            // Unreserved (RFC 3986, 2.3), and the colon of Telegram's tokens.
            let plain = |byte: u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':')
            };
            if !token.bytes().all(plain) {
                return Err(TokenError::Malformed);
            }
            ready.url = ready.url.replace(PLACEHOLDER, token);
        }
    }
    Ok(ready)
}

impl Ready {
    fn add(&mut self, name: &str, value: &str) {
        self.headers.push(Header::new(name, value));
    }
}

/// Says which token it is without being it: 64 bits of its SHA-256, in hex. Tokens are long and random,
/// so nobody finds one from that. Blank for none.
pub fn digest(token: Option<&Secret>) -> String {
    let token = token.map(Secret::expose).unwrap_or_default();
    if token.is_empty() {
        return String::new();
    }
    let hash = Sha256::digest(token.as_bytes());
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What may be shown of a rendered request's address.
pub fn shown(request: &Request) -> String {
    let shown = without_query(&request.url);
    match (&request.auth, shown.split_once("://")) {
        (Auth::None, Some((scheme, rest))) => match rest.split_once('/') {
            Some((host, _)) => format!("{scheme}://{host}/…"),
            None => shown,
        },
        _ => shown,
    }
}

fn without_query(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let plain = url.get(..end).unwrap_or_default();
    let Some((scheme, rest)) = plain.split_once("://") else {
        return plain.to_owned();
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(auth: Auth) -> Request {
        Request {
            method: "POST".into(),
            url: "https://a.com/bot{access_token}/send".into(),
            headers: vec![Header::new("content-type", "application/json")],
            body: b"{}".to_vec(),
            auth,
        }
    }

    fn to(url: &str, auth: Auth) -> Request {
        Request {
            url: url.into(),
            ..request(auth)
        }
    }

    #[test]
    fn the_token_goes_where_the_channel_says() {
        let plain = "https://a.com/bot{access_token}/send";
        for (auth, token, want) in [
            (Auth::None, None, Ok((plain, None))),
            (
                Auth::Bearer,
                Some("t0k"),
                Ok((plain, Some(("authorization", "Bearer t0k")))),
            ),
            (
                Auth::Basic("AC1".into()),
                Some("t0k"),
                Ok((plain, Some(("authorization", "Basic QUMxOnQwaw==")))),
            ),
            (
                Auth::Header("x-auth".into()),
                Some("t0k"),
                Ok((plain, Some(("x-auth", "t0k")))),
            ),
            (
                Auth::Path,
                Some("1:t0k_-"),
                Ok(("https://a.com/bot1:t0k_-/send", None)),
            ),
            (
                Auth::Header("x-auth".into()),
                Some("Bot t0k"),
                Ok((plain, Some(("x-auth", "Bot t0k")))),
            ),
            (Auth::Bearer, Some("Bot t0k"), Err(TokenError::Malformed)),
            (Auth::Bearer, None, Err(TokenError::Missing)),
            (Auth::Bearer, Some(""), Err(TokenError::Missing)),
            (Auth::Bearer, Some("a\r\nx: y"), Err(TokenError::Malformed)),
            (Auth::Path, Some("../x"), Err(TokenError::Malformed)),
            (Auth::Path, Some("a?b"), Err(TokenError::Malformed)),
        ] {
            let name = format!("{auth:?}");
            let token = token.map(Secret::new);
            let ready = authorise(request(auth), token.as_ref());
            let seen = ready.as_ref().map_err(|error| *error).map(|ready| {
                let added = ready.headers.get(1).map(|header| {
                    let value = std::str::from_utf8(&header.value).unwrap();
                    (header.name.as_str(), value)
                });
                (ready.url.as_str(), added)
            });
            assert_eq!(seen, want, "{name}");
        }
    }

    #[test]
    fn a_digest_tells_tokens_apart_and_holds_none() {
        let t0k = digest(Some(&Secret::new("t0k")));
        assert_eq!(t0k.len(), 16);
        assert_ne!(t0k, digest(Some(&Secret::new("t0k2"))));
        assert!(!t0k.contains("t0k"));
        assert_eq!(digest(Some(&Secret::new(""))), "");
        assert_eq!(digest(None), "");
    }

    #[test]
    fn what_is_shown_holds_neither_query_nor_user() {
        for (url, want) in [
            ("https://a.com/v1/m?access_token=t", "https://a.com/v1/m"),
            ("https://u:p@a.com/m#x", "https://a.com/m"),
            ("https://a.com?x=@y", "https://a.com"),
            ("https://a.com/u@v", "https://a.com/u@v"),
            (
                "https://a.com/bot{access_token}/send",
                "https://a.com/bot{access_token}/send",
            ),
            ("", ""),
        ] {
            assert_eq!(shown(&to(url, Auth::Bearer)), want, "{url}");
        }
    }

    #[test]
    fn of_an_address_that_opens_something_only_the_origin_is_shown() {
        for (url, want) in [
            (
                "https://discord.com/api/v10/webhooks/1/aW50ZXJhY3Rpb24",
                "https://discord.com/…",
            ),
            ("https://u:p@a.com/m?x=y", "https://a.com/…"),
            ("https://a.com", "https://a.com"),
        ] {
            assert_eq!(shown(&to(url, Auth::None)), want, "{url}");
        }
    }

    proptest! {
        #[test]
        fn never_shows_a_query_and_never_panics(url in "\\PC*") {
            prop_assert!(!shown(&to(&url, Auth::Bearer)).contains('?'));
        }

        #[test]
        fn no_error_shows_the_token(token in "\\PC{12,40}") {
            for auth in [Auth::Bearer, Auth::Path] {
                if let Err(error) = authorise(request(auth), Some(&Secret::new(token.clone()))) {
                    let said = format!("{error} {error:?}");
                    prop_assert!(!said.contains(&token));
                }
            }
        }
    }
}
