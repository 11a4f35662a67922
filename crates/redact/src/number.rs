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

/// Digits without a break, of which an amount has fewer.
static UNBROKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d{9}").ok());

/// Runs of so many digits, dates and amounts left out.
pub(crate) fn runs(text: &str, digits: RangeInclusive<usize>) -> impl Iterator<Item = Run<'_>> {
    let mut kept = dates(text);
    kept.extend(
        MONEY
            .iter()
            .flat_map(|it| it.find_iter(text))
            .filter_map(|it| {
                let is_amount = !UNBROKEN
                    .as_ref()
                    .is_some_and(|nine| nine.is_match(it.as_str()));
                is_amount.then(|| it.range())
            }),
    );
    beside(text, digits, kept)
}

/// Runs of so many digits, of those that a check digit tells from an amount: only dates are left out.
pub(crate) fn checked(text: &str, digits: RangeInclusive<usize>) -> impl Iterator<Item = Run<'_>> {
    beside(text, digits, dates(text))
}

/// Where dates and times are.
pub(crate) fn dates(text: &str) -> Vec<Range<usize>> {
    let found = DATE.iter().flat_map(|it| it.find_iter(text));
    found.map(|it| it.range()).collect()
}

fn beside(
    text: &str,
    digits: RangeInclusive<usize>,
    mut kept: Vec<Range<usize>>,
) -> impl Iterator<Item = Run<'_>> {
    kept.sort_by_key(|it| (it.start, std::cmp::Reverse(it.end)));
    // The farthest end of those that begin so far is enough to know.
    let (mut next, mut farthest) = (0, 0);
    RUN.iter()
        .flat_map(move |pattern| pattern.find_iter(text))
        .map(|found| Run {
            text: found.as_str(),
            start: found.start(),
            has_plus: found.as_str().starts_with('+'),
        })
        .filter(move |run| {
            let range = run.range();
            while let Some(it) = kept.get(next).filter(|it| it.start <= range.start) {
                farthest = farthest.max(it.end);
                next += 1;
            }
            range.end > farthest && digits.contains(&digits_of(run.text).len())
        })
}

/// Groups of digits with any signs between them, as far as none of them is a word.
static GROUPS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\d{2,}(?:[\s.,:;\-/()_*·•|~]{1,5}\d{2,})+").ok());

/// The most groups of a number: a card in pairs.
const MOST_GROUPS: usize = 10;

/// Neighbouring groups of so many digits together, for which `is_it` says that they are one number;
/// whatever signs are between them.
pub(crate) fn grouped(
    text: &str,
    digits: &RangeInclusive<usize>,
    is_it: impl Fn(&[u8]) -> bool,
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for whole in GROUPS.iter().flat_map(|it| it.find_iter(text)) {
        let groups = groups(whole.as_str(), whole.start());
        let mut first = 0;
        while let Some(start) = groups.get(first).map(|group| group.start) {
            let ends = groups.iter().skip(first).take(MOST_GROUPS).map(|it| it.end);
            let range = ends
                .map(|end| start..end)
                .filter(|range| {
                    let number = digits_of(text.get(range.clone()).unwrap_or_default());
                    digits.contains(&number.len()) && is_it(&number)
                })
                .last();
            let taken = range.as_ref().map_or(1, |range| {
                groups
                    .iter()
                    .skip(first)
                    .filter(|it| it.end <= range.end)
                    .count()
            });
            found.extend(range);
            first += taken;
        }
    }
    found
}

/// Where the groups of digits are.
fn groups(text: &str, offset: usize) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.char_indices().filter(|(_, it)| it.is_ascii_digit()) {
        let at = at + offset;
        match groups.last_mut() {
            Some(group) if group.end == at => group.end = at + 1,
            _ => groups.push(at..at + 1),
        }
    }
    groups
}

/// Sizes or prices in a row, `38 40 42 44`: groups of one length with equal steps between them.
pub(crate) fn is_series(text: &str) -> bool {
    let groups = text.split(|it: char| !it.is_ascii_digit());
    let groups: Vec<&str> = groups.filter(|it| !it.is_empty()).collect();
    let values: Vec<i64> = groups.iter().filter_map(|it| it.parse().ok()).collect();
    let mut steps = values.windows(2).map(|pair| match pair {
        [one, other] => other - one,
        _ => 0,
    });
    let first = steps.next().unwrap_or_default();
    let alike = groups.windows(2).all(|pair| match pair {
        [one, other] => one.len() == other.len(),
        _ => false,
    });
    groups.len() >= 3
        && values.len() == groups.len()
        && alike
        && first != 0
        && steps.all(|it| it == first)
}

/// `250 000 000`: an amount that nobody has as a number.
pub(crate) fn is_round(text: &str) -> bool {
    let mut groups = text.split(' ');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && first.bytes().all(|it| it.is_ascii_digit())
        && rest.len() >= 2
        && rest.iter().all(|it| it.len() == 3)
        && rest.last() == Some(&"000")
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
        .filter(|run| !is_series(run.text) && !is_round(run.text))
        .map(|run| Span::new(Kind::Number, run.range()))
        .collect()
}
