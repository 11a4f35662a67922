//! All detectors over one text, in order of certainty; what one has found no later one sees.

use std::ops::Range;

use crate::fold::Folded;
use crate::{bank, label, link, national, number, phone, placeholder, token};

/// What a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// A payment card's number, or what is printed beside it.
    Card,
    /// An international bank account number, or another account named as one.
    Iban,
    /// A number that a state gave to a person.
    NationalId,
    /// A key, password or one-time code.
    Token,
    /// A link that holds credentials or other personal data.
    Url,
    /// A number that is as long as one of the above, and no date or amount.
    Number,
    /// What looked like a placeholder before.
    Literal,
}

impl Kind {
    /// As the API writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::NationalId => "national_id",
            Self::Token => "token",
            Self::Url => "url",
            Self::Number => "number",
            Self::Literal => "literal",
        }
    }

    /// As it stands in a placeholder.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Phone => "PHONE",
            Self::Card => "CARD",
            Self::Iban => "IBAN",
            Self::NationalId => "ID",
            Self::Token => "SECRET",
            Self::Url => "URL",
            Self::Number => "NUMBER",
            Self::Literal => "TEXT",
        }
    }

    pub(crate) const ALL: [Self; 9] = [
        Self::Email,
        Self::Phone,
        Self::Card,
        Self::Iban,
        Self::NationalId,
        Self::Token,
        Self::Url,
        Self::Number,
        Self::Literal,
    ];
}

/// A range of the folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn new(kind: Kind, range: Range<usize>) -> Self {
        Self {
            kind,
            start: range.start,
            end: range.end,
        }
    }
}

/// In the order of the text, none of them overlapping.
pub(crate) fn find(folded: &Folded, region: Option<phone::Country>) -> Vec<Span> {
    let mut rest = Rest::of(&folded.text);
    rest.take(placeholder::find);
    rest.take(link::find);
    rest.take(bank::ibans);
    rest.take(token::find);
    rest.take(label::find);
    rest.take(national::find);
    rest.take(bank::cards);
    rest.take(|text| phone::find(text, region));
    rest.take(number::find);
    let mut found = rest.found;
    found.sort_by_key(|span| span.start);
    found
}

/// What no detector has taken yet: taken ranges are overwritten by a byte that no detector knows.
struct Rest {
    text: String,
    found: Vec<Span>,
}

/// Ends every word, and is no space, digit, letter or punctuation.
const TAKEN: &str = "\u{1}";

impl Rest {
    fn of(text: &str) -> Self {
        Self {
            text: text.replace(TAKEN, " "),
            found: Vec::new(),
        }
    }

    fn take(&mut self, detector: impl FnOnce(&str) -> Vec<Span>) {
        for span in detector(&self.text) {
            let range = span.start..span.end;
            let is_free = self
                .text
                .get(range.clone())
                .is_some_and(|text| !text.is_empty() && !text.contains(TAKEN));
            if is_free {
                self.text
                    .replace_range(range.clone(), &TAKEN.repeat(range.len()));
                self.found.push(span);
            }
        }
    }
}
