//! What calls to models may cost, and what they did.
//!
//! 1. A call is set aside before it is made, with the most that it can use. It is let through while what
//!    was used and what is set aside are below the budget, one at a time: so a day's budget is passed by
//!    the last call at most, however many ask at once.
//! 2. A job asks a model of a provider once. Where it finds a reservation of an earlier start that was never settled,
//!    the call may have been billed: it stays charged with all that was set aside.
//! 3. A conversation is asked about so often a day, whoever writes and however much.
//! 4. What is used is kept by day, so that a look at the budget reads a row for each model only.

mod reserve;

use serde::Deserialize;

use crate::Error;
use crate::commit::Writer;
use crate::connection::{Connection, UNEXPECTED, transaction, values_of};
use crate::jobs::parse_token;
pub use reserve::reserve_spend;

/// How long it is known which provider a job asked: longer than any job waits.
const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;
const MINUTE_MS: u64 = 60_000;
/// Rows that a list of usage shows.
const MAX_ROWS: u32 = 5_000;

/// What version 9 adds for costs: `spends` is what each job asked of whom, `llm_usage` the sums.
pub(crate) const SCHEMA: &[&str] = &[
    "CREATE TABLE spends (
        job INTEGER NOT NULL, provider TEXT NOT NULL, platform_client_id TEXT NOT NULL, model TEXT NOT NULL,
        day TEXT NOT NULL, token TEXT NOT NULL, tokens INTEGER NOT NULL, cost_micros INTEGER NOT NULL,
        at INTEGER NOT NULL, outcome TEXT, PRIMARY KEY (job, provider)) WITHOUT ROWID",
    "CREATE INDEX spends_at ON spends (at)",
    "CREATE INDEX spends_pace ON spends (platform_client_id, provider, at)",
    "CREATE TABLE llm_usage (
        platform_client_id TEXT NOT NULL, day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
        calls INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, cached INTEGER NOT NULL DEFAULT 0,
        input_tokens INTEGER NOT NULL DEFAULT 0, output_tokens INTEGER NOT NULL DEFAULT 0,
        cost_micros INTEGER NOT NULL DEFAULT 0, open_tokens INTEGER NOT NULL DEFAULT 0,
        open_cost_micros INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (platform_client_id, day, provider, model)) WITHOUT ROWID",
    "CREATE INDEX llm_usage_day ON llm_usage (day)",
];

/// What version 11 changes: a job may ask two models of one provider, and calls of a conversation are
/// counted.
pub(crate) const BY_MODEL: &[&str] = &[
    "ALTER TABLE spends RENAME TO spends_by_provider",
    "DROP INDEX spends_at",
    "DROP INDEX spends_pace",
    "CREATE TABLE spends (
        job INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, platform_client_id TEXT NOT NULL,
        conversation_id TEXT, day TEXT NOT NULL, token TEXT NOT NULL, tokens INTEGER NOT NULL,
        cost_micros INTEGER NOT NULL, at INTEGER NOT NULL, outcome TEXT,
        PRIMARY KEY (job, provider, model)) WITHOUT ROWID",
    "INSERT INTO spends SELECT job, provider, model, platform_client_id, NULL, day, token, tokens,
        cost_micros, at, outcome FROM spends_by_provider",
    "DROP TABLE spends_by_provider",
    "CREATE INDEX spends_at ON spends (at)",
    "CREATE INDEX spends_pace ON spends (platform_client_id, provider, at)",
    "CREATE INDEX spends_conversation ON spends (conversation_id, day)",
    "PRAGMA user_version=11",
];

/// What a tenant may use in a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// Tokens, in and out.
    pub tokens: Option<u64>,
    /// Millionths of a US dollar.
    pub cost_micros: Option<u64>,
}

/// The most that a call can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Who is asked.
    pub provider: String,
    /// For which model.
    pub model: String,
    /// `YYYY-MM-DD`.
    pub day: String,
    /// Tokens, in and out.
    pub tokens: u64,
    /// Millionths of a US dollar.
    pub cost_micros: u64,
    /// What the tenant may use that day.
    pub budget: Budget,
    /// Calls to the provider in any minute.
    pub per_minute: Option<u32>,
    /// Calls about the job's conversation on that day, whoever is asked.
    pub per_conversation: Option<u32>,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It is set aside.
    Go,
    /// The budget is used up.
    Exhausted,
    /// The conversation was asked about often enough that day.
    Enough,
    /// The job asked this model of this provider before.
    Already,
    /// Too many in this minute; free again then.
    Later(u64),
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendOutcome {
    /// It answered.
    Answered,
    /// No call was needed.
    Cached,
    /// No answer, and perhaps billed.
    Failed,
    /// No answer, and surely not billed.
    Unbilled,
}

/// What a call used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// Who was asked.
    pub provider: String,
    /// For which model.
    pub model: String,
    /// `YYYY-MM-DD`; the reservation's counts where there is one.
    pub day: String,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// Millionths of a US dollar.
    pub cost_micros: u64,
    /// What became of it.
    pub outcome: SpendOutcome,
}

/// What a tenant used of a model on a day.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Usage {
    /// The tenant.
    pub platform_client_id: String,
    /// `YYYY-MM-DD`.
    pub day: String,
    /// Who was asked.
    pub provider: String,
    /// For which model.
    pub model: String,
    /// Calls that were let through.
    pub calls: u64,
    /// Those of them without an answer.
    pub failed: u64,
    /// Answers from memory.
    pub cached: u64,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// Millionths of a US dollar.
    pub cost_micros: u64,
    /// Tokens that are set aside.
    pub open_tokens: u64,
    /// Millionths of a US dollar that are set aside.
    pub open_cost_micros: u64,
}

