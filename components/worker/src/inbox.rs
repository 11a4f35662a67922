//! The inbox, and the messages to be routed once more, as a queue that can be drained.

use std::rc::Rc;

use chatly_canonical::{Body, Convert, Event, Message};
use chatly_drain::{Bell, HOLD_MS, Line, Store as _, Terms, Work, attempt};
use chatly_routing::{Phase, put_off, text_of};

use crate::bindings::chatly::store::effects::{self as wit, Effect};
use crate::bindings::chatly::store::rows::{Author, StoredMessage};
use crate::bindings::chatly::store::store::{self, Error, Job, Payload};
use crate::media;
use crate::reply::{self, Next, REPLY};
use crate::route::{Again, Jobs, Run};
use crate::rules::Cache;
use crate::wake::wake_for;
use crate::{Store, effects, facts};

/// Attempts that the store may fail before an event is given up: about three minutes, by the delays
/// of `chatly_drain::retry_delay_ms`.
const MAX_ATTEMPTS: u32 = 10;
/// The kind of the job that opens a snoozed conversation.
const UNSNOOZE: &str = "unsnooze";
/// Jobs leased at once: enough that a lease costs little for each, few enough that all are done
/// well within it.
const LEASE_MAX: u32 = 32;
/// From this start on an event is stored without asking the router: the store buries a job that
/// was started three times in vain, and no rule may cost a message.
const CAREFUL_ATTEMPT: u32 = 3;

thread_local! {
    static BELL: Rc<Bell> = Rc::default();
}

/// Empties the queue, unless this instance is at it already.
pub async fn drain() {
    let terms = Terms {
        right: "worker".to_owned(),
        kinds: ["event", "route", REPLY, UNSNOOZE]
            .map(str::to_owned)
            .to_vec(),
        at_once: LEASE_MAX,
        lease_ms: HOLD_MS,
    };
    let bell = BELL.with(Rc::clone);
    Line::new(Store, terms, Inbox::default()).drain(&bell).await;
}

#[derive(Default)]
struct Inbox {
    rules: Cache,
}

impl Work<Job> for Inbox {
    fn begin(&self) {
        self.rules.clear();
    }

    async fn run(&self, job: Job) {
        let commit = async |job| self.commit(job).await;
        attempt(&Store, job, Some(MAX_ATTEMPTS), commit).await;
    }
}

impl Inbox {
    /// Writes what a job changes and its completion, and wakes whoever has work by it.
    async fn commit(&self, job: Job) -> Result<(), Error> {
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
        now: Store.now_ms(),
        traceparent: job.traceparent.clone(),
    }
}
