//! The calls of a verifier that one delivery is worth, cut so that none of them takes long.
//!
//! Anybody can send a body with a signature of the right form, and only the last secret tells that it
//! is nobody's. A call of a verifier cannot be interrupted, so its work is bounded: bytes times
//! secrets. Between two calls the caller gives control back, and so answers others meanwhile.

use crate::{Book, Keyring, Secret};

/// Most bytes that one call works through; SHA-256 in a component does some hundred MiB a second.
/// At least one secret is tried in a call, whatever the body's length.
const MAX_CALL_BYTES: usize = 12 << 20;
/// What a secret costs besides the body, in bytes that take as long: a copy and a key's set-up; an
/// Ed25519 check takes longest.
const SECRET_BYTES: usize = 16 << 10;

/// One call of a verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check<'a> {
    /// What a secret that matches opens.
    pub keyring: &'a Keyring,
    /// The secrets to try; never empty.
    pub secrets: &'a [Secret],
}

impl Book {
    /// The calls that a delivery with a body of so many bytes is worth, in the order to make them, with
    /// every secret of [`Book::keyrings`] once.
    pub fn checks(&self, route_account: Option<&str>, body_bytes: usize) -> Vec<Check<'_>> {
        let at_once = MAX_CALL_BYTES / body_bytes.saturating_add(SECRET_BYTES);
        let keyrings = self.keyrings(route_account).into_iter();
        keyrings
            .flat_map(|keyring| {
                let chunks = keyring.secrets().chunks(at_once.max(1));
                chunks.map(move |secrets| Check { keyring, secrets })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Sources;

    fn book(secrets: usize, accounts: usize) -> Book {
        let list: Vec<String> = (0..secrets).map(|n| format!("general-{n}")).collect();
        let account = |n: usize| {
            format!(
                r#"{{"channel":"line","account":"{n}","platform_client_id":"t","secrets":["own-{n}","old-{n}"]}}"#
            )
        };
        let accounts: Vec<String> = (0..accounts).map(account).collect();
        Book::read(Sources {
            channel: "line",
            secrets: &list.join(","),
            accounts: &format!("[{}]", accounts.join(",")),
            ..Sources::default()
        })
        .unwrap()
    }

    #[test]
    fn a_call_works_through_a_bounded_number_of_bytes() {
        let book = book(1_000, 2);
        for (name, body_bytes, most, calls) in [
            ("a message", 2_000, 684, 4),
            ("the longest body", 3 << 20, 3, 336),
            ("nothing can be that long", usize::MAX, 1, 1_004),
        ] {
            let checks = book.checks(None, body_bytes);
            let longest = checks.iter().map(|check| check.secrets.len()).max();
            assert_eq!((longest, checks.len()), (Some(most), calls), "{name}");
        }
    }

    #[test]
    fn a_route_that_names_an_account_is_one_call() {
        let book = book(3, 500);
        let checks = book.checks(Some("7"), 2_000);
        let secrets: Vec<_> = checks.iter().flat_map(|it| it.secrets).collect();
        assert_eq!(checks.len(), 1);
        assert_eq!(secrets, [&Secret::new("own-7"), &Secret::new("old-7")]);
        assert!(self::book(0, 0).checks(None, 1).is_empty());
    }

    proptest! {
        #[test]
        fn every_secret_is_tried_once_and_in_order(general in 0usize..40, own in 0usize..20, body_bytes in 0usize..5_000_000) {
            let book = book(general, own);
            let tried: Vec<(&Keyring, &Secret)> = book.checks(None, body_bytes).into_iter()
                .flat_map(|check| check.secrets.iter().map(move |secret| (check.keyring, secret)))
                .collect();
            let all: Vec<(&Keyring, &Secret)> = book.keyrings(None).into_iter()
                .flat_map(|keyring| keyring.secrets().iter().map(move |secret| (keyring, secret)))
                .collect();
            prop_assert_eq!(tried, all);
        }
    }
}
