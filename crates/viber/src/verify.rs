//! `X-Viber-Content-Signature`: lower-case hex of the HMAC-SHA256 of the raw body under the bot's
//! auth token.
//!
//! There is no timestamp in the scheme, so nothing here bounds a replay: dedupe keys do.

use chatly_channel::json::Json;
use chatly_channel::{Delivery, HeaderError, Refusal, Reply};
use chatly_signature::{Encoding, Error};

/// The header that carries the signature.
const SIGNATURE_HEADER: &str = "x-viber-content-signature";
/// The longest body that is looked at before its signature: the callback of `set_webhook` has about
/// a hundred bytes. A longer one is stored like every other event.
const MAX_HANDSHAKE_BYTES: usize = 4096;

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
    chatly_signature::verify(secrets, &delivery.body, signature, Encoding::Hex).map_err(|error| {
        match error {
            Error::Malformed => malformed(),
            Error::Mismatch => Refusal::Mismatch,
            Error::NoSecret => Refusal::NoSecret,
        }
    })
}

/// Answers the callback that `set_webhook` makes before it succeeds; none for every other delivery.
pub(crate) fn handshake(delivery: &Delivery, secrets: &[String]) -> Option<Reply> {
    if delivery.method != "POST" || delivery.body.len() > MAX_HANDSHAKE_BYTES {
        return None;
    }
    let event = Json::parse(&delivery.body)?.object()?.string("event")?;
    (event == "webhook").then(|| match verify(delivery, secrets) {
        Ok(()) => Reply {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        },
        Err(Refusal::NoSecret) => {
            Reply::problem(503, "not_configured", "No auth token is configured")
        }
        Err(_) => Reply::problem(
            401,
            "signature_mismatch",
            "The signature is missing or does not match",
        ),
    })
}
