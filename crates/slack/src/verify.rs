//! Whether a delivery is genuine, and the answer to one that only checks the webhook.
//!
//! `X-Slack-Signature` is `v0=` and the HMAC-SHA256 in hex of `v0:{timestamp}:{body}`.

use chatly_channel::json::Json;
use chatly_channel::{Delivery, HeaderError, Refusal, Reply};
use chatly_signature::{Encoding, Error};

/// How far the two clocks may be apart, both ways: five minutes, by Slack's own guide.
const TOLERANCE_SECS: u64 = 5 * 60;
const TIMESTAMP: &str = "x-slack-request-timestamp";
const SIGNATURE: &str = "x-slack-signature";
/// What the type of a handshake is.
const HANDSHAKE: &[u8] = b"url_verification";

/// Checks age and signature.
pub(crate) fn verify(delivery: &Delivery, secrets: &[String], now: u64) -> Result<(), Refusal> {
    if secrets.iter().all(|secret| secret.trim().is_empty()) {
        return Err(Refusal::NoSecret);
    }
    let header = |name: &str| {
        delivery.header(name).map_err(|error| match error {
            HeaderError::Missing => Refusal::MissingHeader(name.to_owned()),
            _ => Refusal::MalformedHeader(name.to_owned()),
        })
    };
    let malformed = |name: &str| Refusal::MalformedHeader(name.to_owned());
    let (timestamp, signature) = (header(TIMESTAMP)?, header(SIGNATURE)?);
    let digest = signature
        .strip_prefix("v0=")
        .ok_or_else(|| malformed(SIGNATURE))?;
    let sent_at: u64 = timestamp.parse().map_err(|_| malformed(TIMESTAMP))?;
    let skew_secs = now.abs_diff(sent_at);
    if skew_secs > TOLERANCE_SECS {
        return Err(Refusal::Stale(skew_secs));
    }
    let mut signed = format!("v0:{timestamp}:").into_bytes();
    signed.extend_from_slice(&delivery.body);
    chatly_signature::verify(secrets, &signed, digest, Encoding::Hex).map_err(|error| match error {
        Error::NoSecret => Refusal::NoSecret,
        Error::Malformed => malformed(SIGNATURE),
        Error::Mismatch => Refusal::Mismatch,
    })
}

/// What a `url_verification` has at most; Slack's own has some two hundred bytes. It is checked against
/// every secret at once.
const MAX_HANDSHAKE_BYTES: usize = 4096;

/// Echoes the challenge of a genuine `url_verification`; none for any other delivery.
pub(crate) fn handshake(delivery: &Delivery, secrets: &[String], now: u64) -> Option<Reply> {
    if delivery.method != "POST" || delivery.body.len() > MAX_HANDSHAKE_BYTES {
        return None;
    }
    let body = Json::parse(&delivery.body)?.object()?;
    if body.string("type")?.as_bytes() != HANDSHAKE {
        return None;
    }
    Some(match verify(delivery, secrets, now) {
        Ok(()) => match body.string("challenge") {
            Some(challenge) => Reply::new(200, "text/plain", challenge),
            None => Reply::problem(400, "challenge_malformed", "The challenge is absent"),
        },
        Err(Refusal::NoSecret) => {
            Reply::problem(503, "not_configured", "No signing secret is configured")
        }
        Err(_) => Reply::problem(401, "unauthorized", "The delivery is not genuine"),
    })
}