/// What is set aside of a job for a provider.
struct Known {
    tenant: String,
    model: String,
    day: String,
    tokens: u64,
    cost_micros: u64,
    outcome: Option<String>,
}

async fn known<C: Connection>(
    connection: &C,
    job: u64,
    provider: &str,
    model: &str,
) -> Result<Option<Known>, Error> {
    let sql = "SELECT platform_client_id, model, day, tokens, cost_micros, outcome FROM spends
         WHERE job = ? AND provider = ? AND model = ?";
    let values = values_of![job, provider, model];
    let rows = connection.execute(sql, values).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(Known {
        tenant: row.text(0)?.to_owned(),
        model: row.text(1)?.to_owned(),
        day: row.text(2)?.to_owned(),
        tokens: row.integer(3)?,
        cost_micros: row.integer(4)?,
        outcome: row.optional(5)?.map(str::to_owned),
    }))
}

/// Puts what was used in the place of what was set aside.
async fn settle<C: Connection>(
    connection: &C,
    job: u64,
    known: &Known,
    spent: &Spent,
) -> Result<(), Error> {
    connection
        .execute(
            "UPDATE spends SET outcome = ? WHERE job = ? AND provider = ? AND model = ?",
            values_of![word(spent.outcome), job, &spent.provider, &known.model],
        )
        .await?;
    connection
        .execute(
            "UPDATE llm_usage SET failed = failed + ?, input_tokens = input_tokens + ?,
                output_tokens = output_tokens + ?, cost_micros = cost_micros + ?,
                open_tokens = max(open_tokens - ?, 0), open_cost_micros = max(open_cost_micros - ?, 0)
             WHERE platform_client_id = ? AND day = ? AND provider = ? AND model = ?",
            values_of![
                spent.outcome != SpendOutcome::Answered,
                spent.input_tokens,
                spent.output_tokens,
                spent.cost_micros,
                known.tokens,
                known.cost_micros,
                &known.tenant,
                &known.day,
                &spent.provider,
                &known.model
            ],
        )
        .await?;
    Ok(())
}

/// Settles what was set aside under this token; false when there is nothing.
pub async fn settle_spend<C: Connection>(
    connection: &C,
    token: &str,
    spent: &Spent,
) -> Result<bool, Error> {
    let (_, job) = parse_token(token)?;
    transaction(connection, async || {
        let sql = "SELECT 1 FROM spends
             WHERE job = ? AND provider = ? AND model = ? AND token = ? AND outcome IS NULL";
        let values = values_of![job, &spent.provider, &spent.model, token];
        if connection.execute(sql, values).await?.is_empty() {
            return Ok(false);
        }
        let known = known(connection, job, &spent.provider, &spent.model).await?;
        let known = known.ok_or(UNEXPECTED)?;
        settle(connection, job, &known, spent).await?;
        Ok(true)
    })
    .await
}

/// What was used, by day, newest first.
pub async fn list_usage<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
    from_day: &str,
    to_day: &str,
) -> Result<Vec<Usage>, Error> {
    let of_tenant = match tenant {
        Some(_) => "platform_client_id = ?1 AND",
        None => "?1 IS NULL AND",
    };
    let sql = format!(
        "SELECT json_object('platform_client_id', platform_client_id, 'day', day, 'provider', provider,
            'model', model, 'calls', calls, 'failed', failed, 'cached', cached, 'input_tokens', input_tokens,
            'output_tokens', output_tokens, 'cost_micros', cost_micros, 'open_tokens', open_tokens,
            'open_cost_micros', open_cost_micros) FROM llm_usage
         WHERE {of_tenant} day BETWEEN ?2 AND ?3
         ORDER BY day DESC, platform_client_id, provider, model LIMIT {MAX_ROWS}"
    );
    let rows = connection
        .execute(&sql, values_of![tenant, from_day, to_day])
        .await?;
    rows.iter().map(|row| row.json(0)).collect()
}

impl<C: Connection> Writer<'_, C> {
    /// Settles a call of the leased job, or counts an answer that needed none.
    pub(crate) async fn spent(&mut self, spent: &Spent) -> Result<(), Error> {
        if spent.outcome == SpendOutcome::Cached {
            self.execute(
                "INSERT INTO llm_usage (platform_client_id, day, provider, model, cached) VALUES (?, ?, ?, ?, 1)
                 ON CONFLICT DO UPDATE SET cached = cached + 1",
                values_of![&self.tenant, &spent.day, &spent.provider, &spent.model],
            )
            .await?;
            return Ok(());
        }
        let job = self
            .job
            .ok_or(Error::Invalid("what is spent belongs to a job"))?;
        match known(self.connection(), job, &spent.provider, &spent.model).await? {
            Some(known) if known.outcome.is_none() && known.tenant == self.tenant => {
                settle(self.connection(), job, &known, spent).await
            }
            _ => Ok(()),
        }
    }
}

/// The word in the database.
fn word(outcome: SpendOutcome) -> &'static str {
    match outcome {
        SpendOutcome::Answered => "answered",
        SpendOutcome::Cached => "cached",
        SpendOutcome::Failed => "failed",
        SpendOutcome::Unbilled => "unbilled",
    }
}
