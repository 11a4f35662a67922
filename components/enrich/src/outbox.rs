//! The outbox's enrichments as a queue that can be drained.

use std::rc::Rc;

use chatly_drain::{Bell, HOLD_MS, Line, Store as _, Terms, Work, attempt};
use chatly_providers::Settings;

use crate::bindings::chatly::baseline::baseline;
use crate::bindings::chatly::store::effects::{self as wit, Effect};
use crate::bindings::chatly::store::store::{self, Error, Job};
use crate::wake::wake_worker;
use crate::window::{self, MAX_TURNS};
use crate::{Store, json, settings, understand};

/// Jobs leased at once: few, since each may take the baseline some milliseconds.
const LEASE_MAX: u32 = 16;
/// What a customer writes within this time of a message is understood with it, in one call.
const BURST_MS: u64 = 1_000;
/// A burst without an end is understood after this time.
const LONGEST_BURST_MS: u64 = 5_000;

thread_local! {
    static BELL: Rc<Bell> = Rc::default();
}

/// Empties the queue, unless this instance is at it already.
pub async fn drain() {
    let terms = Terms {
        right: "enrich".to_owned(),
        kinds: vec!["enrich".to_owned()],
        at_once: LEASE_MAX,
        lease_ms: HOLD_MS,
    };
    let settings = settings::load().await;
    let bell = BELL.with(Rc::clone);
    Line::new(Store, terms, Outbox(settings)).drain(&bell).await;
}

/// Without settings, the baseline does its work all the same.
struct Outbox(Option<Rc<Settings>>);

impl Work<Job> for Outbox {
    async fn run(&self, job: Job) {
        let settings = self.0.clone();
        attempt(&Store, job, None, async |job| {
            enrich(job, settings.as_deref()).await
        })
        .await;
    }
}

/// Understands one message. One that says nothing in words is left as it is.
async fn enrich(job: Job, settings: Option<&Settings>) -> Result<(), Error> {
    let context = store::read_context(job.token.clone(), MAX_TURNS).await?;
    let Some((message, turns)) = window::of(context) else {
        return store::commit(job.token, vec![]).await.map(drop);
    };
    let now = Store.now_ms();
    let chain = settings.map(|settings| settings.of(&job.platform_client_id));
    let request = window::request(chain.unwrap_or(&Default::default()), now);
    let enriched = baseline::enrich(&turns, &request);
    let (json, lead) = json::of(&enriched)
        .map_err(|_| Error::Invalid("the enrichment has no JSON form".to_owned()))?;
    let mut effects = vec![
        Effect::Enrichment(wit::EnrichmentEffect {
            message_id: message.id,
            json,
            lead,
        }),
        Effect::Enqueue(route(now, "enriched", job.traceparent.clone())),
    ];
    let asks = chain.is_some_and(|chain| !chain.providers.is_empty());
    if asks {
        effects.push(Effect::EnqueueLatest(wit::LatestJob {
            job: wit::NewJob {
                kind: understand::KIND.to_owned(),
                payload: "{}".to_owned(),
                due_at: now.saturating_add(BURST_MS),
                ordering_key: None,
                dedupe_key: Some(String::new()),
                traceparent: job.traceparent,
                about_message: true,
            },
            within_ms: Some(LONGEST_BURST_MS),
        }));
    }
    store::commit(job.token, effects).await?;
    wake_worker();
    if asks {
        understand::wake();
    }
    Ok(())
}

/// Has the message routed once more. A rule acts once for a message, so a later run only adds.
pub fn route(now: u64, dedupe_key: &str, traceparent: Option<String>) -> wit::NewJob {
    wit::NewJob {
        kind: "route".to_owned(),
        payload: r#"{"phase":"enriched"}"#.to_owned(),
        due_at: now,
        ordering_key: None,
        dedupe_key: Some(dedupe_key.to_owned()),
        traceparent,
        about_message: true,
    }
}
