//! Messages and what happens to them later: edits, deletions, reactions, explanations.

use chatly_canonical::Message;
use serde_json::value::RawValue;

use crate::commit::{Data, Writer};
use crate::connection::{Connection, Row, to_json, values_of};
use crate::effects::*;
use crate::model::{Author, Direction};
use crate::{Error, Value};

/// Characters of a preview: a line or two of any list.
const PREVIEW_CHARS: usize = 200;

/// What a message of ours changes in its conversation; `?1` now, `?2` the conversation. A run of
/// automatic answers ends with a person's, or after an hour without any: two machines that talk
/// to each other are quicker.
const HUMAN: &str = "UPDATE conversations SET last_human_at = max(coalesce(last_human_at, 0), ?1), bot_run = 0 WHERE id = ?2";
const BOT: &str = "UPDATE conversations SET last_bot_at = max(coalesce(last_bot_at, 0), ?1),
        bot_run = 1 + iif(last_bot_at > ?1 - 3600000, bot_run, 0),
        bot_times = json_remove(json_insert(bot_times, '$[#]', ?1), iif(json_array_length(bot_times) < 5, '$.none', '$[0]'))
     WHERE id = ?2";

impl<C: Connection> Writer<'_, C> {
    pub(crate) async fn message(&mut self, effect: &MessageEffect) -> Result<(), Error> {
        if self.is_own_echo(effect).await? {
            return Ok(());
        }
        let conversation = self.bound_conversation()?.to_owned();
        let (channel, account) = self.account_of(&conversation).await?;
        let external = Some(effect.content.id.as_str()).filter(|id| !id.is_empty());
        let outbound = effect.direction == Direction::Outbound;
        if let (true, Some(id)) = (outbound, external)
            && let Some(message) = self.find_by_part(&channel, &account, id).await?
        {
            return self.bind_message(&message).await;
        }
        let known = match (outbound, external) {
            (true, Some(id)) => {
                self.merge_state(&channel, &account, id, effect.state, None, effect.at)
                    .await?;
                self.apply_watermarks(&conversation, &channel, &account, id, effect.at)
                    .await?;
                self.find_state(&channel, &account, id).await?
            }
            (true, None) => (effect.state.map(crate::model::rank_of).into(), Value::Null),
            (false, _) => (Value::Null, Value::Null),
        };
        let explanation = match &effect.explanation {
            Some(json) => Some(format!("[{}]", raw(json)?.get())),
            None => None,
        };
        let seq = self.place(external).await?;
        let id = self.id();
        let rows = self
            .execute(
                "INSERT INTO messages (seq, id, platform_client_id, conversation_id, contact_id, channel, account,
                    external_id, direction, author, standby, content, state, error, explanation, sent_at, created_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                 ON CONFLICT DO NOTHING RETURNING id",
                values_of![
                    seq,
                    &id,
                    &self.tenant,
                    &conversation,
                    self.contact.clone(),
                    &channel,
                    &account,
                    external,
                    effect.direction.as_str(),
                    effect.author.as_str(),
                    effect.standby,
                    to_json(&effect.content)?,
                    known.0,
                    known.1,
                    explanation,
                    effect.at,
                    self.moment.now
                ],
            )
            .await?;
        if rows.is_empty() {
            return self.bind_first(external, &channel, &account).await;
        }
        self.message = Some(id.clone());
        self.touch(&conversation, effect).await?;
        let event = if external.is_some() && external == self.brings() {
            self.event_json()
        } else {
            None
        };
        let message = if event.is_none() {
            Some(raw(&to_json(&effect.content)?)?)
        } else {
            None
        };
        let more = Data {
            event: event.as_deref(),
            message: message.as_deref(),
            ..Data::default()
        };
        self.tell_message("message.created", &id, &conversation, more)
    }

    /// Binds the message that has this id already, in its own conversation.
    async fn bind_first(
        &mut self,
        external: Option<&str>,
        channel: &str,
        account: &str,
    ) -> Result<(), Error> {
        let rows = self
            .execute(
                "SELECT id FROM messages
                 WHERE external_id = ? AND account = ? AND channel = ? AND platform_client_id = ?",
                values_of![external, account, channel, &self.tenant],
            )
            .await?;
        match rows.first() {
            Some(row) => self.bind_message(row.text(0)?).await,
            None => Ok(()),
        }
    }

    fn brings(&self) -> Option<&str> {
        self.event
            .as_ref()
            .and_then(|event| event.brings.as_deref())
    }

    pub(crate) async fn account_of(&self, conversation: &str) -> Result<(String, String), Error> {
        let sql = "SELECT channel, account FROM conversations WHERE id = ?";
        let rows = self.execute(sql, values_of![conversation]).await?;
        let row = rows.first().ok_or(crate::connection::UNEXPECTED)?;
        Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
    }

    /// Where a message goes: the message that the leased event brings takes the event's place, so
    /// that arrival decides and not which of two commits came first; any other takes the next
    /// number of the same sequence.
    async fn place(&self, external: Option<&str>) -> Result<u64, Error> {
        if let Some(event) = &self.event
            && external.is_some()
            && event.brings.as_deref() == external
        {
            return Ok(event.seq);
        }
        let sql = "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'inbox' RETURNING seq";
        self.execute(sql, vec![])
            .await?
            .first()
            .ok_or(crate::connection::UNEXPECTED)?
            .integer(0)
    }

    /// Shows the new message in its conversation, which an inbound one opens again.
    async fn touch(&mut self, conversation: &str, effect: &MessageEffect) -> Result<(), Error> {
        let inbound = (effect.direction == Direction::Inbound).then_some(effect.at);
        self.execute(
            "UPDATE conversations SET message_count = message_count + 1, preview = coalesce(?1, preview),
                last_message_at = max(coalesce(last_message_at, 0), ?2),
                last_inbound_at = iif(?3 IS NULL, last_inbound_at, max(coalesce(last_inbound_at, 0), ?3)),
                snoozed_until = iif(?3 IS NOT NULL, NULL, snoozed_until),
                status = iif(?3 IS NOT NULL AND status IN ('resolved', 'snoozed'), 'open', status),
                active_at = max(active_at, ?4), updated_at = ?4
             WHERE id = ?5",
            values_of![preview(&effect.content), effect.at, inbound, self.moment.now, conversation],
        )
        .await?;
        let counted = match effect.author {
            Author::Contact => return Ok(()),
            Author::Agent | Author::External => HUMAN,
            Author::Bot => BOT,
        };
        self.execute(counted, values_of![self.moment.now, conversation])
            .await?;
        Ok(())
    }

    pub(crate) async fn edit(&mut self, effect: &EditEffect) -> Result<(), Error> {
        let rows = self
            .execute(
                "UPDATE messages SET content = ?1, edited_at = max(coalesce(edited_at, 0), ?2),
                    previous_texts = iif(content ->> '$.text' IS NULL OR content ->> '$.text' IS ?1 ->> '$.text',
                        previous_texts, json_insert(previous_texts, '$[#]', content ->> '$.text'))
                 WHERE external_id = ?3 AND account = ?4 AND channel = ?5 AND platform_client_id = ?6
                 RETURNING id, conversation_id",
                values_of![
                    to_json(&effect.content)?,
                    effect.at,
                    &effect.content.id,
                    &effect.account,
                    &effect.channel,
                    &self.tenant
                ],
            )
            .await?;
        self.tell_updated(&rows)?;
        let sql = "UPDATE conversations SET preview = coalesce(?1, preview), updated_at = ?2
             WHERE id = ?3 AND (SELECT id FROM messages WHERE conversation_id = ?3 ORDER BY seq DESC LIMIT 1) = ?4";
        for row in &rows {
            let values = values_of![
                preview(&effect.content),
                self.moment.now,
                row.text(1)?,
                row.text(0)?
            ];
            self.execute(sql, values).await?;
        }
        Ok(())
    }

    pub(crate) async fn delete(&mut self, effect: &DeleteEffect) -> Result<(), Error> {
        let rows = self
            .execute(
                "UPDATE messages SET deleted_at = ?
                 WHERE external_id = ? AND account = ? AND channel = ? AND platform_client_id = ?
                    AND deleted_at IS NULL RETURNING id, conversation_id",
                values_of![
                    effect.at,
                    &effect.message_id,
                    &effect.account,
                    &effect.channel,
                    &self.tenant
                ],
            )
            .await?;
        self.tell_updated(&rows)
    }

    /// One emoji per sender and message; kept by the platform's id, so that it may come first.
    pub(crate) async fn reaction(&mut self, effect: &ReactionEffect) -> Result<(), Error> {
        let by = self
            .contact
            .clone()
            .unwrap_or_else(|| effect.account.clone());
        let id = &effect.reaction.message_id;
        match effect.reaction.emoji.as_ref().or(effect.reaction.emojis.first()) {
            Some(emoji) => {
                self.execute(
                    "INSERT INTO message_reactions (external_id, account, channel, platform_client_id, by, emoji, at)
                     VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET emoji = excluded.emoji, at = excluded.at",
                    values_of![id, &effect.account, &effect.channel, &self.tenant, by, emoji, effect.at],
                )
                .await?
            }
            None => {
                self.execute(
                    "DELETE FROM message_reactions
                     WHERE external_id = ? AND account = ? AND channel = ? AND platform_client_id = ? AND by = ?",
                    values_of![id, &effect.account, &effect.channel, &self.tenant, by],
                )
                .await?
            }
        };
        let rows = self
            .execute(
                "SELECT id, conversation_id FROM messages
                 WHERE external_id = ? AND account = ? AND channel = ? AND platform_client_id = ?",
                values_of![id, &effect.account, &effect.channel, &self.tenant],
            )
            .await?;
        self.tell_updated(&rows)
    }

    pub(crate) async fn explanation(&mut self, effect: &ExplanationEffect) -> Result<(), Error> {
        let json = raw(&effect.json)?;
        let rows = self
            .execute(
                "UPDATE messages SET explanation = json_insert(coalesce(explanation, '[]'), '$[#]', json(?))
                 WHERE id = ? AND platform_client_id = ? RETURNING id, conversation_id",
                values_of![json.get(), &effect.message_id, &self.tenant],
            )
            .await?;
        self.tell_updated(&rows)
    }

    pub(crate) async fn enrichment(&mut self, effect: &EnrichmentEffect) -> Result<(), Error> {
        let json = raw(&effect.json)?;
        let lead = effect.lead.as_deref().map(raw).transpose()?;
        let rows = self
            .execute(
                "INSERT INTO enrichments (platform_client_id, message_id, json, created_at)
                 SELECT platform_client_id, id, ?, ? FROM messages WHERE id = ? AND platform_client_id = ?
                 RETURNING message_id, (SELECT conversation_id FROM messages m WHERE m.id = message_id),
                    (SELECT contact_id FROM messages m WHERE m.id = message_id)",
                values_of![
                    json.get(),
                    self.moment.now,
                    &effect.message_id,
                    &self.tenant
                ],
            )
            .await?;
        for row in &rows {
            let more = Data {
                enrichment: Some(&json),
                ..Data::default()
            };
            self.tell_message("message.updated", row.text(0)?, row.text(1)?, more)?;
            if let (Some(lead), Some(contact)) = (&lead, row.optional(2)?) {
                self.execute(
                    "UPDATE social_contacts SET lead = ?, updated_at = ? WHERE id = ?",
                    values_of![lead.get(), self.moment.now, contact],
                )
                .await?;
                self.keep_lead(contact, row.text(0)?, lead.get()).await?;
                self.tell_contact("contact.updated", contact)?;
            }
        }
        Ok(())
    }

    /// Tells of rows `id, conversation_id`.
    pub(crate) fn tell_updated(&mut self, rows: &[Row]) -> Result<(), Error> {
        for row in rows {
            self.tell_message(
                "message.updated",
                row.text(0)?,
                row.text(1)?,
                Data::default(),
            )?;
        }
        Ok(())
    }

    /// Tells of one message; `more` holds what the change carries besides the ids.
    fn tell_message(
        &mut self,
        kind: &str,
        id: &str,
        conversation: &str,
        more: Data,
    ) -> Result<(), Error> {
        let (tenant, contact) = (self.tenant.clone(), self.contact.clone());
        let data = Data {
            platform_client_id: &tenant,
            conversation_id: Some(conversation),
            contact_id: contact.as_deref(),
            message_id: Some(id),
            ..more
        };
        self.tell(kind, &data)
    }
}

/// JSON from outside, checked.
fn raw(json: &str) -> Result<Box<RawValue>, Error> {
    RawValue::from_string(json.to_owned()).map_err(|_| Error::Invalid("not JSON"))
}

fn preview(message: &Message) -> Option<String> {
    let captions = message
        .media
        .iter()
        .filter_map(|media| media.caption.as_ref());
    let text = message
        .text
        .iter()
        .chain(captions)
        .find(|text| !text.is_empty())?;
    Some(text.chars().take(PREVIEW_CHARS).collect())
}
