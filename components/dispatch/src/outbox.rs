//! The outbox's forwards as a queue that can be drained. Several are in flight, so that a target
//! which never answers holds up no other.

use std::rc::Rc;

use chatly_drain::{Line, Places, Terms, Work};

use crate::bindings::chatly::store::store::Job;
use crate::{Store, attempt};

/// Attempts at once: far more than targets that hang at one time, few enough for one instance's
/// memory at 3 MiB an event in the worst case.
const MAX_IN_FLIGHT: u32 = 64;
/// A lease is taken for one attempt ([`crate::send::TIMEOUT`]) and what is written after it, with
/// as much again for a slow store.
const LEASE_MS: u32 = 25_000;

thread_local! {
    static PLACES: Rc<Places> = Rc::default();
}

/// Empties the queue, unless this instance is at it already.
pub async fn drain() {
    let terms = Terms {
        right: "dispatch".to_owned(),
        kinds: vec!["forward".to_owned()],
        at_once: MAX_IN_FLIGHT,
        lease_ms: LEASE_MS,
    };
    let line = Rc::new(Line::new(Store, terms, Forwards));
    line.drain_in_flight(PLACES.with(Rc::clone)).await;
}

struct Forwards;

impl Work<Job> for Forwards {
    async fn run(&self, job: Job) {
        attempt::run(job).await;
    }
}
