//! When a job that failed for a while is tried again.

/// The first delay; doubles with each attempt.
const FIRST_MS: u64 = 250;
/// The longest. A store that is down for minutes should not be asked for every job every second.
const LONGEST_MS: u64 = 60_000;

/// Milliseconds until a job is tried again after its `attempt`-th start. `jitter` is any number, the
/// job's `seq` for one: it spreads jobs that failed together over a quarter of the delay.
pub fn retry_delay_ms(attempt: u32, jitter: u64) -> u64 {
    let delay = (FIRST_MS << attempt.saturating_sub(1).min(10)).min(LONGEST_MS);
    delay + jitter % (delay / 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_delay_doubles_up_to_a_minute() {
        for (attempt, jitter, want) in [
            (0, 0, 250),
            (1, 0, 250),
            (1, 61, 311),
            (1, 62, 250),
            (2, 0, 500),
            (8, 0, 32_000),
            (9, 0, 60_000),
            (u32::MAX, 0, 60_000),
        ] {
            assert_eq!(retry_delay_ms(attempt, jitter), want, "{attempt} {jitter}");
        }
    }

    proptest! {
        #[test]
        fn jitter_adds_less_than_a_quarter(attempt: u32, jitter: u64) {
            let (plain, spread) = (retry_delay_ms(attempt, 0), retry_delay_ms(attempt, jitter));
            prop_assert!(plain <= spread && spread < plain + plain / 4);
        }
    }
}
