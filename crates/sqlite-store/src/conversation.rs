//! Conversations: one per contact, or per group, on each account.

use crate::Error;
use crate::commit::{Data, Writer};
use crate::connection::{Connection, to_json, values_of};
use crate::effects::ConversationEffect;
use crate::keys::key;

impl<C: Connection> Writer<'_, C> {
    pub(crate) async fn conversation(&mut self, effect: &ConversationEffect) -> Result<(), Error> {
        let (column, value) = match &effect.chat {
            Some(chat) => ("chat", chat.clone()),
            None => (
                "chat IS NULL AND contact_id",
                self.bound_contact()?.to_owned(),
            ),
        };
        let sql = format!(
            "SELECT id, contact_id FROM conversations
             WHERE {column} = ? AND account = ? AND channel = ? AND platform_client_id = ?"
        );
        let values = values_of![value, &effect.account, &effect.channel, &self.tenant];
        let found = self.execute(&sql, values).await?;
        let Some(row) = found.first() else {
            return self.create_conversation(effect).await;
        };
        let id = row.text(0)?.to_owned();
        // The first who speaks in a group.
        if row.optional(1)?.is_none() && self.contact.is_some() {
            let sql = "UPDATE conversations SET contact_id = ?, updated_at = ? WHERE id = ?";
            self.execute(sql, values_of![self.contact.clone(), self.moment.now, &id])
                .await?;
        }
        self.conversation = Some(id);
        Ok(())
    }

    async fn create_conversation(&mut self, effect: &ConversationEffect) -> Result<(), Error> {
        let id = self.id();
        let now = self.moment.now;
        self.execute(
            "INSERT INTO conversations (id, platform_client_id, channel, account, chat, contact_id,
                active_at, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?7)",
            values_of![
                &id,
                &self.tenant,
                &effect.channel,
                &effect.account,
                effect.chat.clone(),
                self.contact.clone(),
                now
            ],
        )
        .await?;
        self.execute(
            "INSERT INTO channel_accounts (platform_client_id, channel, account, created_at) VALUES (?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
            values_of![&self.tenant, &effect.channel, &effect.account, now],
        )
        .await?;
        self.conversation = Some(id);
        self.tell_conversation("conversation.created")
    }

    /// Binds a conversation by our id, with its contact.
    pub(crate) async fn bind_conversation(&mut self, id: &str) -> Result<(), Error> {
        let rows = self
            .execute(
                "SELECT id, contact_id FROM conversations
                 WHERE id = coalesce((SELECT into_id FROM merged_conversations WHERE id = ?1), ?1)",
                values_of![id],
            )
            .await?;
        if let Some(row) = rows.first() {
            self.conversation = Some(row.text(0)?.to_owned());
            self.contact = row.optional(1)?.map(str::to_owned);
        }
        Ok(())
    }

    /// The same for a caller's id, which must be one of the tenant's.
    pub(crate) async fn bind_own_conversation(&mut self, id: &str) -> Result<(), Error> {
        let rows = self
            .execute(
                "SELECT 1 FROM conversations WHERE platform_client_id = ?2
                    AND id = coalesce((SELECT into_id FROM merged_conversations WHERE id = ?1), ?1)",
                values_of![id, &self.tenant],
            )
            .await?;
        if rows.is_empty() {
            return Err(Error::Invalid("there is no such conversation"));
        }
        self.bind_conversation(id).await
    }

    pub(crate) fn tell_conversation(&mut self, kind: &str) -> Result<(), Error> {
        let (tenant, contact, conversation) = (
            self.tenant.clone(),
            self.contact.clone(),
            self.conversation.clone(),
        );
        let data = Data {
            platform_client_id: &tenant,
            contact_id: contact.as_deref(),
            conversation_id: conversation.as_deref(),
            ..Data::default()
        };
        self.tell(kind, &data)
    }

    /// Gives the conversations of merged contacts to `contact`: of several on one account the
    /// oldest stays and takes the others' messages, which keep their places.
    pub(crate) async fn merge_conversations(
        &mut self,
        contact: &str,
        merged: &[String],
    ) -> Result<(), Error> {
        let rows = self
            .execute(
                "SELECT json_group_array(id) FROM (
                    SELECT id, channel, account FROM conversations
                    WHERE chat IS NULL AND (contact_id = ? OR contact_id IN (SELECT value FROM json_each(?)))
                    ORDER BY seq)
                 GROUP BY channel, account HAVING count(*) > 1",
                values_of![contact, to_json(merged)?],
            )
            .await?;
        for row in &rows {
            let ids: Vec<String> = row.json(0)?;
            if let Some((oldest, others)) = ids.split_first() {
                self.join(contact, oldest, others).await?;
            }
        }
        self.execute(
            "UPDATE conversations SET contact_id = ? WHERE contact_id IN (SELECT value FROM json_each(?))",
            values_of![contact, to_json(merged)?],
        )
        .await?;
        Ok(())
    }

    async fn join(&mut self, contact: &str, oldest: &str, others: &[String]) -> Result<(), Error> {
        if self
            .conversation
            .as_ref()
            .is_some_and(|bound| others.contains(bound))
        {
            self.conversation = Some(oldest.to_owned());
        }
        let list = to_json(others)?;
        self.join_queues(oldest, &list).await?;
        for sql in JOIN {
            // SQLite refuses a parameter that a statement does not name.
            let values = if sql.contains("?3") {
                values_of![oldest, &list, self.moment.now]
            } else if sql.contains("?1") {
                values_of![oldest, &list]
            } else {
                values_of![&list]
            };
            self.execute(sql, values).await?;
        }
        let tenant = self.tenant.clone();
        let data = Data {
            platform_client_id: &tenant,
            contact_id: Some(contact),
            conversation_id: Some(oldest),
            merged: Some(others),
            ..Data::default()
        };
        self.tell("conversation.updated", &data)
    }

    async fn join_queues(&mut self, oldest: &str, others: &str) -> Result<(), Error> {
        // `outgoing` names the queue of a conversation by tenant, "conversation", kind, conversation,
        // and sometimes a key of the job's own.
        let queues = self
            .execute(
                "SELECT DISTINCT k.key FROM outbox o JOIN outbox_keys k ON k.seq = o.seq
                 WHERE o.conversation_id IN (SELECT value FROM json_each(?)) AND o.state NOT IN ('done', 'buried')
                    AND k.key ->> 1 = 'conversation'",
                values_of![others],
            )
            .await?;
        for row in &queues {
            let old = row.text(0)?;
            let mut parts: Vec<String> = row.json(0)?;
            if let Some(conversation) = parts.get_mut(3) {
                oldest.clone_into(conversation);
            }
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            self.move_queues("outbox", &to_json(&[old])?, &key(&parts))
                .await?;
        }
        Ok(())
    }
}

