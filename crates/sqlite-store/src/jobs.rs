//! Leases: who may work on a job, until when, and how it ends.
//!
//! 1. A job is leased only when it is `ready` (see `schema`): no earlier unfinished job shares one
//!    of its keys, and none that does is running.
//! 2. Each lease makes a new token. A call with a token that was taken over, or whose lease ran
//!    out, answers [`Error::Stale`] and changes nothing.
//! 3. A job that was started before without an outcome is leased alone: what ends its worker then
//!    was that job, and no other is counted as started with it.
//! 4. A job started [`MAX_STARTS`] times without an outcome is buried as `poison`; one of an
//!    at-most-once kind whose lease ran out while `sending` is buried as `uncertain`, because
//!    nobody can know whether the platform got it. A trigger (see `schema`) shows that in the message.
//! 5. A buried job frees its keys and stays visible.

use crate::connection::{Connection, Row, UNEXPECTED, to_json, transaction, values_of};
use crate::model::{Job, Payload};
use crate::{Error, Moment};

/// Starts without an outcome after which a job is given up: enough for a crash of our own making,
/// few enough that one bad message stops its conversation for three leases only.
const MAX_STARTS: u32 = 3;
/// Jobs that one call may lease.
const MAX_LEASED: u32 = 1000;
/// The kind of the inbox's jobs.
const EVENT: &str = "event";

/// The platform told us about the first request of a send in another way than by its answer: that one
/// went out, and the job goes on behind it.
macro_rules! is_told {
    () => {
        "(at_most_once AND step = 0 AND EXISTS (
            SELECT 1 FROM messages WHERE messages.id = outbox.message_id AND external_id IS NOT NULL))"
    };
}
/// A send whose lease ran out while it was marked.
const UNCERTAIN: &str = concat!("state = 'sending' AND at_most_once AND NOT ", is_told!());
/// Ends a send for the reason `?1` at `?2`. One of which only its sender does not know whether it went
/// out is done, or goes on with its second request.
const BURY_SEND: &str = concat!(
    "state = CASE WHEN NOT (?1 = 'uncertain' AND ", is_told!(), ") THEN 'buried'
        WHEN coalesce(requests, 1) = 1 THEN 'done' ELSE 'pending' END,
     (step, starts, due_at, error, finished_at) = (
        SELECT iif(told AND more, 1, step), starts - told, iif(told, ?2, due_at), iif(told, NULL, ?1),
            iif(told AND more, NULL, ?2)
        FROM (SELECT ?1 = 'uncertain' AND ", is_told!(), " AS told, coalesce(requests, 1) > 1 AS more)),
     token = NULL"
);

/// The table that a kind of job is in.
pub(crate) fn table_of(kind: &str) -> &'static str {
    if kind == EVENT { "inbox" } else { "outbox" }
}

/// A token's table and number. The token itself is compared by the statement that uses them.
pub(crate) fn parse_token(token: &str) -> Result<(&'static str, u64), Error> {
    let mut parts = token.split('.');
    let table = match parts.next() {
        Some("inbox") => "inbox",
        Some("outbox") => "outbox",
        _ => return Err(Error::Stale),
    };
    let seq = parts
        .next()
        .and_then(|seq| seq.parse().ok())
        .ok_or(Error::Stale)?;
    Ok((table, seq))
}

