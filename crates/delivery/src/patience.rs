//! How long a body may take.
//!
//! Whoever sends a body occupies a place in its instance until the body is whole, and nobody has
//! proven anything by then. So the fuller an instance is, the less a slow sender is waited for:
//! platforms send a body with its head, and a stranger who trickles one must not keep them out.

/// Milliseconds for a body in an instance that reads few: enough for 3 MiB over a poor line.
const CALM_MS: u64 = 10_000;
/// The same while it reads more than a burst of genuine deliveries needs.
const BUSY_MS: u64 = 2_000;
/// The same while it is nearly full.
const FULL_MS: u64 = 500;
/// Bodies at once above which an instance is busy, and above which it is nearly full. The embedded
/// host hands at most 128 requests to an instance.
const BUSY: usize = 32;
const FULL: usize = 96;

/// Milliseconds that a body may take, from its head on, while so many are being read.
pub fn patience_ms(reading: usize) -> u64 {
    if reading > FULL {
        FULL_MS
    } else if reading > BUSY {
        BUSY_MS
    } else {
        CALM_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuller_an_instance_the_less_it_waits() {
        for (reading, want) in [
            (0, 10_000),
            (1, 10_000),
            (32, 10_000),
            (33, 2_000),
            (96, 2_000),
            (97, 500),
            (usize::MAX, 500),
        ] {
            assert_eq!(patience_ms(reading), want, "{reading}");
        }
    }
}
