//! An answer to a request of a send that came after the lease's end.
//!
//! 1. The job was buried then as `uncertain`: nobody knew. Now somebody does, so it goes on behind that
//!    request, or is done; else a replay would send the request once more, and nobody the rest.
//! 2. So it is when it was replayed, and nobody has begun again.
//! 3. Whoever knows so holds no lease: the rest is for the next that leases the job.

use crate::commit::{Committed, Writer};
use crate::connection::{Connection, transaction, values_of};
use crate::jobs::parse_token;
use crate::{Error, Moment};

/// `?1` the job, `?2` the request that is next, none after the last, `?3` now.
const KNOWN: &str =
    "UPDATE outbox SET state = iif(?2 IS NULL, 'done', 'pending'), step = coalesce(?2, step),
        error = NULL, starts = 0, attempts = 0, due_at = iif(?2 IS NULL, due_at, ?3),
        replayed_at = iif(?2 IS NULL, replayed_at, ?3), finished_at = iif(?2 IS NULL, ?3, NULL)
     WHERE seq = ?1 AND at_most_once AND error = 'uncertain' AND state IN ('buried', 'pending')
        AND (?2 IS NULL OR step < ?2)
     RETURNING platform_client_id, conversation_id, message_id";

/// Writes what came of the requests before `next`, of all when there is none; [`Error::Stale`] when the
/// job was not given up for want of that.
pub(crate) async fn write<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    next: Option<u32>,
    effects: &[crate::Effect],
) -> Result<Committed, Error> {
    let ("outbox", seq) = parse_token(token)? else {
        return Err(Error::Stale);
    };
    transaction(connection, async || {
        let rows = connection
            .execute(KNOWN, values_of![seq, next, moment.now])
            .await?;
        let row = rows.first().ok_or(Error::Stale)?;
        let mut writer = Writer::new(connection, moment, row.text(0)?);
        writer.job = Some(seq);
        if let Some(id) = row.optional(1)? {
            writer.bind_conversation(id).await?;
        }
        if let Some(id) = row.optional(2)? {
            writer.bind_message(id).await?;
        }
        writer.write(effects).await
    })
    .await
}
