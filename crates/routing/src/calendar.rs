//! A tenant's local time and business hours.
//!
//! Hours are spans with days: `mon-fri 09:00-18:00, sat 10:00-14:00`. A span that ends before it
//! begins, or at the same time, goes on into the next day. No span at all: always open.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::Serialize;

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

const DAY_MINUTES: u16 = 24 * 60;

/// Why there is no such calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCalendar {
    /// No IANA name of a zone.
    #[error("no time zone is called {0:?}; write one like Europe/Berlin")]
    Zone(String),
    /// Not a span with days.
    #[error("{0:?} are no business hours; write some like mon-fri 09:00-18:00")]
    Hours(String),
}

/// A zone and its business hours.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    name: String,
    spans: Vec<Span>,
}

/// Minutes of the day, on some days of the week, Monday being 0.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    days: [bool; 7],
    from: u16,
    to: u16,
}

/// The facts of a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LocalTime {
    /// The zone's name.
    pub zone: String,
    /// `2026-12-24`
    pub date: String,
    /// `thursday`
    pub weekday: &'static str,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// Whether it is within business hours.
    pub business_hours: bool,
}

impl Default for Calendar {
    /// UTC, always open.
    fn default() -> Self {
        Calendar {
            zone: TimeZone::UTC,
            name: "UTC".to_owned(),
            spans: Vec::new(),
        }
    }
}

impl Calendar {
    /// Reads a zone's IANA name and business hours; empty texts stand for UTC and always.
    ///
    /// # Errors
    /// [`NoCalendar`] says which of both is wrong.
    pub fn parse(zone: &str, hours: &str) -> Result<Calendar, NoCalendar> {
        let mut calendar = Calendar::default();
        let (zone, hours) = (zone.trim(), hours.trim());
        if !zone.is_empty() {
            let found = TimeZone::get(zone);
            calendar.zone = found.map_err(|_| NoCalendar::Zone(zone.to_owned()))?;
            calendar.name = zone.to_owned();
        }
        if !hours.is_empty() {
            let spans = hours.split(',').map(|text| {
                let text = text.trim();
                span(text).ok_or_else(|| NoCalendar::Hours(text.to_owned()))
            });
            calendar.spans = spans.collect::<Result<_, _>>()?;
        }
        Ok(calendar)
    }

    /// The facts of a time in Unix milliseconds; empty for one that no calendar has.
    pub fn at(&self, now: u64) -> LocalTime {
        let Some(at) = i64::try_from(now)
            .ok()
            .and_then(|now| Timestamp::from_millisecond(now).ok())
        else {
            return LocalTime::default();
        };
        let local = at.to_zoned(self.zone.clone());
        let day = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
        let (hour, minute) = (local.hour().unsigned_abs(), local.minute().unsigned_abs());
        LocalTime {
            zone: self.name.clone(),
            date: local.date().to_string(),
            weekday: DAYS.get(day).map_or("", |(name, _)| *name),
            hour,
            minute,
            business_hours: self.is_open(day, u16::from(hour) * 60 + u16::from(minute)),
        }
    }

    fn is_open(&self, day: usize, minute: u16) -> bool {
        let before = (day + 6) % 7;
        let on = |span: &Span, day: usize| span.days.get(day).copied().unwrap_or(false);
        self.spans.is_empty()
            || self.spans.iter().any(|span| {
                if span.from < span.to {
                    on(span, day) && (span.from..span.to).contains(&minute)
                } else {
                    on(span, day) && minute >= span.from || on(span, before) && minute < span.to
                }
            })
    }
}

/// `mon-fri 09:00-18:00`, `sun 10:00-14:00`.
fn span(text: &str) -> Option<Span> {
    let (days, times) = text.split_once(' ')?;
    let (from, to) = times.trim().split_once('-')?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (first, last) = (day(first)?, day(last)?);
    let mut days = [false; 7];
    let mut at = first;
    loop {
        *days.get_mut(at)? = true;
        if at == last {
            break;
        }
        at = (at + 1) % 7;
    }
    let (from, to) = (minute(from)?, minute(to)?);
    (from < DAY_MINUTES).then_some(Span { days, from, to })
}

/// `mon`, in any case.
fn day(text: &str) -> Option<usize> {
    let text = text.trim().to_ascii_lowercase();
    let short = |name: &str| name.get(..3) == Some(text.as_str());
    DAYS.iter()
        .position(|(name, _)| short(name) || *name == text)
}

