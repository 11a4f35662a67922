//! What the calls of one instance may hold in the host at once.
//!
//! 1. An async guest can start calls without waiting for any, each with arguments of its own that
//!    the host has copied. [`InFlight`] bounds their sum; one call too many is refused at once.
//! 2. A call is counted with [`CALL_BYTES`] beside its arguments, so that empty ones are bounded too.
//! 3. A [`Hold`] is given back when it is dropped: when the call ends, however it ends.
//!
//! [`Connections`] is this together with what an instance has open. Neither makes anybody wait:
//! waiting would hold the arguments all the same.
#![deny(missing_docs)]

mod connections;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub use connections::{Connections, TooMany};

/// What a call costs the host beside its arguments: a task and its queues, rounded up.
pub const CALL_BYTES: usize = 1024;

/// Bytes that one instance's calls may hold: half of the memory that an instance may have.
pub const MAX_BYTES: usize = 128 << 20;

/// The sum of one instance. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<AtomicUsize>);

/// Part of an [`InFlight`]; given back when dropped.
#[derive(Debug)]
pub struct Hold {
    sum: Arc<AtomicUsize>,
    bytes: usize,
}

/// The instance holds as much as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// As Spin says it where operations are limited.
impl std::fmt::Display for Full {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("too many requests")
    }
}

impl std::error::Error for Full {}

impl InFlight {
    /// Counts a call with arguments of `bytes`.
    ///
    /// # Errors
    ///
    /// [`Full`] when the sum would pass [`MAX_BYTES`]. A call that is alone is never refused.
    pub fn hold(&self, bytes: usize) -> Result<Hold, Full> {
        let bytes = bytes.saturating_add(CALL_BYTES);
        let add = |sum: usize| match sum.saturating_add(bytes) {
            total if total > MAX_BYTES && sum > 0 => None,
            total => Some(total),
        };
        self.0
            .fetch_update(Relaxed, Relaxed, add)
            .map_err(|_sum| Full)?;
        Ok(Hold {
            sum: self.0.clone(),
            bytes,
        })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_bounded_and_given_back() {
        let all = InFlight::default();
        let half = MAX_BYTES / 2 - CALL_BYTES;
        let one = all.hold(half).unwrap();
        let two = all.clone().hold(half).unwrap();
        assert_eq!(all.hold(0).unwrap_err(), Full);
        drop(one);
        assert_eq!(all.hold(half + 1).unwrap_err(), Full);
        drop(all.hold(half).unwrap());
        drop(two);
        assert_eq!(all.0.load(Relaxed), 0);
    }

    #[test]
    fn a_call_that_is_alone_may_be_larger() {
        let all = InFlight::default();
        let _large = all.hold(MAX_BYTES * 2).unwrap();
        assert_eq!(all.hold(0).unwrap_err(), Full);
    }

    #[test]
    fn empty_calls_are_bounded_too() {
        let all = InFlight::default();
        let held: Vec<_> = std::iter::from_fn(|| all.hold(0).ok()).collect();
        assert_eq!(held.len(), MAX_BYTES / CALL_BYTES);
    }
}
