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

    /// Zone, hours, moment; and the date, day, time and whether it is open, as one line.
    #[test]
    fn a_moment_is_told_as_the_zones_clock_and_hours_tell_it() {
        let week = "mon-fri 09:00-18:00, sat 10:00-14:00";
        let weekend = "fri-mon 00:00-24:00";
        let night = "sun 22:00-06:00";
        for (zone, hours, at, want) in [
            // Zones: the next day, summer time, half an hour, the year before.
            (
                "",
                "",
                "2026-11-23T23:30:00Z",
                "UTC 2026-11-23 monday 23:30 open",
            ),
            (
                "Europe/Berlin",
                "",
                "2026-11-23T23:30:00Z",
                "Europe/Berlin 2026-11-24 tuesday 0:30 open",
            ),
            (
                "Europe/Berlin",
                "",
                "2026-07-05T21:59:00Z",
                "Europe/Berlin 2026-07-05 sunday 23:59 open",
            ),
            (
                "Asia/Kolkata",
                "",
                "2026-01-01T00:00:00Z",
                "Asia/Kolkata 2026-01-01 thursday 5:30 open",
            ),
            (
                "America/Lima",
                "",
                "2026-01-01T00:00:00Z",
                "America/Lima 2025-12-31 wednesday 19:0 open",
            ),
            // Hours are those of the zone.
            (
                "Asia/Kolkata",
                week,
                "2026-11-23T03:30:00Z",
                "Asia/Kolkata 2026-11-23 monday 9:0 open",
            ),
            // Both sides of both ends.
            (
                "",
                week,
                "2026-11-23T08:59:59Z",
                "UTC 2026-11-23 monday 8:59 closed",
            ),
            (
                "",
                week,
                "2026-11-23T09:00:00Z",
                "UTC 2026-11-23 monday 9:0 open",
            ),
            (
                "",
                week,
                "2026-11-23T17:59:59Z",
                "UTC 2026-11-23 monday 17:59 open",
            ),
            (
                "",
                week,
                "2026-11-23T18:00:00Z",
                "UTC 2026-11-23 monday 18:0 closed",
            ),
            (
                "",
                week,
                "2026-11-28T10:00:00Z",
                "UTC 2026-11-28 saturday 10:0 open",
            ),
            (
                "",
                week,
                "2026-11-29T10:00:00Z",
                "UTC 2026-11-29 sunday 10:0 closed",
            ),
            (
                "",
                "Monday 8:05-8:06",
                "2026-11-23T08:05:30Z",
                "UTC 2026-11-23 monday 8:5 open",
            ),
            // Days that go round the week.
            (
                "",
                weekend,
                "2026-11-23T23:59:00Z",
                "UTC 2026-11-23 monday 23:59 open",
            ),
            (
                "",
                weekend,
                "2026-11-24T00:00:00Z",
                "UTC 2026-11-24 tuesday 0:0 closed",
            ),
            (
                "",
                weekend,
                "2026-11-29T12:00:00Z",
                "UTC 2026-11-29 sunday 12:0 open",
            ),
            // Hours that go on into the next day.
            (
                "",
                night,
                "2026-11-22T05:00:00Z",
                "UTC 2026-11-22 sunday 5:0 closed",
            ),
            (
                "",
                night,
                "2026-11-22T21:59:00Z",
                "UTC 2026-11-22 sunday 21:59 closed",
            ),
            (
                "",
                night,
                "2026-11-22T22:00:00Z",
                "UTC 2026-11-22 sunday 22:0 open",
            ),
            (
                "",
                night,
                "2026-11-23T05:59:00Z",
                "UTC 2026-11-23 monday 5:59 open",
            ),
            (
                "",
                night,
                "2026-11-23T06:00:00Z",
                "UTC 2026-11-23 monday 6:0 closed",
            ),
        ] {
            let it = Calendar::parse(zone, hours).unwrap().at(ms(at));
            let open = if it.business_hours { "open" } else { "closed" };
            let got = format!(
                "{} {} {} {}:{} {open}",
                it.zone, it.date, it.weekday, it.hour, it.minute
            );
            assert_eq!(got, want, "{hours} {at}");
        }
        assert_eq!(Calendar::default().at(u64::MAX), LocalTime::default());
    }

    #[test]
    fn what_is_no_calendar_is_named() {
        for zone in ["Europe/Berlinn", "+02:00"] {
            let want = NoCalendar::Zone(zone.into());
            assert_eq!(Calendar::parse(zone, "").unwrap_err(), want);
        }
        for (hours, span) in [
            ("9-18", "9-18"),
            ("mon-fri 09:00", "mon-fri 09:00"),
            ("mon-fri 09:00-18:00,", ""),
            ("man 09:00-18:00", "man 09:00-18:00"),
            ("mon 09:00-24:01", "mon 09:00-24:01"),
            ("mon 24:00-24:00", "mon 24:00-24:00"),
            ("mon 09:60-10:00", "mon 09:60-10:00"),
            ("mon +9:00-10:00", "mon +9:00-10:00"),
        ] {
            let want = NoCalendar::Hours(span.into());
            assert_eq!(Calendar::parse("", hours).unwrap_err(), want);
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
