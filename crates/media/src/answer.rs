//! What an answer means for a fetch.
//!
//! | status | next |
//! |---|---|
//! | 200 | its body is read |
//! | 301, 302, 303, 307, 308 | followed, see [`crate::origin`] |
//! | 202 (still being made), 408, 425, 429, 5xx | tried again, when it says or by our own backoff |
//! | 401, and 403 where the token went along | tried again: a person may change the token |
//! | 404, 410 | gone, for good |
//! | anything else | failed, for good |
//!
//! What has no answer is tried again. A job is given up after a day, as an outage or a dead token may
//! last a night; what is wrong with the medium itself, after [`MAX_ATTEMPTS`] tries.

use chatly_webhook::Attempt;
use chatly_webhook::retry::{MAX_AGE_MS, MAX_ATTEMPTS, delay_ms, parse_retry_after};

/// What follows from a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The body is what was asked for.
    Body,
    /// It is elsewhere.
    Elsewhere,
    /// Later, perhaps.
    Later(String),
    /// Never.
    Never(String),
}

/// What a status means; `with_token` says that the request carried the account's token.
pub fn read(status: u16, with_token: bool) -> Meaning {
    let words = |what: &str| format!("{what}: HTTP {status}");
    match status {
        200 => Meaning::Body,
        301 | 302 | 303 | 307 | 308 => Meaning::Elsewhere,
        202 | 408 | 425 | 429 | 500..=599 => Meaning::Later(words("not now")),
        401 => Meaning::Later(words("token_refused")),
        403 if with_token => Meaning::Later(words("token_refused")),
        404 | 410 => Meaning::Never(words("gone")),
        _ => Meaning::Never(words("refused")),
    }
}

/// What happens to the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is tried again.
    Retry {
        /// When, Unix milliseconds.
        at: u64,
        /// Why, safe to store.
        reason: String,
    },
    /// It is given up.
    Failed {
        /// Why, safe to store.
        reason: String,
    },
}

/// What an attempt failed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The bytes that came.
    Medium,
    /// The platform, the network, the token or the store.
    World,
}

/// What happens after an attempt that may do better another time. `retry_after` is that header.
pub fn again(cause: Cause, reason: &str, retry_after: Option<&str>, attempt: Attempt) -> Next {
    let last = cause == Cause::Medium && attempt.number >= MAX_ATTEMPTS;
    if last || attempt.now.saturating_sub(attempt.created_at) >= MAX_AGE_MS {
        let end = if last {
            "the last attempt"
        } else {
            "older than a day"
        };
        return Next::Failed {
            reason: format!("{reason}; {end}"),
        };
    }
    let asked = retry_after.and_then(|value| parse_retry_after(value, attempt.now));
    let delay = delay_ms(attempt.number, attempt.random, asked);
    Next::Retry {
        at: attempt.now.saturating_add(delay),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Attempt = Attempt {
        number: 1,
        created_at: 1_000_000,
        now: 1_000_000,
        random: 300,
    };

    #[test]
    fn each_status_has_one_meaning() {
        let later = |words: &str| Meaning::Later(words.to_owned());
        let never = |words: &str| Meaning::Never(words.to_owned());
        for (status, with_token, want) in [
            (200, true, Meaning::Body),
            (202, true, later("not now: HTTP 202")),
            (204, true, never("refused: HTTP 204")),
            (206, false, never("refused: HTTP 206")),
            (302, false, Meaning::Elsewhere),
            (304, false, never("refused: HTTP 304")),
            (400, true, never("refused: HTTP 400")),
            (401, true, later("token_refused: HTTP 401")),
            (403, true, later("token_refused: HTTP 403")),
            (403, false, never("refused: HTTP 403")),
            (404, true, never("gone: HTTP 404")),
            (410, false, never("gone: HTTP 410")),
            (429, false, later("not now: HTTP 429")),
            (500, false, later("not now: HTTP 500")),
            (599, false, later("not now: HTTP 599")),
            (600, false, never("refused: HTTP 600")),
        ] {
            assert_eq!(read(status, with_token), want, "{status}");
        }
    }

    #[test]
    fn a_job_comes_again_for_a_day_and_broken_bytes_a_few_times() {
        let retry = |at| Next::Retry {
            at,
            reason: "why".into(),
        };
        let failed = |end: &str| Next::Failed {
            reason: format!("why; {end}"),
        };
        let last = Attempt {
            number: MAX_ATTEMPTS,
            ..FIRST
        };
        let old = Attempt {
            now: FIRST.created_at + MAX_AGE_MS,
            ..FIRST
        };
        for (name, cause, asked, attempt, want) in [
            ("first", Cause::World, None, FIRST, retry(1_000_300)),
            (
                "asked for",
                Cause::World,
                Some("7"),
                FIRST,
                retry(1_007_300),
            ),
            (
                "nonsense",
                Cause::World,
                Some("soon"),
                FIRST,
                retry(1_000_300),
            ),
            ("an outage", Cause::World, None, last, retry(1_000_300)),
            ("broken", Cause::Medium, None, FIRST, retry(1_000_300)),
            (
                "last",
                Cause::Medium,
                None,
                last,
                failed("the last attempt"),
            ),
            (
                "old",
                Cause::World,
                Some("7"),
                old,
                failed("older than a day"),
            ),
        ] {
            assert_eq!(again(cause, "why", asked, attempt), want, "{name}");
        }
    }
}
