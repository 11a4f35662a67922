//! What happens to a send job after an attempt.
//!
//! | what came | next |
//! |---|---|
//! | sent | sent |
//! | retry | tried again, at most [`MAX_ATTEMPTS`] times and a day |
//! | rate limited | put off until it passes, for a day: it is not the message's fault; under a 429, or with a wait that the platform names, the whole account is held back |
//! | pair limited | the same, and only its conversation waits: what is behind it there goes out after it |
//! | account stopped | it waits, with all of the account, until the account goes on |
//! | refused, window closed | failed |
//! | refused under a 2xx without a code: not the platform's own words | uncertain |
//! | never left | put off, for a day |
//! | uncertain: a gateway's failure, or one that may have come half-way | uncertain |
//! | no answer, though it may have arrived | uncertain |
//!
//! Waits are exponential with full jitter, and what the platform asked for comes first.

use chatly_channel::{Outcome, Verdict};
use chatly_webhook::Attempt;
use chatly_webhook::retry::{BASE_MS, MAX_AGE_MS, MAX_ATTEMPTS, delay_ms};

/// What happens to the job and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The platform has it, under this id where it gives one.
    Sent {
        /// The platform's id.
        platform_id: Option<String>,
    },
    /// It is tried again.
    Retry {
        /// When, Unix milliseconds.
        at: u64,
        /// Why, safe to store.
        reason: String,
        /// Until when nothing else goes out of the account either: the platform said that it is too fast.
        hold_until: Option<u64>,
    },
    /// Nothing goes out of the account any more.
    Stopped {
        /// The platform's code.
        code: Option<String>,
        /// Why, safe to store.
        reason: String,
    },
    /// It can never be sent.
    Failed {
        /// The platform's code.
        code: Option<String>,
        /// Why, safe to store.
        reason: String,
    },
    /// Nobody knows whether the platform has it.
    Uncertain {
        /// Why, safe to store.
        reason: String,
    },
}

