//! The CPU time that a guest uses without giving control back.
//!
//! 1. The engine's epoch calls [`CpuClock::tick`] while a guest computes; there the thread's CPU
//!    time is read, so that a busy machine does not shorten anybody's limit.
//! 2. The event loop of the store calls [`CpuClock::yielded`] each time it is in control again:
//!    the count starts anew. So it does after a poll without a tick: a tick suspends the guest, so
//!    without one it was the guest that gave control back, for example to wait in a blocking call.
//! 3. A guest suspended by a tick may go on in another thread: every poll goes through
//!    [`CpuClock::metered`], so that only this guest's polls count.
//!
//! Reading the clock is a system call, so nothing is read before the first tick of a computation:
//! up to one tick (10 ms) goes uncounted.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cpu_time::ThreadTime;
use thiserror::Error;
use wasmtime::UpdateDeadline;

/// Ends an instance that computed for too long.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
#[error("used {} ms of CPU time without yielding (limit `cpu_timeout`)", .0.as_millis())]
pub struct Exceeded(pub Duration);

/// One instance's clock. Used by one thread at a time; shared because the store owns the callback.
#[derive(Debug, Default)]
pub struct CpuClock {
    /// Whether a tick came since the guest last yielded.
    running: AtomicBool,
    /// Whether a tick came during this poll.
    ticked: AtomicBool,
    /// Nanoseconds used before `since`.
    spent: AtomicU64,
    /// The thread's CPU time, in nanoseconds, when counting went on.
    since: AtomicU64,
}

impl CpuClock {
    /// The guest is in a computation: adds it up, and suspends the guest so that others get a turn.
    pub fn tick(&self, limit: Duration) -> wasmtime::Result<UpdateDeadline> {
        let now = thread_nanos();
        self.ticked.store(true, Relaxed);
        if !self.running.swap(true, Relaxed) {
            self.spent.store(0, Relaxed);
            self.since.store(now, Relaxed);
        }
        let used = Duration::from_nanos(self.count(now));
        if used > limit {
            return Err(Exceeded(used).into());
        }
        Ok(UpdateDeadline::Yield(1))
    }

    /// The guest gave control back.
    pub fn yielded(&self) {
        self.running.store(false, Relaxed);
    }

    /// Whether the guest is in the middle of a computation.
    pub fn is_running(&self) -> bool {
        self.running.load(Relaxed)
    }

    /// Runs one poll of the store.
    pub fn metered<T>(&self, poll: impl FnOnce() -> T) -> T {
        if self.is_running() {
            self.since.store(thread_nanos(), Relaxed);
        }
        self.ticked.store(false, Relaxed);
        let result = poll();
        if !self.ticked.load(Relaxed) {
            self.yielded();
        } else if self.is_running() {
            self.spent.store(self.count(thread_nanos()), Relaxed);
        }
        result
    }

    fn count(&self, now: u64) -> u64 {
        let current = now.saturating_sub(self.since.load(Relaxed));
        self.spent.load(Relaxed).saturating_add(current)
    }
}

/// Runs a future whose polls are a guest's, each of them metered.
pub async fn metered<F: Future>(clock: &CpuClock, future: F) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(|cx| clock.metered(|| future.as_mut().poll(cx))).await
}

/// CPU time of this thread. Where the system has none, 0: then only `response_timeout` and
/// `background_timeout` end a loop.
fn thread_nanos() -> u64 {
    ThreadTime::try_now().map_or(0, |time| {
        u64::try_from(time.as_duration().as_nanos()).unwrap_or(u64::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(at_least: Duration) {
        let start = ThreadTime::now();
        while start.elapsed() < at_least {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn a_computation_that_goes_on_is_ended() {
        let clock = CpuClock::default();
        let limit = Duration::from_millis(5);
        assert!(clock.tick(limit).is_ok());
        burn(Duration::from_millis(6));
        let error = clock.tick(limit).err().unwrap();
        assert!(error.downcast_ref::<Exceeded>().is_some());
    }

    #[test]
    fn yielding_starts_the_count_anew() {
        let clock = CpuClock::default();
        let limit = Duration::from_millis(5);
        for _ in 0..4 {
            assert!(clock.tick(limit).is_ok());
            burn(Duration::from_millis(6));
            clock.yielded();
        }
    }

    #[test]
    fn what_the_thread_does_between_two_polls_does_not_count() {
        let clock = CpuClock::default();
        let limit = Duration::from_millis(5);
        assert!(clock.metered(|| clock.tick(limit)).is_ok());
        burn(Duration::from_millis(20));
        assert!(clock.metered(|| clock.tick(limit)).is_ok());
    }

    #[test]
    fn a_poll_without_a_tick_starts_the_count_anew() {
        let clock = CpuClock::default();
        let limit = Duration::from_millis(5);
        for _ in 0..4 {
            assert!(
                clock
                    .metered(|| {
                        let ticked = clock.tick(limit);
                        burn(Duration::from_millis(4));
                        ticked
                    })
                    .is_ok()
            );
            // The guest goes on for a moment, and then waits in a blocking call.
            clock.metered(|| burn(Duration::from_millis(1)));
            assert!(!clock.is_running());
        }
    }

    #[test]
    fn the_count_goes_on_over_a_suspension() {
        let clock = CpuClock::default();
        let limit = Duration::from_millis(5);
        let tick_and_burn = || {
            let ticked = clock.tick(limit);
            burn(Duration::from_millis(3));
            ticked
        };
        assert!(clock.metered(tick_and_burn).is_ok());
        assert!(clock.metered(tick_and_burn).is_ok());
        assert!(clock.metered(|| clock.tick(limit)).is_err());
    }
}
