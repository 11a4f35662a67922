//! Stores what a platform delivered, and counts what was refused.
//!
//! A delivery is one statement, so a host that lets writes share a commit can do so, and nobody
//! waits for another task, only for the database.

use chatly_canonical::Event;

use crate::connection::{Connection, UNEXPECTED, Value, to_json, values_of};
use crate::keys::{dedupe_key, ordering_keys};
use crate::{Error, Moment};

/// An accepted delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The channel that verified it.
    pub channel: String,
    /// Unix milliseconds.
    pub received_at: u64,
    /// The headers that matter to a later reader.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The raw body.
    pub body: Vec<u8>,
    /// A digest of the body.
    pub digest: String,
}

/// An event and the tenant it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The tenant.
    pub platform_client_id: String,
    /// The event.
    pub event: Event,
    /// W3C trace context of the request.
    pub traceparent: Option<String>,
}

/// What [`append`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Events that are new.
    pub stored: u32,
    /// Events whose key was known.
    pub duplicates: u32,
}

/// Stores a delivery and its events; durable when it answers. The subqueries of the answer name a
/// column of the row, `items`, as SQLite may otherwise run them before the row is there. Only the
/// newest numbers of the inbox can be of its events.
pub async fn append<C: Connection>(
    connection: &C,
    moment: Moment,
    delivery: Accepted,
    items: &[Item],
) -> Result<Appended, Error> {
    let events = u32::try_from(items.len()).map_err(|_| Error::Invalid("too many events"))?;
    let answer = connection
        .execute(APPEND, values(moment, delivery, items)?)
        .await?;
    let row = answer.first().ok_or(UNEXPECTED)?;
    let stored = u32::try_from(row.integer(0)?).map_err(|_| UNEXPECTED)?;
    Ok(Appended {
        stored,
        duplicates: events.saturating_sub(stored),
    })
}

const APPEND: &str = "INSERT INTO accept (channel, received_at, headers, body, digest, items)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    RETURNING (SELECT count(*) FROM inbox
        WHERE seq > (SELECT seq FROM inbox WHERE items IS NOT NULL ORDER BY seq DESC LIMIT 1) - ?7
            AND delivery_id =
                (SELECT id FROM deliveries_in WHERE items IS NOT NULL ORDER BY id DESC LIMIT 1))";

fn values(moment: Moment, delivery: Accepted, items: &[Item]) -> Result<Vec<Value>, Error> {
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        rows.push((
            &item.platform_client_id,
            dedupe_key(&item.event.key),
            item.event.body.kind(),
            to_json(&item.event)?,
            to_json(&ordering_keys(&item.platform_client_id, &item.event))?,
            &item.traceparent,
        ));
    }
    let headers: Vec<_> = delivery
        .headers
        .iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(value)))
        .collect();
    Ok(values_of![
        delivery.channel,
        delivery.received_at.min(moment.now),
        to_json(&headers)?,
        delivery.body,
        delivery.digest,
        to_json(&rows)?,
        u64::try_from(items.len()).unwrap_or(u64::MAX)
    ])
}

/// Counts a refused delivery.
pub async fn count_refused<C: Connection>(
    connection: &C,
    channel: &str,
    reason: &str,
) -> Result<(), Error> {
    connection
        .execute(
            "INSERT INTO refused_deliveries (channel, reason, count) VALUES (?, ?, 1)
             ON CONFLICT DO UPDATE SET count = count + 1",
            values_of![channel, reason],
        )
        .await?;
    Ok(())
}

/// Refused deliveries by channel and reason.
pub async fn list_refused<C: Connection>(
    connection: &C,
) -> Result<Vec<(String, String, u64)>, Error> {
    let rows = connection
        .execute(
            "SELECT channel, reason, count FROM refused_deliveries ORDER BY channel, reason",
            vec![],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.text(0)?.to_owned(),
                row.text(1)?.to_owned(),
                row.integer(2)?,
            ))
        })
        .collect()
}