/// Leases due jobs of these kinds, oldest first.
pub async fn lease<C: Connection>(
    connection: &C,
    moment: Moment,
    kinds: &[String],
    max: u32,
    for_ms: u32,
) -> Result<Vec<Job>, Error> {
    let max = max.min(MAX_LEASED);
    if max == 0 || kinds.is_empty() {
        return Ok(vec![]);
    }
    let inbox = kinds.iter().any(|kind| kind == EVENT);
    let others: Vec<&String> = kinds.iter().filter(|kind| *kind != EVENT).collect();
    match (inbox, others.is_empty()) {
        (true, true) => lease_inbox(connection, moment, max, for_ms).await,
        (false, _) => lease_outbox(connection, moment, &others, max, for_ms).await,
        (true, false) => {
            transaction(connection, async || {
                let mut jobs = lease_inbox(connection, moment, max, for_ms).await?;
                let left = max.saturating_sub(u32::try_from(jobs.len()).unwrap_or(max));
                if left > 0 {
                    jobs.extend(lease_outbox(connection, moment, &others, left, for_ms).await?);
                }
                Ok(jobs)
            })
            .await
        }
    }
}

async fn lease_inbox<C: Connection>(
    connection: &C,
    moment: Moment,
    max: u32,
    for_ms: u32,
) -> Result<Vec<Job>, Error> {
    let sql = lease_statement("inbox", "true", "0");
    lease_table(connection, moment, &sql, "[]", max, for_ms).await
}

async fn lease_outbox<C: Connection>(
    connection: &C,
    moment: Moment,
    kinds: &[&String],
    max: u32,
    for_ms: u32,
) -> Result<Vec<Job>, Error> {
    let sql = lease_statement(
        "outbox",
        "outbox.kind IN (SELECT value FROM json_each(?4))",
        UNCERTAIN,
    );
    lease_table(connection, moment, &sql, &to_json(kinds)?, max, for_ms).await
}

/// `?1` now, `?2` lease end, `?3` random hex, `?4` kinds, `?5` max.
pub(crate) fn lease_statement(table: &str, wanted: &str, uncertain: &str) -> String {
    let (step, replayed) = match table {
        "outbox" => ("step", "replayed_at"),
        _ => ("0", "NULL"),
    };
    format!(
        "WITH head (seq, starts) AS (
            SELECT seq, starts FROM {table} WHERE ready = 1 AND due_at <= ?1 AND {wanted} AND ?4 IS NOT NULL
            ORDER BY seq LIMIT 1)
         UPDATE {table} SET
            state = CASE WHEN {uncertain} OR starts >= {MAX_STARTS} THEN 'buried' ELSE 'leased' END,
            error = CASE WHEN {uncertain} THEN 'uncertain' WHEN starts >= {MAX_STARTS} THEN 'poison' ELSE error END,
            finished_at = CASE WHEN {uncertain} OR starts >= {MAX_STARTS} THEN ?1 END,
            token = CASE WHEN {uncertain} OR starts >= {MAX_STARTS} THEN NULL
                ELSE '{table}.' || seq || '.' || ?3 END,
            due_at = CASE WHEN {uncertain} OR starts >= {MAX_STARTS} THEN due_at ELSE ?2 END,
            attempts = attempts + (NOT ({uncertain}) AND starts < {MAX_STARTS}),
            starts = starts + 1
         WHERE seq IN (
            SELECT seq FROM {table} WHERE ready = 1 AND due_at <= ?1 AND {wanted} AND ?4 IS NOT NULL
                AND iif((SELECT starts FROM head), seq = (SELECT seq FROM head), starts = 0)
            ORDER BY seq LIMIT ?5)
         RETURNING json_object('token', coalesce(token, ''), 'seq', seq, 'kind', kind,
            'platform_client_id', platform_client_id, 'attempt', attempts, 'created_at', created_at,
            'lease_until', due_at, 'traceparent', traceparent, 'step', {step}, 'replayed_at', {replayed}), payload, state"
    )
}

/// Runs the statement again while all it found was buried, so that an empty answer means that
/// nothing is due.
async fn lease_table<C: Connection>(
    connection: &C,
    moment: Moment,
    sql: &str,
    kinds: &str,
    max: u32,
    for_ms: u32,
) -> Result<Vec<Job>, Error> {
    let random = format!("{:032x}", moment.seed);
    let until = moment.now.saturating_add(for_ms.into());
    loop {
        let rows = connection
            .execute(
                sql,
                values_of![moment.now, until, random.clone(), kinds, max],
            )
            .await?;
        let mut jobs = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.text(2)? == "leased" {
                jobs.push(job(row)?);
            }
        }
        if rows.is_empty() || !jobs.is_empty() {
            jobs.sort_by_key(|job| job.seq);
            return Ok(jobs);
        }
    }
}

