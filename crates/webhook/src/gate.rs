//! How fast, and how many at once, an endpoint is sent to.
//!
//! 1. A token bucket in the form of GCRA: messages are `gap` apart on average, and up to `burst` of
//!    them may come early. Whatever happens, at most `burst` + `rate` · t leave within t seconds.
//! 2. At most `concurrency` are under way at once, those included that wait their turn here.
//! 3. Whoever is close to its turn takes it and waits ([`Admission::After`]); whoever is not is told when
//!    to come back, and of many each gets a time of its own ([`Admission::Later`]), so that they do
//!    not come back together.
//! 4. A new gate gives no burst: whoever was here before may have used it up just now.
//!
//! It lives as long as an instance. What all instances share are [`Slots`]: so many exclusive rights,
//! each taken for as long as the bucket needs to fill, keep the same bound.

/// What an endpoint is spared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Messages a second, on average; at least 1.
    pub rate_per_sec: u32,
    /// Messages that may go at once; at least 1.
    pub burst: u32,
    /// Messages under way at once; at least 1.
    pub concurrency: u32,
}

impl Default for Limits {
    /// What a small n8n takes without queueing: it runs a short workflow in some 10 ms of one core.
    fn default() -> Self {
        Self {
            rate_per_sec: 50,
            burst: 10,
            concurrency: 16,
        }
    }
}

/// A token bucket as rights that are taken for a time and not given back: with `count` rights for
/// `for_ms` each, no more than `burst` + `rate` · t are taken within t seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// How many there are.
    pub count: u32,
    /// How long each is taken for, milliseconds.
    pub for_ms: u32,
}

impl Limits {
    /// The rights that stand for this rate and burst.
    pub fn slots(self) -> Slots {
        let count = self.burst.max(1);
        Slots {
            count,
            for_ms: count
                .saturating_mul(1000)
                .div_ceil(self.rate_per_sec.max(1)),
        }
    }
}

/// The longest wait for a turn that is close, milliseconds: less than it costs to put a job off and
/// lease it again on a slow disk, times ten.
pub const NAP_MS: u64 = 500;
/// Whoever finds no place comes back no sooner than this: a place is free when an answer comes, and
/// answers take tens of milliseconds.
const NO_PLACE_MS: u64 = 100;

/// Whether a message may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// Its turn is in so many milliseconds (0 is now); it holds a place until [`Gate::leave`].
    After(u64),
    /// Come back at this time, Unix milliseconds.
    Later(u64),
}

/// The gate of one endpoint.
#[derive(Debug, Clone)]
pub struct Gate {
    limits: Limits,
    under_way: u32,
    /// When the next message would be exactly on time, Unix microseconds.
    on_time: u64,
    /// The last time that somebody was told to come back at, Unix milliseconds.
    told: u64,
}

impl Gate {
    /// A gate that opens now.
    pub fn new(limits: Limits, now_ms: u64) -> Self {
        let limits = Limits {
            rate_per_sec: limits.rate_per_sec.clamp(1, 1_000_000),
            burst: limits.burst.max(1),
            concurrency: limits.concurrency.max(1),
        };
        let mut gate = Self {
            limits,
            under_way: 0,
            on_time: 0,
            told: 0,
        };
        gate.on_time = micros(now_ms).saturating_add(gate.tolerance());
        gate
    }

    /// The same gate with other limits.
    pub fn set_limits(&mut self, limits: Limits) {
        let fresh = Self::new(limits, 0);
        self.limits = fresh.limits;
    }

    /// Asks to send one message.
    pub fn ask(&mut self, now_ms: u64) -> Admission {
        if self.under_way >= self.limits.concurrency {
            return self.later(now_ms.saturating_add(NO_PLACE_MS));
        }
        let now = micros(now_ms);
        let turn = self.on_time.saturating_sub(self.tolerance()).max(now);
        // Rounded up: a turn is never early.
        let wait = (turn - now).div_ceil(1000);
        if wait > NAP_MS {
            return self.later(now_ms.saturating_add(wait));
        }
        self.on_time = self.on_time.max(now).saturating_add(self.gap());
        self.under_way += 1;
        Admission::After(wait)
    }

