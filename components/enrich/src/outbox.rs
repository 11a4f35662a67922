//! The outbox's enrichments as a queue that can be drained.

use std::rc::Rc;

use chatly_canonical::{Convert, Message};
use chatly_drain::{Bell, HOLD_MS, Line, Store as _, Terms, Work, attempt};
use chatly_routing::text_of;

use crate::bindings::chatly::baseline::baseline;
use crate::bindings::chatly::store::effects::{self as wit, Effect};
use crate::bindings::chatly::store::rows::{Author, StoredMessage};
use crate::bindings::chatly::store::store::{self, Error, Job};
use crate::bindings::chatly::types::enrichment::{Request, Role, Turn};
use crate::wake::wake_worker;
use crate::{Store, json};

/// Jobs leased at once: few, since each may take the baseline some milliseconds.
const LEASE_MAX: u32 = 16;
/// Turns of a window: what somebody would scroll back to understand the last one.
const MAX_TURNS: u32 = 20;

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
    let bell = BELL.with(Rc::clone);
    Line::new(Store, terms, Outbox).drain(&bell).await;
}

struct Outbox;

impl Work<Job> for Outbox {
    async fn run(&self, job: Job) {
        attempt(&Store, job, None, enrich).await;
    }
}

/// Understands one message. One that says nothing in words is left as it is.
async fn enrich(job: Job) -> Result<(), Error> {
    let context = store::read_context(job.token.clone(), MAX_TURNS).await?;
    let window: Vec<Turn> = context.recent.into_iter().filter_map(turn).collect();
    let message = context.message.map(|message| message.id);
    let message = message.filter(|id| window.last().is_some_and(|turn| turn.message_id == *id));
    let Some(message_id) = message else {
        return store::commit(job.token, vec![]).await.map(drop);
    };
    let now = Store.now_ms();
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
