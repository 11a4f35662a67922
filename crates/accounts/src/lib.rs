//! Whose secret opens what: the configuration of one channel.
//!
//! 1. A channel has general secrets (a comma-separated variable, current first) and, in the
//!    `accounts` document, accounts that may bring secrets of their own.
//! 2. An account that is listed **with** secrets accepts only those. Every other account, listed or
//!    not, accepts only the general ones. So one tenant's secret never speaks for another tenant,
//!    and a general secret that leaked does not open the accounts that have their own.
//! 3. A delivery is genuine or not as a whole: when it carries one event that its secret may not
//!    carry, it is refused whole.
//! 4. Several accounts may list the same secret (one app, many numbers): a delivery proven by it may
//!    carry events of all of them. A business-level id counts as an account; list it too where its
//!    notices come in under an account's own secret.
//! 5. An event that names no account (a body that could not be read) goes to the tenant whom the
//!    secret belongs to.
//! 6. A malformed document is an error and nothing is accepted. Errors name the place and the
//!    field, never a value.
//!
//! It verifies nothing itself and reads no variable.
#![deny(missing_docs)]

mod checks;
mod document;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use checks::Check;
pub use document::{Defect, Error};

/// Text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for the one who needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The secrets of a comma-separated variable, in order, blanks dropped.
pub fn list(variable: &str) -> Vec<Secret> {
    variable
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(Secret::new)
        .collect()
}

/// The variables that a channel's configuration is made of.
#[derive(Clone, Copy, Default)]
pub struct Sources<'a> {
    /// The channel's name; entries of other channels are checked but not kept.
    pub channel: &'a str,
    /// The general secrets.
    pub secrets: &'a str,
    /// The general verify tokens.
    pub verify_tokens: &'a str,
    /// The tenant of accounts that the document does not list; blank means `default`.
    pub platform_client_id: &'a str,
    /// The JSON document; blank means no entries.
    pub accounts: &'a str,
}

/// One account of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Whose it is.
    pub platform_client_id: String,
    /// Its own secrets, current first; empty when it uses the general ones.
    pub secrets: Vec<Secret>,
    /// Its own verify token.
    pub verify_token: Option<Secret>,
    /// What its sends are authorised with.
    pub access_token: Option<Secret>,
    /// Where its sends go, where it is not the platform's own address.
    pub base_url: Option<String>,
}

/// Secrets that open the same accounts, and which ones those are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    secrets: Vec<Secret>,
    general: bool,
    accounts: BTreeSet<String>,
}

impl Keyring {
    /// The secrets, current first; never empty.
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }
}

/// A delivery carries an event of an account that its secret does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret does not open the account of an event")]
pub struct NotYours;

/// The configuration of one channel.
#[derive(Debug, Clone)]
pub struct Book {
    keyrings: Vec<Keyring>,
    verify_tokens: Vec<Secret>,
    default_tenant: String,
    accounts: BTreeMap<String, Account>,
}

impl Book {
    /// Reads the variables of one channel.
    pub fn read(sources: Sources<'_>) -> Result<Book, Error> {
        let accounts = document::read(sources.channel, sources.accounts)?;
        let tenant = sources.platform_client_id.trim();
        Ok(Book {
            keyrings: keyrings(&list(sources.secrets), &accounts),
            verify_tokens: list(sources.verify_tokens),
            default_tenant: if tenant.is_empty() { "default" } else { tenant }.to_owned(),
            accounts,
        })
    }

    /// The keyrings that may prove a delivery, in the order to try them; empty when nothing can be
    /// accepted. A route that names an account leaves only those that open it.
    pub fn keyrings(&self, route_account: Option<&str>) -> Vec<&Keyring> {
        let Some(account) = route_account else {
            return self.keyrings.iter().collect();
        };
        let own = self
            .accounts
            .get(account)
            .is_some_and(|entry| !entry.secrets.is_empty());
        let opens = |keyring: &&Keyring| {
            if own {
                keyring.accounts.contains(account)
            } else {
                keyring.general
            }
        };
        self.keyrings.iter().filter(opens).collect()
    }

    /// The tokens that a handshake may use: with an account in the route its own one if it has one,
    /// else the general ones; without, those of all.
    pub fn verify_tokens(&self, route_account: Option<&str>) -> Vec<&Secret> {
        match route_account.and_then(|account| self.accounts.get(account)?.verify_token.as_ref()) {
            Some(own) => vec![own],
            None if route_account.is_some() => self.verify_tokens.iter().collect(),
            None => {
                let own = self
                    .accounts
                    .values()
                    .filter_map(|entry| entry.verify_token.as_ref());
                self.verify_tokens.iter().chain(own).collect()
            }
        }
    }

    /// The tenant of an event of `account` in a delivery that `keyring` proved; `account` is empty
    /// where the event names none.
    pub fn tenant(&self, keyring: &Keyring, account: &str) -> Result<&str, NotYours> {
        if account.is_empty() {
            return Ok(self.common_tenant(keyring));
        }
        let entry = self.accounts.get(account);
        let opened = match entry {
            Some(entry) if !entry.secrets.is_empty() => keyring.accounts.contains(account),
            _ => keyring.general,
        };
        if !opened {
            return Err(NotYours);
        }
        Ok(entry.map_or(&self.default_tenant, |entry| &entry.platform_client_id))
    }

    /// What the document says of an account.
    pub fn account(&self, account: &str) -> Option<&Account> {
        self.accounts.get(account)
    }

    /// The one tenant of all that a keyring opens, else the default.
    fn common_tenant(&self, keyring: &Keyring) -> &str {
        let mut tenants = keyring
            .accounts
            .iter()
            .filter_map(|account| self.accounts.get(account))
            .map(|entry| entry.platform_client_id.as_str());
        match tenants.next() {
            Some(first) if !keyring.general && tenants.all(|tenant| tenant == first) => first,
            _ => &self.default_tenant,
        }
    }
}

/// Groups secrets by what they open, general ones first, so that a delivery is checked once per
/// group and not once per secret.
fn keyrings(general: &[Secret], accounts: &BTreeMap<String, Account>) -> Vec<Keyring> {
    let own = accounts
        .iter()
        .flat_map(|(name, entry)| entry.secrets.iter().map(move |secret| (secret, Some(name))));
    let mut opened_by: Vec<Keyring> = Vec::new();
    for (secret, account) in general.iter().map(|secret| (secret, None)).chain(own) {
        let known = opened_by
            .iter()
            .position(|keyring| keyring.secrets.first() == Some(secret));
        let at = known.unwrap_or(opened_by.len());
        if known.is_none() {
            opened_by.push(Keyring {
                secrets: vec![secret.clone()],
                general: false,
                accounts: BTreeSet::new(),
            });
        }
        if let Some(keyring) = opened_by.get_mut(at) {
            keyring.general |= account.is_none();
            keyring.accounts.extend(account.cloned());
        }
    }
    let mut keyrings: Vec<Keyring> = Vec::new();
    for keyring in opened_by {
        let same = |known: &&mut Keyring| {
            known.general == keyring.general && known.accounts == keyring.accounts
        };
        match keyrings.iter_mut().find(same) {
            Some(known) => known.secrets.extend(keyring.secrets),
            None => keyrings.push(keyring),
        }
    }
    keyrings
}

#[cfg(test)]
mod tests;
