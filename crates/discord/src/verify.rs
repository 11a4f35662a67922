//! Whether a delivery is genuine, and the answers to the two kinds of PING.

use chatly_channel::json::Json;
use chatly_channel::{Delivery, HeaderError, Refusal, Reply};
use chatly_signature::{Error, ed25519, unhex};

use crate::parse::{Kind, kind, pong};

const SIGNATURE: &str = "x-signature-ed25519";
const TIMESTAMP: &str = "x-signature-timestamp";

/// Checks the signature of timestamp and body. Discord names no age at which a delivery is too old;
/// what comes twice has the same id.
pub(crate) fn verify(delivery: &Delivery, secrets: &[String]) -> Result<(), Refusal> {
    let keys: Vec<[u8; ed25519::KEY_BYTES]> = secrets
        .iter()
        .filter_map(|secret| unhex(&secret.trim().to_ascii_lowercase()))
        .collect();
    if keys.is_empty() {
        return Err(Refusal::NoSecret);
    }
    let header = |name: &str| {
        let value = delivery.header(name).map_err(|error| match error {
            HeaderError::Missing => Refusal::MissingHeader(name.to_owned()),
            _ => Refusal::MalformedHeader(name.to_owned()),
        })?;
        if value.is_empty() {
            return Err(Refusal::MalformedHeader(name.to_owned()));
        }
        Ok(value)
    };
    let (signature, timestamp) = (header(SIGNATURE)?, header(TIMESTAMP)?);
    let malformed = || Refusal::MalformedHeader(SIGNATURE.to_owned());
    let signature: [u8; ed25519::SIGNATURE_BYTES] = unhex(signature).ok_or_else(malformed)?;
    let signed = [timestamp.as_bytes(), &delivery.body].concat();
    ed25519::verify(keys, &signed, &signature).map_err(|error| match error {
        Error::NoSecret => Refusal::NoSecret,
        Error::Malformed => malformed(),
        Error::Mismatch => Refusal::Mismatch,
    })
}

/// What a PING has at most; Discord's own has some thousand bytes. It is checked against every key at
/// once; a longer one is read like every other delivery.
const MAX_PING_BYTES: usize = 16 << 10;

/// Answers a genuine PING; none for any other delivery.
pub(crate) fn handshake(delivery: &Delivery, secrets: &[String]) -> Option<Reply> {
    if delivery.method != "POST" || delivery.body.len() > MAX_PING_BYTES {
        return None;
    }
    let body = Json::parse(&delivery.body)?.object()?;
    let answer = match kind(&body) {
        Kind::Ping => pong(),
        Kind::WebhookPing => Reply {
            status: 204,
            headers: Vec::new(),
            body: Vec::new(),
        },
        _ => return None,
    };
    Some(match verify(delivery, secrets) {
        Ok(()) => answer,
        Err(Refusal::NoSecret) => {
            Reply::problem(503, "not_configured", "No public key is configured")
        }
        Err(_) => Reply::problem(401, "unauthorized", "The delivery is not genuine"),
    })
}
