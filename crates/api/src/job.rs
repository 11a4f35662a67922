//! One job with its timeline, and many that are replayed.

use serde::Serialize;

use crate::rows::{ExternalCall, Job, JobState};

/// Jobs that a plan shows.
pub const MAX_PLANNED: u32 = 100;
/// Jobs that one replay makes due: each takes its old place in its queues, some 0.1 ms of the one
/// writer that a database has.
pub const MAX_REPLAYED: u32 = 1000;

/// What happened to a job at one time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Unix milliseconds.
    pub at: u64,
    /// What it was.
    #[serde(flatten)]
    pub what: What,
}

/// A kind of step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum What {
    /// It was stored.
    Made,
    /// It called somebody.
    Call {
        /// Scheme, host, port and path.
        target: String,
        /// None when there was no answer.
        status: Option<u16>,
        /// How long it took, milliseconds.
        millis: u64,
        /// Which attempt it was, counted from the last replay.
        attempt: u32,
        /// Why it did not work.
        error: Option<String>,
    },
    /// It was made due again.
    Replayed,
    /// It waits for this time.
    Due {
        /// Why it waits, where it was started before.
        error: Option<String>,
    },
    /// It is done.
    Done,
    /// It was given up.
    Buried {
        /// Why.
        error: Option<String>,
    },
}

/// A job with what happened to it.
#[derive(Debug, Serialize)]
pub struct JobDetail {
    /// The job itself.
    #[serde(flatten)]
    pub job: Job,
    /// The conversation it belongs to.
    pub conversation_id: Option<String>,
    /// Our id of the message it is about.
    pub message_id: Option<String>,
    /// When it was done or buried.
    pub finished_at: Option<u64>,
    /// When it was made due again last.
    pub replayed_at: Option<u64>,
    /// What happened, oldest first, then what is to come.
    pub timeline: Vec<Step>,
}

impl JobDetail {
    /// Adds the timeline to a job that made these calls, oldest first.
    pub fn new(
        job: Job,
        (conversation_id, message_id): (Option<String>, Option<String>),
        (finished_at, replayed_at): (Option<u64>, Option<u64>),
        calls: Vec<ExternalCall>,
    ) -> Self {
        let step = |at, what| Step { at, what };
        let mut timeline = vec![step(job.created_at, What::Made)];
        timeline.extend(calls.into_iter().map(|call| {
            let what = What::Call {
                target: call.target,
                status: call.status,
                millis: call.millis,
                attempt: call.attempt,
                error: call.error,
            };
            step(call.at, what)
        }));
        timeline.extend(replayed_at.map(|at| step(at, What::Replayed)));
        let error = job.error.clone();
        timeline.extend(match (job.state, finished_at) {
            (JobState::Done, Some(at)) => Some(step(at, What::Done)),
            (JobState::Buried, Some(at)) => Some(step(at, What::Buried { error })),
            (JobState::Pending, _) => Some(step(job.due_at, What::Due { error })),
            _ => None,
        });
        // Stable: what happened in one millisecond stays as it is above.
        timeline.sort_by_key(|step| match step.what {
            What::Made => 0,
            What::Due { .. } => u64::MAX,
            _ => step.at,
        });
        Self {
            job,
            conversation_id,
            message_id,
            finished_at,
            replayed_at,
            timeline,
        }
    }
}

/// A buried job, in short.
#[derive(Debug, Serialize)]
pub struct BuriedJob {
    /// Its number.
    pub seq: u64,
    /// Its kind.
    pub kind: String,
    /// Its tenant.
    pub platform_client_id: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was made, Unix milliseconds.
    pub created_at: u64,
    /// Why it was given up.
    pub error: Option<String>,
}

/// What a replay of many would do.
#[derive(Debug, Serialize)]
pub struct ReplayPlan {
    /// True.
    pub plan: bool,
    /// How many jobs there are.
    pub count: u64,
    /// The first [`MAX_PLANNED`] of them, oldest first.
    pub jobs: Vec<BuriedJob>,
}

/// What a replay of many did.
#[derive(Debug, Serialize)]
pub struct ReplayedMany {
    /// False.
    pub plan: bool,
    /// How many jobs are due again.
    pub replayed: u64,
    /// How many are left, for the next call.
    pub remaining: u64,
}

/// Whether `plan` says so.
pub const PLAN: &[(&str, bool)] = &[("true", true), ("false", false)];

#[cfg(test)]
mod tests {
    use chatly_canonical::Raw;

    use super::*;
    use crate::rows::Payload;

    fn job(state: JobState, error: Option<&str>) -> Job {
        Job {
            seq: 7,
            kind: "forward".into(),
            platform_client_id: "default".into(),
            state,
            attempts: 2,
            due_at: 900,
            created_at: 100,
            error: error.map(Into::into),
            payload: Payload::Payload(Raw::json("{}")),
        }
    }

    fn call(at: u64, status: Option<u16>) -> ExternalCall {
        ExternalCall {
            kind: "forward".into(),
            target: "https://a/hook".into(),
            status,
            millis: 3,
            attempt: 1,
            at,
            error: None,
            conversation_id: None,
            message_id: None,
            details: None,
        }
    }

    #[test]
    fn a_timeline_goes_from_made_to_what_is_to_come() {
        for (name, job, finished, replayed, calls, want) in [
            (
                "new",
                job(JobState::Pending, None),
                None,
                None,
                vec![],
                "made@100 due@900",
            ),
            (
                "running",
                job(JobState::Leased, None),
                None,
                None,
                vec![],
                "made@100",
            ),
            (
                "delivered after a failure",
                job(JobState::Done, None),
                Some(500),
                None,
                vec![call(200, None), call(400, Some(200))],
                "made@100 call@200 call@400 done@500",
            ),
            (
                "buried again after a replay",
                job(JobState::Buried, Some("status 400")),
                Some(500),
                Some(300),
                vec![call(200, None), call(400, Some(400))],
                "made@100 call@200 replayed@300 call@400 buried@500",
            ),
            (
                "a clock that went back",
                job(JobState::Pending, Some("timeout")),
                None,
                None,
                vec![call(50, None)],
                "made@100 call@50 due@900",
            ),
        ] {
            let detail = JobDetail::new(job, (None, None), (finished, replayed), calls);
            let json = serde_json::to_value(&detail).unwrap();
            let got: Vec<_> = json["timeline"].as_array().unwrap().iter().collect();
            let got: Vec<_> = got
                .iter()
                .map(|step| format!("{}@{}", step["step"].as_str().unwrap(), step["at"]))
                .collect();
            assert_eq!(got.join(" "), want, "{name}");
            assert_eq!(json["seq"], 7, "{name}");
        }
    }
}
