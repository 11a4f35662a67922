//! The bearer key of RFC 6750, section 2.1.

use chatly_respond::{Response, unauthorized, unavailable};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How long a caller may wait before it asks an unconfigured service again: a person has to act.
const RETRY_AFTER_SECS: u32 = 60;

/// Why a caller was refused. Holds nothing of what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No key is configured, or a blank one: nobody can be let in.
    #[error("no key is configured")]
    NotConfigured,
    /// No `Authorization: Bearer …` was sent.
    #[error("no bearer key was sent")]
    Missing,
    /// A bearer key was sent, and it is not ours.
    #[error("the bearer key is wrong")]
    Wrong,
}

impl Error {
    /// The answer for the caller: 503 when nothing is configured, else 401.
    pub fn response(self) -> Response {
        match self {
            Error::NotConfigured => unavailable(
                "not_configured",
                "This service has no key configured.",
                RETRY_AFTER_SECS,
            ),
            Error::Missing => {
                unauthorized("unauthorized", "Send Authorization: Bearer with the key.")
            }
            Error::Wrong => unauthorized("unauthorized", "The key is not valid."),
        }
    }
}

/// Checks the value of an `Authorization` header against `key`. The scheme's name has no case
/// (RFC 9110, section 11.1).
pub fn check_bearer(authorization: Option<&[u8]>, key: &str) -> Result<(), Error> {
    let key = key.trim();
    if key.is_empty() {
        return Err(Error::NotConfigured);
    }
    let sent = authorization.and_then(bearer_token).ok_or(Error::Missing)?;
    // Digests are of one length, so the comparison does not show how long the key is.
    let same: bool = Sha256::digest(sent).ct_eq(&Sha256::digest(key)).into();
    if same { Ok(()) } else { Err(Error::Wrong) }
}

fn bearer_token(authorization: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = authorization.split_at_checked(b"Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_configured_key_is_let_in() {
        for (name, authorization, key, want) in [
            ("right", Some("Bearer s3cret"), "s3cret", Ok(())),
            (
                "scheme in other case",
                Some("bEARER s3cret"),
                "s3cret",
                Ok(()),
            ),
            ("space around", Some("Bearer  s3cret "), " s3cret\n", Ok(())),
            ("no header", None, "s3cret", Err(Error::Missing)),
            ("no token", Some("Bearer "), "s3cret", Err(Error::Missing)),
            (
                "other scheme",
                Some("Basic s3cret"),
                "s3cret",
                Err(Error::Missing),
            ),
            ("scheme only", Some("Bearer"), "s3cret", Err(Error::Missing)),
            ("bare key", Some("s3cret"), "s3cret", Err(Error::Missing)),
            ("shorter", Some("Bearer s3cre"), "s3cret", Err(Error::Wrong)),
            (
                "longer",
                Some("Bearer s3crets"),
                "s3cret",
                Err(Error::Wrong),
            ),
            (
                "blank key",
                Some("Bearer x"),
                " ",
                Err(Error::NotConfigured),
            ),
            (
                "empty key, empty token",
                Some("Bearer "),
                "",
                Err(Error::NotConfigured),
            ),
        ] {
            assert_eq!(
                check_bearer(authorization.map(str::as_bytes), key),
                want,
                "{name}"
            );
        }
    }

    #[test]
    fn a_missing_configuration_is_ours_and_a_wrong_key_is_the_callers() {
        for (error, status) in [
            (Error::NotConfigured, 503),
            (Error::Missing, 401),
            (Error::Wrong, 401),
        ] {
            assert_eq!(error.response().status(), status, "{error}");
        }
    }

    proptest! {
        #[test]
        fn a_key_with_one_bit_flipped_is_refused(key in "[!-~]{1,40}", at: prop::sample::Index, bit in 0..8u32) {
            let mut sent = format!("Bearer {key}").into_bytes();
            prop_assert_eq!(check_bearer(Some(&sent), &key), Ok(()));
            let at = 7 + at.index(key.len());
            sent[at] ^= 1 << bit;
            prop_assert!(check_bearer(Some(&sent), &key).is_err());
        }

        #[test]
        fn no_header_makes_it_panic(sent in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert!(check_bearer(Some(&sent), "not-in-the-strategy-0123456789-0123456789").is_err());
        }
    }
}