/// A request without an answer; the words are safe to store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost<'a> {
    /// It never left.
    Unsent(&'a str),
    /// It may have arrived.
    Unanswered(&'a str),
}

/// What a channel's verdict means for the job.
///
/// `status` is the answer's. A 2xx that the channel cannot read as the platform's may come from a
/// proxy in front of it, before or after the platform took the message.
pub fn judge(status: u16, verdict: &Verdict, attempt: Attempt) -> Next {
    let (reason, asked_ms) = (&verdict.reason, verdict.retry_after_ms);
    match verdict.outcome {
        Outcome::Sent => Next::Sent {
            platform_id: verdict.message_id.clone(),
        },
        Outcome::Retry if attempt.number >= MAX_ATTEMPTS => Next::Failed {
            code: verdict.code.clone(),
            reason: format!("{reason}; attempt {MAX_ATTEMPTS} was the last"),
        },
        Outcome::Retry | Outcome::RateLimited | Outcome::PairLimited => {
            match put_off(reason, asked_ms, attempt) {
                Next::Failed { reason, .. } => Next::Failed {
                    code: verdict.code.clone(),
                    reason,
                },
                Next::Retry { at, reason, .. } => Next::Retry {
                    at,
                    reason,
                    hold_until: hold_until(status, verdict, attempt.now),
                },
                next => next,
            }
        }
        Outcome::Uncertain => Next::Uncertain {
            reason: reason.clone(),
        },
        Outcome::AccountStopped => Next::Stopped {
            code: verdict.code.clone(),
            reason: reason.clone(),
        },
        Outcome::Refused if (200..300).contains(&status) && verdict.code.is_none() => {
            Next::Uncertain {
                reason: reason.clone(),
            }
        }
        Outcome::Refused => Next::Failed {
            code: verdict.code.clone(),
            reason: reason.clone(),
        },
        Outcome::WindowClosed => Next::Failed {
            code: Some(verdict.code.clone().unwrap_or("window_closed".to_owned())),
            reason: reason.clone(),
        },
    }
}

/// Until when a limit holds all of the account back: as long as the platform says, without the jitter
/// of the single job. One without a 429 and without a wait is of a template, or of a pair that the
/// platform does not name as one.
fn hold_until(status: u16, verdict: &Verdict, now: u64) -> Option<u64> {
    let asked_ms = verdict.retry_after_ms;
    let is_of_account =
        verdict.outcome == Outcome::RateLimited && (status == 429 || asked_ms.is_some());
    let wait_ms = asked_ms.unwrap_or(BASE_MS).min(MAX_AGE_MS);
    is_of_account.then(|| now.saturating_add(wait_ms))
}

/// What no answer means for the job.
pub fn judge_lost(lost: Lost<'_>, attempt: Attempt) -> Next {
    match lost {
        Lost::Unsent(reason) => put_off(reason, None, attempt),
        Lost::Unanswered(reason) => Next::Uncertain {
            reason: reason.to_owned(),
        },
    }
}

/// What happens to a job that was held up by something that may pass: it comes up again until it is
/// a day old.
pub fn put_off(reason: &str, asked_ms: Option<u64>, attempt: Attempt) -> Next {
    if attempt.now.saturating_sub(attempt.created_at) >= MAX_AGE_MS {
        return Next::Failed {
            code: None,
            reason: format!("{reason}; older than a day"),
        };
    }
    let delay = delay_ms(attempt.number, attempt.random, asked_ms);
    Next::Retry {
        at: attempt.now.saturating_add(delay),
        reason: reason.to_owned(),
        hold_until: None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIRST: Attempt = Attempt {
        number: 1,
        created_at: 1_000_000,
        now: 1_000_000,
        random: 300,
    };

    fn verdict(outcome: Outcome) -> Verdict {
        Verdict {
            outcome,
            message_id: Some("id".into()),
            retry_after_ms: None,
            code: Some("7".into()),
            reason: "why".into(),
        }
    }

    fn retry(at: u64) -> Next {
        Next::Retry {
            at,
            reason: "why".into(),
            hold_until: None,
        }
    }

    fn failed(code: Option<&str>, reason: &str) -> Next {
        Next::Failed {
            code: code.map(str::to_owned),
            reason: reason.into(),
        }
    }

    #[test]
    fn each_verdict_has_its_next_step() {
        for (outcome, want) in [
            (
                Outcome::Sent,
                Next::Sent {
                    platform_id: Some("id".into()),
                },
            ),
            (Outcome::Retry, retry(1_000_300)),
            (Outcome::RateLimited, retry(1_000_300)),
            (
                Outcome::AccountStopped,
                Next::Stopped {
                    code: Some("7".into()),
                    reason: "why".into(),
                },
            ),
            (Outcome::Refused, failed(Some("7"), "why")),
            (Outcome::WindowClosed, failed(Some("7"), "why")),
        ] {
            assert_eq!(judge(400, &verdict(outcome), FIRST), want, "{outcome:?}");
        }
        let closed = Verdict {
            code: None,
            ..verdict(Outcome::WindowClosed)
        };
        assert_eq!(
            judge(400, &closed, FIRST),
            failed(Some("window_closed"), "why")
        );
        let asked = Verdict {
            retry_after_ms: Some(60_000),
            ..verdict(Outcome::RateLimited)
        };
        let held = |at, until| Next::Retry {
            at,
            reason: "why".into(),
            hold_until: Some(until),
        };
        assert_eq!(judge(400, &asked, FIRST), held(1_060_300, 1_060_000));
        let of_pair = Verdict {
            outcome: Outcome::PairLimited,
            ..asked.clone()
        };
        assert_eq!(
            judge(429, &of_pair, FIRST),
            retry(1_060_300),
            "no other waits"
        );
        let limited = verdict(Outcome::RateLimited);
        assert_eq!(judge(429, &limited, FIRST), held(1_000_300, 1_001_000));
        let failing = Verdict {
            retry_after_ms: Some(60_000),
            ..verdict(Outcome::Retry)
        };
        assert_eq!(judge(503, &failing, FIRST), retry(1_060_300));
        let uncertain = Next::Uncertain {
            reason: "why".into(),
        };
        assert_eq!(
            judge(502, &verdict(Outcome::Uncertain), FIRST),
            uncertain,
            "whatever the code"
        );
    }

    #[test]
    fn a_success_that_nobody_can_read_is_uncertain() {
        let unread = Verdict::unrecognised(200);
        let uncertain = Next::Uncertain {
            reason: unread.reason.clone(),
        };
        let told = Verdict {
            code: Some("7".into()),
            ..unread.clone()
        };
        let refused = |code| failed(code, &unread.reason);
        for (name, status, verdict, want) in [
            ("no code", 200, &unread, uncertain.clone()),
            ("the last 2xx", 299, &unread, uncertain),
            ("no 2xx", 300, &unread, refused(None)),
            ("with a code", 200, &told, refused(Some("7"))),
        ] {
            assert_eq!(judge(status, verdict, FIRST), want, "{name}");
        }
    }

    #[test]
    fn a_job_is_given_up_after_the_last_attempt_or_a_day() {
        let day = Attempt {
            now: FIRST.created_at + MAX_AGE_MS,
            ..FIRST
        };
        let last = Attempt {
            number: MAX_ATTEMPTS,
            ..FIRST
        };
        for (name, outcome, attempt, want) in [
            (
                "last",
                Outcome::Retry,
                last,
                failed(Some("7"), "why; attempt 10 was the last"),
            ),
            (
                "old",
                Outcome::Retry,
                day,
                failed(Some("7"), "why; older than a day"),
            ),
            (
                "old and stopped",
                Outcome::AccountStopped,
                day,
                judge(400, &verdict(Outcome::AccountStopped), FIRST),
            ),
            (
                "limited for long",
                Outcome::RateLimited,
                last,
                retry(1_000_300),
            ),
            (
                "a pair limited for long",
                Outcome::PairLimited,
                last,
                retry(1_000_300),
            ),
        ] {
            assert_eq!(judge(400, &verdict(outcome), attempt), want, "{name}");
        }
        assert_eq!(
            put_off("why", None, day),
            failed(None, "why; older than a day")
        );
    }

    #[test]
    fn only_what_never_left_is_tried_again() {
        assert_eq!(judge_lost(Lost::Unsent("why"), FIRST), retry(1_000_300));
        let uncertain = Next::Uncertain {
            reason: "why".into(),
        };
        assert_eq!(judge_lost(Lost::Unanswered("why"), FIRST), uncertain);
    }

    proptest! {
        #[test]
        fn what_may_have_arrived_is_never_tried_again(number: u32, created_at: u64, now: u64, random: u64) {
            let attempt = Attempt { number, created_at, now, random };
            let tried_again = |next| matches!(next, Next::Retry { .. });
            prop_assert!(!tried_again(judge_lost(Lost::Unanswered("x"), attempt)));
            prop_assert!(!tried_again(judge(400, &verdict(Outcome::Sent), attempt)));
        }
    }
}
