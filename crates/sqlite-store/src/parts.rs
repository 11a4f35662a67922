//! Messages that are several requests.
//!
//! 1. The message is known by the platform's id of its first part. Those of the others are kept, so
//!    that an echo of one is known as ours.
//! 2. What a message did not get to its end is a judgement of our own: it shows before what the platform
//!    says of the first part, and goes when the rest is sent.
//! 3. What the platform says of a later part shows only when it failed: the customer has not got all of
//!    it. That stays, whatever else of the message is sent.

use chatly_canonical::DeliveryState;

use crate::Error;
use crate::commit::Writer;
use crate::connection::{Connection, to_json, values_of};
use crate::effects::{MessageEffect, SentEffect};
use crate::model::rank_of;
use crate::sent::Own;

/// What version 7 adds: parts of messages, how many requests a send has (`requests`, known once the
/// first is marked), what became of a send apart from what the platform says of its first part
/// (`own_state`, `own_error`), until when an account is held back, and indexes for what a job is about.
/// The trigger is that of version 3, also for messages that were begun.
pub(crate) const SCHEMA: &[&str] = &[
    "CREATE TABLE message_parts (
        external_id TEXT NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL,
        platform_client_id TEXT NOT NULL, message_id TEXT NOT NULL,
        PRIMARY KEY (external_id, account, channel, platform_client_id)) WITHOUT ROWID",
    "ALTER TABLE outbox ADD COLUMN requests INTEGER",
    "ALTER TABLE messages ADD COLUMN own_state INTEGER",
    "ALTER TABLE messages ADD COLUMN own_error TEXT",
    "ALTER TABLE channel_accounts ADD COLUMN held_until INTEGER",
    "CREATE INDEX outbox_pending ON outbox (kind, conversation_id) WHERE state = 'pending'",
    "CREATE INDEX outbox_message ON outbox (message_id) WHERE message_id IS NOT NULL",
    "DROP TRIGGER outbox_given_up",
    "CREATE TRIGGER outbox_given_up AFTER UPDATE OF state ON outbox
        WHEN NEW.state = 'buried' AND NEW.at_most_once AND NEW.message_id IS NOT NULL BEGIN
        UPDATE messages SET
            error = iif(NEW.error = 'uncertain', NULL, json_object('code', NULL, 'title', NEW.error, 'detail', NULL)),
            state = iif(NEW.error = 'uncertain', 1, 6),
            own_error = iif(external_id IS NULL OR NEW.error = 'uncertain', NULL,
                json_object('code', NULL, 'title', NEW.error, 'detail', NULL)),
            own_state = iif(external_id IS NULL, NULL, iif(NEW.error = 'uncertain', 1, 6))
        WHERE id = NEW.message_id AND iif(external_id IS NULL,
            coalesce(state, 0) < iif(NEW.error = 'uncertain', 1, 6),
            own_state IS NULL AND NEW.requests > 1);
        INSERT INTO changes (platform_client_id, kind, data, at)
            SELECT platform_client_id, 'message.updated', json_object('platform_client_id', platform_client_id,
                'conversation_id', conversation_id, 'message_id', id), coalesce(NEW.finished_at, 0)
            FROM messages WHERE id = NEW.message_id AND changes() > 0;
     END",
    "PRAGMA user_version=8",
];

/// The sends of a message that stopped at their first request, of which nobody knew what became: the
/// only kind of which the platform's word on the message says that it went out. `?1` the message.
const UNKNOWN: &str =
    "message_id = ?1 AND state = 'buried' AND error = 'uncertain' AND step = 0 AND at_most_once";

