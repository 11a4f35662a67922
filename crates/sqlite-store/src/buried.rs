//! Jobs as an operator handles them: looked at, cancelled, made due again.
//!
//! 1. A job that is replayed takes its old place: what came after it in its queues waits again.
//! 2. Replaying counts attempts anew; what happened before stays in `external_calls`.
//! 3. Of many at once, those that were cancelled and those of which nobody knows whether they were
//!    done are left out unless they are asked for by name.

use crate::connection::{Connection, Row, UNEXPECTED, values_of};
use crate::jobs::{payload, table_of};
use crate::model::{BuriedJob, Cancelled, ExternalCall, JobDetail, StoredJob};
use crate::query::{BuriedFilter, Query, Queue};
use crate::{Error, Moment};

/// Calls of one job that are shown.
const MAX_CALLS: u32 = 200;
/// Jobs that one call shows or makes due.
const MAX_JOBS: u32 = 1000;

/// Makes a buried job due again, in its old place; false when there is none.
pub async fn replay<C: Connection>(
    connection: &C,
    moment: Moment,
    kind: &str,
    seq: u64,
) -> Result<bool, Error> {
    let table = table_of(kind);
    let sql = format!(
        "UPDATE {table} SET {} WHERE seq = ?2 AND kind = ?3 AND state = 'buried' RETURNING seq",
        again(table)
    );
    let rows = connection
        .execute(&sql, values_of![moment.now, seq, kind])
        .await?;
    Ok(!rows.is_empty())
}

/// What makes a row due at `?1`, as if it had never been started.
fn again(table: &str) -> String {
    let replayed = match table {
        "outbox" => ", replayed_at = ?1",
        _ => "",
    };
    format!(
        "state = 'pending', starts = 0, attempts = 0, due_at = ?1, finished_at = NULL{replayed}"
    )
}

/// Buries a job of the outbox that waits.
pub async fn cancel<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: Option<&str>,
    seq: u64,
) -> Result<Cancelled, Error> {
    const MINE: &str = "seq = ?1 AND platform_client_id = coalesce(?2, platform_client_id)";
    let sql = format!(
        "UPDATE outbox SET state = 'buried', error = 'cancelled', finished_at = ?3
         WHERE {MINE} AND state = 'pending' RETURNING seq"
    );
    let rows = connection
        .execute(&sql, values_of![seq, tenant, moment.now])
        .await?;
    if !rows.is_empty() {
        return Ok(Cancelled::Cancelled);
    }
    let sql = format!("SELECT seq FROM outbox WHERE {MINE}");
    let rows = connection.execute(&sql, values_of![seq, tenant]).await?;
    Ok(match rows.first() {
        Some(_) => Cancelled::NotWaiting,
        None => Cancelled::Absent,
    })
}

fn filtered(sql: &str, filter: &BuriedFilter) -> Query {
    let query = Query::new(sql)
        .and("state = 'buried'", [])
        .filter(
            "platform_client_id = ?",
            filter.platform_client_id.as_deref(),
        )
        .filter("kind = ?", filter.kind.as_deref())
        .filter("payload ->> '$.url' = ?", filter.url.as_deref())
        .filter("created_at >= ?", filter.created_from)
        .filter("created_at < ?", filter.created_before);
    match filter.error.as_deref() {
        Some(error) => query.filter("error = ?", Some(error)),
        None => query.and("coalesce(error, '') NOT IN ('uncertain', 'cancelled')", []),
    }
}

fn size(max: u32) -> Result<u32, Error> {
    if (1..=MAX_JOBS).contains(&max) {
        Ok(max)
    } else {
        Err(Error::Invalid("max is 1 to 1000"))
    }
}

