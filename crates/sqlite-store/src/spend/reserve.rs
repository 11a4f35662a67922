//! Whether a call may be made, and what is set aside for it.

use super::{
    Budget, KEPT_MS, MINUTE_MS, Reservation, Reserved, SpendOutcome, Spent, known, settle, word,
};
use crate::connection::{Connection, UNEXPECTED, transaction, values_of};
use crate::jobs::parse_token;
use crate::{Error, Moment};

/// Sets aside what a call of a leased job can use.
pub async fn reserve_spend<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    reservation: &Reservation,
) -> Result<Reserved, Error> {
    let (table, job) = parse_token(token)?;
    if table == "inbox" {
        return Err(Error::Invalid("an event asks no model"));
    }
    transaction(connection, async || {
        let rows = connection
            .execute(
                "SELECT platform_client_id, conversation_id FROM outbox
                 WHERE seq = ? AND token = ? AND state IN ('leased', 'sending') AND due_at > ?",
                values_of![job, token, moment.now],
            )
            .await?;
        let row = rows.first().ok_or(Error::Stale)?;
        let (tenant, conversation) = (row.text(0)?, row.optional(1)?);
        let expired = moment.now.saturating_sub(KEPT_MS);
        let sql = "DELETE FROM spends WHERE at < ?";
        connection.execute(sql, values_of![expired]).await?;
        match known(connection, job, &reservation.provider, &reservation.model).await? {
            Some(known) if known.outcome.is_none() => {
                // The whole of it counts as input: nobody knows how it was shared.
                let spent = Spent {
                    provider: reservation.provider.clone(),
                    model: known.model.clone(),
                    day: known.day.clone(),
                    input_tokens: known.tokens,
                    output_tokens: 0,
                    cost_micros: known.cost_micros,
                    outcome: SpendOutcome::Failed,
                };
                settle(connection, job, &known, &spent).await?;
                return Ok(Reserved::Already);
            }
            Some(known) if known.outcome.as_deref() != Some(word(SpendOutcome::Unbilled)) => {
                return Ok(Reserved::Already);
            }
            _ => {}
        }
        if is_exhausted(connection, tenant, reservation).await? {
            return Ok(Reserved::Exhausted);
        }
        if is_enough(connection, conversation, reservation).await? {
            return Ok(Reserved::Enough);
        }
        if let Some(at) = free_at(connection, moment, tenant, reservation).await? {
            return Ok(Reserved::Later(at));
        }
        set_aside(
            connection,
            moment,
            token,
            (job, tenant, conversation),
            reservation,
        )
        .await?;
        Ok(Reserved::Go)
    })
    .await
}

async fn is_exhausted<C: Connection>(
    connection: &C,
    tenant: &str,
    reservation: &Reservation,
) -> Result<bool, Error> {
    let rows = connection
        .execute(
            "SELECT coalesce(sum(input_tokens + output_tokens + open_tokens), 0),
                coalesce(sum(cost_micros + open_cost_micros), 0)
             FROM llm_usage WHERE platform_client_id = ? AND day = ?",
            values_of![tenant, &reservation.day],
        )
        .await?;
    let row = rows.first().ok_or(UNEXPECTED)?;
    let (tokens, cost) = (row.integer(0)?, row.integer(1)?);
    let Budget {
        tokens: most_tokens,
        cost_micros: most_cost,
    } = reservation.budget;
    Ok(
        most_tokens.is_some_and(|most| tokens >= most)
            || most_cost.is_some_and(|most| cost >= most),
    )
}

/// Whether the conversation has had its calls of the day. Those that were surely not billed count for
/// nothing.
async fn is_enough<C: Connection>(
    connection: &C,
    conversation: Option<&str>,
    reservation: &Reservation,
) -> Result<bool, Error> {
    let (Some(most), Some(conversation)) = (reservation.per_conversation, conversation) else {
        return Ok(false);
    };
    let sql = "SELECT count(*) FROM spends
         WHERE conversation_id = ? AND day = ? AND outcome IS NOT 'unbilled'";
    let values = values_of![conversation, &reservation.day];
    let rows = connection.execute(sql, values).await?;
    let calls = rows.first().ok_or(UNEXPECTED)?.integer(0)?;
    Ok(calls >= most.into())
}

/// When the oldest call of a full minute is out of it; none when there is room.
async fn free_at<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: &str,
    reservation: &Reservation,
) -> Result<Option<u64>, Error> {
    let Some(most) = reservation.per_minute else {
        return Ok(None);
    };
    let since = moment.now.saturating_sub(MINUTE_MS);
    let rows = connection
        .execute(
            "SELECT at FROM spends WHERE platform_client_id = ? AND provider = ? AND at > ?
             ORDER BY at DESC LIMIT 1 OFFSET ?",
            values_of![tenant, &reservation.provider, since, most.max(1) - 1],
        )
        .await?;
    let at = rows.first().map(|row| row.integer(0)).transpose()?;
    // A clock that was set back must not hold calls back for longer than a minute.
    Ok(at.map(|at| at.min(moment.now).saturating_add(MINUTE_MS)))
}

async fn set_aside<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    (job, tenant, conversation): (u64, &str, Option<&str>),
    reservation: &Reservation,
) -> Result<(), Error> {
    connection
        .execute(
            "INSERT INTO spends (job, provider, model, platform_client_id, conversation_id, day, token, tokens,
                cost_micros, at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                day = excluded.day, token = excluded.token, tokens = excluded.tokens,
                cost_micros = excluded.cost_micros, at = excluded.at, outcome = NULL",
            values_of![
                job,
                &reservation.provider,
                &reservation.model,
                tenant,
                conversation,
                &reservation.day,
                token,
                reservation.tokens,
                reservation.cost_micros,
                moment.now
            ],
        )
        .await?;
    connection
        .execute(
            "INSERT INTO llm_usage (platform_client_id, day, provider, model, calls, open_tokens, open_cost_micros)
             VALUES (?, ?, ?, ?, 1, ?, ?) ON CONFLICT DO UPDATE SET calls = calls + 1,
                open_tokens = open_tokens + excluded.open_tokens,
                open_cost_micros = open_cost_micros + excluded.open_cost_micros",
            values_of![
                tenant,
                &reservation.day,
                &reservation.provider,
                &reservation.model,
                reservation.tokens,
                reservation.cost_micros
            ],
        )
        .await?;
    Ok(())
}
