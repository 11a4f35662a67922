//! What an attempt's outcome means for its job.
//!
//! | outcome | verdict |
//! |---|---|
//! | 2xx | delivered |
//! | 410 | buried, and the endpoint is disabled |
//! | 3xx | tried again: it is never followed, since the signature was for this address |
//! | 408, 425, 429, 5xx, no answer | tried again; `Retry-After` is honoured |
//! | any other 4xx | buried: the same request will not fare better |
//! | an address that is not allowed | buried |

use crate::retry::{MAX_AGE_MS, MAX_ATTEMPTS, delay_ms, parse_retry_after};

/// What came of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// An answer.
    Answer {
        /// Its status.
        status: u16,
        /// Its `Retry-After`, which the receiver controls.
        retry_after: Option<&'a str>,
    },
    /// No answer in time.
    Timeout,
    /// No connection, or one that broke; a word or two that are safe to store.
    Broken(&'a str),
    /// The host does not connect to this address: it is private, and not allowed.
    PrivateAddress,
    /// The component is not granted this address at all.
    NotGranted,
}

/// Where a job stands at the end of an attempt. Times are Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Which attempt it was, counted from 1.
    pub number: u32,
    /// When the job was made.
    pub created_at: u64,
    /// Now.
    pub now: u64,
    /// Any number.
    pub random: u64,
}

/// What happens to the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Delivered,
    /// It is tried again.
    Retry {
        /// When, Unix milliseconds.
        at: u64,
        /// Why, safe to store.
        reason: String,
    },
    /// It is hopeless.
    Bury {
        /// Why, safe to store.
        reason: String,
        /// The receiver said that nothing shall come any more.
        disable: bool,
    },
}

/// Judges an outcome.
pub fn judge(outcome: Outcome<'_>, attempt: Attempt) -> Verdict {
    let (reason, asked_ms) = match outcome {
        Outcome::Answer {
            status: 200..=299, ..
        } => return Verdict::Delivered,
        Outcome::Answer { status: 410, .. } => {
            return Verdict::Bury {
                reason: "status 410: the endpoint is gone".to_owned(),
                disable: true,
            };
        }
        Outcome::Answer {
            status: status @ 300..=399,
            ..
        } => (format!("status {status}: redirects are not followed"), None),
        Outcome::Answer {
            status: status @ 400..=499,
            ..
        } if !matches!(status, 408 | 425 | 429) => return bury(format!("status {status}")),
        Outcome::Answer {
            status,
            retry_after,
        } => {
            let asked = retry_after.and_then(|value| parse_retry_after(value, attempt.now));
            (format!("status {status}"), asked)
        }
        Outcome::Timeout => ("timeout".to_owned(), None),
        Outcome::Broken(what) => (what.to_owned(), None),
        Outcome::PrivateAddress => return bury("private address".to_owned()),
        Outcome::NotGranted => return bury("address not granted".to_owned()),
    };
    if attempt.number >= MAX_ATTEMPTS {
        return bury(format!("{reason}; attempt {MAX_ATTEMPTS} was the last"));
    }
    put_off(&reason, asked_ms, attempt)
}

/// What happens to a job that could not even be tried, for a reason that may pass: it comes up again
/// until it is too old, however often.
pub fn put_off(reason: &str, asked_ms: Option<u64>, attempt: Attempt) -> Verdict {
    if attempt.now.saturating_sub(attempt.created_at) >= MAX_AGE_MS {
        return bury(format!("{reason}; older than a day"));
    }
    let delay = delay_ms(attempt.number, attempt.random, asked_ms);
    Verdict::Retry {
        at: attempt.now.saturating_add(delay),
        reason: reason.to_owned(),
    }
}