impl<C: Connection> Writer<'_, C> {
    /// Takes an echo that brings back our reference for what it is; false when it is somebody else's.
    pub(crate) async fn is_own_echo(&mut self, effect: &MessageEffect) -> Result<bool, Error> {
        let content = &effect.content;
        let (Some(reference), false) = (&content.reference, content.id.is_empty()) else {
            return Ok(false);
        };
        let conversation = self.bound_conversation()?.to_owned();
        let (channel, account) = self.account_of(&conversation).await?;
        let own = self.own(reference).await?;
        let Some(own) = own.filter(|own| own.channel == channel && own.account == account) else {
            return Ok(false);
        };
        if own.external_id.is_none() && self.is_at_first(reference).await? {
            if let Some(state) = effect.state {
                let sent = SentEffect {
                    message_id: reference.clone(),
                    platform_id: Some(content.id.clone()),
                    state,
                    error: None,
                    at: effect.at,
                };
                self.name(&sent, &own, &content.id).await?;
            }
        } else if own.external_id.as_deref() != Some(&content.id) {
            self.add_part(reference, &own, &content.id).await?;
        }
        self.bind_message(reference).await?;
        Ok(true)
    }

    /// Whether no request of the message but the first was begun, so that what the platform names is that
    /// one.
    pub(crate) async fn is_at_first(&self, message: &str) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM outbox WHERE message_id = ? AND at_most_once AND step > 0 LIMIT 1";
        Ok(self.execute(sql, values_of![message]).await?.is_empty())
    }

    /// The message that has a part of this id.
    pub(crate) async fn find_by_part(
        &self,
        channel: &str,
        account: &str,
        id: &str,
    ) -> Result<Option<String>, Error> {
        let sql = "SELECT message_id FROM message_parts
             WHERE external_id = ? AND account = ? AND channel = ? AND platform_client_id = ?";
        let values = values_of![id, account, channel, &self.tenant];
        let rows = self.execute(sql, values).await?;
        rows.first()
            .map(|row| row.text(0).map(str::to_owned))
            .transpose()
    }

    /// Keeps the id of a later part. An echo of it that was stored as a message goes.
    pub(crate) async fn add_part(
        &mut self,
        message: &str,
        own: &Own,
        id: &str,
    ) -> Result<(), Error> {
        self.take_echo(message, own, id).await?;
        self.execute(
            "INSERT INTO message_parts (external_id, account, channel, platform_client_id, message_id)
             VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            values_of![id, &own.account, &own.channel, &self.tenant, message],
        )
        .await?;
        self.show_part(message, own, id).await
    }

    /// Shows a later part that failed in its message. `own_error` names the part, by which `name` tells
    /// it from a judgement of ours.
    pub(crate) async fn show_part(
        &mut self,
        message: &str,
        own: &Own,
        id: &str,
    ) -> Result<(), Error> {
        let failed = u64::from(rank_of(DeliveryState::Failed));
        let rows = self
            .execute(
                "UPDATE messages SET state = s.state, error = s.error, own_state = s.state,
                    own_error = json_set(coalesce(s.error, '{}'), '$.part', s.external_id)
                 FROM message_states s
                 WHERE messages.id = ?1 AND messages.external_id IS NOT s.external_id AND s.external_id = ?2
                    AND s.account = ?3 AND s.channel = ?4 AND s.platform_client_id = ?5 AND s.state = ?6
                 RETURNING messages.id, messages.conversation_id",
                values_of![message, id, &own.account, &own.channel, &self.tenant, failed],
            )
            .await?;
        self.tell_updated(&rows)
    }

    /// Shows that a message that was begun was not brought to its end.
    pub(crate) async fn leave_unfinished(&mut self, effect: &SentEffect) -> Result<(), Error> {
        let rows = self
            .execute(
                "UPDATE messages SET state = ?1, error = ?2, own_state = ?1, own_error = ?2
                 WHERE id = ?3 RETURNING id, conversation_id",
                values_of![
                    rank_of(effect.state),
                    effect.error.as_ref().map(to_json).transpose()?,
                    &effect.message_id
                ],
            )
            .await?;
        self.tell_updated(&rows)
    }

    /// What nobody knew is known: the first request went out. Where it was the only one the job is done;
    /// else it goes on with the next.
    pub(crate) async fn settle_first(&self, message: &str) -> Result<(), Error> {
        let done = format!(
            "UPDATE outbox SET state = 'done', error = NULL WHERE {UNKNOWN} AND coalesce(requests, 1) = 1"
        );
        self.execute(&done, values_of![message]).await?;
        let on = format!(
            "UPDATE outbox SET state = 'pending', error = NULL, starts = 0, attempts = 0, due_at = ?2,
                finished_at = NULL, replayed_at = ?2 WHERE {UNKNOWN}"
        );
        self.execute(&on, values_of![message, self.moment.now])
            .await?;
        Ok(())
    }
}
