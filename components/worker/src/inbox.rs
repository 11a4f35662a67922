//! The inbox as a queue that can be drained.

use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chatly_canonical::{Convert, Event};
use chatly_drain::{Fault, HOLD_MS, Queue, retry_delay_ms};
use spin_sdk::time;

use crate::bindings::chatly::store::store::{self, Error, Job, Payload};
use crate::effects;

/// The exclusive right that a drain of the inbox needs.
const HOLD: &str = "worker";
/// Attempts that the store may fail before an event is given up: about three minutes, by the delays
/// of `chatly_drain::retry_delay_ms`.
const MAX_ATTEMPTS: u32 = 10;
/// Jobs leased at once: enough that a lease costs little for each, few enough that all are done
/// well within it.
const LEASE_MAX: u32 = 32;
/// A lease with less than this left is prolonged before its job is begun.
const EXTEND_BELOW_MS: u64 = 5_000;

/// The inbox of the store that this component is composed with.
pub struct Inbox;

impl Queue for Inbox {
    type Job = Job;

    async fn hold(&self, token: Option<String>) -> Result<Option<String>, Fault> {
        store::hold(HOLD.to_owned(), token, HOLD_MS)
            .await
            .map_err(|error| fault("hold", &error))
    }

    async fn release(&self, token: String) -> Result<(), Fault> {
        store::release(HOLD.to_owned(), token)
            .await
            .map_err(|error| fault("release", &error))
    }

    async fn lease(&self) -> Result<Vec<Job>, Fault> {
        store::lease(kinds(), LEASE_MAX, HOLD_MS)
            .await
            .map_err(|error| fault("lease", &error))
    }

    async fn work(&self, job: Job) {
        let (seq, attempt, token) = (job.seq, job.attempt, job.token.clone());
        let Err(error) = commit(job).await else {
            return;
        };
        let settled = match error {
            // Another has it by now, or will.
            Error::Stale => Ok(()),
            Error::Invalid(reason) => {
                eprintln!("error: event buried: seq={seq} attempt={attempt}");
                store::bury(token, reason).await
            }
            // The database takes this very write, so the fault lies with the event: without an end
            // it would hold its conversation up for ever.
            Error::Other(reason) if attempt >= MAX_ATTEMPTS => {
                eprintln!("error: event buried: seq={seq} attempt={attempt} error={reason}");
                store::bury(token, format!("the store failed {attempt} times")).await
            }
            Error::Busy | Error::Denied | Error::InvalidCursor | Error::Other(_) => {
                eprintln!("warn: event put off: seq={seq} attempt={attempt} error={error:?}");
                let at = unix_millis().saturating_add(retry_delay_ms(attempt, seq));
                store::retry(token, at, "the store failed".to_owned()).await
            }
        };
        if let Err(error) = settled {
            // The lease runs out, and the event is leased again.
            eprintln!("warn: event not settled: seq={seq} error={error:?}");
        }
    }

    async fn find_next_due(&self) -> Result<Option<u64>, Fault> {
        store::find_next_due(kinds())
            .await
            .map_err(|error| fault("find-next-due", &error))
    }

    fn now_ms(&self) -> u64 {
        unix_millis()
    }

    async fn sleep(&self, millis: u64) {
        time::sleep(Duration::from_millis(millis)).await;
    }
}

/// Writes what an event changes and the job's completion.
async fn commit(job: Job) -> Result<(), Error> {
    let Payload::Event(event) = job.payload else {
        return Err(Error::Invalid("an inbox job without an event".to_owned()));
    };
    if job.lease_until.saturating_sub(unix_millis()) < EXTEND_BELOW_MS {
        store::extend(job.token.clone(), HOLD_MS).await?;
    }
    let event: Event = event.convert();
    store::commit(job.token, effects::of(&event, job.created_at))
        .await
        .map(drop)
}

fn kinds() -> Vec<String> {
    vec!["event".to_owned()]
}

fn fault(call: &str, error: &impl Debug) -> Fault {
    eprintln!("warn: the store failed: call={call} error={error:?}");
    Fault
}

/// Unix milliseconds; 0 for a clock that stands before 1970.
fn unix_millis() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
