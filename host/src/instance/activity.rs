//! What one instance is busy with, as seen from outside its store, and until when it may be.
//!
//! 1. While a request waits for its response head: the response timeout, and a grace, since the
//!    request's own timer inside the store comes first unless the store is blocked.
//! 2. While a client reads a response body: no limit. A client reads as long as what it has asked
//!    for is not there yet; one that leaves a full buffer standing does not read.
//! 3. Otherwise work goes on after the last response: the background timeout.
//! 4. An instance in which a request ran out of time is condemned: it takes no more requests, and
//!    has one more response timeout for what else it does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;

use super::limits::Limits;

/// Time for a request's own timer to come first.
const GRACE: Duration = Duration::from_secs(1);
/// How long until the next look when nothing is limited.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why an instance was ended from outside.
#[derive(Debug, Clone, Copy, Error, PartialEq, Eq)]
pub enum Overdue {
    /// The store was blocked past the response timeout.
    #[error("gave no response head in time and blocks its instance (limit `response_timeout`)")]
    Response,
    /// Work went on for too long after the last response.
    #[error("worked on for too long after its last response (limit `background_timeout`)")]
    Background,
    /// A request ran out of time and its task never ended.
    #[error("kept running after a request had run out of time (limit `response_timeout`)")]
    Condemned,
}

#[derive(Debug)]
struct State {
    waiting: Vec<Arc<str>>,
    reading: usize,
    idle: bool,
    condemned: bool,
    streams: bool,
    broken: bool,
    last_start: Instant,
    last_sign: Instant,
}

/// Shared between an instance's worker and the bodies of its responses.
#[derive(Debug)]
pub struct Activity {
    state: Mutex<State>,
}

impl Activity {
    /// An instance that has just been made, and waits for its first request.
    pub fn new(now: Instant) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: Vec::new(),
                reading: 0,
                idle: true,
                condemned: false,
                streams: false,
                broken: false,
                last_start: now,
                last_sign: now,
            }),
        }
    }

    /// The request `id` was handed to the guest.
    pub fn started(&self, id: &Arc<str>, now: Instant) {
        let mut state = self.lock();
        state.waiting.push(id.clone());
        state.idle = false;
        state.last_start = now;
    }

    /// The request `id` has its response head, or ran out of time. Only the first word counts.
    pub fn answered(&self, id: &Arc<str>, now: Instant, in_time: bool) {
        let mut state = self.lock();
        let waiting = state.waiting.len();
        state.waiting.retain(|waiting| waiting != id);
        if state.waiting.len() < waiting {
            state.last_sign = now;
            state.condemned |= !in_time;
        }
    }

    /// Whether the request `id` waits for its response head.
    pub fn waits(&self, id: &Arc<str>) -> bool {
        self.lock().waiting.contains(id)
    }

    /// The ids of the requests that wait for their response heads.
    pub fn waiting(&self) -> Vec<Arc<str>> {
        self.lock().waiting.clone()
    }

    /// Nothing runs in the guest any more.
    pub fn rests(&self) {
        self.lock().idle = true;
    }

    /// Whether a request ran out of time here.
    pub fn condemned(&self) -> bool {
        self.lock().condemned
    }

    /// A response is a stream of events.
    pub fn streams_events(&self) {
        self.lock().streams = true;
    }

    /// Whether a response was a stream of events: a guest notices that one has ended when it writes
    /// the next time, which may be a heartbeat later.
    pub fn has_streamed_events(&self) -> bool {
        self.lock().streams
    }

    /// The instance ended in the middle of what it did.
    pub fn breaks(&self) {
        self.lock().broken = true;
    }

    /// Whether the instance ended in the middle of what it did.
    pub fn is_broken(&self) -> bool {
        self.lock().broken
    }

    /// A client waits for more of a body.
    pub fn reading_begins(&self) {
        self.lock().reading += 1;
    }

    /// A client got more of a body, or went away.
    pub fn reading_ends(&self, now: Instant) {
        let mut state = self.lock();
        state.reading = state.reading.saturating_sub(1);
        state.last_sign = now;
    }

    /// When the instance is overdue, as things stand, and why. `None`: look again later.
    pub fn deadline(&self, limits: &Limits) -> Option<(Instant, Overdue)> {
        let state = self.lock();
        if !state.waiting.is_empty() {
            return Some((
                state.last_start + limits.response_timeout + GRACE,
                Overdue::Response,
            ));
        }
        if state.idle || state.reading > 0 {
            return None;
        }
        Some(if state.condemned {
            (
                state.last_sign + limits.response_timeout,
                Overdue::Condemned,
            )
        } else {
            (
                state.last_sign + limits.background_timeout,
                Overdue::Background,
            )
        })
    }

    /// Returns when the instance is overdue.
    pub async fn overdue(&self, limits: &Limits) -> Overdue {
        loop {
            let now = Instant::now();
            let wait = match self.deadline(limits) {
                Some((at, why)) if at <= now => return why,
                Some((at, _)) => LOOK_AGAIN.min(at - now),
                None => LOOK_AGAIN,
            };
            tokio::time::sleep(wait).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;

    fn limits() -> Limits {
        Limits::resolve(&manifest::Limits::default(), &manifest::Limits::default())
    }

    #[test]
    fn each_state_has_its_own_limit() {
        let start = Instant::now();
        let secs = |secs| start + Duration::from_secs(secs);
        let activity = Activity::new(start);
        assert_eq!(
            activity.deadline(&limits()),
            None,
            "a new instance may wait"
        );

        let (one, two) = (Arc::from("one"), Arc::from("two"));
        activity.started(&one, start);
        activity.started(&two, secs(5));
        assert_eq!(activity.waiting(), [one.clone(), two.clone()]);
        assert_eq!(
            activity.deadline(&limits()),
            Some((secs(36), Overdue::Response))
        );

        activity.answered(&one, secs(6), true);
        activity.answered(&two, secs(7), true);
        assert_eq!(
            activity.deadline(&limits()),
            Some((secs(607), Overdue::Background))
        );

        activity.reading_begins();
        assert_eq!(
            activity.deadline(&limits()),
            None,
            "a stream that is read has no limit"
        );
        activity.reading_ends(secs(5000));
        assert_eq!(
            activity.deadline(&limits()),
            Some((secs(5600), Overdue::Background))
        );

        activity.rests();
        assert_eq!(
            activity.deadline(&limits()),
            None,
            "a guest at rest may stay"
        );
    }

    #[test]
    fn a_request_that_ran_out_of_time_condemns_its_instance() {
        let start = Instant::now();
        let activity = Activity::new(start);
        let id = Arc::from("one");
        activity.started(&id, start);
        activity.answered(&id, start, false);
        assert!(activity.condemned());
        let want = (start + Duration::from_secs(30), Overdue::Condemned);
        assert_eq!(activity.deadline(&limits()), Some(want));
    }

    #[test]
    fn a_request_that_was_answered_cannot_run_out_of_time() {
        let start = Instant::now();
        let activity = Activity::new(start);
        let id = Arc::from("one");
        activity.started(&id, start);
        assert!(activity.waits(&id));
        activity.answered(&id, start, true);
        assert!(!activity.waits(&id));
        activity.answered(&id, start + Duration::from_secs(40), false);
        assert!(!activity.condemned());
        let want = (start + Duration::from_secs(600), Overdue::Background);
        assert_eq!(activity.deadline(&limits()), Some(want));
    }
}