fn job(row: &Row) -> Result<Job, Error> {
    let mut job: Job = row.json(0)?;
    job.payload = payload(&job.kind, row, 1)?;
    Ok(job)
}

pub(crate) fn payload(kind: &str, row: &Row, column: usize) -> Result<Payload, Error> {
    if kind == EVENT {
        row.json(column).map(Payload::Event)
    } else {
        Ok(Payload::Json(row.text(column)?.to_owned()))
    }
}

/// Makes a lease run for `for_ms` from now.
pub async fn extend<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    for_ms: u32,
) -> Result<(), Error> {
    let until = moment.now.saturating_add(for_ms.into());
    update(connection, moment, token, "due_at = ?", values_of![until]).await
}

/// Gives the job back, due at `at`. This start had an outcome, so it is not counted.
pub async fn retry<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    at: u64,
    reason: &str,
) -> Result<(), Error> {
    let set = "state = 'pending', token = NULL, starts = starts - 1, due_at = ?, error = ?";
    update(connection, moment, token, set, values_of![at, reason]).await
}

/// Gives the job back untried, due at `at`: neither an attempt nor a start without an outcome.
pub async fn put_off<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    at: u64,
    reason: &str,
) -> Result<(), Error> {
    let set = "state = 'pending', token = NULL, starts = starts - 1, attempts = attempts - 1, due_at = ?, error = ?";
    update(connection, moment, token, set, values_of![at, reason]).await
}

/// Ends the job as hopeless. A send that is given up as `uncertain` at its first request is not, when the
/// platform told us of that request meanwhile: it is done, or due again for the rest.
pub async fn bury<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    reason: &str,
) -> Result<(), Error> {
    let set = match parse_token(token)?.0 {
        "outbox" => BURY_SEND,
        _ => "state = 'buried', token = NULL, error = ?, finished_at = ?",
    };
    update(
        connection,
        moment,
        token,
        set,
        values_of![reason, moment.now],
    )
    .await
}

/// Changes the job of a live lease, or answers [`Error::Stale`].
pub(crate) async fn update<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    set: &str,
    mut values: Vec<crate::Value>,
) -> Result<(), Error> {
    let (table, seq) = parse_token(token)?;
    let sql = format!(
        "UPDATE {table} SET {set} WHERE seq = ? AND token = ? AND state IN ('leased', 'sending') AND due_at > ?
         RETURNING seq"
    );
    values.extend(values_of![seq, token, moment.now]);
    let rows = connection.execute(&sql, values).await?;
    if rows.is_empty() {
        Err(Error::Stale)
    } else {
        Ok(())
    }
}

/// When the next job of these kinds is due, a running one when its lease ends.
pub async fn find_next_due<C: Connection>(
    connection: &C,
    kinds: &[String],
) -> Result<Option<u64>, Error> {
    let rows = connection
        .execute(
            "SELECT min(due) FROM (
                SELECT min(due_at) AS due FROM inbox WHERE ready = 1 AND ?1
                UNION ALL
                SELECT (SELECT due_at FROM outbox WHERE ready = 1 AND outbox.kind = value ORDER BY due_at LIMIT 1)
                FROM json_each(?2))",
            values_of![kinds.iter().any(|kind| kind == EVENT), to_json(kinds)?],
        )
        .await?;
    let row = rows.first().ok_or(UNEXPECTED)?;
    if row.0.first() == Some(&crate::Value::Null) {
        Ok(None)
    } else {
        row.integer(0).map(Some)
    }
}
