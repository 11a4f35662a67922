//! The channel's sends as a queue that can be drained. Several are in flight, so that a slow
//! conversation holds up no other; within a conversation the store gives out one at a time.

use std::rc::Rc;

use chatly_drain::{Line, Places, Terms, Work};

use crate::bindings::chatly::store::store::Job;
use crate::settings::{self, Settings};
use crate::{Store, attempt};

/// Sends at once: what platforms take from one account within the time of an answer.
const MAX_IN_FLIGHT: u32 = 32;

thread_local! {
    static PLACES: Rc<Places> = Rc::default();
}

/// Empties the queue, unless this instance is at it already.
pub async fn drain() {
    let Some(settings) = settings::load().await else {
        return;
    };
    let terms = Terms {
        right: format!("deliver-{}", settings.channel),
        kinds: vec![chatly_send::Job::kind(&settings.channel)],
        at_once: MAX_IN_FLIGHT,
        lease_ms: settings.lease_ms(),
    };
    let line = Rc::new(Line::new(Store, terms, Sends(settings)));
    line.drain_in_flight(PLACES.with(Rc::clone)).await;
}

struct Sends(Rc<Settings>);

impl Work<Job> for Sends {
    async fn run(&self, job: Job) {
        attempt::run(job, &self.0).await;
    }
}
