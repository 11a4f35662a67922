//! One attempt of one job, from the lease to what is written about it.
//!
//! 1. What can be seen to be hopeless before anything is sent is buried without a call: a payload
//!    that is no forward, a URL that nothing may be sent to, an endpoint that was disabled, a job
//!    whose time is over.
//! 2. What cannot be sent now waits without a call, and this counts as no attempt: without a signing
//!    secret, while the endpoint's circuit is open, and when it is not its turn.
//! 3. Every request that was sent leaves one row in `external_calls`, and counts in `endpoints`.

use std::time::{Duration, Instant};

use chatly_delivery::traceparent;
use chatly_webhook::forward::Origin;
use chatly_webhook::settings::Endpoint as Known;
use chatly_webhook::verdict::too_old;
use chatly_webhook::{Attempt, Forward, Secrets, Target, Verdict, circuit, judge, signing};
use spin_sdk::time;

use crate::bindings::chatly::store::effects::Effect;
use crate::bindings::chatly::store::rows::Endpoint;
use crate::bindings::chatly::store::store::{self, Error, Job, Payload};
use crate::clock::{random, random_bytes, unix_millis};
use crate::health::{self, alert};
use crate::send::post;
use crate::{settings, turn};

/// How often a busy store is asked again to write what came of an attempt, and how long after: a
/// lease that runs out instead means that the receiver gets the message twice.
const BUSY_TRIES: u32 = 4;
const BUSY_PAUSE: Duration = Duration::from_millis(250);
/// How long a job waits for a setting that is missing, and as much again at random.
const UNSET_MS: u64 = 5_000;
/// The probe of an open circuit is lost when nothing was heard of it for so long: an attempt and
/// what is written after it.
const PROBE_MS: u32 = 15_000;

/// What a job is about to do.
pub struct Task<'a> {
    pub job: &'a Job,
    pub payload: &'a str,
    pub forward: &'a Forward,
    pub target: &'a Target,
    /// How the endpoint fared until now; none for a new one.
    pub endpoint: Option<Endpoint>,
    pub known: Known,
    /// It is the one attempt that an open circuit lets through.
    pub probe: bool,
}

/// Makes the attempt. What the store does not take is left to the lease's end.
pub async fn run(job: Job) {
    let (seq, number) = (job.seq, job.attempt);
    if let Err(error) = settle(job).await {
        eprintln!("warn: forward not settled: seq={seq} attempt={number} error={error:?}");
    }
}

async fn settle(job: Job) -> Result<(), Error> {
    let Payload::Json(payload) = &job.payload else {
        return bury(&job, "the payload is no forward job".to_owned()).await;
    };
    let forward = match Forward::parse(payload) {
        Ok(forward) => forward,
        Err(error) => return bury(&job, error.to_string()).await,
    };
    let target = match Target::parse(&forward.url) {
        Ok(target) => target,
        Err(error) => return bury(&job, error.to_string()).await,
    };
    let endpoint =
        store::find_endpoint(job.platform_client_id.clone(), forward.url.clone()).await?;
    if endpoint.as_ref().is_some_and(|it| it.disabled_at.is_some()) {
        return bury(&job, "the endpoint is disabled".to_owned()).await;
    }
    let (known, secrets) = match settings::of(&target).await {
        Ok(settings) => settings,
        Err(reason) => {
            let at = unix_millis() + UNSET_MS + random() % UNSET_MS;
            let budget_ms = Known::default().budget_ms;
            return wait(&job, budget_ms, at, &reason).await;
        }
    };
    let task = Task {
        job: &job,
        payload,
        forward: &forward,
        target: &target,
        endpoint,
        known,
        probe: false,
    };
    pass(task, &secrets).await
}

/// Sends when the circuit and the gate let it through.
async fn pass(mut task: Task<'_>, secrets: &Secrets) -> Result<(), Error> {
    let (job, url) = (task.job, &task.forward.url);
    let tenant = &job.platform_client_id;
    let budget_ms = task.known.budget_ms;
    let open = task.endpoint.as_ref().and_then(|it| it.next_probe_at);
    if let Some(probe_at) = open {
        let now = unix_millis();
        task.probe = attempt(job).age_ms() < budget_ms
            && probe_at <= now
            && store::claim_probe(tenant.clone(), url.clone(), PROBE_MS).await?;
        if !task.probe {
            let effects: Vec<_> = alert(&task).into_iter().collect();
            if !effects.is_empty() {
                store::submit(tenant.clone(), None, effects).await?;
            }
            let at = circuit::look_again_at(now, probe_at, random());
            return wait(job, budget_ms, at, "the circuit is open").await;
        }
    }
    // A probe is alone, so it needs no turn.
    let turn = match turn::ask(tenant, url, task.known.limits) {
        Err(at) if !task.probe => return wait(job, budget_ms, at, "not its turn yet").await,
        turn => turn.ok(),
    };
    if let Some(turn) = turn.as_ref().filter(|turn| turn.in_ms > 0) {
        time::sleep(Duration::from_millis(turn.in_ms)).await;
    }
    if !task.probe
        && let Err(at) = turn::share(tenant, url, task.known.limits).await?
    {
        return wait(job, budget_ms, at, "not its turn yet").await;
    }
    deliver(&task, secrets).await
}

