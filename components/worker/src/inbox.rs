//! The inbox, and the messages to be routed once more, as a queue that can be drained.

use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chatly_canonical::{Body, Convert, Event, Message};
use chatly_drain::{Fault, HOLD_MS, Queue, retry_delay_ms};
use chatly_routing::{Phase, put_off, text_of};
use spin_sdk::time;

use crate::bindings::chatly::store::effects::{self as wit, Effect};
use crate::bindings::chatly::store::rows::{Author, StoredMessage};
use crate::bindings::chatly::store::store::{self, Error, Job, Payload};
use crate::media;
use crate::reply::{self, Next, REPLY};
use crate::route::{Again, Jobs, Run};
use crate::rules::Cache;
use crate::wake::wake_for;
use crate::{effects, facts};

/// The exclusive right that a drain of the inbox needs.
const HOLD: &str = "worker";
/// Attempts that the store may fail before an event is given up: about three minutes, by the delays
/// of `chatly_drain::retry_delay_ms`.
const MAX_ATTEMPTS: u32 = 10;
/// The kind of the job that opens a snoozed conversation.
const UNSNOOZE: &str = "unsnooze";
/// Jobs leased at once: enough that a lease costs little for each, few enough that all are done
/// well within it.
const LEASE_MAX: u32 = 32;
/// A lease with less than this left is prolonged before its job is begun.
const EXTEND_BELOW_MS: u64 = 5_000;
/// From this start on an event is stored without asking the router: the store buries a job that
/// was started three times in vain, and no rule may cost a message.
const CAREFUL_ATTEMPT: u32 = 3;

/// The inbox of the store that this component is composed with.
#[derive(Default)]
pub struct Inbox {
    rules: Cache,
}

