//! How fast requests may go out.
//!
//! 1. What goes to one conversation is counted exactly: the times of the last `count` requests are
//!    kept, and the next waits until the oldest of them is `per-ms` old. No window of that length
//!    ever holds more.
//! 2. What goes out of an account gets slots, evenly spread, so that none of its windows holds more
//!    either, and no list of thousands of times is kept. A slot is given once, in order of asking,
//!    and is good from its time on for [`PERMIT_MS`]: after a pause nothing comes out in a burst.
//!
//! Both live in the database, so a restart changes nothing.

/// How long a slot is good: a slow lease must not lose it, and what a pause heaps up must be small.
pub(crate) const PERMIT_MS: u64 = 2_000;
/// Times that are kept for a conversation: the most that a platform counts by pair is 45.
const MAX_KEPT: usize = 1_000;

/// What a [`Pace`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaceScope {
    /// All that goes out of the account.
    Account,
    /// What goes to one conversation.
    Conversation,
}

/// At most `count` requests in any `per_ms`; a count of 0 is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// What is counted.
    pub scope: PaceScope,
    /// Requests.
    pub count: u32,
    /// Milliseconds.
    pub per_ms: u64,
}

impl Pace {
    fn count(self) -> usize {
        usize::try_from(self.count)
            .unwrap_or(MAX_KEPT)
            .clamp(1, MAX_KEPT)
    }

    /// Microseconds between two slots.
    fn interval_us(self) -> u64 {
        let per_us = self.per_ms.saturating_mul(1000);
        per_us.div_ceil(self.count.max(1).into())
    }
}

/// When the next request may go to a conversation that got requests at these times, oldest first.
pub(crate) fn free_at(sent: &[u64], paces: &[Pace]) -> u64 {
    let of_conversation = paces
        .iter()
        .filter(|pace| pace.scope == PaceScope::Conversation);
    of_conversation
        .filter_map(|pace| {
            let oldest = sent.get(sent.len().checked_sub(pace.count())?)?;
            Some(oldest.saturating_add(pace.per_ms))
        })
        .max()
        .unwrap_or(0)
}

/// The times with this one, without those that no pace needs; none when nothing is counted.
pub(crate) fn count(mut sent: Vec<u64>, paces: &[Pace], now: u64) -> Option<Vec<u64>> {
    let of_conversation = paces
        .iter()
        .filter(|pace| pace.scope == PaceScope::Conversation);
    let kept = of_conversation.map(|pace| pace.count()).max()?;
    sent.push(now);
    Some(sent.split_off(sent.len().saturating_sub(kept)))
}

/// The account's next slot, given when the next is free, in Unix microseconds: the slot in Unix
/// milliseconds, and when the one after it is free. None when the account has no pace.
pub(crate) fn slot(free_us: u64, paces: &[Pace], now: u64) -> Option<(u64, u64)> {
    let of_account = paces.iter().filter(|pace| pace.scope == PaceScope::Account);
    let interval = of_account.map(|pace| pace.interval_us()).max()?;
    let slot = free_us.max(now.saturating_mul(1000));
    // Never before its time.
    Some((slot.div_ceil(1000), slot.saturating_add(interval)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pair(count: u32, per_ms: u64) -> Pace {
        Pace {
            scope: PaceScope::Conversation,
            count,
            per_ms,
        }
    }

    fn account(count: u32, per_ms: u64) -> Pace {
        Pace {
            scope: PaceScope::Account,
            count,
            per_ms,
        }
    }

    #[test]
    fn a_conversation_waits_until_the_oldest_of_its_count_is_old() {
        for (name, sent, paces, want) in [
            ("nothing sent", vec![], vec![pair(1, 1_000)], 0),
            ("no pace", vec![1], vec![], 0),
            ("the account's pace", vec![1], vec![account(1, 1_000)], 0),
            ("one a second", vec![5_000], vec![pair(1, 1_000)], 6_000),
            ("one of two", vec![5_000], vec![pair(2, 1_000)], 0),
            (
                "two of two",
                vec![5_000, 5_900],
                vec![pair(2, 1_000)],
                6_000,
            ),
            (
                "the longest wait holds",
                vec![5_000, 5_900],
                vec![pair(2, 1_000), pair(1, 500)],
                6_400,
            ),
            ("no count", vec![5_000], vec![pair(0, 10)], 5_010),
            (
                "without end",
                vec![5_000],
                vec![pair(1, u64::MAX)],
                u64::MAX,
            ),
        ] {
            assert_eq!(free_at(&sent, &paces), want, "{name}");
        }
    }

    #[test]
    fn an_account_gets_evenly_spread_slots() {
        let rate = [account(80, 1_000)];
        assert_eq!(slot(0, &rate, 10), Some((10, 22_500)));
        assert_eq!(slot(22_500, &rate, 10), Some((23, 35_000)));
        assert_eq!(slot(22_500, &rate, 30), Some((30, 42_500)));
        assert_eq!(slot(22_500, &[pair(1, 1)], 30), None);
    }

    proptest! {
        /// Whoever sends as soon as it may never puts more than `count` into a window of `per_ms`.
        #[test]
        fn no_window_holds_more_than_its_count(number in 1u32..20, per_ms in 1u64..5_000, gaps in prop::collection::vec(0u64..800, 1..80)) {
            let paces = [pair(number, per_ms), account(number, per_ms)];
            let (mut now, mut sent, mut all, mut free, mut slots) = (0u64, vec![], vec![], 0, vec![]);
            for gap in gaps {
                now += gap;
                now = now.max(free_at(&sent, &paces));
                sent = count(sent, &paces, now).unwrap();
                all.push(now);
                let (at, next) = slot(free, &paces, now).unwrap();
                free = next;
                slots.push(at);
            }
            let size = number as usize;
            for times in [&all, &slots] {
                for window in times.windows(size + 1) {
                    prop_assert!(window[size] - window[0] >= per_ms, "{window:?}");
                }
            }
        }

        #[test]
        fn nothing_panics(sent: Vec<u64>, number: u32, per_ms: u64, now: u64, free: u64) {
            let paces = [pair(number, per_ms), account(number, per_ms)];
            free_at(&sent, &paces);
            count(sent, &paces, now);
            slot(free, &paces, now);
        }
    }
}
