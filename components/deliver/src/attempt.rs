//! One attempt of one job, from the lease to what is written about it.
//!
//! 1. What can be seen to be hopeless before anything is sent fails without a call: a payload that
//!    is no send, content that the channel refuses, a closed window, an automatic answer that a
//!    person made needless.
//! 2. Without an access token that can be used the account stops: its jobs wait for one, with the reason.
//! 3. A message may be several requests. Each is marked before it goes out, and what came of it is
//!    written together with the step that is next; a later attempt goes on there. The message is known
//!    by the id of the first.
//! 4. Every request that was sent leaves one row in `external_calls`.

use std::time::{Duration, Instant};

use chatly_accounts::Secret;
use chatly_canonical::Convert;
use chatly_channel::outbound::{Request, Sender};
use chatly_send::{
    Draft, Job as Send, Next, Passage, Ready, authorise, digest, judge, judge_lost, passage,
    recipients, shown,
};
use chatly_webhook::Attempt;
use spin_sdk::time;

use crate::bindings::chatly::channel::channel;
use crate::bindings::chatly::store::effects::{Effect, ExplanationEffect, SentEffect};
use crate::bindings::chatly::store::rows::ExternalCall;
use crate::bindings::chatly::store::store::{self, Clearance, Context, Error, Gate, Job, Payload};
use crate::bindings::chatly::types::types::{DeliveryState, ErrorDetail};
use crate::clock::{random, unix_millis};
use crate::convert::{refusal, request};
use crate::send::send;
use crate::settings::Settings;

/// How often a busy store is asked again to write what came of an attempt, and how long after: a
/// lease that runs out instead leaves the message uncertain.
const BUSY_TRIES: u32 = 8;
const BUSY_PAUSE: Duration = Duration::from_millis(250);

/// Makes the attempt. What the store does not take is left to the lease's end.
pub async fn run(job: Job, settings: &Settings) {
    let (seq, number) = (job.seq, job.attempt);
    if let Err(error) = settle(job, settings).await {
        eprintln!("warn: send not settled: seq={seq} attempt={number} error={error:?}");
    }
}

async fn settle(job: Job, settings: &Settings) -> Result<(), Error> {
    let Payload::Json(payload) = &job.payload else {
        return bury(&job, "the payload is no send job".to_owned()).await;
    };
    let send = match Send::parse(payload) {
        Ok(send) => send,
        Err(error) => return bury(&job, error.to_string()).await,
    };
    let context = store::read_context(job.token.clone(), 0).await?;
    let Some(conversation) = &context.conversation else {
        return bury(&job, "the conversation is gone".to_owned()).await;
    };
    let (sender, token) = settings.sender(&conversation.account);
    let known = context.message.as_ref().map(|row| row.content.id.clone());
    let known = known.filter(|id| !id.is_empty());
    // What was begun is brought to its end.
    let is_begun = job.step > 0 || known.is_some();
    let automatic = send.automatic.as_ref().filter(|_| !is_begun);
    let mut work = Work {
        conversation_id: conversation.id.clone(),
        message_id: send.message_id.clone(),
        known,
        gate: Gate {
            token_digest: digest(token),
            paces: settings.paces.clone(),
            decided_at: automatic.map(|automatic| automatic.decided_at),
            announces: automatic.is_some_and(|automatic| automatic.announces),
            requests: 0,
        },
        timeout: settings.timeout,
        lease_ms: settings.lease_ms(),
        fallback: None,
        job,
    };
    let last = conversation.last_inbound_at;
    let (draft, tag) = match passage(settings.window.as_ref(), last, unix_millis(), &send) {
        Passage::Tagged(draft, tag) => (draft, Some(tag)),
        _ if is_begun => (&send.draft, None),
        Passage::Message(draft) => (draft, None),
        Passage::Fallback(draft) => {
            work.fallback = Some(draft.json().to_owned());
            (draft, None)
        }
        Passage::Closed => return work.conclude(unwanted(&CLOSED), None).await,
    };
    match render(&sender, (draft, tag), &send, &context) {
        Ok(requests) => work.send_all(requests, token).await,
        Err(reason) => work.conclude(failed(reason), None).await,
    }
}

/// The requests, addressed to the first identity that the channel can write to.
fn render(
    sender: &Sender,
    (draft, tag): (&Draft, Option<&str>),
    send: &Send,
    context: &Context,
) -> Result<Vec<Request>, String> {
    let chat = context.conversation.as_ref().and_then(|it| it.chat.clone());
    let contact = context.contact.as_ref();
    let identities = contact.map(|contact| contact.identities.clone());
    let mut first = None;
    for to in recipients(identities.unwrap_or_default().convert(), chat.as_deref()) {
        let mut message = draft.to(to, chat.clone(), send.message_id.clone());
        message.tag = tag.map(str::to_owned);
        match channel::render(&sender.clone().convert(), &message.convert()) {
            Ok(requests) => return Ok(requests.into_iter().map(request).collect()),
            Err(error) => _ = first.get_or_insert_with(|| refusal(error)),
        }
    }
    Err(first.unwrap_or_else(|| "the contact has no identity".to_owned()))
}

