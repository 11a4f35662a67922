//! The checks that every content goes through before it is sent, and the errors that they give.

use serde_json::{Map, Value};

use crate::TextUnit;
use crate::outbound::{LimitBreach, RenderError, Sender};

/// What rendering gives.
pub type Result<T> = std::result::Result<T, RenderError>;

/// A JSON object of the members that are there.
pub fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<Map<_, _>>()
        .into()
}

/// A field that is missing or wrong.
pub fn invalid(reason: &str) -> RenderError {
    RenderError::Invalid(reason.to_owned())
}

/// Refuses a text of white space alone.
pub fn not_empty(what: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        Err(RenderError::Invalid(format!("the {what} is empty")))
    } else {
        Ok(())
    }
}

/// Refuses a text with more than `max` characters.
pub fn at_most(limit: &str, max: u32, text: &str) -> Result<()> {
    at_most_units(limit, max, TextUnit::Characters, text)
}

/// Refuses a text with more than `max` of a platform's own unit.
pub fn at_most_units(limit: &str, max: u32, unit: TextUnit, text: &str) -> Result<()> {
    count(limit, max, unit.measure(text))
}

/// Refuses more than `max`.
pub fn count(limit: &str, max: u32, given: usize) -> Result<()> {
    let (max, given) = (u64::from(max), given as u64);
    if given <= max {
        Ok(())
    } else {
        Err(RenderError::TooLong(LimitBreach {
            limit: limit.to_owned(),
            max,
            given,
        }))
    }
}

/// Refuses values of which two are equal.
pub fn unique<'a>(what: &str, values: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for value in values {
        if !seen.insert(value) {
            return Err(RenderError::Invalid(format!("the {what} are not unique")));
        }
    }
    Ok(())
}

/// The account as one segment of a path: letters, digits, `_` and `-` alone.
pub fn path_segment<'a>(from: &'a Sender, what: &str) -> Result<&'a str> {
    let account = from.account.as_str();
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if account.is_empty() || !account.bytes().all(harmless) {
        return Err(RenderError::Invalid(format!("the account is no {what}")));
    }
    Ok(account)
}
