//! What the host gives: time and randomness.

use std::time::SystemTime;

use spin_sdk::wasip3::random::random::{get_random_bytes, get_random_u64};

/// Unix milliseconds; 0 for a clock that stands before 1970.
pub fn unix_millis() -> u64 {
    chatly_drain::unix_millis(SystemTime::now())
}

/// Any number.
pub fn random() -> u64 {
    get_random_u64()
}

/// Any bytes.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for (to, from) in bytes.iter_mut().zip(get_random_bytes(N as u64)) {
        *to = from;
    }
    bytes
}
