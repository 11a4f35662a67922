//! When an attempt that failed is made again.
//!
//! 1. Exponential backoff with full jitter: after the n-th attempt anything from nothing to
//!    [`BASE_MS`] · 2ⁿ⁻¹, at most [`CAP_MS`]. Full, so that jobs that failed together do not come
//!    back together.
//! 2. `Retry-After` is honoured, and the jitter comes on top for the same reason.
//! 3. A job is given up when the time to retry it is over, by default [`MAX_AGE_MS`], however often it
//!    was tried: what a receiver missed while it was down must not depend on how often we looked.

use std::time::UNIX_EPOCH;

/// The longest delay after the first attempt; doubles with each.
pub const BASE_MS: u64 = 1_000;
/// The longest delay of our own.
pub const CAP_MS: u64 = 300_000;
/// Attempts after which a job is given up that is not worth a day: a send to a platform whose answer
/// is about this message. Webhooks go by time alone.
pub const MAX_ATTEMPTS: u32 = 10;
/// The time to retry a job, from when it was made or replayed; also the longest wait that a receiver
/// may ask for. A day covers an outage that nobody sees before the next morning.
pub const MAX_AGE_MS: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds until the attempt after the `attempt`-th, counted from 1. `random` is any number;
/// `asked_ms` is what the receiver asked for, by [`parse_retry_after`].
pub fn delay_ms(attempt: u32, random: u64, asked_ms: Option<u64>) -> u64 {
    let longest = (BASE_MS << attempt.saturating_sub(1).min(20)).min(CAP_MS);
    let jitter = random % (longest + 1);
    asked_ms.unwrap_or(0).min(MAX_AGE_MS) + jitter
}

/// Milliseconds from now that a `Retry-After` header asks for: seconds or an HTTP date (RFC 9110,
/// 10.2.3), at most [`MAX_AGE_MS`]; a date in the past is 0. None for anything else.
pub fn parse_retry_after(value: &str, now_ms: u64) -> Option<u64> {
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a very long time.
        value
            .parse::<u64>()
            .unwrap_or(u64::MAX)
            .saturating_mul(1000)
    } else {
        let at = httpdate::parse_http_date(value).ok()?;
        let at = at.duration_since(UNIX_EPOCH).ok()?.as_millis();
        u64::try_from(at).unwrap_or(u64::MAX).saturating_sub(now_ms)
    };
    Some(wait.min(MAX_AGE_MS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_delay_doubles_up_to_the_cap() {
        for (attempt, longest) in [
            (0, 1_000),
            (1, 1_000),
            (2, 2_000),
            (3, 4_000),
            (9, 256_000),
            (10, 300_000),
            (u32::MAX, 300_000),
        ] {
            assert_eq!(delay_ms(attempt, longest, None), longest, "{attempt}");
            assert_eq!(delay_ms(attempt, longest + 1, None), 0, "{attempt}");
        }
    }

    #[test]
    fn the_jitter_comes_on_top_of_what_was_asked() {
        for (name, asked, random, want) in [
            ("nothing asked", None, 500, 500),
            ("asked", Some(7_000), 500, 7_500),
            ("asked without end", Some(u64::MAX), 500, MAX_AGE_MS + 500),
        ] {
            assert_eq!(delay_ms(1, random, asked), want, "{name}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
        const NOW: u64 = 784_111_777_000;
        for (value, want) in [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 120 ", Some(120_000)),
            ("86400", Some(MAX_AGE_MS)),
            ("86401", Some(MAX_AGE_MS)),
            ("99999999999999999999999", Some(MAX_AGE_MS)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(10_000)),
            ("Sunday, 06-Nov-94 08:49:47 GMT", Some(10_000)),
            ("Sun Nov  6 08:49:47 1994", Some(10_000)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(0)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(MAX_AGE_MS)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(parse_retry_after(value, NOW), want, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_never_waits_too_long(value in "\\PC*", now: u64, attempt: u32, random: u64) {
            let asked = parse_retry_after(&value, now);
            prop_assert!(asked.is_none_or(|asked| asked <= MAX_AGE_MS));
            prop_assert!(delay_ms(attempt, random, asked) <= MAX_AGE_MS + CAP_MS);
        }
    }
}
