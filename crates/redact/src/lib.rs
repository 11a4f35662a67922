//! Takes personal data out of text before it leaves the house, and puts it back into what returns.
//!
//! 1. [`redact`] replaces each value by a placeholder such as `[EMAIL_1]`. One value has one
//!    placeholder in all texts of a call, however it is written (`+49 30 123456`, `0049-30-123456`).
//! 2. What the placeholders stand for stays with the caller; [`restore`] puts it back.
//! 3. A text that holds something that looks like a placeholder already has that replaced too, so
//!    that nobody can have a value of somebody else's message put into an answer by writing its name.
//! 4. In doubt it redacts: a number that is checked by no rule, but as long as one, goes too.
//! 5. Detection looks at a folded text: digits of any script, wide letters and all kinds of spaces and
//!    dashes as their ASCII forms, invisible characters left out.
//!
//! Pure: no clock, no randomness. It does not find names, postal addresses, or what is spelt out in
//! words; docs/privacy.md says so.
#![deny(missing_docs)]

mod bank;
mod fold;
mod label;
mod link;
mod national;
mod number;
mod phone;
mod placeholder;
mod span;
mod token;

#[cfg(test)]
mod tests;

pub use placeholder::{Replacement, restore};
pub use span::Kind;

/// The longest text that is read, in bytes. What follows is cut off, never passed on unread: a
/// platform's longest message has 64 KiB.
pub const MAX_TEXT: usize = 64 * 1024;

/// One text without its personal data, and what was taken out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction {
    /// The text with placeholders.
    pub text: String,
    /// In the order of the text; a value that stands twice is there once.
    pub replacements: Vec<Replacement>,
}

/// Redacts several texts with one numbering. `region` (ISO 3166-1 alpha-2, either case) says how a
/// phone number without a country code is read; without one, or with one that does not exist, such a
/// number is recognised by its length alone.
#[must_use]
pub fn redact(texts: &[String], region: Option<&str>) -> Vec<Redaction> {
    let region = region.and_then(phone::country);
    let mut names = placeholder::Names::default();
    texts
        .iter()
        .map(|text| one(bounded(text), region, &mut names))
        .collect()
}

fn one(text: &str, region: Option<phone::Country>, names: &mut placeholder::Names) -> Redaction {
    let folded = fold::Folded::of(text);
    let mut redacted = String::with_capacity(text.len());
    let mut replacements: Vec<Replacement> = Vec::new();
    let mut read = 0;
    for span in span::find(&folded, region) {
        let (start, end) = folded.origin(span.start, span.end);
        let (Some(before), Some(original)) = (text.get(read..start), text.get(start..end)) else {
            continue;
        };
        let key = folded.text.get(span.start..span.end).unwrap_or_default();
        let replacement = names.of(span.kind, key, original);
        redacted.push_str(before);
        redacted.push_str(&replacement.placeholder);
        if !replacements.contains(&replacement) {
            replacements.push(replacement);
        }
        read = end;
    }
    redacted.push_str(text.get(read..).unwrap_or_default());
    Redaction {
        text: redacted,
        replacements,
    }
}

/// The first [`MAX_TEXT`] bytes, cut at a character.
fn bounded(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
