//! One transaction: a lease checked, effects written, changes told, the job done.
//!
//! 1. A stale lease writes nothing, but for a send's answer that came late (see `late`); any error
//!    writes nothing.
//! 2. Changes are written last, in one statement; readers see them with the rows they are about.

use chatly_canonical::{Body, Event};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::connection::{Connection, Row, to_json, transaction, values_of};
use crate::effects::*;
use crate::jobs::{parse_token, update};
use crate::keys::message_id;
use crate::{Error, Moment, Value};

/// How long an idempotency key is remembered: the day that the contract promises.
const IDEMPOTENCY_MS: u64 = 24 * 60 * 60 * 1000;

/// What the bound contact, conversation and message came to be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Committed {
    /// The bound contact.
    pub contact_id: Option<String>,
    /// The bound conversation.
    pub conversation_id: Option<String>,
    /// The bound message.
    pub message_id: Option<String>,
    /// The newest change written; 0 when there was none.
    pub last_change: u64,
}

/// An open transaction and what its effects have bound so far.
pub(crate) struct Writer<'a, C> {
    connection: &'a C,
    pub(crate) moment: Moment,
    ids: u16,
    pub(crate) tenant: String,
    pub(crate) contact: Option<String>,
    pub(crate) conversation: Option<String>,
    pub(crate) message: Option<String>,
    /// The outbox job that calls are made for.
    pub(crate) job: Option<u64>,
    /// The leased event: its place, its message id and its JSON.
    pub(crate) event: Option<Leased>,
    changes: Vec<(String, String)>,
}

/// What effects need of the leased event.
pub(crate) struct Leased {
    pub(crate) seq: u64,
    /// The id of the message that the event brings, if it is one.
    pub(crate) brings: Option<String>,
    json: Box<RawValue>,
}

/// What a change says, by `kind`. Absent fields are left out.
#[derive(Serialize, Default)]
pub(crate) struct Data<'a> {
    pub(crate) platform_client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) conversation_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) merged: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enrichment: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<&'a RawValue>,
}

/// Writes the effects and the job's completion.
pub async fn commit<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    effects: &[Effect],
) -> Result<Committed, Error> {
    let set = "state = 'done', token = NULL, error = NULL, finished_at = ?";
    let set = (set, values_of![moment.now]);
    match write_job(connection, moment, token, effects, set).await {
        Err(Error::Stale) => crate::late::write(connection, moment, token, None, effects).await,
        written => written,
    }
}

/// Writes the effects of a request that went out, and that the next is `step`.
pub async fn advance<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    step: u32,
    for_ms: u32,
    effects: &[Effect],
) -> Result<Committed, Error> {
    let until = moment.now.saturating_add(for_ms.into());
    let set = "state = 'leased', step = ?, due_at = ?";
    let set = (set, values_of![step, until]);
    match write_job(connection, moment, token, effects, set).await {
        Err(Error::Stale) => {
            crate::late::write(connection, moment, token, Some(step), effects).await
        }
        written => written,
    }
}

/// Writes the effects of a leased job, and `set` in its row.
async fn write_job<C: Connection>(
    connection: &C,
    moment: Moment,
    token: &str,
    effects: &[Effect],
    (set, values): (&str, Vec<Value>),
) -> Result<Committed, Error> {
    let (table, seq) = parse_token(token)?;
    let sql = format!(
        "SELECT platform_client_id, kind, payload, {} FROM {table}
         WHERE seq = ? AND token = ? AND state IN ('leased', 'sending') AND due_at > ?",
        if table == "outbox" {
            "conversation_id, message_id"
        } else {
            "NULL, NULL"
        },
    );
    transaction(connection, async || {
        let rows = connection
            .execute(&sql, values_of![seq, token, moment.now])
            .await?;
        let row = rows.first().ok_or(Error::Stale)?;
        let mut writer = Writer::new(connection, moment, row.text(0)?);
        if table == "inbox" {
            let event: Event = row.json(2)?;
            let brings = match &event.body {
                Body::Message(_) => message_id(&event).map(str::to_owned),
                _ => None,
            };
            writer.event = Some(Leased {
                seq,
                brings,
                json: row.json(2)?,
            });
        } else {
            writer.job = Some(seq);
            if let Some(id) = row.optional(3)? {
                writer.bind_conversation(id).await?;
            }
            if let Some(id) = row.optional(4)? {
                writer.bind_message(id).await?;
            }
        }
        let committed = writer.write(effects).await?;
        update(connection, moment, token, set, values).await?;
        Ok(committed)
    })
    .await
}

/// Writes effects that belong to no job.
pub async fn submit<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: &str,
    idempotency_key: Option<&str>,
    effects: &[Effect],
) -> Result<Committed, Error> {
    transaction(connection, async || {
        if let Some(key) = idempotency_key {
            let expired = moment.now.saturating_sub(IDEMPOTENCY_MS);
            connection.execute("DELETE FROM idempotency_keys WHERE at <= ?", values_of![expired]).await?;
            let rows = connection
                .execute(
                    "SELECT answer FROM idempotency_keys WHERE platform_client_id = ? AND key = ?",
                    values_of![tenant, key],
                )
                .await?;
            if let Some(row) = rows.first() {
                return row.json(0);
            }
        }
        let committed = Writer::new(connection, moment, tenant).write(effects).await?;
        if let Some(key) = idempotency_key {
            let values = values_of![tenant, key, to_json(&committed)?, moment.now];
            let sql = "INSERT INTO idempotency_keys (platform_client_id, key, answer, at) VALUES (?, ?, ?, ?)";
            connection.execute(sql, values).await?;
        }
        Ok(committed)
    })
    .await
}

