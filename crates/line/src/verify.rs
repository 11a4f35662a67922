//! The signature.

use chatly_channel::{Delivery, HeaderError, Refusal};
use chatly_signature::{Encoding, Error};

use crate::SIGNATURE_HEADER;

/// Checks the signature of a delivery against `secrets`, current first.
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
    chatly_signature::verify(secrets, &delivery.body, signature, Encoding::Base64).map_err(
        |error| match error {
            Error::Malformed => malformed(),
            Error::Mismatch => Refusal::Mismatch,
            Error::NoSecret => Refusal::NoSecret,
        },
    )
}
