//! The day of a budget: UTC, so that it is the same for whoever looks.

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// `YYYY-MM-DD` of Unix milliseconds. Days are counted in eras of 400 years from the first of March of
/// year 0, so that a leap day ends its year.
#[must_use]
pub fn day(millis: u64) -> String {
    let days = millis / DAY_MS + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_utc() {
        for (millis, want) in [
            (0, "1970-01-01"),
            (86_399_999, "1970-01-01"),
            (86_400_000, "1970-01-02"),
            (951_782_400_000, "2000-02-29"),
            (951_868_800_000, "2000-03-01"),
            (1_767_225_599_999, "2025-12-31"),
            (1_767_225_600_000, "2026-01-01"),
            (1_795_455_000_000, "2026-11-23"),
            (4_107_542_400_000, "2100-03-01"),
        ] {
            assert_eq!(day(millis), want, "{millis}");
        }
    }
}
