//! Times in rules: `for = "2h"`, `until = "2026-12-24T09:00:00+01:00"` (RFC 3339) or Unix milliseconds.

use serde_json::{Map, Value, json};

use crate::read::{Object, WrongField};

/// The longest duration: a year.
const MAX_MS: u64 = 365 * 24 * 60 * 60 * 1000;

const UNITS: [(&str, u64); 4] = [
    ("d", 24 * 60 * 60 * 1000),
    ("h", 60 * 60 * 1000),
    ("m", 60 * 1000),
    ("s", 1000),
];

/// When something ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// At this time, Unix milliseconds.
    At(u64),
    /// So many milliseconds from now.
    For(u64),
}

impl Until {
    /// Reads `until` or `for`; none where neither is there.
    pub fn read(fields: &mut Object<'_>) -> Result<Option<Until>, WrongField> {
        match (fields.get("until"), fields.get("for")) {
            (None, None) => Ok(None),
            (Some(at), None) => match instant_ms(at) {
                Some(at) => Ok(Some(Until::At(at))),
                None => Err(fields.wrong(
                    "until",
                    "must be a time like 2026-12-24T09:00:00Z, or Unix milliseconds",
                )),
            },
            (None, Some(span)) => match span.as_str().and_then(duration_ms) {
                Some(span) => Ok(Some(Until::For(span))),
                None => Err(fields.wrong("for", "must be a time like 90s, 30m, 2h or 7d")),
            },
            (Some(_), Some(_)) => Err(fields.wrong("for", "give `until` or `for`, not both")),
        }
    }

    /// As it is read.
    pub fn write(self, json: &mut Map<String, Value>) {
        match self {
            Until::At(at) => json.insert("until".to_owned(), json!(at)),
            Until::For(span) => json.insert("for".to_owned(), json!(written(span))),
        };
    }

    /// Unix milliseconds.
    pub fn at(self, now: u64) -> u64 {
        match self {
            Until::At(at) => at,
            Until::For(span) => now.saturating_add(span),
        }
    }
}

/// Milliseconds of `90s`, `30m`, `2h` or `7d`: more than none, a year at most.
pub fn duration_ms(text: &str) -> Option<u64> {
    UNITS.iter().find_map(|(unit, ms)| {
        let number = text.strip_suffix(unit)?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let count: u64 = number.parse().ok().filter(|_| digits)?;
        let total = count.checked_mul(*ms)?;
        (1..=MAX_MS).contains(&total).then_some(total)
    })
}

/// A whole number of seconds in the largest unit that divides it.
pub fn written(span_ms: u64) -> String {
    let exact = UNITS.iter().find(|(_, ms)| span_ms.is_multiple_of(*ms));
    let (unit, ms) = exact.unwrap_or(&("s", 1000));
    format!("{}{unit}", span_ms / ms)
}

fn instant_ms(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64().filter(|at| *at <= LAST_MS),
        Value::String(text) => {
            let at: jiff::Timestamp = text.parse().ok()?;
            u64::try_from(at.as_millisecond()).ok()
        }
        _ => None,
    }
}

/// The end of the year 9999: what has no end ends there, within what JSON readers can count.
pub const LAST_MS: u64 = 253_402_300_799_999;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_have_one_number_and_one_unit() {
        for (text, want) in [
            ("1s", Some(1_000)),
            ("90s", Some(90_000)),
            ("30m", Some(1_800_000)),
            ("2h", Some(7_200_000)),
            ("365d", Some(MAX_MS)),
            ("366d", None),
            ("0s", None),
            ("", None),
            ("s", None),
            ("5", None),
            ("+5s", None),
            ("-5s", None),
            ("1.5h", None),
            ("1h30m", None),
            ("99999999999999999999s", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(duration_ms(text), want, "{text}");
        }
    }

    #[test]
    fn times_are_rfc_3339_or_milliseconds() {
        for (value, want) in [
            (json!("2026-12-24T09:00:00Z"), Some(1_798_102_800_000)),
            (json!("2026-12-24T10:00:00+01:00"), Some(1_798_102_800_000)),
            (json!(1_798_102_800_000_u64), Some(1_798_102_800_000)),
            (json!(LAST_MS), Some(LAST_MS)),
            (json!(LAST_MS + 1), None),
            (json!("2026-12-24T09:00:00"), None),
            (json!("2026-12-24"), None),
            (json!("1960-01-01T00:00:00Z"), None),
            (json!(-1), None),
            (json!(1.5), None),
            (json!(null), None),
        ] {
            assert_eq!(instant_ms(&value), want, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 1u64..=MAX_MS / 1000) {
            prop_assert_eq!(duration_ms(&written(seconds * 1000)), Some(seconds * 1000));
        }

        #[test]
        fn any_text_gets_an_answer(text in ".{0,30}") {
            if let Some(span) = duration_ms(&text) {
                prop_assert!((1..=MAX_MS).contains(&span));
            }
            instant_ms(&json!(text));
        }
    }
}