/// Sends, and writes what came of it.
async fn deliver(task: &Task<'_>, secrets: &Secrets) -> Result<(), Error> {
    let job = task.job;
    let origin = Origin {
        seq: job.seq,
        platform_client_id: &job.platform_client_id,
        payload: task.payload,
        created_at: job.created_at,
    };
    let at = unix_millis();
    let started = Instant::now();
    let body = task.forward.body(origin);
    let headers = headers(job, &Forward::message_id(origin), at, &body, secrets);
    let sent = post(task.target.uri(), &headers, body).await;
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);

    let judgement = judge(sent.outcome(), attempt(job), task.known.budget_ms);
    let call = health::call_row(task, &sent, &judgement.verdict, (at, millis));
    let (report, next_probe_at) = health::report(task, &judgement);
    let mut effects = vec![Effect::ExternalCall(call), report];
    if judgement.verdict == Verdict::Delivered {
        return insist(async || {
            store::commit(job.token.clone(), effects.clone())
                .await
                .map(drop)
        })
        .await;
    }
    effects.insert(0, Effect::BindJob(job.seq));
    effects.extend(alert(task));
    let tenant = &job.platform_client_id;
    insist(async || {
        store::submit(tenant.clone(), None, effects.clone())
            .await
            .map(drop)
    })
    .await?;
    conclude(task, judgement.verdict, next_probe_at).await
}

fn headers<'a>(
    job: &Job,
    id: &str,
    now_ms: u64,
    body: &[u8],
    secrets: &Secrets,
) -> [(&'a str, String); 4] {
    let timestamp = now_ms / 1000;
    let trace = traceparent::next(job.traceparent.as_deref(), random_bytes());
    [
        (signing::ID_HEADER, id.to_owned()),
        (signing::TIMESTAMP_HEADER, timestamp.to_string()),
        (signing::SIGNATURE_HEADER, secrets.sign(id, timestamp, body)),
        ("traceparent", trace),
    ]
}

/// Ends an attempt that did not deliver. `next_probe_at` is there when the circuit is open now.
async fn conclude(
    task: &Task<'_>,
    verdict: Verdict,
    next_probe_at: Option<u64>,
) -> Result<(), Error> {
    let job = task.job;
    match verdict {
        Verdict::Delivered => Ok(()),
        Verdict::Retry { at, reason } => {
            let (seq, number) = (job.seq, job.attempt);
            eprintln!("warn: forward put off: seq={seq} attempt={number} reason={reason:?}");
            let at = next_probe_at.unwrap_or(at);
            insist(async || store::retry(job.token.clone(), at, reason.clone()).await).await
        }
        Verdict::Bury { reason, disable } => {
            if disable {
                let (tenant, url) = (&job.platform_client_id, &task.forward.url);
                insist(async || {
                    store::disable_endpoint(tenant.clone(), url.clone(), reason.clone()).await
                })
                .await?;
            }
            bury(job, reason).await
        }
    }
}

/// Gives a job back that was not tried, or buries it when its time is over.
async fn wait(job: &Job, budget_ms: u64, at: u64, reason: &str) -> Result<(), Error> {
    if attempt(job).age_ms() >= budget_ms
        && let Verdict::Bury { reason, .. } = too_old(reason)
    {
        return bury(job, reason).await;
    }
    insist(async || store::put_off(job.token.clone(), at, reason.to_owned()).await).await
}

async fn bury(job: &Job, reason: String) -> Result<(), Error> {
    let (seq, number) = (job.seq, job.attempt);
    eprintln!("error: forward buried: seq={seq} attempt={number} reason={reason:?}");
    insist(async || store::bury(job.token.clone(), reason.clone()).await).await
}

/// Calls again while the store is busy.
async fn insist(mut call: impl AsyncFnMut() -> Result<(), Error>) -> Result<(), Error> {
    for _ in 1..BUSY_TRIES {
        match call().await {
            Err(Error::Busy) => time::sleep(BUSY_PAUSE).await,
            settled => return settled,
        }
    }
    call().await
}

/// Where the job stands now.
pub fn attempt(job: &Job) -> Attempt {
    Attempt {
        number: job.attempt,
        created_at: job.replayed_at.unwrap_or(job.created_at),
        now: unix_millis(),
        random: random(),
    }
}
