//! HMAC signatures over raw bytes, and those of [`ed25519`].
//!
//! 1. A delivery is genuine when any secret of the list matches: the current one comes first, a
//!    previous one stays for as long as a rotation takes.
//! 2. A blank secret is no secret. Where none is left, nothing is accepted.
//! 3. Signatures and tokens are compared in constant time.
//!
//! It reads no header and no clock; errors hold neither key nor signature.
#![deny(missing_docs)]

pub mod ed25519;
pub mod sha1;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

/// Bytes of an HMAC-SHA256 (FIPS 198-1 over FIPS 180-4).
const SHA256_BYTES: usize = 32;

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The signature is not of its encoding's form.
    #[error("the signature is malformed")]
    Malformed,
    /// No secret matches.
    #[error("no secret matches")]
    Mismatch,
    /// There is no secret but blank ones.
    #[error("no secret is configured")]
    NoSecret,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Lower-case hex.
    Hex,
    /// Standard base64 with padding.
    Base64,
}

impl Encoding {
    fn decode(self, text: &str) -> Option<[u8; SHA256_BYTES]> {
        match self {
            Encoding::Hex => unhex(text),
            Encoding::Base64 => STANDARD.decode(text).ok()?.try_into().ok(),
        }
    }

    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Encoding::Hex => hex(bytes),
            Encoding::Base64 => STANDARD.encode(bytes),
        }
    }
}

/// Checks a signature of `message` against `secrets`.
pub fn verify(
    secrets: &[String],
    message: &[u8],
    signature: &str,
    encoding: Encoding,
) -> Result<(), Error> {
    let mut secrets = usable(secrets).peekable();
    if secrets.peek().is_none() {
        return Err(Error::NoSecret);
    }
    let signature = encoding.decode(signature).ok_or(Error::Malformed)?;
    let genuine = secrets
        .any(|secret| mac(secret, message).is_some_and(|mac| mac.verify_slice(&signature).is_ok()));
    if genuine {
        Ok(())
    } else {
        Err(Error::Mismatch)
    }
}

/// The signature of `message`; none when the secret is blank.
pub fn sign(secret: &str, message: &[u8], encoding: Encoding) -> Option<String> {
    let mac = usable(std::slice::from_ref(&secret))
        .next()
        .and_then(|secret| mac(secret, message))?;
    Some(encoding.encode(&mac.finalize().into_bytes()))
}

/// Checks a token that travels as it is against `tokens`. Both sides are hashed first, so that the
/// time says nothing about length either.
pub fn verify_token(tokens: &[String], given: &str) -> Result<(), Error> {
    let mut tokens = usable(tokens).peekable();
    if tokens.peek().is_none() {
        return Err(Error::NoSecret);
    }
    // The key is public: equal digests are what is asked for, compared in constant time.
    let given = sha256(given.as_bytes());
    let genuine = tokens.any(|token| {
        mac("token", &sha256(token.as_bytes()))
            .zip(mac("token", &given))
            .is_some_and(|(ours, theirs)| {
                ours.verify_slice(&theirs.finalize().into_bytes()).is_ok()
            })
    });
    if genuine {
        Ok(())
    } else {
        Err(Error::Mismatch)
    }
}

/// SHA-256 in lower-case hex: for keys of things that have no id.
pub fn sha256_hex(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    hex(&digest.finalize())
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// The bytes of exactly twice as many lower-case hex digits.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| Some(digit(high)? << 4 | digit(low)?))
        .collect();
    bytes?.try_into().ok()
}

fn usable<S: AsRef<str>>(secrets: &[S]) -> impl Iterator<Item = &str> {
    secrets
        .iter()
        .map(|secret| secret.as_ref().trim())
        .filter(|secret| !secret.is_empty())
}

fn mac(secret: &str, message: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(message);
    Some(mac)
}

