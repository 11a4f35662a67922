//! Stores what a platform delivered, and counts what was refused.
//!
//! A delivery that comes alone is one statement. Those that come while another is being stored
//! ask for the write lock, and whoever gets it stores all that wait by then: one flush to disk for
//! all of them instead of one each. Nobody waits for another task, only for the database, so a
//! caller that goes away in the middle holds nobody up.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use chatly_canonical::Event;

use crate::connection::{Connection, UNEXPECTED, Value, to_json, transaction, values_of};
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

/// Deliveries stored by one statement: at six parameters each far from SQLite's 32 766.
const MAX_BATCH: usize = 64;
/// Bytes of bodies in one statement, unless one delivery is larger: the cap of one body.
const MAX_BATCH_BYTES: usize = 3 << 20;

/// The deliveries that an instance is storing.
#[derive(Debug, Default)]
pub struct Appends {
    active: Cell<usize>,
    waiting: RefCell<Vec<Rc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    values: Vec<Value>,
    bytes: usize,
    events: u32,
    done: Cell<Option<Appended>>,
}

/// Counts a caller in `active` and shows its entry to the others, until it ends in any way.
struct Turn<'a>(&'a Appends, &'a Rc<Entry>);

impl<'a> Turn<'a> {
    fn start(appends: &'a Appends, entry: &'a Rc<Entry>) -> Self {
        appends.active.set(appends.active.get().saturating_add(1));
        appends.waiting.borrow_mut().push(entry.clone());
        Turn(appends, entry)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get().saturating_sub(1));
        self.0
            .waiting
            .borrow_mut()
            .retain(|entry| !Rc::ptr_eq(entry, self.1));
    }
}

/// Stores a delivery and its events; durable when it answers.
pub async fn append<C: Connection>(
    connection: &C,
    appends: &Appends,
    moment: Moment,
    delivery: Accepted,
    items: &[Item],
) -> Result<Appended, Error> {
    let entry = Rc::new(entry(moment, delivery, items)?);
    if appends.active.get() == 0 {
        appends.active.set(1);
        let _turn = Alone(appends);
        let done = insert(connection, std::slice::from_ref(&entry)).await?;
        return done.first().copied().ok_or(UNEXPECTED);
    }
    let _turn = Turn::start(appends, &entry);
    let batch = transaction(connection, async || {
        if entry.done.get().is_some() {
            return Ok(vec![]);
        }
        let batch = appends.batch(&entry);
        let done = insert(connection, &batch).await?;
        Ok(batch.into_iter().zip(done).collect())
    })
    .await?;
    for (stored, done) in batch {
        stored.done.set(Some(done));
    }
    entry.done.get().ok_or(UNEXPECTED)
}

/// A caller that found nobody else; the others do not see its entry.
struct Alone<'a>(&'a Appends);

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get().saturating_sub(1));
    }
}

impl Appends {
    /// Callers that have not ended.
    #[cfg(test)]
    pub(crate) fn waiting_now(&self) -> usize {
        self.active.get() + self.waiting.borrow().len()
    }

    /// The entries that wait, the caller's own among them, in the order in which they came and as
    /// many as one statement takes.
    fn batch(&self, own: &Rc<Entry>) -> Vec<Rc<Entry>> {
        let (mut count, mut bytes) = (1, own.bytes);
        let mut fits = |entry: &Entry| {
            count += 1;
            bytes = bytes.saturating_add(entry.bytes);
            count <= MAX_BATCH && bytes <= MAX_BATCH_BYTES
        };
        let waiting = self.waiting.borrow();
        let open = waiting.iter().filter(|entry| entry.done.get().is_none());
        open.filter(|entry| Rc::ptr_eq(entry, own) || fits(entry))
            .cloned()
            .collect()
    }
}

fn entry(moment: Moment, delivery: Accepted, items: &[Item]) -> Result<Entry, Error> {
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
    let rows = to_json(&rows)?;
    Ok(Entry {
        bytes: delivery.body.len().saturating_add(rows.len()),
        events: u32::try_from(items.len()).map_err(|_| Error::Invalid("too many events"))?,
        done: Cell::new(None),
        values: values_of![
            delivery.channel,
            delivery.received_at.min(moment.now),
            to_json(&headers)?,
            delivery.body,
            delivery.digest,
            rows
        ],
    })
}

/// Stores these deliveries in order, in one statement. Each row of the answer is made when its
/// delivery is the newest, and only the newest numbers of the inbox can be of its events. The
/// subqueries name a column of the row, `items`, or SQLite would run them for the first row only.
async fn insert<C: Connection>(
    connection: &C,
    batch: &[Rc<Entry>],
) -> Result<Vec<Appended>, Error> {
    let places = vec!["(?, ?, ?, ?, ?, ?)"; batch.len()].join(", ");
    let most = batch.iter().map(|entry| entry.events).max().unwrap_or(0);
    let answer = connection
        .execute(
            &format!(
                "INSERT INTO accept (channel, received_at, headers, body, digest, items) VALUES {places}
                 RETURNING (SELECT count(*) FROM inbox
                    WHERE seq > (SELECT seq FROM inbox WHERE items IS NOT NULL ORDER BY seq DESC LIMIT 1) - {most}
                        AND delivery_id =
                            (SELECT id FROM deliveries_in WHERE items IS NOT NULL ORDER BY id DESC LIMIT 1))"
            ),
            batch.iter().flat_map(|entry| entry.values.iter().cloned()).collect(),
        )
        .await?;
    let read = |(entry, row): (&Rc<Entry>, &crate::Row)| {
        let stored = u32::try_from(row.integer(0)?).map_err(|_| UNEXPECTED)?;
        Ok(Appended {
            stored,
            duplicates: entry.events.saturating_sub(stored),
        })
    };
    batch.iter().zip(&answer).map(read).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_stored_in_the_order_in_which_it_came() {
        let appends = Appends::default();
        let entries: Vec<_> = (0..MAX_BATCH + 2)
            .map(|n| {
                Rc::new(Entry {
                    values: vec![],
                    bytes: if n == 3 { MAX_BATCH_BYTES } else { 1 },
                    events: 1,
                    done: Cell::new(None),
                })
            })
            .collect();
        let _turns: Vec<_> = entries
            .iter()
            .map(|entry| Turn::start(&appends, entry))
            .collect();
        let batch = |own: usize| -> Vec<usize> {
            let place = |taken: &Rc<Entry>| entries.iter().position(|e| Rc::ptr_eq(e, taken));
            let batch = appends.batch(&entries[own]);
            batch.iter().filter_map(place).collect()
        };
        for (name, own, want) in [
            ("none overtakes one that is too large", 1, vec![0, 1, 2]),
            ("but the caller, who has the lock", 5, vec![0, 1, 2, 5]),
            ("a large one goes alone", 3, vec![3]),
        ] {
            assert_eq!(batch(own), want, "{name}");
        }
        let stored = Appended {
            stored: 1,
            duplicates: 0,
        };
        entries[3].done.set(Some(stored));
        let last = MAX_BATCH + 1;
        let want: Vec<_> = (0..MAX_BATCH).filter(|n| *n != 3).chain([last]).collect();
        assert_eq!(batch(last), want, "as many as fit, and not what is done");
    }
}
