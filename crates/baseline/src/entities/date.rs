//! Dates: `2026-05-14`, `14/05/2026`, `14.5.`, `14 de mayo`, `May 14th`, "tomorrow", "next Friday",
//! "in 3 days". Normal form: an ISO 8601 date in the tenant's zone.
//!
//! 1. `5/4` is the fifth of April, as in four of the five languages; only when that is no date is it
//!    read the American way.
//! 2. A day without a year is the next such day; a weekday is the next such day after today.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::Found;
use super::token::{Token, number_word};
use crate::Request;

/// Folded words, and how many days from today.
const DAYS: [(&str, i64); 17] = [
    ("today", 0),
    ("tonight", 0),
    ("hoy", 0),
    ("hoje", 0),
    ("heute", 0),
    ("aujourd'hui", 0),
    ("tomorrow", 1),
    ("tmrw", 1),
    ("tomorow", 1),
    ("manana", 1),
    ("amanha", 1),
    ("morgen", 1),
    ("demain", 1),
    ("pasado manana", 2),
    ("depois de amanha", 2),
    ("ubermorgen", 2),
    ("apres-demain", 2),
];

/// Folded, Monday first.
const WEEKDAYS: [&[&str]; 7] = [
    &["monday", "lunes", "segunda", "montag", "lundi"],
    &["tuesday", "martes", "terca", "dienstag", "mardi"],
    &["wednesday", "miercoles", "quarta", "mittwoch", "mercredi"],
    &["thursday", "jueves", "quinta", "donnerstag", "jeudi"],
    &["friday", "viernes", "sexta", "freitag", "vendredi"],
    &["saturday", "sabado", "samstag", "samedi"],
    &["sunday", "domingo", "sonntag", "dimanche"],
];

/// Folded beginnings of the names of months.
const MONTHS: [&[&str]; 12] = [
    &["january", "enero", "janeiro", "januar", "janvier", "jan"],
    &[
        "february",
        "febrero",
        "fevereiro",
        "februar",
        "fevrier",
        "feb",
    ],
    &["march", "marzo", "marco", "marz", "mars"],
    &["april", "abril", "avril", "apr", "abr"],
    &["may", "mayo", "maio", "mai"],
    &["june", "junio", "junho", "juni", "juin", "jun"],
    &["july", "julio", "julho", "juli", "juillet", "jul"],
    &["august", "agosto", "aout", "aug"],
    &[
        "september",
        "septiembre",
        "setembro",
        "septembre",
        "sept",
        "sep",
    ],
    &["october", "octubre", "outubro", "oktober", "octobre", "oct"],
    &["november", "noviembre", "novembro", "novembre", "nov"],
    &[
        "december",
        "diciembre",
        "dezembro",
        "dezember",
        "decembre",
        "dec",
        "dez",
    ],
];

pub fn find(tokens: &[Token], request: &Request) -> Vec<Found> {
    let Some(today) = today(request) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let rest = tokens.get(at..).unwrap_or_default();
        let hit = numeric(rest, today)
            .or_else(|| day_and_month(rest, today))
            .or_else(|| ahead(rest, today))
            .or_else(|| relative(tokens, at, today))
            .or_else(|| weekday(rest, today));
        let length = hit.map_or(1, |(length, _)| length);
        if let Some((length, date)) = hit {
            found.extend(Found::of(
                "date",
                rest.get(..length).unwrap_or_default(),
                Some(date.to_string()),
            ));
        }
        at += length;
    }
    found
}

type Hit = Option<(usize, Date)>;

fn today(request: &Request) -> Option<Date> {
    let now = Timestamp::from_millisecond(i64::try_from(request.now).ok()?).ok()?;
    let zone = request
        .time_zone
        .as_deref()
        .and_then(|name| TimeZone::get(name).ok())
        .unwrap_or(TimeZone::UTC);
    Some(now.to_zoned(zone).date())
}

/// `2026-05-14`, `14/05/2026`, `14-05-26`, `14/5`, `14.5.`, `14.05.2026`.
fn numeric(rest: &[Token], today: Date) -> Hit {
    let first = rest.first()?;
    if first.text.contains('.') {
        let parts: Vec<&str> = first.text.split('.').collect();
        let date = match parts.as_slice() {
            [day, month, year] => civil(
                year_of(year.parse().ok()?),
                month.parse().ok()?,
                day.parse().ok()?,
            ),
            [day, month]
                if rest
                    .get(1)
                    .is_some_and(|dot| dot.is(".") && dot.touches(first)) =>
            {
                next(today, month.parse().ok()?, day.parse().ok()?)
            }
            _ => None,
        };
        return Some((1, date?));
    }
    let a = first.integer()?;
    let sign = rest
        .get(1)
        .filter(|sign| sign.touches(first) && (sign.is("/") || sign.is("-")))?;
    let second = rest.get(2).filter(|second| second.touches(sign))?;
    let b = second.integer()?;
    let third = rest
        .get(3)
        .filter(|other| other.is(&sign.text) && other.touches(second))
        .and_then(|_| rest.get(4)?.integer());
    match third {
        Some(day) if a >= 1000 => Some((5, civil(a, b, day)?)),
        Some(year) => Some((
            5,
            civil(year_of(year), b, a).or_else(|| civil(year_of(year), a, b))?,
        )),
        None if sign.is("/") => Some((3, next(today, b, a).or_else(|| next(today, a, b))?)),
        None => None,
    }
}

