//! What is read off a webhook request besides its body.
//!
//! 1. [`public_url`] is the address that the platform called, which some signatures cover.
//! 2. [`route_account`] is the account that the route names.
//! 3. [`kept_headers`] are the few headers that a later reader may need; everything else, tokens and
//!    signatures above all, is forgotten.
//! 4. [`digest`] identifies a body; [`Size`] keeps it within bounds while it is read,
//!    and [`patience_ms`] within time.
//! 5. [`traceparent`] carries a trace from hop to hop.
//!
//! It decides nothing about whether a delivery is genuine.
#![deny(missing_docs)]

mod patience;
mod size;
pub mod traceparent;

use http::{HeaderMap, Uri};
use sha2::{Digest, Sha256};

pub use patience::patience_ms;
pub use size::{MAX_BODY_BYTES, Size, TooLarge};

/// Headers that say what came and in which version. None of them proves anything.
const KEPT: [&str; 6] = [
    "content-type",
    "user-agent",
    // Meta: the Graph API version of the payload.
    "facebook-api-version",
    // Standard Webhooks: the sender's id of the event, the same on every try.
    "webhook-id",
    // Slack: which try this is, and why.
    "x-slack-retry-num",
    "x-slack-retry-reason",
];

/// The longest value that is kept. A sender controls it; those above are a few dozen bytes long.
const MAX_KEPT_BYTES: usize = 512;

/// The headers to keep with a delivery, by lower-case name, cut at 512 bytes.
pub fn kept_headers(headers: &HeaderMap) -> Vec<(&'static str, Vec<u8>)> {
    let value = |name| headers.get(name).map(|value| value.as_bytes());
    let kept = KEPT
        .into_iter()
        .filter_map(|name| Some((name, value(name)?)));
    kept.map(|(name, value)| (name, value.iter().take(MAX_KEPT_BYTES).copied().collect()))
        .collect()
}

/// The URL that the platform called: `base` (which the operator configures, as only the operator
/// knows what stands before us) with the path and query of the request; without a base what the
/// host says in `spin-full-url`, else the request's own.
pub fn public_url(base: &str, uri: &Uri, headers: &HeaderMap) -> String {
    let base = base.trim().trim_end_matches('/');
    if !base.is_empty() {
        return format!(
            "{base}{}",
            uri.path_and_query().map_or("/", |path| path.as_str())
        );
    }
    let full = headers
        .get("spin-full-url")
        .and_then(|value| value.to_str().ok());
    full.map_or_else(|| uri.to_string(), str::to_owned)
}

/// The account of a route `…/:account`. The host says it in a header, and a client may send one of
/// that name too: it counts only when the path ends with it.
pub fn route_account<'a>(headers: &'a HeaderMap, path: &str) -> Option<&'a str> {
    let last = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .filter(|last| !last.is_empty())?;
    let values = headers.get_all("spin-path-match-account").iter();
    values
        .filter_map(|value| value.to_str().ok())
        .find(|value| *value == last)
}

/// SHA-256 of a body, in lower-case hex.
pub fn digest(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_public_url_is_the_one_that_was_signed() {
        let spin = headers(&[(
            "spin-full-url",
            "http://127.0.0.1:3000/webhooks/sms?a=b%20c",
        )]);
        let none = HeaderMap::new();
        for (name, base, uri, headers, want) in [
            (
                "base",
                "https://chat.example",
                "/w/sms?a=b%20c",
                &spin,
                "https://chat.example/w/sms?a=b%20c",
            ),
            (
                "base with a slash",
                "https://chat.example/",
                "/w",
                &spin,
                "https://chat.example/w",
            ),
            (
                "base with a path",
                "https://e.example/edge",
                "/w",
                &spin,
                "https://e.example/edge/w",
            ),
            (
                "base, whole address",
                "https://e.example",
                "http://i/w?x",
                &none,
                "https://e.example/w?x",
            ),
            (
                "no base",
                " ",
                "/w",
                &spin,
                "http://127.0.0.1:3000/webhooks/sms?a=b%20c",
            ),
            ("nothing", "", "/w?x=1", &none, "/w?x=1"),
        ] {
            assert_eq!(
                public_url(base, &uri.parse().unwrap(), headers),
                want,
                "{name}"
            );
        }
    }

    #[test]
    fn an_account_counts_only_when_the_path_ends_with_it() {
        let sent = |list: &[&'static str]| {
            headers(
                &list
                    .iter()
                    .map(|value| ("spin-path-match-account", *value))
                    .collect::<Vec<_>>(),
            )
        };
        for (name, values, path, want) in [
            (
                "from the host",
                &["bot1"][..],
                "/webhooks/telegram/bot1",
                Some("bot1"),
            ),
            (
                "slash at the end",
                &["bot1"],
                "/webhooks/telegram/bot1/",
                Some("bot1"),
            ),
            ("from the client", &["bot2"], "/webhooks/telegram", None),
            (
                "client and host",
                &["bot2", "bot1"],
                "/webhooks/telegram/bot1",
                Some("bot1"),
            ),
            ("none", &[], "/webhooks/telegram/bot1", None),
            ("blank", &[""], "/", None),
        ] {
            assert_eq!(route_account(&sent(values), path), want, "{name}");
        }
    }

    #[test]
    fn only_harmless_headers_are_kept_and_none_of_any_length() {
        let mut headers = headers(&[
            ("content-type", "application/json"),
            ("authorization", "Bearer secret"),
            ("x-hub-signature-256", "sha256=00"),
            ("x-telegram-bot-api-secret-token", "secret"),
            ("cookie", "a=b"),
            ("webhook-id", "msg_1"),
        ]);
        headers.insert(
            "user-agent",
            HeaderValue::from_str(&"x".repeat(600)).unwrap(),
        );
        let kept = kept_headers(&headers);
        let names: Vec<_> = kept
            .iter()
            .map(|(name, value)| (*name, value.len()))
            .collect();
        assert_eq!(
            names,
            [("content-type", 16), ("user-agent", 512), ("webhook-id", 5)]
        );
    }

    #[test]
    fn a_digest_is_lower_case_hex_of_sha_256() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            digest(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
