//! What leaves: jobs for the outbox, and the calls that were made.

use serde_json::{Map, Value as Json};

use crate::Error;
use crate::commit::{Data, Writer};
use crate::connection::{Connection, to_json, values_of};
use crate::effects::{LatestJob, NewJob};
use crate::keys::key;
use crate::model::ExternalCall;

/// How kinds begin whose jobs are done at most once: a customer must not get a message twice.
const AT_MOST_ONCE: &str = "send-";

impl<C: Connection> Writer<'_, C> {
    pub(crate) async fn enqueue(&mut self, job: &NewJob) -> Result<(), Error> {
        if job.kind == "event" {
            return Err(Error::Invalid("events are appended, not enqueued"));
        }
        let (payload, dedupe_key, message) = if job.about_message {
            self.about_message(job)?
        } else {
            (job.payload.clone(), job.dedupe_key.clone(), None)
        };
        self.insert_job(job, payload, dedupe_key, message).await
    }

    /// A job of which the bound conversation has one: the one about its newest message.
    pub(crate) async fn enqueue_latest(&mut self, latest: &LatestJob) -> Result<(), Error> {
        let job = &latest.job;
        let own = job.dedupe_key.as_deref().unwrap_or_default();
        let key = format!("{}:{}:{own}", job.kind, self.bound_conversation()?);
        let (payload, message) = if job.about_message {
            let (payload, _, message) = self.about_message(job)?;
            (payload, message)
        } else {
            (job.payload.clone(), None)
        };
        if self.is_behind(&key, message.as_deref()).await? {
            return Ok(());
        }
        let waiting = self
            .execute(
                "UPDATE outbox SET payload = ?1, message_id = ?2, traceparent = ?3, error = NULL,
                    due_at = min(?4, coalesce(created_at + ?5, ?4))
                 WHERE platform_client_id = ?6 AND key = ?7 AND state = 'pending' RETURNING seq",
                values_of![
                    &payload,
                    message.clone(),
                    job.traceparent.clone(),
                    job.due_at,
                    latest.within_ms,
                    &self.tenant,
                    &key
                ],
            )
            .await?;
        if !waiting.is_empty() {
            return Ok(());
        }
        // Whoever has it loses the lease, and so writes nothing any more.
        self.execute(
            "UPDATE outbox SET key = key || ':' || seq, token = NULL, finished_at = coalesce(finished_at, ?1),
                state = iif(state IN ('leased', 'sending'), 'done', state)
             WHERE platform_client_id = ?2 AND key = ?3",
            values_of![self.moment.now, &self.tenant, &key],
        )
        .await?;
        self.insert_job(job, payload, Some(key), message).await
    }

    /// Whether the job under this key that is not over is about a newer message than `message`: a run
    /// over an older one that comes late does not take its place.
    async fn is_behind(&self, key: &str, message: Option<&str>) -> Result<bool, Error> {
        let rows = self
            .execute(
                "SELECT 1 FROM outbox o JOIN messages newer ON newer.id = o.message_id
                 JOIN messages own ON own.id = ?3 AND own.seq < newer.seq
                 WHERE o.platform_client_id = ?1 AND o.key = ?2 AND o.state NOT IN ('done', 'buried')",
                values_of![&self.tenant, key, message],
            )
            .await?;
        Ok(!rows.is_empty())
    }

    async fn insert_job(
        &mut self,
        job: &NewJob,
        payload: String,
        dedupe_key: Option<String>,
        message: Option<String>,
    ) -> Result<(), Error> {
        let keys = self.ordering_keys(job);
        self.execute(
            "INSERT INTO outbox (platform_client_id, key, kind, payload, keys, conversation_id, message_id,
                at_most_once, traceparent, due_at, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (platform_client_id, key) DO NOTHING",
            values_of![
                &self.tenant,
                dedupe_key,
                &job.kind,
                payload,
                to_json(&keys)?,
                self.conversation.clone(),
                message,
                job.kind.starts_with(AT_MOST_ONCE),
                job.traceparent.clone(),
                job.due_at,
                self.moment.now
            ],
        )
        .await?;
        Ok(())
    }

    /// Without a key of its own, a job waits for those of its kind in its conversation: a slow
    /// enrichment must not hold an answer back.
    fn ordering_keys(&self, job: &NewJob) -> Vec<String> {
        let tenant = &self.tenant;
        match (&job.ordering_key, &self.conversation) {
            (Some(own), Some(conversation)) if job.about_message => {
                vec![key(&[tenant, "conversation", &job.kind, conversation, own])]
            }
            (Some(own), _) => vec![key(&[tenant, "own", own])],
            (None, Some(conversation)) => {
                vec![key(&[tenant, "conversation", &job.kind, conversation])]
            }
            (None, None) => vec![],
        }
    }

    /// The payload with the bound ids, the dedupe key within the bound message, and its id.
    fn about_message(
        &self,
        job: &NewJob,
    ) -> Result<(String, Option<String>, Option<String>), Error> {
        let message = self
            .message
            .as_deref()
            .ok_or(Error::Invalid("a job needs a message before it"))?;
        let mut payload: Map<String, Json> = serde_json::from_str(&job.payload)
            .map_err(|_| Error::Invalid("a payload about a message is a JSON object"))?;
        let ids = [
            ("conversation_id", self.conversation.as_deref()),
            ("contact_id", self.contact.as_deref()),
            ("message_id", Some(message)),
        ];
        for (name, id) in ids {
            payload.insert(name.to_owned(), id.into());
        }
        let dedupe_key = job.dedupe_key.as_deref().map(|own| match own {
            "" => format!("{}:{message}", job.kind),
            own => format!("{}:{message}:{own}", job.kind),
        });
        Ok((to_json(&payload)?, dedupe_key, Some(message.to_owned())))
    }

    /// Binds a message by our id, with its conversation and whoever said it.
    pub(crate) async fn bind_message(&mut self, id: &str) -> Result<(), Error> {
        let rows = self
            .execute(
                "SELECT conversation_id, contact_id FROM messages WHERE id = ? AND platform_client_id = ?",
                values_of![id, &self.tenant],
            )
            .await?;
        if let Some(row) = rows.first() {
            self.message = Some(id.to_owned());
            self.conversation = Some(row.text(0)?.to_owned());
            if let Some(contact) = row.optional(1)? {
                self.contact = Some(contact.to_owned());
            }
        }
        Ok(())
    }

    /// Whoever made the call may know its conversation from before a merge: the row gets the one that
    /// it became, which is where readers look.
    pub(crate) async fn external_call(&mut self, call: &ExternalCall) -> Result<(), Error> {
        let conversation = call.conversation_id.as_ref().or(self.conversation.as_ref());
        let message = call.message_id.as_ref().or(self.message.as_ref()).cloned();
        let rows = self
            .execute(
            "INSERT INTO external_calls (platform_client_id, kind, target, status, millis, attempt, at, error,
                conversation_id, message_id, job, details)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, coalesce((SELECT into_id FROM merged_conversations WHERE id = ?9), ?9), ?10, ?11, ?12)
             RETURNING conversation_id",
            values_of![
                &self.tenant,
                &call.kind,
                &call.target,
                call.status,
                call.millis,
                call.attempt,
                call.at,
                call.error.clone(),
                conversation.cloned(),
                message.clone(),
                self.job,
                call.details.clone()
            ],
        )
        .await?;
        let conversation = rows
            .first()
            .map(|row| row.optional(0))
            .transpose()?
            .flatten();
        let tenant = self.tenant.clone();
        let data = Data {
            platform_client_id: &tenant,
            conversation_id: conversation,
            message_id: message.as_deref(),
            ..Data::default()
        };
        self.tell("external_call.created", &data)
    }
}