    /// A message that was let in is done with.
    pub fn leave(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Nobody is under way, and the burst is there whole: a new gate would be no more generous.
    pub fn is_idle(&self, now_ms: u64) -> bool {
        self.under_way == 0 && self.on_time <= micros(now_ms) && self.told <= now_ms
    }

    fn later(&mut self, soonest_ms: u64) -> Admission {
        let gap_ms = self.gap().div_ceil(1000);
        self.told = self.told.saturating_add(gap_ms).max(soonest_ms);
        Admission::Later(self.told)
    }

    fn gap(&self) -> u64 {
        1_000_000 / u64::from(self.limits.rate_per_sec)
    }

    fn tolerance(&self) -> u64 {
        self.gap()
            .saturating_mul(u64::from(self.limits.burst.saturating_sub(1)))
    }
}

fn micros(millis: u64) -> u64 {
    millis.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits {
        rate_per_sec: 10,
        burst: 3,
        concurrency: 5,
    };

    #[test]
    fn a_burst_goes_at_once_and_then_one_a_gap() {
        let mut gate = Gate::new(LIMITS, 0);
        for (now, want) in [
            (0, Admission::After(0)),
            (10_000, Admission::After(0)),
            (10_000, Admission::After(0)),
            (10_000, Admission::After(0)),
            (10_000, Admission::After(100)),
            // No place, until one leaves.
            (10_000, Admission::Later(10_100)),
            (10_000, Admission::Later(10_200)),
        ] {
            assert_eq!(gate.ask(now), want, "{now}");
        }
        gate.leave();
        assert_eq!(gate.ask(10_000), Admission::After(200));
    }

    #[test]
    fn a_new_gate_gives_no_burst() {
        let mut gate = Gate::new(LIMITS, 1_000);
        assert_eq!(gate.ask(1_000), Admission::After(0));
        assert_eq!(gate.ask(1_000), Admission::After(100));
    }

    #[test]
    fn those_that_come_too_early_get_times_of_their_own() {
        let slow = Limits {
            rate_per_sec: 1,
            burst: 1,
            concurrency: 9,
        };
        let mut gate = Gate::new(slow, 0);
        for want in [
            Admission::After(0),
            Admission::Later(1_000),
            Admission::Later(2_000),
            Admission::Later(3_000),
        ] {
            assert_eq!(gate.ask(0), want);
        }
    }

    #[test]
    fn slots_are_taken_for_as_long_as_the_bucket_fills() {
        for (rate_per_sec, burst, count, for_ms) in [
            (50, 10, 10, 200),
            (20, 5, 5, 250),
            (3, 1, 1, 334),
            (0, 0, 1, 1_000),
        ] {
            let limits = Limits {
                rate_per_sec,
                burst,
                concurrency: 1,
            };
            assert_eq!(limits.slots(), Slots { count, for_ms });
        }
    }

    #[test]
    fn limits_of_nothing_count_as_one() {
        let nothing = Limits {
            rate_per_sec: 0,
            burst: 0,
            concurrency: 0,
        };
        let mut gate = Gate::new(nothing, 0);
        assert_eq!(gate.ask(0), Admission::After(0));
        assert!(matches!(gate.ask(0), Admission::Later(_)));
    }

    proptest! {
        /// The promise of the module, over every window that begins with a message.
        #[test]
        fn no_window_holds_more_than_the_bucket(
            rate in 1..200u32,
            burst in 1..30u32,
            steps in proptest::collection::vec((0..300u64, 0..6u8), 1..200),
        ) {
            let limits = Limits { rate_per_sec: rate, burst, concurrency: 4 };
            let mut gate = Gate::new(limits, 0);
            let (mut now, mut sent, mut under_way) = (0, vec![], 0u32);
            for (pass, asks) in steps {
                now += pass;
                for _ in 0..asks {
                    match gate.ask(now) {
                        Admission::After(wait) => {
                            prop_assert!(wait <= NAP_MS);
                            sent.push(now + wait);
                            under_way += 1;
                        }
                        Admission::Later(at) => prop_assert!(at > now),
                    }
                    prop_assert!(under_way <= 4);
                }
                for _ in 0..under_way {
                    gate.leave();
                }
                under_way = 0;
            }
            for (first, from) in sent.iter().enumerate() {
                for (count, to) in sent[first..].iter().enumerate() {
                    // A turn that is rounded up to the millisecond may be one closer to the next.
                    let window = to - from + 1;
                    let most = u64::from(burst) + (window * u64::from(rate)).div_ceil(1000);
                    prop_assert!(count as u64 <= most, "{count} in {window} ms");
                }
            }
        }
    }
}