/// How many buried jobs there are, and the first `max` of them, oldest first.
pub async fn list_buried<C: Connection>(
    connection: &C,
    filter: &BuriedFilter,
    max: u32,
) -> Result<(u64, Vec<BuriedJob>), Error> {
    let end = format!(" ORDER BY seq LIMIT {}", size(max)?);
    let rows = filtered("SELECT count(*) FROM outbox", filter)
        .run(connection, "")
        .await?;
    let count = rows.first().ok_or(UNEXPECTED)?.integer(0)?;
    let rows = filtered(
        "SELECT json_object('seq', seq, 'kind', kind, 'platform_client_id', platform_client_id,
            'attempts', attempts, 'created_at', created_at, 'error', error) FROM outbox",
        filter,
    )
    .run(connection, &end)
    .await?;
    let jobs = rows.iter().map(|row| row.json(0));
    Ok((count, jobs.collect::<Result<_, _>>()?))
}

/// Makes the first `max` of them due again, all in one statement; how many those were.
pub async fn replay_buried<C: Connection>(
    connection: &C,
    moment: Moment,
    filter: &BuriedFilter,
    max: u32,
) -> Result<u64, Error> {
    let end = format!(" ORDER BY seq LIMIT {}) RETURNING seq", size(max)?);
    let now = moment.now;
    let rows = filtered(
        &format!(
            "UPDATE outbox SET {} WHERE seq IN (SELECT seq FROM outbox",
            again("outbox").replace("?1", &now.to_string())
        ),
        filter,
    )
    .run(connection, &end)
    .await?;
    Ok(rows.len() as u64)
}

/// One job with its calls; none when there is none, or it is another tenant's.
pub async fn find_job<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    queue: Queue,
    seq: u64,
) -> Result<Option<JobDetail>, Error> {
    let (table, columns) = match queue {
        Queue::Inbox => ("inbox", "NULL, NULL, NULL"),
        Queue::Outbox => ("outbox", "conversation_id, message_id, replayed_at"),
    };
    let sql = format!(
        "SELECT json_object('seq', seq, 'kind', kind, 'platform_client_id', platform_client_id,
            'state', state, 'attempts', attempts, 'due_at', due_at, 'created_at', created_at, 'error', error),
            payload, json(json_array({columns}, finished_at)) FROM {table}"
    );
    let found = Query::new(sql)
        .and("seq = ?", values_of![seq])
        .filter("platform_client_id = ?", tenant)
        .one(connection, detail)
        .await?;
    let Some(mut detail) = found else {
        return Ok(None);
    };
    if queue == Queue::Outbox {
        detail.calls = calls(connection, seq, &detail).await?;
    }
    Ok(Some(detail))
}

fn detail(row: &Row) -> Result<JobDetail, Error> {
    let mut job: StoredJob = row.json(0)?;
    job.payload = payload(&job.kind, row, 1)?;
    let (conversation_id, message_id, replayed_at, finished_at) = row.json(2)?;
    Ok(JobDetail {
        job,
        conversation_id,
        message_id,
        finished_at,
        replayed_at,
        calls: vec![],
    })
}

/// The calls that name the job; of a send also those that name only its message, which is sent by
/// no other job.
async fn calls<C: Connection>(
    connection: &C,
    seq: u64,
    detail: &JobDetail,
) -> Result<Vec<ExternalCall>, Error> {
    let send = detail.job.kind.starts_with("send-");
    let message = detail.message_id.as_deref().filter(|_| send);
    let sql = format!(
        "SELECT call FROM (
            SELECT seq, call FROM (SELECT seq, json_object('kind', kind, 'target', target, 'status', status,
                'millis', millis, 'attempt', attempt, 'at', at, 'error', error,
                'conversation_id', conversation_id, 'message_id', message_id, 'details', details) AS call
            FROM external_calls WHERE job = ?1 OR (?2 IS NOT NULL AND message_id = ?2 AND job IS NULL))
            ORDER BY seq DESC LIMIT {MAX_CALLS}) ORDER BY seq"
    );
    let rows = connection.execute(&sql, values_of![seq, message]).await?;
    rows.iter().map(|row| row.json(0)).collect()
}
