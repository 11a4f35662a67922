//! Cards and bank accounts, by their check digits.

use std::sync::LazyLock;

use regex::Regex;

use crate::number::{checked, digits_of, grouped};
use crate::span::{Kind, Span};

/// ISO/IEC 7812: 12 to 19 digits; the shortest in use has 13.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// ISO 13616: country, two check digits, 11 to 30 letters and digits, in groups or not.
static IBAN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\b[a-z]{2}\s?\d{2}(?:[\s.,_-]{0,2}[a-z0-9]){11,30}\b").ok());

pub(crate) fn ibans(text: &str) -> Vec<Span> {
    IBAN.iter()
        .flat_map(|pattern| pattern.find_iter(text))
        .filter_map(|found| {
            let end = longest_iban(found.as_str())?;
            Some(Span::new(Kind::Iban, found.start()..found.start() + end))
        })
        .collect()
}

pub(crate) fn cards(text: &str) -> Vec<Span> {
    let runs = checked(text, CARD_DIGITS)
        .filter(|run| is_card(&digits_of(run.text)))
        .map(|run| run.range());
    runs.chain(grouped(text, &CARD_DIGITS, is_card))
        .map(|range| Span::new(Kind::Card, range))
        .collect()
}

fn is_card(digits: &[u8]) -> bool {
    digits.first().is_some_and(|first| (2..=6).contains(first))
        && digits.iter().any(|digit| Some(digit) != digits.first())
        && luhn(digits)
}

/// ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The length of the longest start of `text` whose check digits are right, in bytes.
fn longest_iban(text: &str) -> Option<usize> {
    let ends = text.char_indices().map(|(at, it)| at + it.len_utf8());
    let mut longest = None;
    for end in ends {
        let start = text.get(..end)?;
        let code: Vec<u8> = start.bytes().filter(u8::is_ascii_alphanumeric).collect();
        if start.ends_with(|it: char| it.is_ascii_alphanumeric())
            && (15..=34).contains(&code.len())
            && is_checked(&code)
        {
            longest = Some(end);
        }
    }
    longest
}

/// ISO 7064, MOD 97-10, over the account with its first four characters at the end.
fn is_checked(code: &[u8]) -> bool {
    let Some((head, tail)) = code.split_at_checked(4) else {
        return false;
    };
    let rest =
        tail.iter()
            .chain(head)
            .fold(0_u32, |rest, byte| match char::from(*byte).to_digit(36) {
                Some(value) if value > 9 => (rest * 100 + value) % 97,
                Some(value) => (rest * 10 + value) % 97,
                None => rest,
            });
    rest == 1
}
