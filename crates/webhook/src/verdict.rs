//! What an attempt's outcome means for its job, and for the endpoint.
//!
//! | outcome | verdict | endpoint |
//! |---|---|---|
//! | 2xx | delivered | well |
//! | 410 | buried, and the endpoint is disabled | answers |
//! | 3xx | tried again: it is never followed, since the signature was for this address | fails |
//! | 401, 403, 404, 405, 407 | tried again: it is the address, or what guards it, that does not take this, and so takes no message now. n8n answers 404 until a workflow is active | fails |
//! | 408, 425, 429, 5xx, no answer | tried again; `Retry-After` is honoured | fails |
//! | any other 4xx | buried: the same request will not fare better | answers |
//! | an address that is not allowed | buried | answers |

use crate::retry::{delay_ms, parse_retry_after};

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
    /// When the job was made, or made due again by a person.
    pub created_at: u64,
    /// Now.
    pub now: u64,
    /// Any number.
    pub random: u64,
}

impl Attempt {
    /// How long the job has been tried.
    pub fn age_ms(&self) -> u64 {
        self.now.saturating_sub(self.created_at)
    }
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

/// What an attempt says about the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It took the message.
    Delivered,
    /// It answers, and refuses this message.
    Refused,
    /// It does not answer, or takes no message now.
    Failed {
        /// How long it asked to be left alone, milliseconds.
        asked_ms: Option<u64>,
    },
}

/// What an outcome means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// For the job.
    pub verdict: Verdict,
    /// For the endpoint.
    pub health: Health,
}

/// Judges an outcome of a job that is tried for `budget_ms`.
pub fn judge(outcome: Outcome<'_>, attempt: Attempt, budget_ms: u64) -> Judgement {
    let (reason, asked_ms) = match outcome {
        Outcome::Answer {
            status: 200..=299, ..
        } => {
            return Judgement {
                verdict: Verdict::Delivered,
                health: Health::Delivered,
            };
        }
        Outcome::Answer { status: 410, .. } => {
            return refused("status 410: the endpoint is gone".to_owned(), true);
        }
        Outcome::Answer {
            status: status @ 300..=399,
            ..
        } => (format!("status {status}: redirects are not followed"), None),
        Outcome::Answer {
            status: status @ 400..=499,
            ..
        } if !is_of_the_endpoint(status) => return refused(format!("status {status}"), false),
        Outcome::Answer {
            status,
            retry_after,
        } => {
            let asked = retry_after.and_then(|value| parse_retry_after(value, attempt.now));
            (format!("status {status}"), asked)
        }
        Outcome::Timeout => ("timeout".to_owned(), None),
        Outcome::Broken(what) => (what.to_owned(), None),
        Outcome::PrivateAddress => return refused("private address".to_owned(), false),
        Outcome::NotGranted => return refused("address not granted".to_owned(), false),
    };
    Judgement {
        verdict: try_again(&reason, asked_ms, attempt, budget_ms),
        health: Health::Failed { asked_ms },
    }
}

/// Whether a status of 4xx is about the endpoint and not about the message.
fn is_of_the_endpoint(status: u16) -> bool {
    matches!(status, 401 | 403 | 404 | 405 | 407 | 408 | 425 | 429)
}

/// What happens to a job that was not delivered for a reason that may pass: it comes up again until
/// its time is over, however often.
fn try_again(reason: &str, asked_ms: Option<u64>, attempt: Attempt, budget_ms: u64) -> Verdict {
    if attempt.age_ms() >= budget_ms {
        return too_old(reason);
    }
    let delay = delay_ms(attempt.number, attempt.random, asked_ms);
    Verdict::Retry {
        at: attempt.now.saturating_add(delay),
        reason: reason.to_owned(),
    }
}

/// What happens to a job whose time to retry is over.
pub fn too_old(reason: &str) -> Verdict {
    Verdict::Bury {
        reason: format!("{reason}; the time to retry is over"),
        disable: false,
    }
}

fn refused(reason: String, disable: bool) -> Judgement {
    Judgement {
        verdict: Verdict::Bury { reason, disable },
        health: Health::Refused,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::retry::MAX_AGE_MS;

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
            (answer(401), retry(1_000_300, "status 401")),
            (answer(402), buried("status 402", false)),
            (answer(403), retry(1_000_300, "status 403")),
            (answer(404), retry(1_000_300, "status 404")),
            (answer(405), retry(1_000_300, "status 405")),
            (answer(406), buried("status 406", false)),
            (answer(422), buried("status 422", false)),
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
            let judgement = judge(outcome, FIRST, MAX_AGE_MS);
            assert_eq!(judgement.verdict, want, "{outcome:?}");
            let health = match want {
                Verdict::Delivered => Health::Delivered,
                Verdict::Retry { .. } => Health::Failed { asked_ms: None },
                Verdict::Bury { .. } => Health::Refused,
            };
            assert_eq!(judgement.health, health, "{outcome:?}");
        }
    }

    #[test]
    fn retry_after_is_honoured_where_a_retry_is() {
        for (status, retry_after, want) in [
            (429, "7", retry(1_007_300, "status 429")),
            (503, "7", retry(1_007_300, "status 503")),
            (503, "nonsense", retry(1_000_300, "status 503")),
            (400, "7", buried("status 400", false)),
        ] {
            let outcome = Outcome::Answer {
                status,
                retry_after: Some(retry_after),
            };
            let judgement = judge(outcome, FIRST, MAX_AGE_MS);
            assert_eq!(judgement.verdict, want, "{status} {retry_after}");
            let asked_ms = (retry_after == "7").then_some(7_000);
            let failed = matches!(want, Verdict::Retry { .. });
            assert_eq!(judgement.health == Health::Failed { asked_ms }, failed);
        }
    }

    #[test]
    fn a_job_is_given_up_when_its_time_is_over_however_often_it_was_tried() {
        for (name, number, age, want) in [
            ("tenth", 10, 0, retry(1_000_300, "timeout")),
            ("the thousandth", 1_000, 0, retry(1_000_300, "timeout")),
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
                buried("timeout; the time to retry is over", false),
            ),
        ] {
            let attempt = Attempt {
                number,
                now: FIRST.created_at + age,
                ..FIRST
            };
            let judgement = judge(Outcome::Timeout, attempt, MAX_AGE_MS);
            assert_eq!(judgement.verdict, want, "{name}");
            assert_eq!(
                judgement.health,
                Health::Failed { asked_ms: None },
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn only_success_is_delivered_and_only_410_disables(status: u16, number: u32, created_at: u64, budget_ms: u64, now: u64, random: u64) {
            let attempt = Attempt { number, created_at, now, random };
            let verdict = judge(answer(status), attempt, budget_ms).verdict;
            prop_assert_eq!(verdict == Verdict::Delivered, (200..300).contains(&status));
            let disables = matches!(verdict, Verdict::Bury { disable: true, .. });
            prop_assert_eq!(disables, status == 410);
            if let Verdict::Retry { at, .. } = verdict {
                prop_assert!(at >= now);
            }
        }
    }
}
