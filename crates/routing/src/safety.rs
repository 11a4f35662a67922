//! Whether a rule may answer in a conversation.
//!
//! 1. Not while it is a person's turn, while it is muted, or when a person of ours was quicker.
//! 2. Not when machines may be talking to each other: [`BURST_REPLIES`] within [`BURST_MS`], or
//!    [`MAX_RUN`] in a row, which a person's message or an hour's pause ends (the store counts).
//!    Customers are seldom answered five times a minute, and two machines soon are.

use std::fmt;

/// Automatic replies within [`BURST_MS`] after which there is none.
pub const BURST_REPLIES: usize = 5;
/// See [`BURST_REPLIES`].
pub const BURST_MS: u64 = 60_000;
/// Automatic replies in a row after which there is none: a long talk with a menu has half as many.
pub const MAX_RUN: u32 = 50;
/// A pause that ends a run: two machines that talk to each other are quicker.
const RUN_PAUSE_MS: u64 = 3_600_000;

/// What an automatic answer depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// It is a person's turn.
    pub human: bool,
    /// No rule answers before this.
    pub muted_until: Option<u64>,
    /// When a person of ours wrote last.
    pub last_human_at: Option<u64>,
    /// When a rule answered last.
    pub last_bot_at: Option<u64>,
    /// Automatic replies in a row.
    pub bot_run: u32,
    /// When the newest automatic replies were made, oldest first.
    pub bot_times: Vec<u64>,
}

/// Why there is no automatic reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The conversation is a person's.
    Human,
    /// It is muted.
    Muted,
    /// A person answered meanwhile.
    Answered,
    /// Too many replies within a short time.
    Burst,
    /// Too many in a row.
    Run,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Held::Human => f.write_str("the conversation is handed over to a person"),
            Held::Muted => f.write_str("the conversation is muted"),
            Held::Answered => f.write_str("a person wrote meanwhile"),
            Held::Burst => write!(
                f,
                "{BURST_REPLIES} automatic replies within {} s; a person should take over",
                BURST_MS / 1000
            ),
            Held::Run => write!(
                f,
                "{MAX_RUN} automatic replies in a row; a person should take over"
            ),
        }
    }
}

impl Standing {
    /// Whether it is muted at that time.
    pub fn is_muted(&self, now: u64) -> bool {
        self.muted_until.is_some_and(|until| now < until)
    }

    /// Why a reply to what arrived at `since` is not given; none when it may be.
    pub fn held(&self, now: u64, since: u64) -> Option<Held> {
        if self.human {
            return Some(Held::Human);
        }
        if self.is_muted(now) {
            return Some(Held::Muted);
        }
        self.held_when_announced(now, since)
    }

    /// The same for a reply that was given together with the handover or the mute that stands now.
    pub fn held_when_announced(&self, now: u64, since: u64) -> Option<Held> {
        if self.last_human_at.is_some_and(|at| at > since) {
            return Some(Held::Answered);
        }
        let recent = self.bot_times.iter().rev().nth(BURST_REPLIES - 1);
        if recent.is_some_and(|at| now.saturating_sub(*at) < BURST_MS) {
            return Some(Held::Burst);
        }
        let is_going_on = self
            .last_bot_at
            .is_some_and(|at| now.saturating_sub(at) < RUN_PAUSE_MS);
        (self.bot_run >= MAX_RUN && is_going_on).then_some(Held::Run)
    }

    /// Counts a reply.
    pub fn answered(&mut self, now: u64) {
        self.bot_times.push(now);
        self.bot_run = self.bot_run.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 10_000_000;

    #[test]
    fn a_reply_is_held_for_the_first_reason_there_is() {
        let still = Standing::default;
        let times = |ages: [u64; 5]| ages.map(|age| NOW - age).to_vec();
        for (name, standing, want) in [
            ("nothing", still(), None),
            (
                "human",
                Standing {
                    human: true,
                    ..still()
                },
                Some(Held::Human),
            ),
            (
                "muted",
                Standing {
                    muted_until: Some(NOW + 1),
                    ..still()
                },
                Some(Held::Muted),
            ),
            (
                "muted until now",
                Standing {
                    muted_until: Some(NOW),
                    ..still()
                },
                None,
            ),
            (
                "answered",
                Standing {
                    last_human_at: Some(NOW - 9),
                    ..still()
                },
                Some(Held::Answered),
            ),
            (
                "answered before it came",
                Standing {
                    last_human_at: Some(NOW - 10),
                    ..still()
                },
                None,
            ),
            (
                "five",
                Standing {
                    bot_times: times([59_999, 9, 9, 9, 9]),
                    ..still()
                },
                Some(Held::Burst),
            ),
            (
                "five in a minute and a bit",
                Standing {
                    bot_times: times([60_000, 9, 9, 9, 9]),
                    ..still()
                },
                None,
            ),
            (
                "four",
                Standing {
                    bot_times: vec![NOW; 4],
                    ..still()
                },
                None,
            ),
            (
                "a run",
                Standing {
                    bot_run: 50,
                    last_bot_at: Some(NOW - 3_599_999),
                    ..still()
                },
                Some(Held::Run),
            ),
            (
                "a run that ended an hour ago",
                Standing {
                    bot_run: 50,
                    last_bot_at: Some(NOW - 3_600_000),
                    ..still()
                },
                None,
            ),
            (
                "almost a run",
                Standing {
                    bot_run: 49,
                    last_bot_at: Some(NOW),
                    ..still()
                },
                None,
            ),
            (
                "all",
                Standing {
                    human: true,
                    muted_until: Some(NOW + 1),
                    bot_run: 99,
                    ..still()
                },
                Some(Held::Human),
            ),
        ] {
            assert_eq!(standing.held(NOW, NOW - 10), want, "{name}");
        }
        let announced = Standing {
            human: true,
            muted_until: Some(NOW + 1),
            ..still()
        };
        assert_eq!(announced.held_when_announced(NOW, NOW), None);
    }

    #[test]
    fn what_was_answered_counts() {
        let mut standing = Standing::default();
        for _ in 0..5 {
            assert_eq!(standing.held(NOW, NOW), None);
            standing.answered(NOW);
        }
        assert_eq!(standing.held(NOW, NOW), Some(Held::Burst));
        assert_eq!(standing.held(NOW + BURST_MS, NOW), None);
    }
}
