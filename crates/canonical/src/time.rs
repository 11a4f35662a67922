//! Timestamps in whatever unit a platform sends them.

/// The first value that is read as milliseconds: 10¹² is 2001 in milliseconds, the year 33658 in seconds.
const FIRST_MILLIS: u64 = 1_000_000_000_000;

/// Unix milliseconds of a platform's timestamp, seconds or milliseconds, as a JSON number or a
/// string of digits. None for anything else, and for zero.
pub fn to_millis(value: &serde_json::Value) -> Option<u64> {
    let number = match value {
        serde_json::Value::Number(number) => number.as_u64()?,
        serde_json::Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    match number {
        0 => None,
        FIRST_MILLIS.. => Some(number),
        _ => Some(number * 1000),
    }
}

/// Unix milliseconds of an RFC 3339 time, `2022-11-03T20:26:10.344522Z` or with an offset. None for
/// anything else, and for times before 1970.
pub fn rfc3339_to_millis(text: &str) -> Option<u64> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let digits = |text: &str, count: usize| {
        let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| text.parse::<i64>().ok()).flatten()
    };
    let parts = |text: &str, separator: char, first: usize| {
        let mut parts = text.splitn(3, separator);
        let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
        Some((digits(a, first)?, digits(b, 2)?, digits(c, 2)?))
    };
    let (year, month, day) = parts(date, '-', 4)?;
    let (clock, offset_secs) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => (time.get(..at)?, offset_secs(time.get(at..)?)?),
        None => return None,
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let (hour, minute, second) = parts(clock, ':', 2)?;
    let fraction = fraction.get(..fraction.len().min(3))?;
    let scale = 10_i64.checked_pow(3_u32.checked_sub(u32::try_from(fraction.len()).ok()?)?)?;
    let millis = digits(fraction, fraction.len())? * scale;
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !in_range {
        return None;
    }
    let secs = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    u64::try_from((secs - offset_secs) * 1000 + millis).ok()
}

/// `Z`, `+02:00` or `-0330`.
fn offset_secs(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("Z" | "z", "") => return Some(0),
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes))
        .then(|| sign * (hours * 3600 + minutes * 60))
}

/// Days from 1970-01-01 in the Gregorian calendar. Years begin in March, so that the leap day is the
/// last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // The first of March of the year 0 is 719 468 days before 1970.
    year * 365 + leap_days + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn seconds_and_milliseconds_are_told_apart() {
        for (name, value, want) in [
            (
                "seconds as a number",
                json!(1749416383),
                Some(1_749_416_383_000),
            ),
            (
                "seconds as a string",
                json!("1749416383"),
                Some(1_749_416_383_000),
            ),
            (
                "milliseconds as a number",
                json!(1749416383123u64),
                Some(1_749_416_383_123),
            ),
            (
                "milliseconds as a string",
                json!("1749416383123"),
                Some(1_749_416_383_123),
            ),
            (
                "last second",
                json!(999_999_999_999u64),
                Some(999_999_999_999_000),
            ),
            (
                "first millisecond",
                json!(1_000_000_000_000u64),
                Some(1_000_000_000_000),
            ),
            ("zero", json!(0), None),
            ("negative", json!(-5), None),
            ("fraction", json!(1.5), None),
            ("words", json!("yesterday"), None),
            ("null", json!(null), None),
        ] {
            assert_eq!(to_millis(&value), want, "{name}");
        }
    }

    #[test]
    fn times_as_text_are_read_with_their_offset() {
        for (text, want) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2022-11-03T20:26:10.344522Z", Some(1_667_507_170_344)),
            ("2022-11-03T20:26:10.3Z", Some(1_667_507_170_300)),
            ("2022-11-03T22:26:10+02:00", Some(1_667_507_170_000)),
            ("2022-11-03 16:56:10-0330", Some(1_667_507_170_000)),
            ("2000-02-29t23:59:60z", Some(951_868_800_000)),
            ("2025-06-08T20:59:43.000Z", Some(1_749_416_383_000)),
            ("1969-12-31T23:59:59Z", None),
            ("2022-11-03T20:26:10", None),
            ("2022-13-03T20:26:10Z", None),
            ("2022-11-03T24:26:10Z", None),
            ("2022-11-03T20:26:10.Z", None),
            ("2022-11-03T20:26Z", None),
            ("22-11-03T20:26:10Z", None),
            ("2022-11-03T20:26:10+aa:bb", None),
            ("2022-11-03T20:26:10+00:9223372036854775807", None),
            ("2022-11-03T20:26:10.äöZ", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(rfc3339_to_millis(text), want, "{text}");
        }
    }
}
