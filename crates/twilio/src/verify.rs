//! `X-Twilio-Signature`: base64 of the HMAC-SHA1 of URL and parameters under the auth token.
//!
//! Rules, from Twilio's security documentation and the validators of its SDKs:
//! 1. The URL is the one that Twilio called, query included, without fragment (`#rc=2` configures
//!    retries). It may have been signed with or without a port, so both are tried.
//! 2. A form's parameters follow in the order of their names' bytes, each name and value without
//!    anything between; of a name that stands more than once the values are sorted and equal ones
//!    count once. Parameters of the query stay in the URL.
//! 3. A URL with `bodySHA256` belongs to a body that is no form: the URL alone is signed, and the
//!    body must have that SHA-256.
//! 4. The signature covers what escapes stand for. Of the two spellings of one escape only the one
//!    that Twilio writes is accepted (upper case), so that no changed bit of a body goes through.
//!
//! There is no timestamp in the scheme, so nothing here bounds a replay: dedupe keys do.

use std::collections::{BTreeMap, BTreeSet};

use chatly_channel::{Delivery, HeaderError, Refusal, form};
use chatly_signature::{Error, sha1, sha256_hex};

/// The header that carries the signature.
const SIGNATURE_HEADER: &str = "x-twilio-signature";
/// The parameter of the query that says what the body's digest is.
const BODY_DIGEST: &str = "bodySHA256";

/// Checks the signature of a delivery against `secrets`, auth tokens, current first.
pub(crate) fn verify(delivery: &Delivery, secrets: &[String]) -> Result<(), Refusal> {
    let malformed = || Refusal::MalformedHeader(SIGNATURE_HEADER.to_owned());
    if secrets.iter().all(|secret| secret.trim().is_empty()) {
        return Err(Refusal::NoSecret);
    }
    let signature = delivery
        .header(SIGNATURE_HEADER)
        .map_err(|error| match error {
            HeaderError::Missing => Refusal::MissingHeader(SIGNATURE_HEADER.to_owned()),
            HeaderError::Repeated | HeaderError::NotText => malformed(),
        })?;
    let parameters = match body_digest(delivery) {
        Some(digest) if digest == sha256_hex(&[&delivery.body]) => Vec::new(),
        Some(_) => return Err(Refusal::Mismatch),
        None => parameters(delivery)?,
    };
    let messages: Vec<Vec<u8>> = urls(&delivery.url)
        .into_iter()
        .map(|url| [url.as_bytes(), &parameters].concat())
        .collect();
    sha1::verify(secrets, &messages, signature).map_err(|error| match error {
        Error::Malformed => malformed(),
        Error::Mismatch => Refusal::Mismatch,
        Error::NoSecret => Refusal::NoSecret,
    })
}

/// The first `bodySHA256` of the query.
fn body_digest(delivery: &Delivery) -> Option<&str> {
    let mut pairs = delivery.query().split('&');
    pairs.find_map(|pair| pair.strip_prefix(BODY_DIGEST)?.strip_prefix('='))
}

/// What the body adds to the signed text.
fn parameters(delivery: &Delivery) -> Result<Vec<u8>, Refusal> {
    let is_json = delivery
        .header("content-type")
        .is_ok_and(|it| it.to_ascii_lowercase().starts_with("application/json"));
    if is_json && !delivery.body.is_empty() {
        return Err(Refusal::Other(format!(
            "a JSON body needs {BODY_DIGEST} in the URL"
        )));
    }
    if has_lower_case_escape(&delivery.body) {
        return Err(Refusal::Mismatch);
    }
    let mut parameters: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (name, value) in form::pairs(&delivery.body) {
        parameters.entry(name).or_default().insert(value);
    }
    let mut text = Vec::with_capacity(delivery.body.len());
    for (name, values) in parameters {
        for value in values {
            text.extend_from_slice(&name);
            text.extend_from_slice(&value);
        }
    }
    Ok(text)
}

fn has_lower_case_escape(body: &[u8]) -> bool {
    let lower = |digit: u8| (b'a'..=b'f').contains(&digit);
    body.windows(3).any(|window| match window {
        [b'%', high, low] => {
            high.is_ascii_hexdigit() && low.is_ascii_hexdigit() && (lower(*high) || lower(*low))
        }
        _ => false,
    })
}

/// The URL without its port and with one, in every way that Twilio may have signed it.
fn urls(url: &str) -> Vec<String> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A colon belongs to a port only behind user info and an IPv6 address.
    let host = authority.rfind(['@', ']']).map_or(0, |at| at + 1);
    let colon = authority
        .get(host..)
        .and_then(|rest| rest.find(':'))
        .map(|at| host + at);
    let (bare, port) = match colon.and_then(|at| authority.split_at_checked(at)) {
        Some((bare, port)) => (bare, port.to_owned()),
        None if scheme.eq_ignore_ascii_case("http") => (authority, ":80".to_owned()),
        None => (authority, ":443".to_owned()),
    };
    vec![
        format!("{scheme}://{bare}{path}"),
        format!("{scheme}://{bare}{port}{path}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_tried_with_and_without_its_port() {
        for (url, want) in [
            (
                "https://a.example/b?c=d:1",
                ["https://a.example/b?c=d:1", "https://a.example:443/b?c=d:1"],
            ),
            (
                "http://a.example/b",
                ["http://a.example/b", "http://a.example:80/b"],
            ),
            (
                "https://a.example:8443/b",
                ["https://a.example/b", "https://a.example:8443/b"],
            ),
            (
                "https://a.example/b#rc=2&rp=all",
                ["https://a.example/b", "https://a.example:443/b"],
            ),
            (
                "https://a.example?b=1",
                ["https://a.example?b=1", "https://a.example:443?b=1"],
            ),
            (
                "https://u:p@a.example/b",
                ["https://u:p@a.example/b", "https://u:p@a.example:443/b"],
            ),
            (
                "https://[::1]:1/b",
                ["https://[::1]/b", "https://[::1]:1/b"],
            ),
            (
                "https://[::1]/b",
                ["https://[::1]/b", "https://[::1]:443/b"],
            ),
        ] {
            assert_eq!(urls(url), want, "{url}");
        }
        assert_eq!(urls("/path#x"), ["/path"]);
    }

    #[test]
    fn one_spelling_of_an_escape_counts() {
        for (body, want) in [
            ("a=%2B", false),
            ("a=%2b", true),
            ("a=%aF", true),
            ("a=%zf", false),
            ("a=2b", false),
        ] {
            assert_eq!(has_lower_case_escape(body.as_bytes()), want, "{body}");
        }
    }
}
