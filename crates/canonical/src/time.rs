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
}
