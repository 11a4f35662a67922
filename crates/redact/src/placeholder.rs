//! What stands in place of a value, and the way back.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::span::{Kind, Span};

/// One replacement. It holds the value: it stays on the host's side.
#[derive(Clone, PartialEq, Eq)]
pub struct Replacement {
    /// `[EMAIL_1]`.
    pub placeholder: String,
    /// What it is.
    pub kind: Kind,
    /// What was there, as it was first written.
    pub original: String,
}

impl std::fmt::Debug for Replacement {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} = [redacted]", self.placeholder)
    }
}

/// The placeholders of one call.
#[derive(Default)]
pub(crate) struct Names {
    known: HashMap<(Kind, String), Replacement>,
    counts: HashMap<Kind, u32>,
}

impl Names {
    /// The placeholder of a value. `folded` tells whether it is one that was seen before.
    pub(crate) fn of(&mut self, kind: Kind, folded: &str, original: &str) -> Replacement {
        let key = (kind, identity(kind, folded));
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let replacement = Replacement {
            placeholder: format!("[{}_{count}]", kind.word()),
            kind,
            original: original.to_owned(),
        };
        self.known.insert(key, replacement.clone());
        replacement
    }
}

/// Two ways to write one value have one identity.
fn identity(kind: Kind, folded: &str) -> String {
    match kind {
        Kind::Email => folded.to_lowercase(),
        Kind::Phone => {
            let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
            digits.trim_start_matches("00").to_owned()
        }
        Kind::Card | Kind::Iban | Kind::NationalId | Kind::Number => folded
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|character| character.to_ascii_uppercase())
            .collect(),
        Kind::Token | Kind::Url | Kind::Literal => folded.to_owned(),
    }
}

static FORM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    Regex::new(&format!(r"(?i)\[\s*(?:{})[_\s]\d+\s*\]", words.join("|"))).ok()
});

/// What looks like a placeholder though we did not write it.
pub(crate) fn find(text: &str) -> Vec<Span> {
    FORM.iter()
        .flat_map(|form| form.find_iter(text))
        .map(|found| Span::new(Kind::Literal, found.range()))
        .collect()
}

/// Puts the values back into a text that was made from redacted ones. A placeholder that stands for
/// nothing is left out. Values are put in once: what they hold is not read again.
#[must_use]
pub fn restore(text: &str, replacements: &[Replacement]) -> String {
    let Some(form) = FORM.as_ref() else {
        return text.to_owned();
    };
    let values: HashMap<&str, &str> = replacements
        .iter()
        .map(|replacement| {
            (
                replacement.placeholder.as_str(),
                replacement.original.as_str(),
            )
        })
        .collect();
    form.replace_all(text, |found: &Captures<'_>| {
        let placeholder = found.get(0).map_or("", |found| found.as_str());
        values
            .get(placeholder)
            .copied()
            .unwrap_or_default()
            .to_owned()
    })
    .into_owned()
}