/// Why a message is not sent though it could be: a code, and words for whoever reads the thread.
type Reason<'a> = (&'static str, &'a str);
const SUPPRESSED: &str = "suppressed";
const CLOSED: Reason<'static> = (
    "window_closed",
    "the customer wrote too long ago, and no template is named to send instead",
);
const TAKEN_OVER: Reason<'static> = (
    SUPPRESSED,
    "a person wrote in the conversation after this answer was decided",
);
const OPTED_OUT: Reason<'static> = ("opted_out", "the customer opted out");

fn unwanted((code, reason): &Reason<'_>) -> Next {
    Next::Failed {
        code: Some((*code).to_owned()),
        reason: format!("{code}: {reason}"),
    }
}

fn failed(reason: String) -> Next {
    Next::Failed { code: None, reason }
}

/// A job whose message is being sent.
struct Work {
    job: Job,
    conversation_id: String,
    message_id: Option<String>,
    /// The platform's id of the message, from its first request.
    known: Option<String>,
    /// What has to be so when a request goes out.
    gate: Gate,
    timeout: Duration,
    lease_ms: u32,
    /// The template that goes out in place of the message.
    fallback: Option<String>,
}

impl Work {
    async fn send_all(
        &mut self,
        requests: Vec<Request>,
        token: Option<&Secret>,
    ) -> Result<(), Error> {
        let count = requests.len();
        self.gate.requests = u32::try_from(count).unwrap_or(u32::MAX);
        let done = usize::try_from(self.job.step).unwrap_or(usize::MAX);
        for (step, request) in requests.into_iter().enumerate().skip(done) {
            let target = shown(&request);
            let ready = match authorise(request, token) {
                Ok(ready) => ready,
                Err(error) => {
                    let (code, reason) = (None, error.to_string());
                    return self.conclude(Next::Stopped { code, reason }, None).await;
                }
            };
            match self.pass(step).await? {
                Clearance::Go => {}
                Clearance::AlreadySent => continue,
                // It comes again when it is due.
                Clearance::Later(_) => return Ok(()),
                Clearance::TakenOver => return self.conclude(unwanted(&TAKEN_OVER), None).await,
                Clearance::OptedOut => return self.conclude(unwanted(&OPTED_OUT), None).await,
                Clearance::Looping(limit) => {
                    return self.conclude(unwanted(&(SUPPRESSED, &limit)), None).await;
                }
            }
            let (next, call) = self.send_one(ready, target).await;
            let Next::Sent { platform_id } = next else {
                return self.conclude(next, Some(call)).await;
            };
            let mut effects = vec![Effect::ExternalCall(call)];
            let id = if step == 0 {
                self.known = platform_id.or(self.known.take());
                self.known.clone()
            } else {
                // Of a message that has no id, a later part's is none either.
                platform_id.filter(|_| self.known.is_some())
            };
            effects.extend(self.became(DeliveryState::Sent, id, None));
            effects.extend(self.explained());
            if step + 1 == count {
                return self.finish(effects).await;
            }
            if !self.advance(step + 1, effects).await? {
                return Ok(());
            }
        }
        // All of it went out before, whatever was made of that then.
        let sent = self.became(DeliveryState::Sent, None, None);
        let effects = sent.filter(|_| count > 0).into_iter().collect();
        self.finish(effects).await
    }

    /// Marks request number `step`, if it may go out.
    async fn pass(&self, step: usize) -> Result<Clearance, Error> {
        let (token, step) = (&self.job.token, u32::try_from(step).unwrap_or(u32::MAX));
        insist(async || store::mark_sending(token.clone(), step, self.gate.clone()).await).await
    }

    /// Writes what came of a request before the last, and that `step` is next; false when the lease ran
    /// out on the way, and the rest is not ours any more. Of a job that was given up then the store takes
    /// it, and makes it due again for the rest, but refuses the next mark.
    async fn advance(&self, step: usize, effects: Vec<Effect>) -> Result<bool, Error> {
        let (token, step) = (&self.job.token, u32::try_from(step).unwrap_or(u32::MAX));
        let advance = async || {
            store::advance(token.clone(), step, self.lease_ms, effects.clone())
                .await
                .map(drop)
        };
        match insist(advance).await {
            Err(Error::Stale) => self.write(effects.clone()).await.map(|()| false),
            settled => settled.map(|()| true),
        }
    }

