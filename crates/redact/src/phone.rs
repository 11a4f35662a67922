//! Phone numbers, by the numbering plans of all countries (`phonenumber`, a port of libphonenumber).

use std::ops::Range;
use std::sync::LazyLock;

pub(crate) use phonenumber::country::Id as Country;
use regex::Regex;

use crate::number::{dates, digits_of, is_round, is_series, runs};
use crate::span::{Kind, Span};

/// ITU-T E.164: at most 15 digits; with `00` or a trunk prefix some more. The shortest that the plans
/// of the regions we serve have is 7.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=18;
/// A number with a country code that no plan knows is still one when it has so many digits.
const LIKELY: std::ops::RangeInclusive<usize> = 8..=18;

/// The region, if there is such.
pub(crate) fn country(region: &str) -> Option<Country> {
    region.trim().to_ascii_uppercase().parse().ok()
}

pub(crate) fn find(text: &str, region: Option<Country>) -> Vec<Span> {
    runs(text, DIGITS)
        .filter(|run| {
            let digits = digits_of(run.text);
            let international = run.has_plus || digits.starts_with(&[0, 0]);
            (international && LIKELY.contains(&digits.len()))
                || is_known(run.text, region)
                || (is_grouped(run.text) && !is_series(run.text) && !is_round(run.text))
        })
        .map(|run| Span::new(Kind::Phone, run.range()))
        .chain(odd(text))
        .collect()
}

fn odd(text: &str) -> impl Iterator<Item = Span> {
    let dates = dates(text);
    let found = ODD.iter().flat_map(move |it| it.find_iter(text));
    found
        .filter(move |found| {
            let is_dated =
                |date: &Range<usize>| date.start < found.end() && found.start() < date.end;
            !dates.iter().any(is_dated)
        })
        .map(|found| Span::new(Kind::Phone, found.range()))
}

/// Groups with signs between them that amounts and lists do not have with a `0` or `+` before:
/// `06,12,34,56,78`, `+49_151_2345678`, `0151 -- 234 -- 5678`, on lines of their own.
static ODD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:\+\d{1,4}|\b0\d{1,4})(?:[\s.,:;\-/()_*·•|~]{1,5}\d{2,8}){2,5}\b").ok()
});

/// Whether it is a number of the region's plan.
fn is_known(text: &str, region: Option<Country>) -> bool {
    let Some(region) = region else {
        return false;
    };
    phonenumber::parse(Some(region), text).is_ok_and(|number| number.is_valid())
}

/// Written as people write phone numbers: `(030) 123456`, `030/123456`, `11 98765-4321`, `555-0123-456`.
fn is_grouped(text: &str) -> bool {
    let digits = digits_of(text).len();
    let groups = text
        .split(|it: char| !it.is_ascii_digit())
        .filter(|it| !it.is_empty())
        .count();
    let begins = text.starts_with(['0', '(']);
    (8..=15).contains(&digits) && (groups >= 3 || (begins && (groups >= 2 || digits >= 9)))
}