fn sha256(bytes: &[u8]) -> [u8; SHA256_BYTES] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(secrets: &[&str]) -> Vec<String> {
        secrets.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn agrees_with_the_test_vectors_of_rfc_4231() {
        assert_eq!(
            sign("Jefe", b"what do ya want for nothing?", Encoding::Hex).unwrap(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            sign("Jefe", b"what do ya want for nothing?", Encoding::Base64).unwrap(),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="
        );
    }

    #[test]
    fn secrets_are_tried_in_turn_and_blank_ones_are_none() {
        let signature = sign("now", b"body", Encoding::Hex).unwrap();
        for (name, secrets, want) in [
            ("current", list(&["now", "before"]), Ok(())),
            ("previous", list(&["new", "now"]), Ok(())),
            ("with blanks around", list(&["", " now "]), Ok(())),
            ("another", list(&["new"]), Err(Error::Mismatch)),
            ("none", list(&[]), Err(Error::NoSecret)),
            (
                "blank ones",
                list(&["", "  ", "\t\n"]),
                Err(Error::NoSecret),
            ),
        ] {
            assert_eq!(
                verify(&secrets, b"body", &signature, Encoding::Hex),
                want,
                "{name}"
            );
        }
        assert_eq!(sign(" ", b"body", Encoding::Hex), None);
    }

    #[test]
    fn only_the_exact_form_is_read() {
        let hex = sign("s", b"body", Encoding::Hex).unwrap();
        let base64 = sign("s", b"body", Encoding::Base64).unwrap();
        for (name, signature, encoding, want) in [
            ("hex", hex.clone(), Encoding::Hex, Ok(())),
            (
                "upper case",
                hex.to_uppercase(),
                Encoding::Hex,
                Err(Error::Malformed),
            ),
            (
                "a digit short",
                hex[1..].to_owned(),
                Encoding::Hex,
                Err(Error::Malformed),
            ),
            (
                "two digits more",
                format!("{hex}00"),
                Encoding::Hex,
                Err(Error::Malformed),
            ),
            (
                "no hex",
                "ä".repeat(32),
                Encoding::Hex,
                Err(Error::Malformed),
            ),
            ("empty", String::new(), Encoding::Hex, Err(Error::Malformed)),
            ("base64", base64.clone(), Encoding::Base64, Ok(())),
            (
                "without padding",
                base64.replace('=', ""),
                Encoding::Base64,
                Err(Error::Malformed),
            ),
            (
                "empty base64",
                String::new(),
                Encoding::Base64,
                Err(Error::Malformed),
            ),
        ] {
            assert_eq!(
                verify(&list(&["s"]), b"body", &signature, encoding),
                want,
                "{name}"
            );
        }
    }

    #[test]
    fn tokens_are_equal_or_not() {
        for (name, tokens, given, want) in [
            ("equal", list(&["a"]), "a", Ok(())),
            ("second", list(&["b", "a"]), "a", Ok(())),
            ("longer", list(&["a"]), "ab", Err(Error::Mismatch)),
            ("empty", list(&["a"]), "", Err(Error::Mismatch)),
            ("blank list", list(&[""]), "", Err(Error::NoSecret)),
        ] {
            assert_eq!(verify_token(&tokens, given), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies(secret in "[!-~]{1,80}", body: Vec<u8>) {
            for encoding in [Encoding::Hex, Encoding::Base64] {
                let signature = sign(&secret, &body, encoding).unwrap();
                prop_assert_eq!(verify(std::slice::from_ref(&secret), &body, &signature, encoding), Ok(()));
            }
        }

        #[test]
        fn any_flipped_bit_is_refused(body in proptest::collection::vec(any::<u8>(), 1..200), at: usize, bit in 0u8..8) {
            let secrets = list(&["secret"]);
            for encoding in [Encoding::Hex, Encoding::Base64] {
                let signature = sign("secret", &body, encoding).unwrap();
                let mut flipped = body.clone();
                flipped[at % body.len()] ^= 1 << bit;
                prop_assert_eq!(verify(&secrets, &flipped, &signature, encoding), Err(Error::Mismatch));

                let mut flipped = signature.clone().into_bytes();
                let at = at % flipped.len();
                flipped[at] ^= 1 << bit;
                if let Ok(flipped) = String::from_utf8(flipped) {
                    prop_assert!(verify(&secrets, &body, &flipped, encoding).is_err());
                }
            }
        }

        #[test]
        fn nothing_panics(secret: String, body: Vec<u8>, signature: String) {
            let _ = verify(std::slice::from_ref(&secret), &body, &signature, Encoding::Hex);
            let _ = verify(&[secret], &body, &signature, Encoding::Base64);
        }
    }
}
