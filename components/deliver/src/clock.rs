//! What the host gives: time and randomness.

use std::time::{SystemTime, UNIX_EPOCH};

use spin_sdk::wasip3::random::random::get_random_u64;

/// Unix milliseconds; 0 for a clock that stands before 1970.
pub fn unix_millis() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Any number.
pub fn random() -> u64 {
    get_random_u64()
}
