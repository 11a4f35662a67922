//! What comes after a provider that gave no answer.
//!
//! 1. Another provider is asked at once, whatever the failure. Only when none is left, the job waits.
//! 2. It waits only where that can help and costs nothing twice: the service was too fast asked or was
//!    not there, and billed nothing. What may have been billed is not asked again.

/// Starts of one job: enough for a service that is away for a minute.
pub const MAX_ATTEMPTS: u32 = 3;
/// The longest wait that a service can ask for: an answer that comes later helps nobody.
const MAX_WAIT_MS: u64 = 15 * 60 * 1000;

/// Why a provider gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Trying again does not help, or may be billed twice.
    Final,
    /// Trying again may help, after so many milliseconds where the service says.
    Again(Option<u64>),
}

/// What becomes of a job that no provider answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The baseline's result stands.
    Stand,
    /// It is tried again in so many milliseconds.
    Retry(u64),
}

/// Decides on all failures of one start. `attempt` counts starts from 1; `delay` is what a job waits
/// where no service says how long.
pub fn next(failures: &[Failure], attempt: u32, delay: u64) -> Next {
    let waits = failures.iter().filter_map(|failure| match failure {
        Failure::Final => None,
        Failure::Again(wait) => Some(wait.unwrap_or(0).max(delay)),
    });
    match waits.min() {
        Some(wait) if attempt < MAX_ATTEMPTS && wait <= MAX_WAIT_MS => Next::Retry(wait),
        _ => Next::Stand,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_waits_only_where_that_helps() {
        use Failure::{Again, Final};
        for (name, failures, attempt, want) in [
            ("nobody was asked", &[][..], 1, Next::Stand),
            ("refused", &[Final], 1, Next::Stand),
            ("away", &[Again(None)], 1, Next::Retry(250)),
            ("too fast", &[Again(Some(2_000))], 1, Next::Retry(2_000)),
            ("at once", &[Again(Some(0))], 1, Next::Retry(250)),
            (
                "the sooner one",
                &[Again(Some(9_000)), Final, Again(Some(700))],
                2,
                Next::Retry(700),
            ),
            ("the last start", &[Again(None)], 3, Next::Stand),
            (
                "a quarter of an hour",
                &[Again(Some(900_000))],
                1,
                Next::Retry(900_000),
            ),
            ("too long", &[Again(Some(900_001))], 1, Next::Stand),
        ] {
            assert_eq!(next(failures, attempt, 250), want, "{name}");
        }
    }
}
