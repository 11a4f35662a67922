//! What WhatsApp, Messenger and Instagram share: signature, subscription handshake, envelope.
//!
//! Rules, all from Meta's webhook documentation:
//! 1. [`verify`]: `X-Hub-Signature-256: sha256=<64 lower-case hex>` is the HMAC-SHA256 of the raw
//!    body under the app secret. The legacy `X-Hub-Signature` (`sha1=`) counts for nothing.
//! 2. [`handshake`]: a GET is answered with its challenge when its token is one of ours.
//! 3. [`walk`]: every item of `entry[]`, `changes[]`, `messaging[]` and `standby[]`; what does not
//!    have the form is handed on as broken, never dropped.
//! 4. [`notice`] reads what changes of a template or an account say, [`graph`] what the answer to a
//!    send means.
//!
//! There is no timestamp in the scheme, so nothing here bounds a replay: dedupe keys do.
#![deny(missing_docs)]

mod envelope;
pub mod graph;
mod handshake;
mod notice;

pub use envelope::{Entry, Item, walk};
pub use handshake::handshake;
pub use notice::notice;

use chatly_channel::{Delivery, HeaderError, Refusal};
use chatly_signature::{Encoding, Error};

/// The header that carries the signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// The most that Meta sends in one delivery, by its documentation.
pub const MAX_BODY_BYTES: u32 = 3 * 1024 * 1024;

/// Checks the signature of a delivery against `secrets`, current first.
pub fn verify(delivery: &Delivery, secrets: &[String]) -> Result<(), Refusal> {
    let malformed = || Refusal::MalformedHeader(SIGNATURE_HEADER.to_owned());
    if secrets.iter().all(|secret| secret.trim().is_empty()) {
        return Err(Refusal::NoSecret);
    }
    let value = delivery
        .header(SIGNATURE_HEADER)
        .map_err(|error| match error {
            HeaderError::Missing => Refusal::MissingHeader(SIGNATURE_HEADER.to_owned()),
            HeaderError::Repeated | HeaderError::NotText => malformed(),
        })?;
    let signature = value.strip_prefix("sha256=").ok_or_else(malformed)?;
    chatly_signature::verify(secrets, &delivery.body, signature, Encoding::Hex).map_err(|error| {
        match error {
            Error::Malformed => malformed(),
            Error::Mismatch => Refusal::Mismatch,
            Error::NoSecret => Refusal::NoSecret,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatly_channel::Header;
    use proptest::prelude::*;

    fn signed(body: &[u8]) -> Delivery {
        let signature = chatly_signature::sign("secret", body, Encoding::Hex).unwrap();
        Delivery {
            method: "POST".into(),
            url: "https://example.org/webhooks/whatsapp".into(),
            headers: vec![Header::new(
                "X-Hub-Signature-256",
                &format!("sha256={signature}"),
            )],
            body: body.to_vec(),
        }
    }

    #[test]
    fn only_a_sha256_signature_that_stands_once_is_accepted() {
        let secrets = ["secret".to_owned()];
        let good = signed(b"{}");
        let value = good.header(SIGNATURE_HEADER).unwrap().to_owned();
        let missing = Refusal::MissingHeader(SIGNATURE_HEADER.into());
        let malformed = Refusal::MalformedHeader(SIGNATURE_HEADER.into());
        let sha1 = Header::new(
            "X-Hub-Signature",
            "sha1=8a4bd8e6c1b1f3f1dbd8b1b1f3f1dbd8b1b1f3f1",
        );
        let twice = vec![
            Header::new(SIGNATURE_HEADER, &value),
            Header::new(SIGNATURE_HEADER, &value),
        ];
        for (name, headers, want) in [
            ("good", good.headers.clone(), Ok(())),
            (
                "beside the legacy one",
                [vec![sha1.clone()], good.headers.clone()].concat(),
                Ok(()),
            ),
            ("none", vec![], Err(missing.clone())),
            ("only the legacy one", vec![sha1], Err(missing)),
            ("twice", twice, Err(malformed.clone())),
            (
                "no scheme",
                vec![Header::new(SIGNATURE_HEADER, &value[7..])],
                Err(malformed.clone()),
            ),
            (
                "upper case",
                vec![Header::new(SIGNATURE_HEADER, &value.to_uppercase())],
                Err(malformed.clone()),
            ),
            (
                "cut off",
                vec![Header::new(SIGNATURE_HEADER, &value[..70])],
                Err(malformed),
            ),
        ] {
            let delivery = Delivery {
                headers,
                ..good.clone()
            };
            assert_eq!(verify(&delivery, &secrets), want, "{name}");
        }
        assert_eq!(verify(&good, &[" ".to_owned()]), Err(Refusal::NoSecret));
        assert_eq!(verify(&good, &["other".to_owned()]), Err(Refusal::Mismatch));
    }

    /// Meta publishes none. GitHub signs by the same header and scheme, and does:
    /// <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.
    #[test]
    fn the_published_vector_of_the_scheme_is_accepted() {
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let delivery = Delivery {
            headers: vec![Header::new(SIGNATURE_HEADER, signature)],
            body: b"Hello, World!".to_vec(),
            ..signed(b"")
        };
        let secret = "It's a Secret to Everybody".to_owned();
        assert_eq!(verify(&delivery, &[secret]), Ok(()));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_of_the_body_is_refused(body in proptest::collection::vec(any::<u8>(), 1..100), at: usize, bit in 0u8..8) {
            let mut delivery = signed(&body);
            prop_assert_eq!(verify(&delivery, &["secret".to_owned()]), Ok(()));
            delivery.body[at % body.len()] ^= 1 << bit;
            prop_assert_eq!(verify(&delivery, &["secret".to_owned()]), Err(Refusal::Mismatch));
        }
    }
}