impl<'a, C: Connection> Writer<'a, C> {
    pub(crate) fn new(connection: &'a C, moment: Moment, tenant: &str) -> Self {
        Writer {
            connection,
            moment,
            ids: 0,
            tenant: tenant.to_owned(),
            contact: None,
            conversation: None,
            message: None,
            job: None,
            event: None,
            changes: vec![],
        }
    }

    /// A new id.
    pub(crate) fn id(&mut self) -> String {
        self.ids = self.ids.wrapping_add(1);
        self.moment.id(self.ids)
    }

    pub(crate) async fn execute(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, Error> {
        Ok(self.connection.execute(sql, values).await?)
    }

    pub(crate) fn connection(&self) -> &C {
        self.connection
    }

    pub(crate) fn bound_contact(&self) -> Result<&str, Error> {
        self.contact
            .as_deref()
            .ok_or(Error::Invalid("an effect needs a contact before it"))
    }

    pub(crate) fn bound_conversation(&self) -> Result<&str, Error> {
        self.conversation
            .as_deref()
            .ok_or(Error::Invalid("an effect needs a conversation before it"))
    }

    /// Tells readers of `changes`.
    pub(crate) fn tell(&mut self, kind: &str, data: &Data) -> Result<(), Error> {
        self.changes.push((kind.to_owned(), to_json(data)?));
        Ok(())
    }

    /// Tells readers of `changes` what has a form of its own.
    pub(crate) fn tell_json(&mut self, kind: &str, data: String) {
        self.changes.push((kind.to_owned(), data));
    }

    pub(crate) async fn write(mut self, effects: &[Effect]) -> Result<Committed, Error> {
        for effect in effects {
            self.apply(effect).await?;
        }
        let mut last_change = 0;
        if !self.changes.is_empty() {
            let rows = self
                .execute(
                    "INSERT INTO changes (platform_client_id, kind, data, at)
                     SELECT ?, value ->> 0, value ->> 1, ? FROM json_each(?) ORDER BY json_each.key RETURNING seq",
                    values_of![&self.tenant, self.moment.now, to_json(&self.changes)?],
                )
                .await?;
            for row in &rows {
                last_change = last_change.max(row.integer(0)?);
            }
        }
        Ok(Committed {
            contact_id: self.contact,
            conversation_id: self.conversation,
            message_id: self.message,
            last_change,
        })
    }

    async fn apply(&mut self, effect: &Effect) -> Result<(), Error> {
        match effect {
            Effect::Contact(effect) => self.contact(effect).await,
            Effect::Conversation(effect) => self.conversation(effect).await,
            Effect::BindConversation(id) => self.bind_own_conversation(id).await,
            Effect::Message(effect) => self.message(effect).await,
            Effect::Edit(effect) => self.edit(effect).await,
            Effect::Delete(effect) => self.delete(effect).await,
            Effect::Reaction(effect) => self.reaction(effect).await,
            Effect::Status(effect) => self.status(effect).await,
            Effect::Sent(effect) => self.sent(effect).await,
            Effect::Opt(effect) => self.opt(effect).await,
            Effect::ChangeConversation(change) => self.change_conversation(change).await,
            Effect::ChangeContact(change) => self.change_contact(change).await,
            Effect::Enqueue(job) => self.enqueue(job).await,
            Effect::EnqueueLatest(job) => self.enqueue_latest(job).await,
            Effect::EndSnooze => self.end_snooze().await,
            Effect::ExternalCall(call) => self.external_call(call).await,
            Effect::BindJob(seq) => {
                self.job = Some(*seq);
                Ok(())
            }
            Effect::EndpointAttempt(effect) => self.endpoint_attempt(effect).await,
            Effect::EndpointAlert(effect) => self.endpoint_alert(effect).await,
            Effect::Explanation(effect) => self.explanation(effect).await,
            Effect::Enrichment(effect) => self.enrichment(effect).await,
            Effect::Media(effect) => self.media(effect).await,
            Effect::Spent(spent) => self.spent(spent).await,
            Effect::KeepAnswer(answer) => self.keep_answer(answer).await,
            Effect::RecordEvent => self.record_event(),
        }
    }

    fn record_event(&mut self) -> Result<(), Error> {
        let event = self
            .event
            .as_ref()
            .ok_or(Error::Invalid("no event is leased"))?;
        let data = Data {
            platform_client_id: &self.tenant,
            conversation_id: self.conversation.as_deref(),
            contact_id: self.contact.as_deref(),
            event: Some(&event.json),
            ..Data::default()
        };
        self.changes
            .push(("event.recorded".to_owned(), to_json(&data)?));
        Ok(())
    }

    /// The JSON of the leased event.
    pub(crate) fn event_json(&self) -> Option<Box<RawValue>> {
        self.event.as_ref().map(|event| event.json.clone())
    }
}