    /// Sends what is marked, and judges what came.
    async fn send_one(&self, ready: Ready, target: String) -> (Next, ExternalCall) {
        let at = unix_millis();
        let started = Instant::now();
        let answer = send(ready, self.timeout).await;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let status = answer.as_ref().ok().map(|answer| answer.status);
        let next = match answer {
            Ok(answer) => {
                let status = answer.status;
                let verdict = channel::classify(&answer.convert()).convert();
                judge(status, &verdict, self.attempt())
            }
            Err(lost) => judge_lost(lost, self.attempt()),
        };
        let error = match &next {
            Next::Sent { .. } => None,
            Next::Retry { reason, .. }
            | Next::Stopped { reason, .. }
            | Next::Failed { reason, .. }
            | Next::Uncertain { reason } => Some(reason.clone()),
        };
        let call = ExternalCall {
            kind: "send".to_owned(),
            target,
            status,
            millis,
            attempt: self.job.attempt,
            at,
            error,
            conversation_id: Some(self.conversation_id.clone()),
            message_id: self.message_id.clone(),
            details: None,
        };
        (next, call)
    }

    /// That a template went out in place of the message, for whoever reads the thread: in the shape
    /// of the router's explanations.
    fn explained(&self) -> Option<Effect> {
        let json = self.fallback.as_deref()?;
        let action = format!(r#"{{"do":"fallback","message":{json}}}"#);
        let actions = format!(r#"[{{"action":{action},"outcome":"window_closed"}}]"#);
        Some(Effect::Explanation(ExplanationEffect {
            message_id: self.message_id.clone()?,
            json: format!(r#"{{"phase":"sending","rules":[],"actions":{actions}}}"#),
        }))
    }

    /// What the message became, by a request that got this id.
    fn became(
        &self,
        state: DeliveryState,
        platform_id: Option<String>,
        error: Option<ErrorDetail>,
    ) -> Option<Effect> {
        Some(Effect::Sent(SentEffect {
            message_id: self.message_id.clone()?,
            platform_id,
            state,
            error,
            at: unix_millis(),
        }))
    }

    /// Ends an attempt that did not send.
    async fn conclude(&self, next: Next, call: Option<ExternalCall>) -> Result<(), Error> {
        let mut effects: Vec<Effect> = call.map(Effect::ExternalCall).into_iter().collect();
        let detail = |code, title: &String| ErrorDetail {
            code,
            title: Some(title.clone()),
            detail: None,
        };
        let job = &self.job;
        match next {
            Next::Sent { .. } => self.finish(effects).await,
            Next::Retry {
                at,
                reason,
                hold_until,
            } => {
                let (seq, number) = (job.seq, job.attempt);
                eprintln!("warn: send put off: seq={seq} attempt={number} reason={reason:?}");
                self.write(effects).await?;
                if let Some(until) = hold_until {
                    let hold = async || store::hold_account(job.token.clone(), until).await;
                    insist(hold).await?;
                }
                insist(async || store::retry(job.token.clone(), at, reason.clone()).await).await
            }
            Next::Stopped { code, reason } => {
                eprintln!("error: account stopped: seq={} reason={reason:?}", job.seq);
                self.write(effects).await?;
                let stop = async || {
                    let (token, digest) = (job.token.clone(), self.gate.token_digest.clone());
                    store::stop_account(token, digest, code.clone(), reason.clone()).await
                };
                insist(stop).await
            }
            Next::Failed { code, reason } => {
                let error = detail(code, &reason);
                effects.extend(self.became(DeliveryState::Failed, self.known.clone(), Some(error)));
                self.write(effects).await?;
                bury(job, reason).await
            }
            Next::Uncertain { reason } => {
                let error = detail(None, &reason);
                effects.extend(self.became(
                    DeliveryState::Uncertain,
                    self.known.clone(),
                    Some(error),
                ));
                self.write(effects).await?;
                // The store's own word for it.
                bury(job, "uncertain".to_owned()).await
            }
        }
    }

    async fn finish(&self, effects: Vec<Effect>) -> Result<(), Error> {
        let token = &self.job.token;
        let commit = async || {
            store::commit(token.clone(), effects.clone())
                .await
                .map(drop)
        };
        match insist(commit).await {
            // The lease ran out on the way, and nobody else will send: what the platform said still holds.
            Err(Error::Stale) => self.write(effects.clone()).await,
            settled => settled,
        }
    }

    async fn write(&self, effects: Vec<Effect>) -> Result<(), Error> {
        if effects.is_empty() {
            return Ok(());
        }
        let tenant = &self.job.platform_client_id;
        let submit = async || {
            let submitted = store::submit(tenant.clone(), None, effects.clone()).await;
            submitted.map(drop)
        };
        insist(submit).await
    }

    fn attempt(&self) -> Attempt {
        Attempt {
            number: self.job.attempt,
            created_at: self.job.replayed_at.unwrap_or(self.job.created_at),
            now: unix_millis(),
            random: random(),
        }
    }
}

async fn bury(job: &Job, reason: String) -> Result<(), Error> {
    let (seq, number) = (job.seq, job.attempt);
    eprintln!("error: send buried: seq={seq} attempt={number} reason={reason:?}");
    insist(async || store::bury(job.token.clone(), reason.clone()).await).await
}

/// Calls again while the store is busy.
pub(crate) async fn insist<T>(mut call: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..BUSY_TRIES {
        match call().await {
            Err(Error::Busy) => time::sleep(BUSY_PAUSE).await,
            settled => return settled,
        }
    }
    call().await
}
