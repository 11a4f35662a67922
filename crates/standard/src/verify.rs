//! Whether a delivery is genuine.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chatly_channel::{Delivery, HeaderError, Refusal};
use chatly_signature::{ed25519, verify_token};
use chatly_webhook::signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER, content};

/// How far the two clocks may be apart, both ways; the specification's libraries take five minutes.
const TOLERANCE_SECS: u64 = 5 * 60;
/// Most signatures of one delivery that are tried: each costs an Ed25519 check per key, and a
/// rotation has two.
const MAX_SIGNATURES: usize = 16;
/// What a public key starts with; base64 follows.
const PUBLIC_PREFIX: &str = "whpk_";

/// The names of the three headers, by either brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Headers {
    /// The message's id.
    pub(crate) id: &'static str,
    timestamp: &'static str,
    signature: &'static str,
}

const STANDARD: Headers = Headers {
    id: ID_HEADER,
    timestamp: TIMESTAMP_HEADER,
    signature: SIGNATURE_HEADER,
};
const SVIX: Headers = Headers {
    id: "svix-id",
    timestamp: "svix-timestamp",
    signature: "svix-signature",
};

impl Headers {
    /// Svix's own names where a delivery has none of the standard ones.
    pub(crate) fn of(delivery: &Delivery) -> Headers {
        let is_absent = |name| delivery.header(name) == Err(HeaderError::Missing);
        let has_none = |names: Headers| {
            [names.id, names.timestamp, names.signature]
                .into_iter()
                .all(is_absent)
        };
        if has_none(STANDARD) && !has_none(SVIX) {
            SVIX
        } else {
            STANDARD
        }
    }
}

/// Checks the headers and any one of the signatures.
pub(crate) fn verify(delivery: &Delivery, secrets: &[String], now: u64) -> Result<(), Refusal> {
    let (shared, public) = keys(secrets);
    if shared.is_empty() && public.is_empty() {
        return Err(Refusal::NoSecret);
    }
    let names = Headers::of(delivery);
    let header = |name: &str| {
        delivery.header(name).map_err(|error| match error {
            HeaderError::Missing => Refusal::MissingHeader(name.to_owned()),
            _ => Refusal::MalformedHeader(name.to_owned()),
        })
    };
    let (id, timestamp, signatures) = (
        header(names.id)?,
        header(names.timestamp)?,
        header(names.signature)?,
    );
    if id.is_empty() {
        return Err(Refusal::MalformedHeader(names.id.to_owned()));
    }
    let sent_at: u64 = timestamp
        .parse()
        .map_err(|_| Refusal::MalformedHeader(names.timestamp.to_owned()))?;
    let skew_secs = now.abs_diff(sent_at);
    if skew_secs > TOLERANCE_SECS {
        return Err(Refusal::Stale(skew_secs));
    }
    let expected: Vec<String> = shared
        .iter()
        .map(|secret| secret.sign(id, sent_at, &delivery.body))
        .collect();
    let content = content(id, sent_at, &delivery.body);
    let is_genuine = |signature: &str| match signature.split_once(',') {
        Some(("v1", _)) => verify_token(&expected, signature).is_ok(),
        Some(("v1a", encoded)) => BASE64_STANDARD.decode(encoded).is_ok_and(|signature| {
            ed25519::verify(public.iter().copied(), &content, &signature).is_ok()
        }),
        _ => false,
    };
    let mut candidates = signatures.split(' ').take(MAX_SIGNATURES);
    if candidates.any(is_genuine) {
        Ok(())
    } else {
        Err(Refusal::Mismatch)
    }
}

/// The keys of both schemes; what is blank or cannot be read is none.
fn keys(secrets: &[String]) -> (Vec<Secrets>, Vec<[u8; ed25519::KEY_BYTES]>) {
    let (mut shared, mut public) = (Vec::new(), Vec::new());
    for secret in secrets.iter().map(|secret| secret.trim()) {
        match secret.strip_prefix(PUBLIC_PREFIX) {
            Some(encoded) => public.extend(
                BASE64_STANDARD
                    .decode(encoded)
                    .ok()
                    .and_then(|key| <[u8; ed25519::KEY_BYTES]>::try_from(key).ok()),
            ),
            None => shared.extend(Secrets::one(secret)),
        }
    }
    (shared, public)
}