fn bury(reason: String) -> Verdict {
    Verdict::Bury {
        reason,
        disable: false,
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

    fn answer(status: u16) -> Outcome<'static> {
        Outcome::Answer {
            status,
            retry_after: None,
        }
    }

    fn retry(at: u64, reason: &str) -> Verdict {
        Verdict::Retry {
            at,
            reason: reason.to_owned(),
        }
    }

    fn buried(reason: &str, disable: bool) -> Verdict {
        Verdict::Bury {
            reason: reason.to_owned(),
            disable,
        }
    }

    #[test]
    fn every_outcome_has_its_verdict() {
        let redirect = |status| {
            let reason = format!("status {status}: redirects are not followed");
            retry(1_000_300, &reason)
        };
        for (outcome, want) in [
            (answer(200), Verdict::Delivered),
            (answer(204), Verdict::Delivered),
            (answer(299), Verdict::Delivered),
            (answer(300), redirect(300)),
            (answer(307), redirect(307)),
            (answer(399), redirect(399)),
            (answer(400), buried("status 400", false)),
            (answer(401), buried("status 401", false)),
            (answer(404), buried("status 404", false)),
            (answer(408), retry(1_000_300, "status 408")),
            (
                answer(410),
                buried("status 410: the endpoint is gone", true),
            ),
            (answer(425), retry(1_000_300, "status 425")),
            (answer(429), retry(1_000_300, "status 429")),
            (answer(499), buried("status 499", false)),
            (answer(500), retry(1_000_300, "status 500")),
            (answer(503), retry(1_000_300, "status 503")),
            (answer(599), retry(1_000_300, "status 599")),
            (answer(101), retry(1_000_300, "status 101")),
            (Outcome::Timeout, retry(1_000_300, "timeout")),
            (
                Outcome::Broken("connection refused"),
                retry(1_000_300, "connection refused"),
            ),
            (Outcome::PrivateAddress, buried("private address", false)),
            (Outcome::NotGranted, buried("address not granted", false)),
        ] {
            assert_eq!(judge(outcome, FIRST), want, "{outcome:?}");
        }
    }

    #[test]
    fn retry_after_is_honoured_where_a_retry_is() {
        for (status, retry_after, want) in [
            (429, "7", retry(1_007_300, "status 429")),
            (503, "7", retry(1_007_300, "status 503")),
            (503, "nonsense", retry(1_000_300, "status 503")),
            (404, "7", buried("status 404", false)),
        ] {
            let outcome = Outcome::Answer {
                status,
                retry_after: Some(retry_after),
            };
            assert_eq!(judge(outcome, FIRST), want, "{status} {retry_after}");
        }
    }

    #[test]
    fn a_job_is_given_up_at_its_last_attempt_or_a_day_old() {
        for (name, number, age, want) in [
            ("ninth", 9, 0, retry(1_000_300, "timeout")),
            (
                "tenth",
                10,
                0,
                buried("timeout; attempt 10 was the last", false),
            ),
            (
                "beyond",
                11,
                0,
                buried("timeout; attempt 10 was the last", false),
            ),
            (
                "almost a day",
                1,
                MAX_AGE_MS - 1,
                retry(1_000_300 + MAX_AGE_MS - 1, "timeout"),
            ),
            (
                "a day",
                1,
                MAX_AGE_MS,
                buried("timeout; older than a day", false),
            ),
        ] {
            let attempt = Attempt {
                number,
                now: FIRST.created_at + age,
                ..FIRST
            };
            assert_eq!(judge(Outcome::Timeout, attempt), want, "{name}");
        }
    }

    #[test]
    fn what_was_not_tried_is_put_off_until_it_is_too_old() {
        for (name, number, age, want) in [
            ("the hundredth time", 100, 0, retry(1_000_300, "no secret")),
            (
                "a day",
                1,
                MAX_AGE_MS,
                buried("no secret; older than a day", false),
            ),
        ] {
            let attempt = Attempt {
                number,
                now: FIRST.created_at + age,
                ..FIRST
            };
            assert_eq!(put_off("no secret", None, attempt), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn only_success_is_delivered_and_only_410_disables(status: u16, number: u32, created_at: u64, now: u64, random: u64) {
            let verdict = judge(answer(status), Attempt { number, created_at, now, random });
            prop_assert_eq!(verdict == Verdict::Delivered, (200..300).contains(&status));
            let disables = matches!(verdict, Verdict::Bury { disable: true, .. });
            prop_assert_eq!(disables, status == 410);
            if let Verdict::Retry { at, .. } = verdict {
                prop_assert!(at >= now);
            }
        }
    }
}
