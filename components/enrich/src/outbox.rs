//! The outbox's enrichments as a queue that can be drained.

use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chatly_canonical::{Convert, Message};
use chatly_drain::{Fault, HOLD_MS, Queue, retry_delay_ms};
use chatly_routing::text_of;
use spin_sdk::time;

use crate::bindings::chatly::baseline::baseline;
use crate::bindings::chatly::store::effects::{self as wit, Effect};
use crate::bindings::chatly::store::rows::{Author, StoredMessage};
use crate::bindings::chatly::store::store::{self, Error, Job};
use crate::bindings::chatly::types::enrichment::{Request, Role, Turn};
use crate::json;
use crate::wake::wake_worker;

/// The exclusive right that a drain of the enrichments needs.
const HOLD: &str = "enrich";
/// Jobs leased at once: few, since each may take the baseline some milliseconds.
const LEASE_MAX: u32 = 16;
/// A lease with less than this left is prolonged before its job is begun.
const EXTEND_BELOW_MS: u64 = 5_000;
/// Turns of a window: what somebody would scroll back to understand the last one.
const MAX_TURNS: u32 = 20;

/// The outbox of the store that this component is composed with.
pub struct Outbox;

impl Queue for Outbox {
    type Job = Job;

    async fn hold(&self, token: Option<String>) -> Result<Option<String>, Fault> {
        store::hold(HOLD.to_owned(), token, HOLD_MS)
            .await
            .map_err(|error| fault("hold", &error))
    }

    async fn release(&self, token: String) -> Result<(), Fault> {
        store::release(HOLD.to_owned(), token)
            .await
            .map_err(|error| fault("release", &error))
    }

    async fn lease(&self) -> Result<Vec<Job>, Fault> {
        store::lease(kinds(), LEASE_MAX, HOLD_MS)
            .await
            .map_err(|error| fault("lease", &error))
    }

    async fn work(&self, job: Job) {
        let (seq, attempt, token) = (job.seq, job.attempt, job.token.clone());
        let Err(error) = enrich(job).await else {
            return;
        };
        let settled = match error {
            // Another has it by now, or will.
            Error::Stale => Ok(()),
            Error::Invalid(reason) => {
                eprintln!("error: job buried: seq={seq} attempt={attempt}");
                store::bury(token, reason).await
            }
            Error::Busy | Error::Denied | Error::InvalidCursor | Error::Other(_) => {
                eprintln!("warn: job put off: seq={seq} attempt={attempt} error={error:?}");
                let at = unix_millis().saturating_add(retry_delay_ms(attempt, seq));
                store::retry(token, at, "the store failed".to_owned()).await
            }
        };
        if let Err(error) = settled {
            // The lease runs out, and the job is leased again.
            eprintln!("warn: job not settled: seq={seq} error={error:?}");
        }
    }

    async fn find_next_due(&self) -> Result<Option<u64>, Fault> {
        store::find_next_due(kinds())
            .await
            .map_err(|error| fault("find-next-due", &error))
    }

    fn now_ms(&self) -> u64 {
        unix_millis()
    }

    async fn sleep(&self, millis: u64) {
        time::sleep(Duration::from_millis(millis)).await;
    }
}

/// Understands one message. One that says nothing in words is left as it is.
async fn enrich(job: Job) -> Result<(), Error> {
    if job.lease_until.saturating_sub(unix_millis()) < EXTEND_BELOW_MS {
        store::extend(job.token.clone(), HOLD_MS).await?;
    }
    let context = store::read_context(job.token.clone(), MAX_TURNS).await?;
    let window: Vec<Turn> = context.recent.into_iter().filter_map(turn).collect();
    let message = context.message.map(|message| message.id);
    let message = message.filter(|id| window.last().is_some_and(|turn| turn.message_id == *id));
    let Some(message_id) = message else {
        return store::commit(job.token, vec![]).await.map(drop);
    };
    let now = unix_millis();
    let request = Request {
        intents: vec![],
        languages: vec![],
        now,
        time_zone: None,
        lead: None,
    };
    let enriched = baseline::enrich(&window, &request);
    let (json, lead) = json::of(&enriched)
        .map_err(|_| Error::Invalid("the enrichment has no JSON form".to_owned()))?;
    let effects = vec![
        Effect::Enrichment(wit::EnrichmentEffect {
            message_id,
            json,
            lead,
        }),
        Effect::Enqueue(wit::NewJob {
            kind: "route".to_owned(),
            payload: r#"{"phase":"enriched"}"#.to_owned(),
            due_at: now,
            ordering_key: None,
            dedupe_key: Some("enriched".to_owned()),
            traceparent: job.traceparent,
            about_message: true,
        }),
    ];
    store::commit(job.token, effects).await?;
    wake_worker();
    Ok(())
}

/// A message as a turn; none when it says nothing in words or was taken back.
fn turn(message: StoredMessage) -> Option<Turn> {
    let content: Message = message.content.convert();
    let text = text_of(&content).filter(|_| message.deleted_at.is_none())?;
    Some(Turn {
        text: text.to_owned(),
        message_id: message.id,
        role: match message.author {
            Author::Contact => Role::Customer,
            Author::Agent | Author::External => Role::Agent,
            Author::Bot => Role::Bot,
        },
        at: message.sent_at,
    })
}

fn kinds() -> Vec<String> {
    vec!["enrich".to_owned()]
}

fn fault(call: &str, error: &impl Debug) -> Fault {
    eprintln!("warn: the store failed: call={call} error={error:?}");
    Fault
}

/// Unix milliseconds; 0 for a clock that stands before 1970.
fn unix_millis() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
