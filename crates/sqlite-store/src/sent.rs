//! What became of a send: the platform's id, and what was known under it before.
//!
//! 1. Until the platform's id is known, a message's state is our own judgement (`accepted`,
//!    `uncertain`, `failed`) and the newest one holds. From then on it is what `message_states`
//!    holds for that id, unless the message was not brought to its end (see `parts`) and nobody is
//!    about to.
//! 2. An echo of the same send may be stored first. The message that the caller knows stays, with
//!    its place and author; the echo's row goes, and what was about it is about the message.

use chatly_canonical::DeliveryState;

use crate::Error;
use crate::commit::{Data, Writer};
use crate::connection::{Connection, to_json, values_of};
use crate::effects::{SentEffect, StatusEffect};
use crate::model::rank_of;

/// A message as it is before.
pub(crate) struct Own {
    conversation: String,
    pub(crate) channel: String,
    pub(crate) account: String,
    sent_at: u64,
    pub(crate) external_id: Option<String>,
}

impl<C: Connection> Writer<'_, C> {
    pub(crate) async fn sent(&mut self, effect: &SentEffect) -> Result<(), Error> {
        let Some(own) = self.own(&effect.message_id).await? else {
            return Ok(());
        };
        let named = effect.platform_id.as_deref().filter(|id| !id.is_empty());
        let unfinished = matches!(
            effect.state,
            DeliveryState::Failed | DeliveryState::Uncertain
        );
        match (named, own.external_id.clone()) {
            (None, None) => self.judge(effect).await,
            // The platform told us of the request in another way than by its answer.
            (_, Some(_))
                if effect.state == DeliveryState::Uncertain
                    && self.is_at_first(&effect.message_id).await? =>
            {
                Ok(())
            }
            (_, Some(_)) if unfinished => self.leave_unfinished(effect).await,
            (Some(id), Some(known)) if id != known => {
                self.add_part(&effect.message_id, &own, id).await?;
                self.name(effect, &own, &known).await
            }
            (None, Some(known)) => self.name(effect, &own, &known).await,
            (Some(id), _) => self.name(effect, &own, id).await,
        }
    }

    /// Names a message that is waiting for its platform id by what the platform gave back; false when
    /// there is none.
    pub(crate) async fn name_by_reference(
        &mut self,
        effect: &StatusEffect,
        id: &str,
    ) -> Result<bool, Error> {
        let Some(reference) = &effect.status.reference else {
            return Ok(false);
        };
        let own = self.own(reference).await?.filter(|own| {
            own.external_id.is_none()
                && own.channel == effect.channel
                && own.account == effect.account
        });
        let Some(own) = own else {
            return Ok(false);
        };
        if !self.is_at_first(reference).await? {
            return Ok(false);
        }
        let sent = SentEffect {
            message_id: reference.clone(),
            platform_id: Some(id.to_owned()),
            state: effect.status.state,
            error: effect.status.error.clone(),
            at: effect.at,
        };
        self.name(&sent, &own, id).await?;
        Ok(true)
    }

    pub(crate) async fn own(&self, id: &str) -> Result<Option<Own>, Error> {
        let rows = self
            .execute(
                "SELECT conversation_id, channel, account, sent_at, external_id FROM messages
                 WHERE id = ? AND platform_client_id = ? AND direction = 'outbound'",
                values_of![id, &self.tenant],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(Own {
            conversation: row.text(0)?.to_owned(),
            channel: row.text(1)?.to_owned(),
            account: row.text(2)?.to_owned(),
            sent_at: row.integer(3)?,
            external_id: row.optional(4)?.map(str::to_owned),
        }))
    }

    /// Sets our own judgement.
    async fn judge(&mut self, effect: &SentEffect) -> Result<(), Error> {
        let rows = self
            .execute(
                "UPDATE messages SET state = ?, error = ? WHERE id = ? RETURNING id, conversation_id",
                values_of![
                    rank_of(effect.state),
                    effect.error.as_ref().map(to_json).transpose()?,
                    &effect.message_id
                ],
            )
            .await?;
        self.tell_updated(&rows)
    }

    /// Makes the message known by the platform's id.
    pub(crate) async fn name(
        &mut self,
        effect: &SentEffect,
        own: &Own,
        id: &str,
    ) -> Result<(), Error> {
        let Some(merged) = self.take_echo(&effect.message_id, own, id).await? else {
            return Ok(());
        };
        let (channel, account) = (&own.channel, &own.account);
        let (state, error) = (Some(effect.state), effect.error.as_ref());
        self.merge_state(channel, account, id, state, error, effect.at)
            .await?;
        self.apply_watermarks(&own.conversation, channel, account, id, own.sent_at)
            .await?;
        let (state, error) = self.find_state(channel, account, id).await?;
        self.execute(
            "WITH kept (own) AS (
                SELECT own_state IS NOT NULL AND (own_error ->> '$.part' IS NOT NULL OR EXISTS (
                    SELECT 1 FROM outbox WHERE message_id = ?4 AND state = 'buried' AND at_most_once AND step > 0))
                FROM messages WHERE id = ?4)
             UPDATE messages SET external_id = ?1, content = json_set(content, '$.id', ?1),
                state = iif(own, own_state, ?2), error = iif(own, error, ?3),
                own_state = iif(own, own_state, NULL), own_error = iif(own, own_error, NULL)
             FROM kept WHERE id = ?4",
            values_of![id, state, error, &effect.message_id],
        )
        .await?;
        self.settle_first(&effect.message_id).await?;
        let tenant = self.tenant.clone();
        let data = Data {
            platform_client_id: &tenant,
            conversation_id: Some(&own.conversation),
            message_id: Some(&effect.message_id),
            merged: Some(&merged)
                .filter(|ids| !ids.is_empty())
                .map(Vec::as_slice),
            ..Data::default()
        };
        self.tell("message.updated", &data)
    }

    /// Removes the echo that has the platform's id already; answers its own id. None when another
    /// message has it that is no echo: two of ours under one id, of which the first keeps it.
    pub(crate) async fn take_echo(
        &mut self,
        message: &str,
        own: &Own,
        id: &str,
    ) -> Result<Option<Vec<String>>, Error> {
        let rows = self
            .execute(
                "SELECT id, direction = 'outbound' AND NOT EXISTS (
                    SELECT 1 FROM outbox WHERE message_id = messages.id AND at_most_once) FROM messages WHERE external_id = ? AND account = ? AND channel = ?
                    AND platform_client_id = ? AND id <> ?",
                values_of![id, &own.account, &own.channel, &self.tenant, message],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(Some(vec![]));
        };
        if row.integer(1)? == 0 {
            return Ok(None);
        }
        let echo = row.text(0)?.to_owned();
        for sql in TAKE {
            // SQLite refuses a parameter that a statement does not name.
            let values = if sql.contains("?2") {
                values_of![&echo, message]
            } else {
                values_of![&echo]
            };
            self.execute(sql, values).await?;
        }
        if self.message.as_deref() == Some(&echo) {
            self.message = Some(message.to_owned());
        }
        Ok(Some(vec![echo]))
    }
}

/// `?1` the echo, `?2` the message that it becomes.
const TAKE: [&str; 5] = [
    "UPDATE enrichments SET message_id = ?2 WHERE message_id = ?1",
    "UPDATE outbox SET message_id = ?2 WHERE message_id = ?1",
    "UPDATE external_calls SET message_id = ?2 WHERE message_id = ?1",
    "UPDATE conversations SET message_count = message_count - 1, last_human_at = (
        SELECT max(created_at) FROM messages
        WHERE conversation_id = conversations.id AND author IN ('agent', 'external') AND id <> ?1)
     WHERE id = (SELECT conversation_id FROM messages WHERE id = ?1)",
    "DELETE FROM messages WHERE id = ?1",
];
