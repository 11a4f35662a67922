//! What a model understands, after the baseline and beside it.
//!
//! 1. A queue of its own with several jobs in flight: a slow model holds up neither the baseline nor
//!    another conversation. Whatever fails, the baseline's result stands.
//! 2. Personal data is taken out before anything is asked, and put back into the answer here. The map
//!    between goes nowhere.
//! 3. Each provider of the chain is asked at most once by a job (see `ask`), one after another, until one
//!    answers or the time is over.
//! 4. An answer, what it cost and the job that routes the message once more are written in one commit.

use std::rc::Rc;

use chatly_drain::{HOLD_MS, Line, Places, Store as _, Terms, Work, attempt, retry_delay_ms};
use chatly_providers::{Chain, Failure, Finish, Next, Settings, finish, next};
use spin_sdk::wasip3;

use crate::ask::{Answer, Asked, Question, ask};
use crate::bindings::chatly::redactor::redactor;
use crate::bindings::chatly::store::effects::{self as wit, Effect};
use crate::bindings::chatly::store::rows::StoredMessage;
use crate::bindings::chatly::store::store::{self, Error, Job};
use crate::bindings::chatly::types::enrichment::{RedactedTurn, Turn};
use crate::outbox::route;
use crate::wake::wake_worker;
use crate::window::{self, MAX_TURNS};
use crate::{Store, settings};

/// The kind of its jobs.
pub const KIND: &str = "understand";
/// Starts after which a job that the store fails on is buried.
const ATTEMPTS: u32 = 3;

thread_local! {
    static PLACES: Rc<Places> = Rc::default();
}

/// Begins to empty the queue, and does not wait for it.
pub fn wake() {
    wasip3::spawn(drain());
}

/// Empties the queue, unless this instance is at it already.
pub async fn drain() {
    let Some(settings) = settings::load().await else {
        return;
    };
    let terms = Terms {
        right: KIND.to_owned(),
        kinds: vec![KIND.to_owned()],
        at_once: settings.concurrency,
        // All providers and what is written after them, with as much again for a slow store.
        lease_ms: settings.total_ms.saturating_mul(2).max(HOLD_MS),
    };
    let line = Rc::new(Line::new(Store, terms, Understanding(settings)));
    line.drain_in_flight(PLACES.with(Rc::clone)).await;
}

struct Understanding(Rc<Settings>);

impl Work<Job> for Understanding {
    async fn run(&self, job: Job) {
        let settings = self.0.clone();
        attempt(&Store, job, Some(ATTEMPTS), async |job| {
            understand(job, &settings).await
        })
        .await;
    }
}

async fn understand(job: Job, settings: &Settings) -> Result<(), Error> {
    let context = store::read_context(job.token.clone(), MAX_TURNS).await?;
    let chain = settings.of(&job.platform_client_id);
    let asked = window::of(context).filter(|_| !chain.providers.is_empty());
    let Some((message, turns)) = asked else {
        return store::commit(job.token, vec![]).await.map(drop);
    };
    let (window, map) = redact(&turns, chain);
    let question = Question::new(
        &job,
        &message,
        &window,
        (chain, settings.traces),
        Store.now_ms(),
    );
    let mut failures = Vec::new();
    let until = question.now.saturating_add(settings.total_ms.into());
    for provider in &chain.providers {
        let left = until.saturating_sub(Store.now_ms());
        let timeout_ms = left.min(settings.timeout_ms.into());
        match ask(
            &question,
            provider,
            u32::try_from(timeout_ms).unwrap_or(u32::MAX),
        )
        .await?
        {
            Asked::Answered(answer) => {
                return keep(&job, &question, (&message, &turns, &map), answer).await;
            }
            Asked::Failed(failure) => failures.push(failure),
            Asked::Stop => {
                failures.push(Failure::Final);
                break;
            }
        }
    }
    let delay = retry_delay_ms(job.attempt, job.seq);
    match next(&failures, job.attempt, delay) {
        Next::Stand => store::commit(job.token, vec![]).await.map(drop),
        Next::Retry(wait) => {
            let at = Store.now_ms().saturating_add(wait);
            store::retry(job.token, at, "no model answered".to_owned()).await
        }
    }
}

/// The window without personal data, and what stands for it.
fn redact(turns: &[Turn], chain: &Chain) -> (Vec<RedactedTurn>, Vec<(String, String)>) {
    let texts: Vec<String> = turns.iter().map(|turn| turn.text.clone()).collect();
    let redactions = redactor::redact(&texts, chain.region.as_deref());
    let mut map = Vec::new();
    let window = turns.iter().zip(redactions).map(|(turn, redaction)| {
        let replaced = redaction.replacements.into_iter();
        map.extend(replaced.map(|one| (one.placeholder, one.original)));
        RedactedTurn {
            message_id: turn.message_id.clone(),
            role: turn.role,
            at: turn.at,
            text: redaction.text,
        }
    });
    (window.collect(), map)
}

/// Puts back what was taken out, and writes it all.
async fn keep(
    job: &Job,
    question: &Question<'_>,
    (message, turns, map): (&StoredMessage, &[Turn], &[(String, String)]),
    answer: Answer,
) -> Result<(), Error> {
    let texts: Vec<&str> = turns.iter().map(|turn| turn.text.as_str()).collect();
    let finished = finish(
        &answer.json,
        &Finish {
            map,
            redacted: question.last(),
            texts: &texts,
            prompt: &question.prompt,
            baseline: message.enrichment.as_deref(),
        },
    );
    let json = match finished {
        Ok(json) => json,
        Err(error) => {
            eprintln!("error: answer not kept: seq={} error={error}", job.seq);
            return store::commit(job.token.clone(), answer.effects)
                .await
                .map(drop);
        }
    };
    let mut effects = vec![
        Effect::Enrichment(wit::EnrichmentEffect {
            message_id: message.id.clone(),
            json,
            // What the contact is worth is the baseline's, which has written it.
            lead: None,
        }),
        Effect::Enqueue(route(Store.now_ms(), "understood", job.traceparent.clone())),
    ];
    effects.extend(answer.effects.iter().cloned());
    match store::commit(job.token.clone(), effects).await {
        // The customer wrote more meanwhile. What it cost counts all the same.
        Err(Error::Stale) => question.submit(answer.effects).await,
        Err(error) => Err(error),
        Ok(_) => {
            wake_worker();
            Ok(())
        }
    }
}
