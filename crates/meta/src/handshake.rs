//! The subscription handshake: a GET that is answered with its own challenge.
//!
//! 1. Any GET is taken for one; other methods never are.
//! 2. No token configured: 503. Wrong mode or token, or none: 403. A challenge that is not
//!    1 to 256 of `A-Z a-z 0-9 _ -`: 400, since it would be echoed into our own origin.
//! 3. Names and values are percent-decoded; of a parameter that stands twice the first one counts.

use std::borrow::Cow;

use chatly_channel::{Delivery, Reply};
use chatly_signature::Error;
use percent_encoding::percent_decode_str;

/// Longest challenge that is echoed; Meta sends about ten digits.
const MAX_CHALLENGE_CHARS: usize = 256;

/// Answers a GET; none for any other method.
pub fn handshake(delivery: &Delivery, verify_tokens: &[String]) -> Option<Reply> {
    (delivery.method == "GET").then(|| answer(delivery.query(), verify_tokens))
}

fn answer(query: &str, verify_tokens: &[String]) -> Reply {
    let parameter = |name: &str| parameters(query).find(|(key, _)| key == name).map(|(_, value)| value);
    let token = parameter("hub.verify_token").unwrap_or_default();
    match chatly_signature::verify_token(verify_tokens, &token) {
        Err(Error::NoSecret) => return Reply::problem(503, "not_configured", "No verify token is configured"),
        Err(_) => return Reply::problem(403, "verify_token_mismatch", "The verify token does not match"),
        Ok(()) => {}
    }
    if parameter("hub.mode").as_deref() != Some("subscribe") {
        return Reply::problem(403, "mode_not_subscribe", "The mode is not subscribe");
    }
    let challenge = parameter("hub.challenge").unwrap_or_default();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=MAX_CHALLENGE_CHARS).contains(&challenge.len()) && challenge.bytes().all(allowed) {
        Reply::new(200, "text/plain", challenge.into_owned())
    } else {
        Reply::problem(400, "challenge_malformed", "The challenge is absent or holds other than A-Z a-z 0-9 _ -")
    }
}

fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// Decodes as a form does: `+` is a space.
fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        return Cow::Owned(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn get(query: &str, tokens: &[&str]) -> Option<Reply> {
        let url = format!("https://example.org/webhooks/whatsapp?{query}");
        let delivery = Delivery { method: "GET".into(), url, ..Delivery::default() };
        let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
        handshake(&delivery, &tokens)
    }

    #[test]
    fn the_challenge_is_echoed_only_for_one_of_our_tokens() {
        let long = "a".repeat(257);
        for (name, query, tokens, want) in [
            ("right", "hub.mode=subscribe&hub.verify_token=t&hub.challenge=1158201444", &["t"][..], (200, "1158201444")),
            ("previous token", "hub.mode=subscribe&hub.verify_token=t&hub.challenge=1", &["new", "t"], (200, "1")),
            ("escaped", "hub%2Emode=subscribe&hub.verify_token=a%26b+%C3%A4&hub.challenge=A_-9", &["a&b ä"], (200, "A_-9")),
            ("longest", &format!("hub.mode=subscribe&hub.verify_token=t&hub.challenge={}", &long[1..]), &["t"], (200, &long[1..])),
            ("wrong token", "hub.mode=subscribe&hub.verify_token=x&hub.challenge=1", &["t"], (403, "")),
            ("no token given", "hub.mode=subscribe&hub.challenge=1", &["t"], (403, "")),
            ("wrong mode", "hub.mode=unsubscribe&hub.verify_token=t&hub.challenge=1", &["t"], (403, "")),
            ("no mode", "hub.verify_token=t&hub.challenge=1", &["t"], (403, "")),
            ("nothing at all", "", &["t"], (403, "")),
            ("markup", "hub.mode=subscribe&hub.verify_token=t&hub.challenge=%3Cscript%3E", &["t"], (400, "")),
            ("line break", "hub.mode=subscribe&hub.verify_token=t&hub.challenge=1%0A", &["t"], (400, "")),
            ("empty challenge", "hub.mode=subscribe&hub.verify_token=t&hub.challenge=", &["t"], (400, "")),
            ("too long", &format!("hub.mode=subscribe&hub.verify_token=t&hub.challenge={long}"), &["t"], (400, "")),
            ("no token configured", "hub.mode=subscribe&hub.verify_token=&hub.challenge=1", &[], (503, "")),
            ("blank token configured", "hub.mode=subscribe&hub.verify_token=&hub.challenge=1", &[" "], (503, "")),
        ] {
            let reply = get(query, tokens).unwrap();
            assert_eq!(reply.status, want.0, "{name}");
            let header = |name: &str| reply.headers.iter().find(|header| header.name == name).unwrap().value.clone();
            assert_eq!(header("x-content-type-options"), b"nosniff", "{name}");
            assert_eq!(header("content-length"), reply.body.len().to_string().into_bytes(), "{name}");
            if reply.status == 200 {
                assert_eq!(reply.body, want.1.as_bytes(), "{name}");
                assert_eq!(header("content-type"), b"text/plain", "{name}");
            } else {
                assert_eq!(header("content-type"), b"application/problem+json", "{name}");
            }
        }
    }

    #[test]
    fn a_post_is_no_handshake() {
        let delivery = Delivery { method: "POST".into(), ..Delivery::default() };
        assert_eq!(handshake(&delivery, &["t".into()]), None);
    }

    proptest! {
        #[test]
        fn only_harmless_text_is_echoed(challenge in "\\PC{0,300}") {
            let encoded = percent_encoding::utf8_percent_encode(&challenge, percent_encoding::NON_ALPHANUMERIC);
            let reply = get(&format!("hub.mode=subscribe&hub.verify_token=t&hub.challenge={encoded}"), &["t"]).unwrap();
            let harmless = (1..=256).contains(&challenge.len())
                && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            prop_assert_eq!(reply.status, if harmless { 200 } else { 400 });
        }
    }
}
