//! One attempt of one job, from the lease to what is written about it.
//!
//! 1. What can be seen to be hopeless before anything is sent is buried without a call: a payload
//!    that is no forward, a URL that nothing may be sent to, an endpoint that was disabled.
//! 2. Without a signing secret nothing is sent: the job waits for one, with the reason.
//! 3. Every request that was sent leaves one row in `external_calls`.

use std::time::{Duration, Instant};

use chatly_delivery::traceparent;
use chatly_webhook::forward::Origin;
use chatly_webhook::verdict::put_off;
use chatly_webhook::{Attempt, Forward, Secrets, Target, Verdict, judge, signing};
use spin_sdk::{time, variables};

use crate::bindings::chatly::store::effects::Effect;
use crate::bindings::chatly::store::rows::ExternalCall;
use crate::bindings::chatly::store::store::{self, Error, Job, Payload};
use crate::clock::{random, random_bytes, unix_millis};
use crate::send::{Sent, post};

/// How often a busy store is asked again to write what came of an attempt, and how long after: a
/// lease that runs out instead means that the receiver gets the message twice.
const BUSY_TRIES: u32 = 4;
const BUSY_PAUSE: Duration = Duration::from_millis(250);

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
    if endpoint.is_some_and(|endpoint| endpoint.disabled_at.is_some()) {
        return bury(&job, "the endpoint is disabled".to_owned()).await;
    }
    match Secrets::parse(&signing_secrets().await) {
        Ok(secrets) => deliver(&job, payload, &forward, &target, &secrets).await,
        Err(error) => conclude(&job, put_off(&error.to_string(), None, attempt(&job))).await,
    }
}

/// Sends, and writes what came of it.
async fn deliver(
    job: &Job,
    payload: &str,
    forward: &Forward,
    target: &Target,
    secrets: &Secrets,
) -> Result<(), Error> {
    let origin = Origin {
        seq: job.seq,
        platform_client_id: &job.platform_client_id,
        payload,
        created_at: job.created_at,
    };
    let at = unix_millis();
    let started = Instant::now();
    let body = forward.body(origin);
    let headers = headers(job, &Forward::message_id(origin), at, &body, secrets);
    let sent = post(target.uri(), &headers, body).await;
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);

    let verdict = judge(sent.outcome(), attempt(job));
    let call = call_row(job, forward, target, &sent, &verdict, (at, millis));
    if verdict == Verdict::Delivered {
        let effects = vec![Effect::ExternalCall(call)];
        return insist(async || {
            store::commit(job.token.clone(), effects.clone())
                .await
                .map(drop)
        })
        .await;
    }
    let effects = vec![Effect::ExternalCall(call)];
    let tenant = &job.platform_client_id;
    insist(async || {
        store::submit(tenant.clone(), None, effects.clone())
            .await
            .map(drop)
    })
    .await?;
    if let Verdict::Bury {
        disable: true,
        reason,
    } = &verdict
    {
        let url = &forward.url;
        insist(async || store::disable_endpoint(tenant.clone(), url.clone(), reason.clone()).await)
            .await?;
    }
    conclude(job, verdict).await
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

fn call_row(
    job: &Job,
    forward: &Forward,
    target: &Target,
    sent: &Sent,
    verdict: &Verdict,
    (at, millis): (u64, u64),
) -> ExternalCall {
    let error = match verdict {
        Verdict::Delivered => None,
        Verdict::Retry { reason, .. } | Verdict::Bury { reason, .. } => Some(reason.clone()),
    };
    ExternalCall {
        kind: "forward".to_owned(),
        target: target.shown().to_owned(),
        status: sent.status(),
        millis,
        attempt: job.attempt,
        at,
        error,
        conversation_id: forward.conversation_id.clone(),
        message_id: forward.message_id.clone(),
    }
}

/// Ends an attempt that did not deliver.
async fn conclude(job: &Job, verdict: Verdict) -> Result<(), Error> {
    match verdict {
        Verdict::Delivered => Ok(()),
        Verdict::Retry { at, reason } => {
            let (seq, number) = (job.seq, job.attempt);
            eprintln!("warn: forward put off: seq={seq} attempt={number} reason={reason:?}");
            insist(async || store::retry(job.token.clone(), at, reason.clone()).await).await
        }
        Verdict::Bury { reason, .. } => bury(job, reason).await,
    }
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

fn attempt(job: &Job) -> Attempt {
    Attempt {
        number: job.attempt,
        created_at: job.created_at,
        now: unix_millis(),
        random: random(),
    }
}

/// The list of signing secrets; blank when there is none or it cannot be read, which sends nothing.
async fn signing_secrets() -> String {
    match variables::get("signing_secrets").await {
        Ok(secrets) => secrets,
        Err(variables::Error::Undefined(_)) => String::new(),
        Err(_) => {
            eprintln!("error: the variable provider failed: name=signing_secrets");
            String::new()
        }
    }
}
