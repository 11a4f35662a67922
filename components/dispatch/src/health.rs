//! What an attempt is worth telling: its row, what it says about the endpoint, and alerts.

use chatly_webhook::circuit::{self, OPEN_AFTER};
use chatly_webhook::{Health, Judgement, Verdict};

use crate::attempt::{Task, attempt};
use crate::bindings::chatly::store::effects::{
    Effect, EndpointAlert, EndpointAttempt, EndpointOutcome,
};
use crate::bindings::chatly::store::rows::ExternalCall;
use crate::clock::{random, unix_millis};
use crate::send::Sent;

/// The row of a request; `times` are when it began and how many milliseconds it took.
pub fn call_row(
    task: &Task<'_>,
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
        target: task.target.shown().to_owned(),
        status: sent.status(),
        millis,
        attempt: task.job.attempt,
        at,
        error,
        conversation_id: task.forward.conversation_id.clone(),
        message_id: task.forward.message_id.clone(),
        details: None,
    }
}

/// What the attempt says about the endpoint, and when the job may come again if the circuit is open
/// after it. Whoever opened it, or was its probe, is the next probe too: it is the oldest.
pub fn report(task: &Task<'_>, judgement: &Judgement) -> (Effect, Option<u64>) {
    let before = task.endpoint.as_ref();
    let open_since = before.and_then(|it| it.open_since);
    let was_open = open_since.is_some();
    let consecutive = before.map_or(0, |it| it.consecutive_failures) + 1;
    let now = unix_millis();
    let (outcome, asked_ms) = match judgement.health {
        Health::Delivered => (EndpointOutcome::Delivered, None),
        Health::Refused => (EndpointOutcome::Refused, None),
        Health::Failed { asked_ms } => (EndpointOutcome::Failed, asked_ms),
    };
    let open_ms = open_since.map_or(0, |since| now.saturating_sub(since));
    let next_probe_at = circuit::next_probe_at(now, open_ms, asked_ms, random());
    let failed = outcome == EndpointOutcome::Failed;
    let open = failed && consecutive >= OPEN_AFTER;
    let target = task.target.shown();
    if open && !was_open {
        eprintln!("warn: circuit opened: target={target:?} consecutive_failures={consecutive}");
    } else if was_open && !failed {
        eprintln!("info: circuit closed: target={target:?}");
    }
    let error = match &judgement.verdict {
        Verdict::Delivered => None,
        Verdict::Retry { reason, .. } | Verdict::Bury { reason, .. } => Some(reason.clone()),
    };
    let report = Effect::EndpointAttempt(EndpointAttempt {
        url: task.forward.url.clone(),
        outcome,
        error,
        open_after: OPEN_AFTER,
        next_probe_at,
        probe: task.probe,
        release_every_ms: 1_000_u32.div_ceil(task.known.limits.rate_per_sec.max(1)),
    });
    (report, open.then_some(next_probe_at))
}

/// The alert for the share of its time that the job has used up, where it is a new one.
pub fn alert(task: &Task<'_>) -> Option<Effect> {
    let budget_ms = task.known.budget_ms;
    let percent = circuit::alert_level(attempt(task.job).age_ms(), budget_ms);
    if percent <= task.endpoint.as_ref().map_or(0, |it| it.alert) {
        return None;
    }
    let (seq, target) = (task.job.seq, task.target.shown());
    eprintln!("error: time to retry used up: percent={percent} seq={seq} target={target:?}");
    Some(Effect::EndpointAlert(EndpointAlert {
        url: task.forward.url.clone(),
        percent,
    }))
}
