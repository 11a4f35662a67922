//! Runs of digits, as people group them; and those that are long enough to be somebody's and are
//! neither a date nor an amount.

use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

use regex::Regex;

use crate::span::{Kind, Span};

/// From so many digits on a number may be somebody's. Order numbers of shops are shorter, most of them.
const LONG: RangeInclusive<usize> = 9..=40;

/// Digits with at most two signs between any two of them.
pub(crate) struct Run<'a> {
    pub(crate) text: &'a str,
    start: usize,
    pub(crate) has_plus: bool,
}

impl Run<'_> {
    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

static RUN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\+?\(?\d(?:[ .\-/()]{0,3}\d)*").ok());

/// `2026-11-23`, `23.11.2026`, `11/23/26`, with a time after it or not; times alone.
static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\b(?:(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./](?:0?[1-9]|[12]\d|3[01])",
        r"|(?:0?[1-9]|[12]\d|3[01])[-./](?:0?[1-9]|[12]\d|3[01])[-./](?:19|20)?\d\d)",
        r"(?:[ T,]+(?:[01]?\d|2[0-3])[:.h][0-5]\d(?::[0-5]\d)?)?\b",
        r"|\b(?:[01]?\d|2[0-3])[:.h][0-5]\d(?:\s?-\s?(?:[01]?\d|2[0-3])[:.h][0-5]\d)?\b",
    ))
    .ok()
});

/// An amount: a currency before or after, or thousands grouped by one sign.
static MONEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const SIGNS: &str = r"(?:[€$£¥₹]|R\$|US\$|EUR|USD|GBP|CHF|BRL|MXN|ARS|COP|CLP|PEN|euros?|dollars?|dólares|dolares|reais|pesos|pounds?|franken|francs?)";
    Regex::new(&format!(
        r"(?i){SIGNS}\s?\d[\d.,' ]*\d|\b\d{{1,3}}(?:[.,' ]\d{{3}})+(?:[.,]\d{{1,2}})?\s?{SIGNS}|\b\d+(?:[.,]\d{{1,2}})?\s?{SIGNS}"
    ))
    .ok()
});

/// Runs of so many digits, dates and amounts left out.
pub(crate) fn runs(text: &str, digits: RangeInclusive<usize>) -> impl Iterator<Item = Run<'_>> {
    let mut kept: Vec<Range<usize>> = Vec::new();
    for pattern in [&DATE, &MONEY] {
        kept.extend(
            pattern
                .iter()
                .flat_map(|it| it.find_iter(text))
                .map(|it| it.range()),
        );
    }
    RUN.iter()
        .flat_map(move |pattern| pattern.find_iter(text))
        .map(|found| Run {
            text: found.as_str(),
            start: found.start(),
            has_plus: found.as_str().starts_with('+'),
        })
        .filter(move |run| {
            let range = run.range();
            let is_kept = kept
                .iter()
                .any(|it| it.start <= range.start && range.end <= it.end);
            !is_kept && digits.contains(&digits_of(run.text).len())
        })
}

/// The digits' values.
pub(crate) fn digits_of(text: &str) -> Vec<u8> {
    text.bytes()
        .filter(u8::is_ascii_digit)
        .map(|byte| byte - b'0')
        .collect()
}

pub(crate) fn find(text: &str) -> Vec<Span> {
    runs(text, LONG)
        .map(|run| Span::new(Kind::Number, run.range()))
        .collect()
}
