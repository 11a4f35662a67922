//! Times as text.

const DAY_SECS: u64 = 86_400;

/// RFC 3339 in UTC, to the millisecond: `2025-06-08T21:39:43.000Z`. Good up to the year 9999, which
/// is as far as the format goes; later times are shown as its last moment.
pub(crate) fn to_rfc3339(unix_ms: u64) -> String {
    /// The last millisecond of 9999.
    const LAST: u64 = 253_402_300_799_999;
    let unix_ms = unix_ms.min(LAST);
    let (secs, millis) = (unix_ms / 1000, unix_ms % 1000);
    let (year, month, day) = date(secs / DAY_SECS);
    let of_day = secs % DAY_SECS;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day since 1970. Counts years from the first of March, so that the leap
/// day is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    /// From the first of March of the year 0 to 1970.
    const EPOCH: u64 = 719_468;
    let days = days + EPOCH;
    let (era, of_era) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_utc_with_milliseconds() {
        for (unix_ms, want) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_749_416_383_042, "2025-06-08T20:59:43.042Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (4_107_456_000_000, "2100-02-28T00:00:00.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(to_rfc3339(unix_ms), want);
        }
    }

    proptest! {
        /// `httpdate` counts the days in its own way.
        #[test]
        fn agrees_with_another_calendar(secs in 0..253_402_300_799u64) {
            let http = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(secs));
            let ours = to_rfc3339(secs * 1000);
            prop_assert_eq!(&ours[0..4], &http[12..16]);
            prop_assert_eq!(&ours[8..10], &http[5..7]);
            prop_assert_eq!(&ours[11..19], &http[17..25]);
            let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
            let month = months.find(&http[8..11]).unwrap() / 3 + 1;
            prop_assert_eq!(ours[5..7].parse::<usize>().unwrap(), month);
        }
    }
}
