//! Answers of models that are remembered, so that the same question is paid once.
//!
//! What is kept is an answer to redacted text, with placeholders: callers put values back from a map of
//! their own. What the redactor did not recognise is in it. Bounded by age, and by number for each tenant.

use serde::Deserialize;

use crate::commit::Writer;
use crate::connection::{Connection, to_json, values_of};
use crate::{Error, Moment};

/// Longer than any question is the same one: the keys of callers hold the day.
const KEPT_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// Of one tenant: some ten megabytes.
pub(crate) const MAX_ANSWERS: u32 = 10_000;

/// What version 9 adds for answers.
pub(crate) const SCHEMA: &[&str] = &[
    "CREATE TABLE answers (
        platform_client_id TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (platform_client_id, key)) WITHOUT ROWID",
    "CREATE INDEX answers_at ON answers (at)",
    "CREATE INDEX answers_tenant ON answers (platform_client_id, at)",
];

/// An answer to remember.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AnswerEffect {
    /// What was asked.
    pub key: String,
    /// What was answered, JSON.
    pub json: String,
}

/// The answer that was kept under this key in the last week.
pub async fn find_answer<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: &str,
    key: &str,
) -> Result<Option<String>, Error> {
    let rows = connection
        .execute(
            "SELECT json FROM answers WHERE platform_client_id = ? AND key = ? AND at > ?",
            values_of![tenant, key, moment.now.saturating_sub(KEPT_MS)],
        )
        .await?;
    rows.first()
        .map(|row| row.text(0).map(str::to_owned))
        .transpose()
}

impl<C: Connection> Writer<'_, C> {
    /// Keeps an answer, and forgets what is too old and, beyond the number, the oldest.
    pub(crate) async fn keep_answer(&mut self, answer: &AnswerEffect) -> Result<(), Error> {
        let json: &serde_json::value::RawValue =
            serde_json::from_str(&answer.json).map_err(|_| Error::Invalid("an answer is JSON"))?;
        let now = self.moment.now;
        let expired = now.saturating_sub(KEPT_MS);
        self.execute("DELETE FROM answers WHERE at <= ?", values_of![expired])
            .await?;
        self.execute(
            "INSERT INTO answers (platform_client_id, key, json, at) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET json = excluded.json, at = excluded.at",
            values_of![&self.tenant, &answer.key, to_json(json)?, now],
        )
        .await?;
        self.execute(
            "DELETE FROM answers WHERE platform_client_id = ?1 AND at < (
                SELECT at FROM answers WHERE platform_client_id = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
            values_of![&self.tenant, MAX_ANSWERS - 1],
        )
        .await?;
        Ok(())
    }
}
