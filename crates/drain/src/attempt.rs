//! One start of a job whose work is the store's own, and what becomes of it when that fails.
//!
//! 1. A lease that is nearly over is prolonged before the work begins: jobs that were leased together
//!    wait for each other.
//! 2. A job that another has by now is left alone. One that breaks the store's contract is buried. Any
//!    other is given back and comes again at growing intervals, up to as many attempts as it has.

use crate::{Fate, HOLD_MS, Store, Ticket, retry_delay_ms};

/// A lease with less than this left is prolonged before its job is begun.
const EXTEND_BELOW_MS: u64 = 5_000;

/// Does a job with `work`, and settles it if that fails. After `attempts` starts (none: no end) it is
/// buried if the store fails on it again, but not while the store is only busy.
pub async fn attempt<S: Store>(
    store: &S,
    job: S::Job,
    attempts: Option<u32>,
    work: impl AsyncFnOnce(S::Job) -> Result<(), S::Error>,
) {
    let ticket = S::ticket(&job);
    let done = match prolong(store, &ticket).await {
        Ok(()) => work(job).await,
        Err(error) => Err(error),
    };
    let Err(error) = done else {
        return;
    };
    let seq = ticket.seq;
    if let Err(error) = settle(store, ticket, attempts, error).await {
        // The lease runs out, and the job is leased again.
        store.log(format!("warn: job not settled: seq={seq} error={error:?}"));
    }
}

async fn prolong<S: Store>(store: &S, ticket: &Ticket) -> Result<(), S::Error> {
    if ticket.lease_until.saturating_sub(store.now_ms()) < EXTEND_BELOW_MS {
        store.extend(ticket.token.clone(), HOLD_MS).await?;
    }
    Ok(())
}

async fn settle<S: Store>(
    store: &S,
    ticket: Ticket,
    attempts: Option<u32>,
    error: S::Error,
) -> Result<(), S::Error> {
    let Ticket {
        seq,
        attempt,
        token,
        ..
    } = ticket;
    let shown = format!("{error:?}");
    match S::fate(error) {
        // Another has it by now, or will.
        Fate::Lost => Ok(()),
        Fate::Hopeless(reason) => {
            store.log(format!("error: job buried: seq={seq} attempt={attempt}"));
            store.bury(token, reason).await
        }
        // The database takes this very write, so the fault lies with the job: without an end it would
        // hold its conversation up for ever.
        Fate::Failed(reason) if attempts.is_some_and(|attempts| attempt >= attempts) => {
            store.log(format!(
                "error: job buried: seq={seq} attempt={attempt} error={reason}"
            ));
            let reason = format!("the store failed {attempt} times");
            store.bury(token, reason).await
        }
        Fate::Failed(_) | Fate::Unwell => {
            store.log(format!(
                "warn: job put off: seq={seq} attempt={attempt} error={shown}"
            ));
            let at = store.now_ms().saturating_add(retry_delay_ms(attempt, seq));
            store.retry(token, at, "the store failed".to_owned()).await
        }
    }
}

#[cfg(test)]
mod tests;