/// `?1` the conversation that stays, `?2` the others, `?3` now. Open wins over any other status,
/// because somebody waits there; so does a person's turn, and silence.
const JOIN: [&str; 8] = [
    "UPDATE messages SET conversation_id = ?1 WHERE conversation_id IN (SELECT value FROM json_each(?2))",
    "UPDATE outbox SET conversation_id = ?1 WHERE conversation_id IN (SELECT value FROM json_each(?2))",
    "UPDATE external_calls SET conversation_id = ?1 WHERE conversation_id IN (SELECT value FROM json_each(?2))",
    "INSERT INTO conversation_watermarks (conversation_id, state, until)
        SELECT ?1, state, max(until) FROM conversation_watermarks
        WHERE conversation_id IN (SELECT value FROM json_each(?2)) GROUP BY state
        ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
    "INSERT INTO merged_conversations (id, into_id) SELECT value, ?1 FROM json_each(?2)",
    "UPDATE merged_conversations SET into_id = ?1 WHERE into_id IN (SELECT value FROM json_each(?2))",
    "UPDATE conversations AS kept SET
        status = iif('open' IN (kept.status, sum.status), 'open', kept.status),
        assignee = coalesce(kept.assignee, sum.assignee), team = coalesce(kept.team, sum.team),
        handover = iif('human' IN (kept.handover, sum.handover), 'human', kept.handover),
        handed_over_at = nullif(max(coalesce(kept.handed_over_at, 0), sum.handed_over_at), 0),
        muted_until = nullif(max(coalesce(kept.muted_until, 0), sum.muted_until), 0),
        last_human_at = nullif(max(coalesce(kept.last_human_at, 0), sum.last_human_at), 0),
        last_bot_at = nullif(max(coalesce(kept.last_bot_at, 0), sum.last_bot_at), 0),
        bot_run = max(kept.bot_run, sum.bot_run),
        message_count = kept.message_count + sum.message_count,
        preview = (SELECT substr(coalesce(content ->> '$.text', content ->> '$.media[0].caption', preview), 1, 200)
            FROM messages WHERE conversation_id = ?1 ORDER BY seq DESC LIMIT 1),
        last_message_at = nullif(max(coalesce(kept.last_message_at, 0), sum.last_message_at), 0),
        last_inbound_at = nullif(max(coalesce(kept.last_inbound_at, 0), sum.last_inbound_at), 0),
        active_at = max(kept.active_at, sum.active_at), updated_at = ?3,
        tags = (SELECT json_group_array(DISTINCT tag.value) FROM conversations c, json_each(c.tags) tag
            WHERE c.id = ?1 OR c.id IN (SELECT value FROM json_each(?2)))
     FROM (SELECT iif(sum(status = 'open'), 'open', '') AS status, max(assignee) AS assignee,
            max(team) AS team, iif(sum(handover = 'human'), 'human', 'bot') AS handover,
            coalesce(max(handed_over_at), 0) AS handed_over_at, coalesce(max(muted_until), 0) AS muted_until,
            coalesce(max(last_human_at), 0) AS last_human_at, coalesce(max(last_bot_at), 0) AS last_bot_at,
            max(bot_run) AS bot_run,
            sum(message_count) AS message_count, coalesce(max(last_message_at), 0) AS last_message_at,
            coalesce(max(last_inbound_at), 0) AS last_inbound_at, max(active_at) AS active_at
        FROM conversations WHERE id IN (SELECT value FROM json_each(?2))) AS sum
     WHERE kept.id = ?1",
    "DELETE FROM conversations WHERE id IN (SELECT value FROM json_each(?))",
];