impl Queue for Inbox {
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
        self.rules.clear();
        store::lease(kinds(), LEASE_MAX, HOLD_MS)
            .await
            .map_err(|error| fault("lease", &error))
    }

    async fn work(&self, job: Job) {
        let (seq, attempt, token) = (job.seq, job.attempt, job.token.clone());
        let Err(error) = self.commit(job).await else {
            return;
        };
        let settled = match error {
            // Another has it by now, or will.
            Error::Stale => Ok(()),
            Error::Invalid(reason) => {
                eprintln!("error: job buried: seq={seq} attempt={attempt}");
                store::bury(token, reason).await
            }
            // The database takes this very write, so the fault lies with the event: without an end
            // it would hold its conversation up for ever.
            Error::Other(reason) if attempt >= MAX_ATTEMPTS => {
                eprintln!("error: event buried: seq={seq} attempt={attempt} error={reason}");
                store::bury(token, format!("the store failed {attempt} times")).await
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

impl Inbox {
    /// Writes what a job changes and its completion, and wakes whoever has work by it.
    async fn commit(&self, job: Job) -> Result<(), Error> {
        if job.lease_until.saturating_sub(unix_millis()) < EXTEND_BELOW_MS {
            store::extend(job.token.clone(), HOLD_MS).await?;
        }
        let (token, trace) = (job.token.clone(), job.traceparent.clone());
        let effects = match &job.payload {
            Payload::Event(event) => {
                let event: Event = event.clone().convert();
                self.of_event(&job, &event).await?
            }
            Payload::Json(_) if job.kind == UNSNOOZE => vec![Effect::EndSnooze],
            Payload::Json(json) if job.kind == REPLY => {
                match reply::due(&job, json, &jobs(&job)).await? {
                    Next::Commit(effects) => effects,
                    Next::Later(at) => {
                        let reason = "the reply waits".to_owned();
                        return store::put_off(token, at, reason).await;
                    }
                }
            }
            Payload::Json(json) => self.of_message(&job, json).await?,
        };
        let kinds: Vec<String> = effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Enqueue(job) => Some(job.kind.clone()),
                _ => None,
            })
            .collect();
        store::commit(token, effects).await?;
        for kind in kinds {
            wake_for(&kind, trace.as_deref());
        }
        Ok(())
    }

    /// What an event changes. A message of a customer is routed with it, in the same commit.
    async fn of_event(&self, job: &Job, event: &Event) -> Result<Vec<Effect>, Error> {
        let mut effects = effects::of(event, job.created_at);
        let Body::Message(message) = &event.body else {
            return Ok(effects);
        };
        if effects.iter().any(|it| matches!(it, Effect::Message(_))) {
            effects.extend(media::fetches(event, message, &jobs(job)));
        }
        let to_route = !message.echo && !event.standby;
        let place = effects.iter_mut().find_map(|effect| match effect {
            Effect::Message(place) if to_route => Some(place),
            _ => None,
        });
        let Some(place) = place else {
            return Ok(effects);
        };
        let make = jobs(job);
        let (mut more, mut replies) = (Vec::new(), Vec::new());
        let mut enrich = text_of(message).is_some();
        if job.attempt >= CAREFUL_ATTEMPT {
            place.explanation = Some(put_off(Phase::Received));
            more.push(make.route(Phase::Received));
        } else {
            let run = self.run_received(job, event, message, make.now).await?;
            more.extend(run.effects(event, None, &make));
            replies = run.replies(&event.channel, &make);
            enrich |= run.plan.enrich;
            place.explanation = Some(run.plan.explanation);
        }
        if enrich {
            more.push(make.enrich());
        }
        effects.extend(more);
        effects.extend(replies);
        Ok(effects)
    }

    /// Without rules nothing is asked, neither the store nor the router.
    async fn run_received(
        &self,
        job: &Job,
        event: &Event,
        message: &Message,
        now: u64,
    ) -> Result<Run, Error> {
        let rules = self.rules.find(&job.platform_client_id).await?;
        if rules.rules.is_empty() {
            return Ok(Run::empty(Phase::Received));
        }
        let context = store::read_context(job.token.clone(), 0).await?;
        let at = event.at.unwrap_or(job.created_at);
        let mut facts = facts::received(event, message, at, context);
        facts.now = now;
        facts.time = rules.calendar.at(now);
        Ok(Run::new(
            Phase::Received,
            &rules,
            &facts,
            None,
            job.created_at,
        ))
    }

    /// What follows when a stored message is routed once more.
    async fn of_message(&self, job: &Job, payload: &str) -> Result<Vec<Effect>, Error> {
        let Again { phase } = serde_json::from_str(payload)
            .map_err(|_| Error::Invalid("a route job names its phase".to_owned()))?;
        let rules = self.rules.find(&job.platform_client_id).await?;
        if rules.rules.is_empty() {
            return Ok(vec![]);
        }
        let mut context = store::read_context(job.token.clone(), 0).await?;
        let theirs = |message: &StoredMessage| message.author == Author::Contact;
        let message = context.message.take();
        let Some(message) = message.filter(|it| theirs(it) && !it.standby) else {
            return Ok(vec![]);
        };
        let make = jobs(job);
        let chat = context
            .conversation
            .as_ref()
            .and_then(|conversation| conversation.chat.clone());
        let mut facts = facts::stored(&message, context.contact, context.conversation);
        facts.now = make.now;
        facts.time = rules.calendar.at(make.now);
        let earlier = message.explanation.as_deref();
        let run = Run::new(phase, &rules, &facts, earlier, message.created_at);
        let event = facts::event_of(&message, &facts, chat);
        let mut effects = run.effects(&event, message.enrichment.as_deref(), &make);
        if run.plan.enrich {
            effects.push(make.enrich());
        }
        effects.push(Effect::Explanation(wit::ExplanationEffect {
            message_id: message.id,
            json: run.plan.explanation.clone(),
        }));
        effects.extend(run.replies(&event.channel, &make));
        Ok(effects)
    }
}

fn jobs(job: &Job) -> Jobs {
    Jobs {
        now: unix_millis(),
        traceparent: job.traceparent.clone(),
    }
}

fn kinds() -> Vec<String> {
    ["event", "route", REPLY, UNSNOOZE]
        .map(str::to_owned)
        .to_vec()
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
