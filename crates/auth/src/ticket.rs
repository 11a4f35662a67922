//! One-minute tickets for an address that can carry no header.
//!
//! 1. A ticket is `base64url(expiry ‖ scope) "." base64url(tag)`: the expiry as eight bytes of Unix
//!    seconds, big-endian; the scope as `0` for all tenants, or `1` and the tenant; the tag
//!    HMAC-SHA-256 over the first part's bytes.
//! 2. The tag's key is derived from the API key, so a ticket can never be used as one, and changing
//!    the API key ends all tickets.
//! 3. A ticket is not used up by being used: within its minute it opens any number of streams of
//!    its own scope. It appears in addresses, and addresses appear in logs, hence the minute.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How long a ticket is good for: long enough to open a stream with it, too short to pass around.
pub const LIFETIME_SECS: u64 = 60;

/// The longest ticket that is looked at; a sender controls it. A tenant of 600 bytes still fits.
const MAX_CHARS: usize = 1024;

/// What the tag's key is derived for.
const PURPOSE: &[u8] = b"chatly events ticket, version 1";

/// Why a ticket was refused. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No key is configured, or a blank one.
    #[error("no key is configured")]
    NotConfigured,
    /// Not a ticket of ours.
    #[error("the ticket is not valid")]
    Invalid,
    /// It was ours, and its minute is over.
    #[error("the ticket has expired")]
    Expired,
}

/// Whose events a ticket's holder may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Those of every tenant.
    All,
    /// Those of one.
    Tenant(String),
}

/// Makes a ticket that is good for [`LIFETIME_SECS`] from `now_secs`.
pub fn issue(key: &str, scope: &Scope, now_secs: u64) -> Result<String, Error> {
    let mut claims = now_secs
        .saturating_add(LIFETIME_SECS)
        .to_be_bytes()
        .to_vec();
    match scope {
        Scope::All => claims.push(0),
        Scope::Tenant(tenant) => {
            claims.push(1);
            claims.extend_from_slice(tenant.as_bytes());
        }
    }
    let tag = mac(key, &claims)?.finalize().into_bytes();
    Ok(format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(&claims),
        URL_SAFE_NO_PAD.encode(tag)
    ))
}

/// Checks a ticket and gives its scope. The tag is compared in constant time, and before anything
/// in the ticket is believed.
pub fn check(key: &str, ticket: &str, now_secs: u64) -> Result<Scope, Error> {
    if key.trim().is_empty() {
        return Err(Error::NotConfigured);
    }
    if ticket.len() > MAX_CHARS {
        return Err(Error::Invalid);
    }
    let (claims, tag) = ticket.split_once('.').ok_or(Error::Invalid)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Error::Invalid)?;
    let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| Error::Invalid)?;
    mac(key, &claims)?
        .verify_slice(&tag)
        .map_err(|_| Error::Invalid)?;
    let (expiry, scope) = claims.split_first_chunk::<8>().ok_or(Error::Invalid)?;
    let scope = match scope.split_first() {
        Some((0, [])) => Scope::All,
        Some((1, tenant)) => {
            Scope::Tenant(String::from_utf8(tenant.to_vec()).map_err(|_| Error::Invalid)?)
        }
        _ => return Err(Error::Invalid),
    };
    if now_secs >= u64::from_be_bytes(*expiry) {
        Err(Error::Expired)
    } else {
        Ok(scope)
    }
}

fn mac(key: &str, claims: &[u8]) -> Result<Hmac<Sha256>, Error> {
    let key = key.trim();
    if key.is_empty() {
        return Err(Error::NotConfigured);
    }
    // HMAC takes a key of any length; the error cannot happen.
    let mut derive =
        Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|_| Error::NotConfigured)?;
    derive.update(PURPOSE);
    let mut tag = Hmac::<Sha256>::new_from_slice(&derive.finalize().into_bytes())
        .map_err(|_| Error::NotConfigured)?;
    tag.update(claims);
    Ok(tag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: &str = "operator-key";

    #[test]
    fn a_ticket_is_good_for_one_minute() {
        let ticket = issue(KEY, &Scope::All, 1_000).unwrap();
        for (name, key, now_secs, want) in [
            ("at once", KEY, 1_000, Ok(Scope::All)),
            ("last second", KEY, 1_059, Ok(Scope::All)),
            ("one second late", KEY, 1_060, Err(Error::Expired)),
            ("other key", "another", 1_000, Err(Error::Invalid)),
            ("blank key", " ", 1_000, Err(Error::NotConfigured)),
        ] {
            assert_eq!(check(key, &ticket, now_secs), want, "{name}");
        }
    }

    #[test]
    fn what_is_no_ticket_is_refused() {
        let ticket = issue(KEY, &Scope::Tenant("acme".into()), 1_000).unwrap();
        let (claims, tag) = ticket.split_once('.').unwrap();
        let untagged_scope = URL_SAFE_NO_PAD.encode([0; 8]);
        for (name, text) in [
            ("empty", String::new()),
            ("no dot", claims.to_owned()),
            ("no tag", format!("{claims}.")),
            ("short tag", format!("{claims}.{}", &tag[..tag.len() - 2])),
            ("padded", format!("{claims}=.{tag}")),
            ("swapped", format!("{tag}.{claims}")),
            ("not base64", "!!.??".to_owned()),
            ("no scope", format!("{untagged_scope}.{tag}")),
            ("very long", "A".repeat(2_000)),
            ("the key itself", KEY.to_owned()),
        ] {
            assert_eq!(check(KEY, &text, 1_000), Err(Error::Invalid), "{name}");
        }
    }

    #[test]
    fn a_blank_key_makes_no_tickets() {
        assert_eq!(issue("", &Scope::All, 0), Err(Error::NotConfigured));
        assert_eq!(issue(" \t", &Scope::All, 0), Err(Error::NotConfigured));
    }

    proptest! {
        #[test]
        fn every_scope_comes_back(tenant in proptest::option::of(".{0,40}"), now_secs in 0..u64::MAX / 2) {
            let scope = tenant.map_or(Scope::All, Scope::Tenant);
            let ticket = issue(KEY, &scope, now_secs).unwrap();
            prop_assert!(ticket.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
            prop_assert_eq!(check(KEY, &ticket, now_secs), Ok(scope));
        }

        #[test]
        fn any_changed_character_is_refused(at: prop::sample::Index, to in "[A-Za-z0-9_.-]") {
            let ticket = issue(KEY, &Scope::Tenant("acme".into()), 1_000).unwrap();
            let at = at.index(ticket.len());
            let mut changed = ticket.clone();
            changed.replace_range(at..=at, &to);
            prop_assume!(changed != ticket);
            prop_assert!(check(KEY, &changed, 1_000).is_err());
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            prop_assert!(check(KEY, &text, 1_000).is_err());
        }
    }
}
