//! Addresses that events are forwarded to: which are disabled, and how each fares.
//!
//! 1. An endpoint is what one tenant forwards to under one address.
//! 2. Its circuit opens after so many failures in a row, and then lets one attempt through at a time:
//!    whoever wins [`claim_probe`]. Any answer closes it.
//! 3. What waited for it becomes due when it closes, in order and one after the other, so that a
//!    receiver that has just come up is not run over.

use serde::Serialize;

use crate::commit::Writer;
use crate::connection::{Connection, to_json, values_of};
use crate::effects::{EndpointAlert, EndpointAttempt};
use crate::model::{Endpoint, EndpointOutcome};
use crate::rules::OF_TENANT;
use crate::{Error, Moment};

/// Endpoints that a list shows.
const MAX_ENDPOINTS: u32 = 200;
/// The kind of the jobs that go to endpoints.
const FORWARD: &str = "forward";

const ENDPOINT: &str = "SELECT json_object('platform_client_id', platform_client_id, 'url', url,
    'disabled_at', disabled_at, 'reason', reason, 'updated_at', updated_at, 'delivered', delivered,
    'failed', failed, 'failure_permille', failure_permille, 'consecutive_failures', consecutive_failures,
    'open_since', open_since, 'next_probe_at', next_probe_at, 'probing_since', probing_since,
    'last_success_at', last_success_at, 'last_failure_at', last_failure_at, 'last_error', last_error,
    'alert', alert) FROM endpoints";

/// Disables an endpoint; one that is disabled keeps its time and gets the new reason.
pub async fn disable_endpoint<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: &str,
    url: &str,
    reason: &str,
) -> Result<(), Error> {
    connection
        .execute(
            "INSERT INTO endpoints (platform_client_id, url, disabled_at, reason, updated_at)
             VALUES (?1, ?2, ?4, ?3, ?4) ON CONFLICT DO UPDATE SET
                disabled_at = coalesce(disabled_at, ?4), reason = ?3, updated_at = ?4",
            values_of![tenant, url, reason, moment.now],
        )
        .await?;
    Ok(())
}

