//! Percentiles of times.

use std::fmt;
use std::time::Duration;

/// Times of single operations, and how long they took together.
pub struct Figures {
    times: Vec<Duration>,
    elapsed: Duration,
    /// Operations that did not succeed.
    pub failures: usize,
}

impl Figures {
    /// Sorts `times`.
    pub fn new(mut times: Vec<Duration>, elapsed: Duration, failures: usize) -> Self {
        times.sort_unstable();
        Figures {
            times,
            elapsed,
            failures,
        }
    }

    /// The time that `percent` of the operations did not exceed.
    pub fn percentile(&self, percent: usize) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times
            .get(last * percent / 100)
            .copied()
            .unwrap_or_default()
    }

    /// Successful operations.
    pub fn count(&self) -> usize {
        self.times.len()
    }

    /// Operations that did not succeed.
    pub fn failures(&self) -> usize {
        self.failures
    }

    /// Successful operations per second.
    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.elapsed.as_secs_f64()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms, {} done, {} failed",
            self.per_second(),
            self.percentile(50).as_secs_f64() * 1e3,
            self.percentile(99).as_secs_f64() * 1e3,
            self.times.len(),
            self.failures
        )
    }
}
