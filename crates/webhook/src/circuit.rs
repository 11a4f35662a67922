//! When an endpoint is left alone, and when it is tried again.
//!
//! 1. [`OPEN_AFTER`] failures of the endpoint in a row open its circuit: its jobs wait, without a call
//!    each. A refused message is no failure of the endpoint: it answered.
//! 2. While it is open, one attempt (the probe) is let through at a time: the first after
//!    [`FIRST_PROBE_MS`], then each after half the time that the circuit has been open, up to
//!    [`LAST_PROBE_MS`]. So an outage costs its receiver half its length more at most, and one of hours
//!    costs us a call every half minute.
//! 3. A receiver that says when to come again (`Retry-After`) is believed.

use crate::retry::MAX_AGE_MS;

/// Failures in a row that open the circuit: a receiver that restarts answers a few with errors.
pub const OPEN_AFTER: u32 = 5;
/// From opening to the first probe.
pub const FIRST_PROBE_MS: u64 = 1_000;
/// The longest interval between probes.
pub const LAST_PROBE_MS: u64 = 30_000;

/// When the next probe may go, for a circuit that is open for `open_ms`; times are milliseconds. Up to
/// a quarter is taken off by `random`, so that endpoints that failed together are not probed together.
pub fn next_probe_at(now: u64, open_ms: u64, asked_ms: Option<u64>, random: u64) -> u64 {
    let longest = (open_ms / 2).clamp(FIRST_PROBE_MS, LAST_PROBE_MS);
    let wait = longest - random % (longest / 4 + 1);
    now.saturating_add(wait.max(asked_ms.unwrap_or(0).min(MAX_AGE_MS)))
}

/// When a job that waits for an open circuit looks again: after the probe that is due at
/// `next_probe_at`, at any time of the interval behind it. The end of the outage makes it due sooner.
pub fn look_again_at(now: u64, next_probe_at: u64, random: u64) -> u64 {
    next_probe_at
        .max(now)
        .saturating_add(random % (LAST_PROBE_MS / 2))
        .saturating_add(1)
}

/// The share of its time to retry that a job has used up, as far as it is worth an alert: 0, 50 or
/// 100 percent.
pub fn alert_level(age_ms: u64, budget_ms: u64) -> u8 {
    if age_ms >= budget_ms {
        100
    } else if age_ms >= budget_ms / 2 {
        50
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn probes_come_at_growing_intervals() {
        for (open, asked, want) in [
            (0, None, 1_000),
            (2_000, None, 1_000),
            (2_002, None, 1_001),
            (59_998, None, 29_999),
            (60_000, None, 30_000),
            (u64::MAX, None, 30_000),
            (0, Some(7_000), 7_000),
            (60_000, Some(7_000), 30_000),
            (0, Some(u64::MAX), MAX_AGE_MS),
        ] {
            let at = next_probe_at(50, open, asked, 0);
            assert_eq!(at, 50 + want, "{open} {asked:?}");
        }
    }

    #[test]
    fn alerts_come_at_half_and_at_all_of_the_time() {
        for (age, budget, want) in [
            (0, 100, 0),
            (49, 100, 0),
            (50, 100, 50),
            (99, 100, 50),
            (100, 100, 100),
            (u64::MAX, 100, 100),
            (0, 0, 100),
        ] {
            assert_eq!(alert_level(age, budget), want, "{age} of {budget}");
        }
    }

    proptest! {
        #[test]
        fn a_probe_is_neither_at_once_nor_late(now in 0..1u64 << 50, open: u64, random: u64) {
            let at = next_probe_at(now, open, None, random);
            prop_assert!(at >= now + FIRST_PROBE_MS * 3 / 4 && at <= now + LAST_PROBE_MS);
            let again = look_again_at(now, at, random);
            prop_assert!(again > at && again <= at + LAST_PROBE_MS);
        }
    }
}
