//! Ed25519 signatures (RFC 8032) over raw bytes.
//!
//! 1. A signature must be the only one of its kind: points of small order and scalars beyond the
//!    group's order are refused, as the crate's "strict" check does.
//! 2. What is no point of the curve is no key. Where none is left, nothing is accepted.
//!
//! It draws no keys, so it needs no randomness: signing is for tests and simulators, which have a seed.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::Error;

/// Bytes of a public key, and of the seed of a private one.
pub const KEY_BYTES: usize = 32;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// Checks a signature of `message` against public keys, current first.
///
/// # Errors
/// [`Error::NoSecret`] without a usable key, [`Error::Malformed`] for a signature that is not of 64
/// bytes, [`Error::Mismatch`] when no key matches.
pub fn verify(
    keys: impl IntoIterator<Item = [u8; KEY_BYTES]>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Error> {
    let usable = |key: &[u8; KEY_BYTES]| VerifyingKey::from_bytes(key).ok();
    let keys: Vec<VerifyingKey> = keys.into_iter().filter_map(|key| usable(&key)).collect();
    if keys.is_empty() {
        return Err(Error::NoSecret);
    }
    let signature = Signature::from_slice(signature).map_err(|_| Error::Malformed)?;
    if keys
        .iter()
        .any(|key| key.verify_strict(message, &signature).is_ok())
    {
        Ok(())
    } else {
        Err(Error::Mismatch)
    }
}

/// The signature of `message`.
pub fn sign(seed: &[u8; KEY_BYTES], message: &[u8]) -> [u8; SIGNATURE_BYTES] {
    SigningKey::from_bytes(seed).sign(message).to_bytes()
}

/// The public key of a seed.
pub fn public_key(seed: &[u8; KEY_BYTES]) -> [u8; KEY_BYTES] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unhex;
    use proptest::prelude::*;

    #[test]
    fn agrees_with_the_test_vectors_of_rfc_8032() {
        for (seed, key, message, signature) in [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                &[][..],
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                &[0x72],
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
        ] {
            let (seed, key) = (unhex(seed).unwrap(), unhex(key).unwrap());
            let signature: [u8; SIGNATURE_BYTES] = unhex(signature).unwrap();
            assert_eq!(public_key(&seed), key);
            assert_eq!(sign(&seed, message), signature);
            assert_eq!(verify([key], message, &signature), Ok(()));
        }
    }

    #[test]
    fn keys_are_tried_in_turn_and_what_is_no_key_is_none() {
        let (ours, other) = (public_key(&[1; 32]), public_key(&[2; 32]));
        // No point has this y: RFC 8032, section 5.1.3.
        let no_point = [2; 32].map(|_: u8| 0x02);
        let signature = sign(&[1; 32], b"body");
        for (name, keys, signature, want) in [
            ("current", vec![ours, other], &signature[..], Ok(())),
            ("previous", vec![other, ours], &signature, Ok(())),
            ("another", vec![other], &signature, Err(Error::Mismatch)),
            ("none", vec![], &signature, Err(Error::NoSecret)),
            ("short", vec![ours], &signature[1..], Err(Error::Malformed)),
            ("empty", vec![ours], &[], Err(Error::Malformed)),
        ] {
            assert_eq!(verify(keys, b"body", signature), want, "{name}");
        }
        assert!(verify([no_point], b"body", &signature).is_err());
    }

    #[test]
    fn a_key_of_small_order_signs_nothing() {
        // The neutral element as key and as R, zero as S: it satisfies the equation of the
        // signature for every message, and only a strict check refuses it.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let signature = [neutral, [0; 32]].concat();
        assert_eq!(verify([neutral], b"any", &signature), Err(Error::Mismatch));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_is_refused(seed: [u8; 32], body in proptest::collection::vec(any::<u8>(), 1..99), at: usize, bit in 0u8..8) {
            let (key, signature) = (public_key(&seed), sign(&seed, &body));
            prop_assert_eq!(verify([key], &body, &signature), Ok(()));
            let mut flipped = body.clone();
            flipped[at % body.len()] ^= 1 << bit;
            prop_assert_eq!(verify([key], &flipped, &signature), Err(Error::Mismatch));
            let mut flipped = signature;
            flipped[at % 64] ^= 1 << bit;
            prop_assert!(verify([key], &body, &flipped).is_err());
        }

        #[test]
        fn nothing_panics(key: [u8; 32], body: Vec<u8>, signature in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(verify([key], &body, &signature).is_err());
        }
    }
}