fn year_of(year: u32) -> u32 {
    if year < 100 { 2000 + year } else { year }
}

fn civil(year: u32, month: u32, day: u32) -> Option<Date> {
    // Chat is about now; a year outside says that it is no date.
    if !(1990..2100).contains(&year) {
        return None;
    }
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

/// The next such day from `today` on.
fn next(today: Date, month: u32, day: u32) -> Option<Date> {
    let year = u32::try_from(today.year()).ok()?;
    (year..year + 5)
        .filter_map(|year| civil(year, month, day))
        .find(|date| *date >= today)
}

/// `14 de mayo`, `14. Mai`, `14th of May 2026`, `May 14`.
fn day_and_month(rest: &[Token], today: Date) -> Hit {
    let first = rest.first()?;
    if let Some(month) = month(first) {
        let day = rest
            .get(1)?
            .integer()
            .filter(|day| (1..=31).contains(day))?;
        return dated(rest, 2, month, day, today);
    }
    let day = first.integer().filter(|day| (1..=31).contains(day))?;
    let mut at = 1;
    while at < 4
        && rest.get(at).is_some_and(|token| {
            matches!(
                token.text.as_str(),
                "." | "de" | "of" | "th" | "st" | "nd" | "rd" | "er"
            )
        })
    {
        at += 1;
    }
    dated(rest, at + 1, month(rest.get(at)?)?, day, today)
}

fn dated(rest: &[Token], length: usize, month: u32, day: u32, today: Date) -> Hit {
    let of = usize::from(
        rest.get(length)
            .is_some_and(|token| token.is("de") || token.is(",")),
    );
    let year = rest
        .get(length + of)
        .and_then(Token::integer)
        .filter(|year| *year >= 1990);
    match year.and_then(|year| civil(year, month, day)) {
        Some(date) => Some((length + of + 1, date)),
        None => Some((length, next(today, month, day)?)),
    }
}

fn month(token: &Token) -> Option<u32> {
    let index = MONTHS
        .iter()
        .position(|names| names.contains(&token.text.as_str()))?;
    u32::try_from(index + 1).ok()
}

/// "in 3 days", "en dos semanas", "dans 2 jours".
fn ahead(rest: &[Token], today: Date) -> Hit {
    let [preposition, count, unit, ..] = rest else {
        return None;
    };
    if !matches!(
        preposition.text.as_str(),
        "in" | "en" | "em" | "dans" | "dentro"
    ) {
        return None;
    }
    let count = i64::from(
        count
            .integer()
            .or_else(|| number_word(&count.text))
            .filter(|count| *count <= 365)?,
    );
    let days = match unit.text.as_str() {
        "day" | "days" | "dia" | "dias" | "tagen" | "tag" | "jours" | "jour" => count,
        "week" | "weeks" | "semana" | "semanas" | "wochen" | "woche" | "semaines" | "semaine" => {
            count * 7
        }
        _ => return None,
    };
    Some((3, today.checked_add(days.days()).ok()?))
}

/// "mañana" is not tomorrow in "por la mañana", nor "Morgen" in "guten Morgen".
fn relative(tokens: &[Token], at: usize, today: Date) -> Hit {
    let rest = tokens.get(at..)?;
    let before = at
        .checked_sub(1)
        .and_then(|before| tokens.get(before))
        .map_or("", |token| token.text.as_str());
    if matches!(before, "la" | "guten" | "buena" | "gut" | "schonen") {
        return None;
    }
    for length in [3, 2, 1] {
        let Some(words) = rest.get(..length) else {
            continue;
        };
        let separator = if words.iter().any(|word| word.is("'") || word.is("-")) {
            ""
        } else {
            " "
        };
        let text: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let text = text.join(separator);
        if let Some((_, days)) = DAYS.iter().find(|(word, _)| *word == text) {
            return Some((length, today.checked_add(days.days()).ok()?));
        }
    }
    None
}

/// "Friday", "next Friday", "el próximo viernes", "nächsten Freitag", "vendredi prochain".
fn weekday(rest: &[Token], today: Date) -> Hit {
    let led = rest.first().is_some_and(|token| {
        matches!(
            token.text.as_str(),
            "next" | "proximo" | "proxima" | "nachsten" | "nachster" | "kommenden" | "this"
        )
    });
    let at = usize::from(led);
    let token = rest.get(at)?;
    let name = &token.text;
    let index = WEEKDAYS
        .iter()
        .position(|names| names.contains(&name.as_str()))?;
    // "segunda" is also "second"; as a day it ends the phrase or has "-feira".
    let wanted = i64::try_from(index).ok()?;
    let now = i64::from(today.weekday().to_monday_zero_offset());
    let days = (wanted - now - 1).rem_euclid(7) + 1;
    let tail = usize::from(
        rest.get(at + 1)
            .is_some_and(|after| matches!(after.text.as_str(), "prochain" | "que")),
    );
    let tail = if rest.get(at + 1).is_some_and(|after| after.is("que")) {
        0
    } else {
        tail
    };
    Some((at + 1 + tail, today.checked_add(days.days()).ok()?))
}
