//! What a clock that was set back leaves behind.
//!
//! 1. Whoever takes a right to work looks at the newest time that the store has seen. A clock that is
//!    [`MAX_BACK_MS`] behind it was set back, and what was written in between lies in a future that was
//!    none: it would be waited for as long as the clock was wrong.
//! 2. Nothing is lost by what is then mended: a pause of a job ends early, a lease ends within
//!    [`LEASE_MS`], a right to work is anybody's (it only saves work), an account's pace starts anew. What was asked for by a time (a snooze, an answer that
//!    waits) stays as it is.
//! 3. A clock that is a little behind is waited for.

use crate::connection::{Connection, transaction, values_of};
use crate::gate::NEVER;
use crate::{Error, Moment};

/// The row of `holds` that keeps the newest time.
const NAME: &str = ":clock";
/// A correction by less than this is waited for.
pub(crate) const MAX_BACK_MS: u64 = 60_000;
/// The newest time is kept this often: seldom enough that it costs nothing.
const EVERY_MS: u64 = 5_000;
/// What is left of a lease: longer than any request takes.
const LEASE_MS: u64 = 240_000;

/// Notes the time; after a clock that was ahead, mends what it left.
pub(crate) async fn look<C: Connection>(connection: &C, moment: Moment) -> Result<(), Error> {
    let now = moment.now;
    let sql = "SELECT until FROM holds WHERE name = ?";
    let rows = connection.execute(sql, values_of![NAME]).await?;
    let seen = rows.first().map(|row| row.integer(0)).transpose()?;
    match seen {
        Some(seen) if now.saturating_add(MAX_BACK_MS) < seen => {
            transaction(connection, async || {
                for sql in mend() {
                    connection.execute(&sql, values_of![now]).await?;
                }
                note(connection, now).await
            })
            .await
        }
        Some(seen) if now < seen.saturating_add(EVERY_MS) => Ok(()),
        _ => note(connection, now).await,
    }
}

async fn note<C: Connection>(connection: &C, now: u64) -> Result<(), Error> {
    let sql = "INSERT INTO holds (name, token, until) VALUES (?, '', ?)
         ON CONFLICT DO UPDATE SET until = excluded.until";
    connection.execute(sql, values_of![NAME, now]).await?;
    Ok(())
}

/// `?1` is now. What was begun and waits for another try is due; what was made meanwhile is due as long
/// after now as it was to be after it was made.
fn mend() -> Vec<String> {
    let jobs = |table: &str| {
        format!(
            "UPDATE {table} SET created_at = min(created_at, ?1), due_at = CASE
                WHEN state <> 'pending' THEN min(due_at, ?1 + {LEASE_MS})
                WHEN created_at > ?1 AND attempts = 0 AND error IS NULL THEN ?1 + max(due_at - created_at, 0)
                ELSE ?1 END
             WHERE state IN ('pending', 'leased', 'sending') AND due_at > ?1 AND due_at < {NEVER}
                AND (created_at > ?1 OR attempts > 0 OR error IS NOT NULL OR state <> 'pending')"
        )
    };
    vec![
        "UPDATE outbox SET permit_at = NULL WHERE permit_at IS NOT NULL AND ?1".to_owned(),
        jobs("inbox"),
        jobs("outbox"),
        "UPDATE channel_accounts SET free_us = min(free_us, ?1 * 1000), held_until = NULL".to_owned(),
        "UPDATE conversations SET paced = NULL, last_human_at = min(last_human_at, ?1),
            last_bot_at = min(last_bot_at, ?1)
         WHERE paced IS NOT NULL OR last_human_at > ?1 OR last_bot_at > ?1"
            .to_owned(),
        "UPDATE endpoints SET next_probe_at = min(next_probe_at, ?1), probing_since = min(probing_since, ?1)"
            .to_owned(),
        "UPDATE holds SET until = min(until, ?1)".to_owned(),
    ]
}