/// Enables an endpoint again; false when it is not disabled.
pub async fn enable_endpoint<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: &str,
    url: &str,
) -> Result<bool, Error> {
    let rows = connection
        .execute(
            "UPDATE endpoints SET disabled_at = NULL, updated_at = ?
             WHERE platform_client_id = ? AND url = ? AND disabled_at IS NOT NULL RETURNING url",
            values_of![moment.now, tenant, url],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// What is known of an endpoint; none when it was never tried nor disabled.
pub async fn find_endpoint<C: Connection>(
    connection: &C,
    tenant: &str,
    url: &str,
) -> Result<Option<Endpoint>, Error> {
    let sql = format!("{ENDPOINT} WHERE platform_client_id = ? AND url = ?");
    let rows = connection.execute(&sql, values_of![tenant, url]).await?;
    rows.first().map(|row| row.json(0)).transpose()
}

/// Endpoints that were tried or disabled, the newest change first.
pub async fn list_endpoints<C: Connection>(
    connection: &C,
    tenant: Option<&str>,
) -> Result<Vec<Endpoint>, Error> {
    let sql =
        format!("{ENDPOINT} WHERE {OF_TENANT} ORDER BY updated_at DESC, url LIMIT {MAX_ENDPOINTS}");
    let rows = connection.execute(&sql, values_of![tenant]).await?;
    rows.iter().map(|row| row.json(0)).collect()
}

/// Lets one attempt through an open circuit, and no other for `for_ms`.
pub async fn claim_probe<C: Connection>(
    connection: &C,
    moment: Moment,
    tenant: &str,
    url: &str,
    for_ms: u32,
) -> Result<bool, Error> {
    let until = moment.now.saturating_add(for_ms.into());
    let rows = connection
        .execute(
            "UPDATE endpoints SET probing_since = ?3, next_probe_at = ?4, updated_at = ?3
             WHERE platform_client_id = ?1 AND url = ?2 AND open_since IS NOT NULL AND next_probe_at <= ?3
             RETURNING url",
            values_of![tenant, url, moment.now, until],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// What readers of `changes` see of an endpoint. The query of an address may hold a token.
#[derive(Serialize)]
struct Told<'a> {
    platform_client_id: &'a str,
    url: &'a str,
    state: &'static str,
    consecutive_failures: u32,
    open_since: Option<u64>,
    next_probe_at: Option<u64>,
    last_error: Option<&'a str>,
    alert: u8,
}

impl<C: Connection> Writer<'_, C> {
    /// Counts an attempt, and opens or closes the circuit by it.
    pub(crate) async fn endpoint_attempt(
        &mut self,
        attempt: &EndpointAttempt,
    ) -> Result<(), Error> {
        let known = self.endpoint(&attempt.url).await?;
        let (was_open, alert) = known.as_ref().map_or((false, 0), |known| {
            (known.open_since.is_some(), known.alert)
        });
        if attempt.outcome == EndpointOutcome::Failed {
            self.count_failure(attempt).await?;
        } else {
            self.count_answer(attempt).await?;
        }
        let Some(now) = self.endpoint(&attempt.url).await? else {
            return Ok(());
        };
        if was_open && now.open_since.is_none() {
            self.release(attempt).await?;
        }
        if was_open != now.open_since.is_some() || alert > now.alert {
            self.tell_endpoint(&now)?;
        }
        Ok(())
    }

    /// An attempt of the endpoint's own, so that counts and circuit go by one statement.
    async fn count_failure(&self, attempt: &EndpointAttempt) -> Result<(), Error> {
        self.execute(
            "INSERT INTO endpoints (platform_client_id, url, reason, updated_at, failed, failure_permille,
                consecutive_failures, last_failure_at, last_error, open_since, next_probe_at)
             VALUES (?1, ?2, '', ?3, 1, 50, 1, ?3, ?4, iif(?5 <= 1, ?3, NULL), iif(?5 <= 1, ?6, NULL))
             ON CONFLICT DO UPDATE SET failed = failed + 1,
                failure_permille = (failure_permille * 19 + 1000) / 20,
                consecutive_failures = consecutive_failures + 1, last_failure_at = ?3, last_error = ?4,
                updated_at = iif(?7 OR (open_since IS NULL AND consecutive_failures + 1 >= ?5), ?3, updated_at),
                next_probe_at = CASE WHEN ?7 OR (open_since IS NULL AND consecutive_failures + 1 >= ?5) THEN ?6
                    ELSE next_probe_at END,
                probing_since = iif(?7, NULL, probing_since),
                open_since = CASE WHEN consecutive_failures + 1 >= ?5 THEN coalesce(open_since, ?3)
                    ELSE open_since END",
            values_of![
                &self.tenant,
                &attempt.url,
                self.moment.now,
                attempt.error.clone(),
                attempt.open_after,
                attempt.next_probe_at,
                attempt.probe
            ],
        )
        .await?;
        Ok(())
    }

    async fn count_answer(&self, attempt: &EndpointAttempt) -> Result<(), Error> {
        let delivered = attempt.outcome == EndpointOutcome::Delivered;
        self.execute(
            "INSERT INTO endpoints (platform_client_id, url, reason, updated_at, delivered, failed, failure_permille,
                last_success_at, last_failure_at, last_error)
             VALUES (?1, ?2, '', ?3, ?4, NOT ?4, iif(?4, 0, 50), iif(?4, ?3, NULL), iif(?4, NULL, ?3), ?5)
             ON CONFLICT DO UPDATE SET delivered = delivered + ?4, failed = failed + (NOT ?4),
                failure_permille = (failure_permille * 19 + iif(?4, 0, 1000)) / 20,
                updated_at = iif(open_since IS NULL AND alert = 0, updated_at, ?3),
                last_success_at = iif(?4, ?3, last_success_at), last_failure_at = iif(?4, last_failure_at, ?3),
                last_error = iif(?4, last_error, ?5), alert = iif(?4, 0, alert),
                consecutive_failures = 0, open_since = NULL, next_probe_at = NULL, probing_since = NULL",
            values_of![
                &self.tenant,
                &attempt.url,
                self.moment.now,
                delivered,
                attempt.error.clone()
            ],
        )
        .await?;
        Ok(())
    }

    /// Makes what waits for the endpoint due, in order. Only heads of queues need it: what is behind
    /// them was never put off.
    async fn release(&self, attempt: &EndpointAttempt) -> Result<(), Error> {
        self.execute(
            "WITH waiting (seq, place) AS (
                SELECT seq, row_number() OVER (ORDER BY seq) FROM outbox
                WHERE ready = 1 AND kind = ?1 AND due_at > ?2 AND state = 'pending' AND error IS NOT NULL
                    AND platform_client_id = ?3 AND payload ->> '$.url' = ?4)
             UPDATE outbox SET due_at = min(due_at, ?2 + place * ?5)
             FROM waiting WHERE outbox.seq = waiting.seq",
            values_of![
                FORWARD,
                self.moment.now,
                &self.tenant,
                &attempt.url,
                attempt.release_every_ms
            ],
        )
        .await?;
        Ok(())
    }

    /// Tells a level that was not told before.
    pub(crate) async fn endpoint_alert(&mut self, alert: &EndpointAlert) -> Result<(), Error> {
        let rows = self
            .execute(
                "UPDATE endpoints SET alert = ?3, updated_at = ?4
                 WHERE platform_client_id = ?1 AND url = ?2 AND alert < ?3 RETURNING url",
                values_of![&self.tenant, &alert.url, alert.percent, self.moment.now],
            )
            .await?;
        if rows.is_empty() {
            return Ok(());
        }
        match self.endpoint(&alert.url).await? {
            Some(endpoint) => self.tell_endpoint(&endpoint),
            None => Ok(()),
        }
    }

    async fn endpoint(&self, url: &str) -> Result<Option<Endpoint>, Error> {
        let sql = format!("{ENDPOINT} WHERE platform_client_id = ? AND url = ?");
        let rows = self.execute(&sql, values_of![&self.tenant, url]).await?;
        rows.first().map(|row| row.json(0)).transpose()
    }

    fn tell_endpoint(&mut self, endpoint: &Endpoint) -> Result<(), Error> {
        let shown = endpoint.url.split(['?', '#']).next().unwrap_or_default();
        let told = Told {
            platform_client_id: &self.tenant,
            url: shown,
            state: if endpoint.open_since.is_some() {
                "open"
            } else {
                "closed"
            },
            consecutive_failures: endpoint.consecutive_failures,
            open_since: endpoint.open_since,
            next_probe_at: endpoint.next_probe_at,
            last_error: endpoint.last_error.as_deref(),
            alert: endpoint.alert,
        };
        let data = to_json(&told)?;
        self.tell_json("endpoint.updated", data);
        Ok(())
    }
}
