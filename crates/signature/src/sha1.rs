//! HMAC-SHA1 in base64, which Twilio still signs with.
//!
//! 1. SHA-1 collides, HMAC-SHA1 does not follow: no forgery is known (RFC 6194, section 3.3). It is
//!    here for senders that have nothing newer, and for nothing of our own.
//! 2. One signature may stand for any of several messages, since what was signed depends on how
//!    the sender wrote the URL; each is tried under each secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::{Error, usable};

/// Bytes of an HMAC-SHA1 (FIPS 198-1 over FIPS 180-4).
const SHA1_BYTES: usize = 20;

/// Checks a signature of any of `messages` against `secrets`.
pub fn verify(secrets: &[String], messages: &[Vec<u8>], signature: &str) -> Result<(), Error> {
    let mut secrets = usable(secrets).peekable();
    if secrets.peek().is_none() {
        return Err(Error::NoSecret);
    }
    let signature: [u8; SHA1_BYTES] = STANDARD
        .decode(signature)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Error::Malformed)?;
    let genuine = secrets.any(|secret| {
        messages.iter().any(|message| {
            mac(secret, message).is_some_and(|mac| mac.verify_slice(&signature).is_ok())
        })
    });
    if genuine {
        Ok(())
    } else {
        Err(Error::Mismatch)
    }
}

/// The signature of `message`; none when the secret is blank.
pub fn sign(secret: &str, message: &[u8]) -> Option<String> {
    let mac = usable(std::slice::from_ref(&secret))
        .next()
        .and_then(|secret| mac(secret, message))?;
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

fn mac(secret: &str, message: &[u8]) -> Option<Hmac<Sha1>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(message);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(secrets: &[&str]) -> Vec<String> {
        secrets.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn agrees_with_the_test_vectors_of_rfc_2202() {
        let signature = sign("Jefe", b"what do ya want for nothing?").unwrap();
        assert_eq!(
            crate::hex(&STANDARD.decode(signature).unwrap()),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
    }

    #[test]
    fn any_secret_may_have_signed_any_message() {
        let signature = sign("now", b"b").unwrap();
        let messages = [b"a".to_vec(), b"b".to_vec()];
        for (name, secrets, messages, want) in [
            ("current", list(&["now"]), &messages[..], Ok(())),
            ("previous", list(&["new", " now "]), &messages[..], Ok(())),
            (
                "another message",
                list(&["now"]),
                &messages[..1],
                Err(Error::Mismatch),
            ),
            ("no message", list(&["now"]), &[], Err(Error::Mismatch)),
            (
                "another secret",
                list(&["new"]),
                &messages[..],
                Err(Error::Mismatch),
            ),
            (
                "blank secrets",
                list(&["", " \t"]),
                &messages[..],
                Err(Error::NoSecret),
            ),
        ] {
            assert_eq!(verify(&secrets, messages, &signature), want, "{name}");
        }
        assert_eq!(sign(" ", b"b"), None);
    }

    #[test]
    fn only_the_exact_form_is_read() {
        let good = sign("s", b"body").unwrap();
        for (name, signature) in [
            ("without padding", good.replace('=', "")),
            ("a letter short", good[1..].to_owned()),
            ("more", format!("{good}A")),
            ("empty", String::new()),
            (
                "a SHA-256",
                crate::sign("s", b"body", crate::Encoding::Base64).unwrap(),
            ),
        ] {
            assert_eq!(
                verify(&list(&["s"]), &[b"body".to_vec()], &signature),
                Err(Error::Malformed),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_refused(body in proptest::collection::vec(any::<u8>(), 1..200), at: usize, bit in 0u8..8) {
            let secrets = list(&["secret"]);
            let signature = sign("secret", &body).unwrap();
            prop_assert_eq!(verify(&secrets, std::slice::from_ref(&body), &signature), Ok(()));
            let mut flipped = body.clone();
            flipped[at % body.len()] ^= 1 << bit;
            prop_assert_eq!(verify(&secrets, &[flipped], &signature), Err(Error::Mismatch));
            let mut flipped = signature.into_bytes();
            let at = at % flipped.len();
            flipped[at] ^= 1 << bit;
            if let Ok(flipped) = String::from_utf8(flipped) {
                prop_assert!(verify(&secrets, &[body], &flipped).is_err());
            }
        }
    }
}
