//! Several conversations that turn out to be one.
//!
//! The oldest stays. It takes the others' messages, which keep their places, and:
//!
//! | field | what stays |
//! |---|---|
//! | status | the one in which somebody waits most: open, then snoozed, pending, resolved |
//! | snoozed until | of those that are snoozed the earliest end, whose job is made anew |
//! | priority | the highest |
//! | assignee, team | each its own where it has one, else the oldest other's that has one |
//! | handover | a person's turn, when it is one's turn in any; the newest time of a handover |
//! | mute | the latest end |
//! | tags | all of them |
//! | automatic answers | the longest run, the newest times of all: no guard begins anew |
//!
//! Jobs of which a conversation has one (`enqueue-latest`) are one again: of those with the same key the
//! one about the newest message stays. The others are done, [`REPLACED`], and whoever works on one
//! loses the lease. One that is marked as sending may be out already: it goes on beside the one that
//! stays, which is never another send of the same message.

use crate::Error;
use crate::commit::{Data, Writer};
use crate::connection::{Connection, to_json, values_of};
use crate::keys::key;

/// What a job says that a newer one of a joined conversation stands for.
pub(crate) const REPLACED: &str =
    "replaced: its conversation was joined with one that has a newer job";

impl<C: Connection> Writer<'_, C> {
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
        self.join_latest(oldest, others).await?;
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
        self.join_snooze(oldest).await?;
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

    /// Makes the jobs of which a conversation has one, one again. `outgoing` names such a job by kind,
    /// conversation and a key of its own; no id holds a colon.
    async fn join_latest(&self, oldest: &str, others: &[String]) -> Result<(), Error> {
        let all: Vec<&str> = std::iter::once(oldest)
            .chain(others.iter().map(String::as_str))
            .collect();
        let all = to_json(&all)?;
        // Who stays is decided before any is renamed, and all that go are renamed first: a key is one
        // job's.
        let ranked = "WITH own AS (
                SELECT o.seq, o.state, o.kind || ':' || ?1 || substr(o.key, length(o.kind) + length(v.value) + 2) AS key,
                    row_number() OVER (
                        PARTITION BY o.kind || substr(o.key, length(o.kind) + length(v.value) + 2)
                        ORDER BY o.state IN ('done', 'buried', 'sending'),
                            coalesce((SELECT m.seq FROM messages m WHERE m.id = o.message_id), 0) DESC, o.seq DESC) AS place
                FROM outbox o JOIN json_each(?2) v
                    ON o.conversation_id = v.value
                    AND substr(o.key, 1, length(o.kind) + length(v.value) + 2) = o.kind || ':' || v.value || ':'
                WHERE o.platform_client_id = ?3)
             SELECT json_group_array(json_array(seq, key || iif(place > 1 OR state IN ('done', 'buried', 'sending'), ':' || seq, ''),
                place > 1 AND state IN ('pending', 'leased'))) FROM own";
        let rows = self
            .execute(ranked, values_of![oldest, &all, &self.tenant])
            .await?;
        let jobs = rows.first().map(|row| row.text(0)).transpose()?;
        let jobs = jobs.unwrap_or("[]");
        self.execute(
            "UPDATE outbox SET state = 'done', token = NULL, error = ?1, finished_at = ?2
             WHERE seq IN (SELECT value ->> 0 FROM json_each(?3) WHERE value ->> 2)",
            values_of![REPLACED, self.moment.now, jobs],
        )
        .await?;
        self.execute(
            "UPDATE outbox SET key = NULL WHERE seq IN (SELECT value ->> 0 FROM json_each(?))",
            values_of![jobs],
        )
        .await?;
        self.execute(
            "UPDATE outbox SET key = job.key
             FROM (SELECT value ->> 0 AS seq, value ->> 1 AS key FROM json_each(?)) AS job
             WHERE outbox.seq = job.seq",
            values_of![jobs],
        )
        .await?;
        Ok(())
    }

    /// Whatever jobs there were, one opens the conversation when its snooze is over.
    async fn join_snooze(&mut self, oldest: &str) -> Result<(), Error> {
        let rows = self
            .execute(
                "SELECT snoozed_until FROM conversations
                 WHERE id = ? AND status = 'snoozed' AND snoozed_until IS NOT NULL",
                values_of![oldest],
            )
            .await?;
        let Some(row) = rows.first() else {
            return Ok(());
        };
        let until = row.integer(0)?;
        let bound = self.conversation.replace(oldest.to_owned());
        let made = self.end_snooze_at(until).await;
        self.conversation = bound;
        made
    }
}

/// `?1` the conversation that stays, `?2` the others, `?3` now.
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
        status = sum.status, snoozed_until = iif(sum.status = 'snoozed', sum.snoozed_until, NULL), priority = sum.priority,
        assignee = coalesce(kept.assignee, (SELECT assignee FROM conversations
            WHERE id IN (SELECT value FROM json_each(?2)) AND assignee IS NOT NULL ORDER BY seq LIMIT 1)),
        team = coalesce(kept.team, (SELECT team FROM conversations
            WHERE id IN (SELECT value FROM json_each(?2)) AND team IS NOT NULL ORDER BY seq LIMIT 1)),
        handover = sum.handover, handed_over_at = sum.handed_over_at, muted_until = sum.muted_until,
        last_human_at = sum.last_human_at, last_bot_at = sum.last_bot_at, bot_run = sum.bot_run,
        bot_times = (SELECT json_group_array(at) FROM (SELECT at FROM (
                SELECT b.value AS at FROM conversations c, json_each(c.bot_times) b
                WHERE c.id = ?1 OR c.id IN (SELECT value FROM json_each(?2)) ORDER BY at DESC LIMIT 5) ORDER BY at)),
        message_count = sum.message_count,
        preview = (SELECT substr(coalesce(content ->> '$.text', content ->> '$.media[0].caption', preview), 1, 200)
            FROM messages WHERE conversation_id = ?1 ORDER BY seq DESC LIMIT 1),
        last_message_at = sum.last_message_at, last_inbound_at = sum.last_inbound_at,
        active_at = sum.active_at, updated_at = ?3,
        tags = (SELECT json_group_array(DISTINCT tag.value) FROM conversations c, json_each(c.tags) tag
            WHERE c.id = ?1 OR c.id IN (SELECT value FROM json_each(?2)))
     FROM (SELECT
            CASE WHEN max(status = 'open') THEN 'open' WHEN max(status = 'snoozed') THEN 'snoozed'
                WHEN max(status = 'pending') THEN 'pending' ELSE 'resolved' END AS status,
            min(iif(status = 'snoozed', snoozed_until, NULL)) AS snoozed_until,
            CASE WHEN max(priority = 'urgent') THEN 'urgent' WHEN max(priority = 'high') THEN 'high'
                WHEN max(priority = 'normal') THEN 'normal' ELSE 'low' END AS priority,
            iif(max(handover = 'human'), 'human', 'bot') AS handover,
            max(handed_over_at) AS handed_over_at, max(muted_until) AS muted_until,
            max(last_human_at) AS last_human_at, max(last_bot_at) AS last_bot_at, max(bot_run) AS bot_run,
            sum(message_count) AS message_count, max(last_message_at) AS last_message_at,
            max(last_inbound_at) AS last_inbound_at, max(active_at) AS active_at
        FROM conversations WHERE id = ?1 OR id IN (SELECT value FROM json_each(?2))) AS sum
     WHERE kept.id = ?1",
    "DELETE FROM conversations WHERE id IN (SELECT value FROM json_each(?))",
];
