//! Signatures by Standard Webhooks 1.0 (<https://www.standardwebhooks.com>, the specification's
//! "Signature scheme"): HMAC-SHA256 over `id.timestamp.body`, base64, behind `v1,`.
//!
//! 1. A secret that starts with `whsec_` is base64 after that, as the specification writes secrets;
//!    any other is taken as its own bytes.
//! 2. With several secrets there are several signatures, in their order, a space between: a
//!    receiver accepts any, so a secret is exchanged without a gap.
//! 3. Without a secret nothing is signed, and so nothing may be sent.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The header that names the message; the same over all attempts.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the time of the attempt, Unix seconds.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// What a secret in base64 starts with.
const ENCODED_PREFIX: &str = "whsec_";
/// With `=` at the end or without: both are written.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why nothing can be signed. Holds nothing of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no secret.
    #[error("no signing secret")]
    Missing,
    /// The secret at this place of the list, counted from 1, starts with `whsec_` and is not base64
    /// after that.
    #[error("signing secret {0} is not base64 after whsec_")]
    Malformed(usize),
}

/// The keys that messages are signed with, current first.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets(Vec<Vec<u8>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl Secrets {
    /// Reads a list with commas between; blanks around a secret, and blank entries, do not count.
    ///
    /// # Errors
    /// [`Error::Missing`] for a blank list; [`Error::Malformed`] for the first secret that cannot
    /// be read.
    pub fn parse(list: &str) -> Result<Self, Error> {
        let written = list.split(',').map(str::trim).filter(|one| !one.is_empty());
        let keys: Vec<_> = written
            .enumerate()
            .map(|(at, secret)| key(secret).ok_or(Error::Malformed(at + 1)))
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(Error::Missing);
        }
        Ok(Self(keys))
    }

    /// Reads secrets that are a list already, in which a comma is a character like any other.
    ///
    /// # Errors
    /// As for [`Secrets::parse`].
    pub fn list(secrets: &[String]) -> Result<Self, Error> {
        let written = secrets.iter().map(|one| one.trim());
        let keys: Vec<_> = written
            .enumerate()
            .filter(|(_, secret)| !secret.is_empty())
            .map(|(at, secret)| key(secret).ok_or(Error::Malformed(at + 1)))
            .collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(Error::Missing);
        }
        Ok(Self(keys))
    }

    /// Reads one secret, in which a comma is a character like any other.
    ///
    /// # Errors
    /// As for [`Secrets::parse`].
    pub fn one(secret: &str) -> Result<Self, Error> {
        match secret.trim() {
            "" => Err(Error::Missing),
            secret => Ok(Self(vec![key(secret).ok_or(Error::Malformed(1))?])),
        }
    }

    /// The value of [`SIGNATURE_HEADER`] for these of the other two headers and this body.
    pub fn sign(&self, id: &str, timestamp_secs: u64, body: &[u8]) -> String {
        let signatures: Vec<String> = self
            .0
            .iter()
            .filter_map(|key| {
                // HMAC takes a key of any length, so there is no error to see here.
                let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
                mac.update(&content(id, timestamp_secs, body));
                let digest = BASE64_STANDARD.encode(mac.finalize().into_bytes());
                Some(format!("v1,{digest}"))
            })
            .collect();
        signatures.join(" ")
    }
}

/// What a signature covers.
pub fn content(id: &str, timestamp_secs: u64, body: &[u8]) -> Vec<u8> {
    let mut content = format!("{id}.{timestamp_secs}.").into_bytes();
    content.extend_from_slice(body);
    content
}

