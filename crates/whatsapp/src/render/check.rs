//! The checks that every content goes through, and the errors that they give.

use chatly_channel::outbound::{LimitBreach, RenderError};
use serde_json::{Map, Value};

/// What rendering gives.
pub(super) type Result<T> = std::result::Result<T, RenderError>;

/// A JSON object of the members that are there.
pub(super) fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<Map<_, _>>()
        .into()
}

/// A field that is missing or wrong.
pub(super) fn invalid(reason: &str) -> RenderError {
    RenderError::Invalid(reason.to_owned())
}

/// Refuses a text of white space alone.
pub(super) fn not_empty(what: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        Err(RenderError::Invalid(format!("the {what} is empty")))
    } else {
        Ok(())
    }
}

/// Refuses a text with more than `max` characters.
pub(super) fn at_most(limit: &str, max: u32, text: &str) -> Result<()> {
    count(limit, max, text.chars().count())
}

/// Refuses more than `max`.
pub(super) fn count(limit: &str, max: u32, given: usize) -> Result<()> {
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
pub(super) fn unique<'a>(what: &str, values: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for value in values {
        if !seen.insert(value) {
            return Err(RenderError::Invalid(format!("the {what} are not unique")));
        }
    }
    Ok(())
}