/// `09:00`; the end of the day is `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |text: &str| text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hours.checked_mul(60)?.checked_add(minutes)?;
    (digits(hour) && digits(minute) && minutes < 60 && total <= DAY_MINUTES).then_some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(text: &str) -> u64 {
        let at: Timestamp = text.parse().unwrap();
        u64::try_from(at.as_millisecond()).unwrap()
    }

    #[test]
    fn a_moment_has_the_zones_own_date_day_and_hour() {
        for (zone, at, want) in [
            (
                "",
                "2026-11-23T23:30:00Z",
                ("UTC", "2026-11-23", "monday", 23, 30),
            ),
            (
                "Europe/Berlin",
                "2026-11-23T23:30:00Z",
                ("Europe/Berlin", "2026-11-24", "tuesday", 0, 30),
            ),
            // Summer time.
            (
                "Europe/Berlin",
                "2026-07-05T21:59:00Z",
                ("Europe/Berlin", "2026-07-05", "sunday", 23, 59),
            ),
            (
                "Asia/Kolkata",
                "2026-01-01T00:00:00Z",
                ("Asia/Kolkata", "2026-01-01", "thursday", 5, 30),
            ),
            (
                "America/Lima",
                "2026-01-01T00:00:00Z",
                ("America/Lima", "2025-12-31", "wednesday", 19, 0),
            ),
        ] {
            let local = Calendar::parse(zone, "").unwrap().at(ms(at));
            let got = (
                local.zone.as_str(),
                local.date.as_str(),
                local.weekday,
                local.hour,
                local.minute,
            );
            assert_eq!(got, want, "{zone} {at}");
            assert!(local.business_hours, "always open");
        }
        assert_eq!(Calendar::default().at(u64::MAX), LocalTime::default());
    }

    #[test]
    fn business_hours_are_counted_to_the_minute_on_both_sides() {
        let week = "mon-fri 09:00-18:00, sat 10:00-14:00";
        for (hours, at, want) in [
            (week, "2026-11-23T08:59:59Z", false),
            (week, "2026-11-23T09:00:00Z", true),
            (week, "2026-11-23T17:59:59Z", true),
            (week, "2026-11-23T18:00:00Z", false),
            (week, "2026-11-28T10:00:00Z", true),
            (week, "2026-11-29T10:00:00Z", false),
            ("fri-mon 00:00-24:00", "2026-11-23T23:59:00Z", true),
            ("fri-mon 00:00-24:00", "2026-11-24T00:00:00Z", false),
            ("fri-mon 00:00-24:00", "2026-11-29T12:00:00Z", true),
            ("sun 22:00-06:00", "2026-11-22T21:59:00Z", false),
            ("sun 22:00-06:00", "2026-11-22T22:00:00Z", true),
            ("sun 22:00-06:00", "2026-11-23T05:59:00Z", true),
            ("sun 22:00-06:00", "2026-11-23T06:00:00Z", false),
            ("sun 22:00-06:00", "2026-11-22T05:00:00Z", false),
            ("Monday 8:05-8:06", "2026-11-23T08:05:30Z", true),
        ] {
            let calendar = Calendar::parse("UTC", hours).unwrap();
            assert_eq!(calendar.at(ms(at)).business_hours, want, "{hours} {at}");
        }
    }

    #[test]
    fn what_is_no_calendar_is_named() {
        for (zone, hours, want) in [
            (
                "Europe/Berlinn",
                "",
                NoCalendar::Zone("Europe/Berlinn".into()),
            ),
            ("+02:00", "", NoCalendar::Zone("+02:00".into())),
            ("", "9-18", NoCalendar::Hours("9-18".into())),
            (
                "",
                "mon-fri 09:00",
                NoCalendar::Hours("mon-fri 09:00".into()),
            ),
            ("", "mon-fri 09:00-18:00,", NoCalendar::Hours(String::new())),
            (
                "",
                "man 09:00-18:00",
                NoCalendar::Hours("man 09:00-18:00".into()),
            ),
            (
                "",
                "mon 09:00-24:01",
                NoCalendar::Hours("mon 09:00-24:01".into()),
            ),
            (
                "",
                "mon 24:00-24:00",
                NoCalendar::Hours("mon 24:00-24:00".into()),
            ),
            (
                "",
                "mon 09:60-10:00",
                NoCalendar::Hours("mon 09:60-10:00".into()),
            ),
            (
                "",
                "mon +9:00-10:00",
                NoCalendar::Hours("mon +9:00-10:00".into()),
            ),
        ] {
            assert_eq!(Calendar::parse(zone, hours).unwrap_err(), want);
        }
    }

    proptest! {
        #[test]
        fn any_text_and_time_get_an_answer(zone in ".{0,20}", hours in "[a-z0-9:, -]{0,40}", now in any::<u64>()) {
            let calendar = Calendar::parse(&zone, &hours).unwrap_or_default();
            let local = calendar.at(now);
            prop_assert!(local.hour < 24 && local.minute < 60);
        }
    }
}
