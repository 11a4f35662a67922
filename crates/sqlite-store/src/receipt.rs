//! How far our messages got.
//!
//! 1. `accepted < sent < delivered < read < played`; `failed` and `deleted` are final. A message
//!    only moves up, in whatever order its statuses come.
//! 2. A status is kept by the platform's message id, and a watermark by conversation, so either
//!    may come before the message.
//! 3. A status that brings back what we sent along names the message that it is about: a send whose
//!    outcome nobody knew is known by that.

use chatly_canonical::{DeliveryState, ErrorDetail, Target};

use crate::commit::Writer;
use crate::connection::{Connection, to_json, values_of};
use crate::effects::StatusEffect;
use crate::model::rank_of;
use crate::{Error, Value};

/// The first state that nothing follows: `failed`.
const FINAL: u8 = DeliveryState::Failed as u8;

impl<C: Connection> Writer<'_, C> {
    pub(crate) async fn status(&mut self, effect: &StatusEffect) -> Result<(), Error> {
        let status = &effect.status;
        let (channel, account) = (&effect.channel, &effect.account);
        match &status.target {
            Target::MessageId(id) => {
                if self.name_by_reference(effect, id).await? {
                    return Ok(());
                }
                let state = Some(status.state);
                if self
                    .merge_state(
                        channel,
                        account,
                        id,
                        state,
                        status.error.as_ref(),
                        effect.at,
                    )
                    .await?
                {
                    self.copy_states(channel, account, &to_json(&[id])?).await?;
                    self.part_failed(effect, id).await?;
                }
                Ok(())
            }
            Target::Watermark(until) => self.watermark(effect, *until).await,
        }
    }

    /// Shows it in the message when what failed is a later part of one.
    async fn part_failed(&mut self, effect: &StatusEffect, id: &str) -> Result<(), Error> {
        if effect.status.state != DeliveryState::Failed {
            return Ok(());
        }
        let (channel, account) = (&effect.channel, &effect.account);
        let Some(message) = self.find_by_part(channel, account, id).await? else {
            return Ok(());
        };
        match self.own(&message).await? {
            Some(own) => self.show_part(&message, &own, id).await,
            None => Ok(()),
        }
    }

    /// Moves a message's state up; false when it is that far already.
    pub(crate) async fn merge_state(
        &self,
        channel: &str,
        account: &str,
        id: &str,
        state: Option<DeliveryState>,
        error: Option<&ErrorDetail>,
        at: u64,
    ) -> Result<bool, Error> {
        let Some(state) = state else { return Ok(false) };
        let rows = self
            .execute(
                "INSERT INTO message_states (external_id, account, channel, platform_client_id, state, error, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET state = excluded.state, error = excluded.error, at = excluded.at
                 WHERE excluded.state > message_states.state AND message_states.state < ?8 RETURNING state",
                values_of![
                    id,
                    account,
                    channel,
                    &self.tenant,
                    rank_of(state),
                    error.map(to_json).transpose()?,
                    at,
                    FINAL
                ],
            )
            .await?;
        Ok(!rows.is_empty())
    }

    /// Shows kept states in the messages of these ids, a JSON array.
    async fn copy_states(&mut self, channel: &str, account: &str, ids: &str) -> Result<(), Error> {
        let rows = self
            .execute(
                "UPDATE messages SET state = coalesce(own_state, s.state), error = iif(own_state IS NULL, s.error, nullif(json_remove(own_error, '$.part'), '{}')) FROM message_states s
                 WHERE s.external_id = messages.external_id AND s.account = messages.account
                    AND s.channel = messages.channel AND s.platform_client_id = messages.platform_client_id
                    AND messages.external_id IN (SELECT value FROM json_each(?)) AND messages.account = ?
                    AND messages.channel = ? AND messages.platform_client_id = ? AND messages.direction = 'outbound'
                 RETURNING messages.id, messages.conversation_id",
                values_of![ids, account, channel, &self.tenant],
            )
            .await?;
        self.tell_updated(&rows)
    }

    /// The kept state of a message, as its columns `state` and `error`.
    pub(crate) async fn find_state(
        &self,
        channel: &str,
        account: &str,
        id: &str,
    ) -> Result<(Value, Value), Error> {
        let rows = self
            .execute(
                "SELECT state, error FROM message_states
                 WHERE external_id = ? AND account = ? AND channel = ? AND platform_client_id = ?",
                values_of![id, account, channel, &self.tenant],
            )
            .await?;
        let mut columns = rows
            .into_iter()
            .next()
            .map(|row| row.0)
            .unwrap_or_default()
            .into_iter();
        Ok((
            columns.next().unwrap_or(Value::Null),
            columns.next().unwrap_or(Value::Null),
        ))
    }

    /// Moves every message of the bound conversation up that was sent until then, and keeps the
    /// mark for those that are not here yet.
    async fn watermark(&mut self, effect: &StatusEffect, until: u64) -> Result<(), Error> {
        let conversation = self.bound_conversation()?.to_owned();
        let rank = rank_of(effect.status.state);
        self.execute(
            "INSERT INTO conversation_watermarks (conversation_id, state, until) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
            values_of![&conversation, rank, until],
        )
        .await?;
        let moved = self
            .execute(
                "INSERT INTO message_states (external_id, account, channel, platform_client_id, state, at)
                 SELECT external_id, account, channel, platform_client_id, ?1, ?2 FROM messages
                 WHERE conversation_id = ?3 AND direction = 'outbound' AND sent_at <= ?4 AND external_id IS NOT NULL
                    AND coalesce(state, -1) < min(?1, ?5)
                 ON CONFLICT DO UPDATE SET state = excluded.state, error = NULL, at = excluded.at
                 WHERE excluded.state > message_states.state AND message_states.state < ?5 RETURNING external_id",
                values_of![rank, effect.at, &conversation, until, FINAL],
            )
            .await?;
        let ids = moved
            .iter()
            .map(|row| row.text(0))
            .collect::<Result<Vec<_>, _>>()?;
        self.copy_states(&effect.channel, &effect.account, &to_json(&ids)?)
            .await
    }

    /// Applies the conversation's kept watermarks to a message that is about to be stored.
    pub(crate) async fn apply_watermarks(
        &self,
        conversation: &str,
        channel: &str,
        account: &str,
        id: &str,
        sent_at: u64,
    ) -> Result<(), Error> {
        self.execute(
            "INSERT INTO message_states (external_id, account, channel, platform_client_id, state, at)
             SELECT ?1, ?2, ?3, ?4, state, until FROM conversation_watermarks
             WHERE conversation_id = ?5 AND until >= ?6 ORDER BY state DESC LIMIT 1
             ON CONFLICT DO UPDATE SET state = excluded.state, error = NULL, at = excluded.at
             WHERE excluded.state > message_states.state AND message_states.state < ?7",
            values_of![id, account, channel, &self.tenant, conversation, sent_at, FINAL],
        )
        .await?;
        Ok(())
    }
}
