//! Accounts, and how one stops: a dead token or a platform's ban ends every send of the account, so
//! its jobs wait instead of failing one by one.
//!
//! 1. What stopped is a pair of account and token, known by a digest: with a new token the account
//!    goes on by itself.
//! 2. A waiting job is due at [`NEVER`]; going on makes it due now, with all its time and attempts: what
//!    kept it was not its own.
//! 3. An account that the platform called too fast is held back as a whole: its jobs wait for the same.

use crate::connection::{Connection, UNEXPECTED, transaction, values_of};
use crate::gate::NEVER;
use crate::jobs::{parse_token, update};
use crate::model::Account;
use crate::{Error, Moment};

/// What `health` says of an account that is stopped.
pub(crate) const STOPPED: &str = "stopped";
/// Accounts that a list shows.
const MAX_ACCOUNTS: u32 = 1_000;

/// The longest that a platform can hold an account back: what it asks for is its own word.
const MAX_HELD_MS: u64 = 24 * 60 * 60 * 1000;

/// The pending sends of an account: `?2` tenant, `?3` channel, `?4` account. Found by the index of what
/// is pending, not by the account's conversations, of which there may be many more.
pub(crate) const ITS_JOBS: &str = "state = 'pending' AND kind = 'send-' || ?3 AND EXISTS (
    SELECT 1 FROM conversations v WHERE v.id = outbox.conversation_id
        AND v.platform_client_id = ?2 AND v.channel = ?3 AND v.account = ?4)";

/// Stops the account of a leased send, which is given back and waits with the others.
pub async fn stop_account<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    token_digest: &str,
    code: Option<&str>,
    reason: &str,
) -> Result<(), Error> {
    let (table, seq) = parse_token(token)?;
    if table == "inbox" {
        return Err(Error::Invalid("an event goes out of no account"));
    }
    transaction(connection, async || {
        let set = "state = 'pending', token = NULL, starts = starts - 1, attempts = attempts - 1,
            due_at = ?, error = ?, permit_at = NULL";
        update(connection, moment, token, set, values_of![NEVER, reason]).await?;
        let rows = connection
            .execute(
                "SELECT v.platform_client_id, v.channel, v.account FROM outbox o
                 JOIN conversations v ON v.id = o.conversation_id WHERE o.seq = ?",
                values_of![seq],
            )
            .await?;
        let row = rows
            .first()
            .ok_or(Error::Invalid("the job is in no conversation"))?;
        let (tenant, channel, account) = (row.text(0)?, row.text(1)?, row.text(2)?);
        connection
            .execute(
                "INSERT INTO channel_accounts (platform_client_id, channel, account, created_at, health, code, reason,
                    token_digest, stopped_at) VALUES (?1, ?2, ?3, ?4, 'stopped', ?5, ?6, ?7, ?4)
                 ON CONFLICT DO UPDATE SET health = 'stopped', code = ?5, reason = ?6, token_digest = ?7,
                    stopped_at = iif(health = 'stopped', stopped_at, ?4)",
                values_of![tenant, channel, account, moment.now, code, reason, token_digest],
            )
            .await?;
        let sql = format!("UPDATE outbox SET due_at = {NEVER}, error = ?1 WHERE {ITS_JOBS}");
        let values = values_of![reason, tenant, channel, account];
        connection.execute(&sql, values).await?;
        tell(connection, moment, tenant, channel, account).await
    })
    .await
}

/// Keeps the account of a leased send back until then.
pub async fn hold_account<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    until: u64,
) -> Result<(), Error> {
    let (_, seq) = parse_token(token)?;
    let until = until.min(moment.now.saturating_add(MAX_HELD_MS));
    let rows = connection
        .execute(
            "INSERT INTO channel_accounts (platform_client_id, channel, account, created_at, held_until, free_us)
             SELECT v.platform_client_id, v.channel, v.account, ?1, ?2, ?2 * 1000 FROM outbox o
                JOIN conversations v ON v.id = o.conversation_id
                WHERE o.seq = ?3 AND o.token = ?4 AND o.state IN ('leased', 'sending') AND o.due_at > ?1
             ON CONFLICT DO UPDATE SET held_until = max(coalesce(held_until, 0), excluded.held_until),
                free_us = max(free_us, excluded.free_us) RETURNING account",
            values_of![moment.now, until, seq, token],
        )
        .await?;
    if rows.is_empty() {
        return Err(Error::Stale);
    }
    Ok(())
}

/// Lets an account go on; false when it is not stopped.
pub async fn resume_account<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: &str,
    channel: &str,
    account: &str,
) -> Result<bool, Error> {
    transaction(connection, async || {
        resume(connection, moment, tenant, channel, account).await
    })
    .await
}

/// The same inside a transaction.
pub(crate) async fn resume<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: &str,
    channel: &str,
    account: &str,
) -> Result<bool, Error> {
    let rows = connection
        .execute(
            "UPDATE channel_accounts SET health = 'ok', code = NULL, reason = NULL, token_digest = NULL, stopped_at = NULL,
                held_until = NULL
             WHERE platform_client_id = ? AND channel = ? AND account = ? AND health = 'stopped' RETURNING account",
            values_of![tenant, channel, account],
        )
        .await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let sql = format!(
        "UPDATE outbox SET due_at = ?1, error = NULL, replayed_at = ?1, attempts = 0 WHERE due_at = {NEVER} AND {ITS_JOBS}"
    );
    let values = values_of![moment.now, tenant, channel, account];
    connection.execute(&sql, values).await?;
    tell(connection, moment, tenant, channel, account).await?;
    Ok(true)
}

async fn tell<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: &str,
    channel: &str,
    account: &str,
) -> Result<(), Error> {
    connection
        .execute(
            "INSERT INTO changes (platform_client_id, kind, data, at)
             VALUES (?1, 'account.updated', json_object('platform_client_id', ?1, 'channel', ?2, 'account', ?3), ?4)",
            values_of![tenant, channel, account, moment.now],
        )
        .await?;
    Ok(())
}

/// The accounts that were seen so far, stopped ones first.
pub async fn list_accounts<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    channel: Option<&str>,
) -> Result<Vec<Account>, Error> {
    let sql = format!(
        "SELECT json_object('platform_client_id', platform_client_id, 'channel', channel, 'account', account,
            'health', health, 'code', code, 'reason', reason, 'stopped_at', stopped_at,
            'token_digest', token_digest, 'created_at', created_at) FROM channel_accounts
         WHERE platform_client_id = coalesce(?1, platform_client_id) AND channel = coalesce(?2, channel)
         ORDER BY health = 'stopped' DESC, channel, account, platform_client_id LIMIT {MAX_ACCOUNTS}"
    );
    let rows = connection
        .execute(&sql, values_of![tenant, channel])
        .await?;
    rows.iter()
        .map(|row| row.json(0).map_err(|_| UNEXPECTED))
        .collect()
}