/// The key that a secret stands for; none when it is not base64 after its prefix.
fn key(secret: &str) -> Option<Vec<u8>> {
    match secret.strip_prefix(ENCODED_PREFIX) {
        Some(encoded) => LENIENT.decode(encoded).ok().filter(|key| !key.is_empty()),
        None => Some(secret.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use http::HeaderMap;
    use proptest::prelude::*;
    use standardwebhooks::Webhook;

    use super::*;

    fn headers(id: &str, timestamp: u64, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ID_HEADER, id.parse().unwrap());
        headers.insert(TIMESTAMP_HEADER, timestamp.into());
        headers.insert(SIGNATURE_HEADER, signature.parse().unwrap());
        headers
    }

    fn now() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
    }

    #[test]
    fn lists_are_read_as_they_are_written() {
        for (name, list, want) in [
            ("nothing", "", Err(Error::Missing)),
            ("blanks and commas", " , ,", Err(Error::Missing)),
            ("raw", "word", Ok(vec![b"word".to_vec()])),
            ("base64", "whsec_d29yZA==", Ok(vec![b"word".to_vec()])),
            (
                "without padding",
                "whsec_d29yZA",
                Ok(vec![b"word".to_vec()]),
            ),
            (
                "two",
                " new , whsec_b2xk ",
                Ok(vec![b"new".to_vec(), b"old".to_vec()]),
            ),
            ("not base64", "new,whsec_!", Err(Error::Malformed(2))),
            ("an empty key", "whsec_", Err(Error::Malformed(1))),
        ] {
            assert_eq!(
                Secrets::parse(list).map(|secrets| secrets.0),
                want,
                "{name}"
            );
        }
    }

    #[test]
    fn one_secret_may_hold_a_comma() {
        for (secret, want) in [
            (" ", Err(Error::Missing)),
            ("a,b", Ok(vec![b"a,b".to_vec()])),
            (" whsec_d29yZA== ", Ok(vec![b"word".to_vec()])),
            ("whsec_!", Err(Error::Malformed(1))),
        ] {
            assert_eq!(Secrets::one(secret).map(|it| it.0), want, "{secret}");
        }
    }

    #[test]
    fn a_list_signs_with_each_of_its_secrets() {
        for (name, list, want) in [
            ("none", &[][..], Err(Error::Missing)),
            ("blank", &[" "], Err(Error::Missing)),
            (
                "two",
                &["a,b", " whsec_b2xk "],
                Ok(vec![b"a,b".to_vec(), b"old".to_vec()]),
            ),
            ("not base64", &["", "whsec_!"], Err(Error::Malformed(2))),
        ] {
            let list: Vec<String> = list.iter().map(|&one| one.to_owned()).collect();
            assert_eq!(Secrets::list(&list).map(|it| it.0), want, "{name}");
        }
    }

    #[test]
    fn the_specifications_example_comes_out() {
        // From the reference library's own tests.
        let secrets = Secrets::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secrets.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_do_not_show_when_printed() {
        let secrets = Secrets::parse("word").unwrap();
        assert_eq!(format!("{secrets:?}"), "[redacted]");
    }

    proptest! {
        #[test]
        fn the_reference_library_accepts_each_secret_of_a_rotation(
            current in proptest::collection::vec(any::<u8>(), 1..64),
            previous in "[!-+\\--~]{1,64}",
            body in "\\PC*",
        ) {
            prop_assume!(!previous.starts_with(ENCODED_PREFIX));
            let list = format!("whsec_{},{previous}", BASE64_STANDARD.encode(&current));
            let timestamp = now();
            let signature = Secrets::parse(&list).unwrap().sign("msg_1", timestamp, body.as_bytes());
            let headers = headers("msg_1", timestamp, &signature);
            for key in [current, previous.into_bytes()] {
                let receiver = Webhook::from_bytes(key).unwrap();
                prop_assert!(receiver.verify(body.as_bytes(), &headers).is_ok());
            }
        }

        #[test]
        fn any_flipped_bit_is_refused(
            body in "[ -~]{1,200}",
            at in any::<prop::sample::Index>(),
            // The reference library wants text, which these bits leave it.
            bit in 0..7u8,
        ) {
            let body = body.into_bytes();
            let timestamp = now();
            let signature = Secrets::parse("word").unwrap().sign("msg_1", timestamp, &body);
            let receiver = Webhook::from_bytes(b"word".to_vec()).unwrap();
            let mut changed = body.clone();
            changed[at.index(body.len())] ^= 1 << bit;
            prop_assert!(receiver.verify(&body, &headers("msg_1", timestamp, &signature)).is_ok());
            prop_assert!(receiver.verify(&changed, &headers("msg_1", timestamp, &signature)).is_err());
            prop_assert!(receiver.verify(&body, &headers("msg_2", timestamp, &signature)).is_err());
            prop_assert!(receiver.verify(&body, &headers("msg_1", timestamp - 1, &signature)).is_err());
        }
    }
}
