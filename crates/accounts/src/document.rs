//! The `accounts` document: a JSON list of objects.
//!
//! 1. It is read field by field, because a JSON library's own errors quote the value they did not
//!    like, and the values here are secrets.
//! 2. A field that is not known is a defect: a misspelt `secrets` would leave an account open to
//!    the general ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Account, Secret};

const FIELDS: [&str; 7] = [
    "channel",
    "account",
    "platform_client_id",
    "secrets",
    "verify_token",
    "access_token",
    "base_url",
];

/// Why the document cannot be used. Safe to log: holds positions and field names, no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not JSON from this place on.
    #[error("accounts: not JSON at line {line}, column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// It is JSON, but no list.
    #[error("accounts: not a list of objects")]
    NotAList,
    /// One entry cannot be used.
    #[error("accounts: entry {entry}: {defect}")]
    Entry {
        /// Counted from 1.
        entry: usize,
        /// What is wrong with it.
        defect: Defect,
    },
}

/// What is wrong with one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// It is no object.
    #[error("not an object")]
    NotAnObject,
    /// A field that is needed is absent or blank.
    #[error("{0} is missing or blank")]
    Missing(&'static str),
    /// A field that should be text is something else, or blank.
    #[error("{0} is not a text with something in it")]
    NotText(&'static str),
    /// `secrets` is no list of texts, or only blank ones.
    #[error("secrets is not a list of texts, or all of them are blank")]
    Secrets,
    /// A field that means nothing here.
    #[error(
        "it has a field that is none of channel, account, platform_client_id, secrets, verify_token, access_token, base_url"
    )]
    UnknownField,
    /// The same channel and account came before.
    #[error("the same channel and account are listed twice")]
    Duplicate,
}

/// The accounts of `channel`, by id. Entries of other channels are checked as well, so that a
/// mistake shows wherever it is made.
pub(crate) fn read(channel: &str, text: &str) -> Result<BTreeMap<String, Account>, Error> {
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    let document: Value = serde_json::from_str(text).map_err(|error| Error::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let mut seen = BTreeMap::new();
    for (index, entry) in document
        .as_array()
        .ok_or(Error::NotAList)?
        .iter()
        .enumerate()
    {
        let at = |defect| Error::Entry {
            entry: index + 1,
            defect,
        };
        let (key, account) = read_entry(entry).map_err(at)?;
        if seen.insert(key, account).is_some() {
            return Err(at(Defect::Duplicate));
        }
    }
    let ours = seen.into_iter().filter(|((name, _), _)| name == channel);
    Ok(ours.map(|((_, account), entry)| (account, entry)).collect())
}

fn read_entry(entry: &Value) -> Result<((String, String), Account), Defect> {
    let entry = entry.as_object().ok_or(Defect::NotAnObject)?;
    if entry.keys().any(|name| !FIELDS.contains(&name.as_str())) {
        return Err(Defect::UnknownField);
    }
    let needed = |name| text(entry, name)?.ok_or(Defect::Missing(name));
    let account = Account {
        platform_client_id: needed("platform_client_id")?,
        secrets: secrets(entry)?,
        verify_token: text(entry, "verify_token")?.map(Secret::new),
        access_token: text(entry, "access_token")?.map(Secret::new),
        base_url: text(entry, "base_url")?,
    };
    Ok(((needed("channel")?, needed("account")?), account))
}

/// A text field; none when absent or null. Blank is a defect: it is more likely a template that
/// was not filled in than a wish.
fn text(entry: &Map<String, Value>, name: &'static str) -> Result<Option<String>, Defect> {
    match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
        Some(_) => Err(Defect::NotText(name)),
    }
}

fn secrets(entry: &Map<String, Value>) -> Result<Vec<Secret>, Defect> {
    let list = match entry.get("secrets") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(value) => value.as_array().ok_or(Defect::Secrets)?,
    };
    let texts = list
        .iter()
        .map(|value| value.as_str().map(str::trim).ok_or(Defect::Secrets));
    let mut secrets = texts.collect::<Result<Vec<_>, _>>()?;
    secrets.retain(|text| !text.is_empty());
    if secrets.is_empty() && !list.is_empty() {
        return Err(Defect::Secrets);
    }
    Ok(secrets.into_iter().map(Secret::new).collect())
}
