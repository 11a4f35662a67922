//! The channel's sends as a queue that can be drained.
//!
//! 1. A job is begun and not waited for, so that a slow conversation holds up no other: up to
//!    [`MAX_IN_FLIGHT`] are in flight, and as many are leased as there is room for. Within a
//!    conversation the store gives out one at a time.
//! 2. Whoever finishes a job wakes the drain: there is room again, the next job of the same
//!    conversation may be due, and the job itself may be due again soon.

use std::cell::Cell;
use std::fmt::Debug;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use chatly_drain::{Bell, Fault, HOLD_MS, Queue};
use spin_sdk::{time, wasip3};

use crate::attempt;
use crate::bindings::chatly::store::store::{self, Job};
use crate::clock::unix_millis;
use crate::settings::{self, Settings};

/// Sends at once: what platforms take from one account within the time of an answer.
const MAX_IN_FLIGHT: u32 = 32;

thread_local! {
    static BELL: Rc<Bell> = Rc::default();
    static IN_FLIGHT: Cell<u32> = const { Cell::new(0) };
}

/// Empties the queue, unless this instance is at it already.
pub fn drain() -> Pin<Box<dyn Future<Output = ()>>> {
    let bell = BELL.with(Rc::clone);
    Box::pin(async move {
        if let Some(settings) = settings::load().await {
            chatly_drain::wake(&bell, &Outbox(settings)).await;
        }
    })
}

/// One of the places in flight; given back also when the host drops the task half-way.
struct Place;

impl Place {
    fn take() -> Self {
        IN_FLIGHT.set(IN_FLIGHT.get() + 1);
        Self
    }

    fn left() -> u32 {
        MAX_IN_FLIGHT.saturating_sub(IN_FLIGHT.get())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        IN_FLIGHT.set(IN_FLIGHT.get().saturating_sub(1));
    }
}

struct Outbox(Rc<Settings>);

impl Outbox {
    /// The exclusive right that a drain of this channel needs.
    fn right(&self) -> String {
        format!("deliver-{}", self.0.channel)
    }

    fn kinds(&self) -> Vec<String> {
        vec![chatly_send::Job::kind(&self.0.channel)]
    }
}

impl Queue for Outbox {
    type Job = Job;

    async fn hold(&self, token: Option<String>) -> Result<Option<String>, Fault> {
        store::hold(self.right(), token, HOLD_MS)
            .await
            .map_err(|error| fault("hold", &error))
    }

    async fn release(&self, token: String) -> Result<(), Fault> {
        store::release(self.right(), token)
            .await
            .map_err(|error| fault("release", &error))
    }

    async fn lease(&self) -> Result<Vec<Job>, Fault> {
        match Place::left() {
            0 => Ok(Vec::new()),
            max => store::lease(self.kinds(), max, self.0.lease_ms())
                .await
                .map_err(|error| fault("lease", &error)),
        }
    }

    async fn work(&self, job: Job) {
        let place = Place::take();
        let settings = self.0.clone();
        wasip3::spawn(async move {
            attempt::run(job, &settings).await;
            drop(place);
            drain().await;
        });
    }

    async fn find_next_due(&self) -> Result<Option<u64>, Fault> {
        if Place::left() == 0 {
            // Whoever makes room wakes the drain.
            return Ok(None);
        }
        store::find_next_due(self.kinds())
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

fn fault(call: &str, error: &impl Debug) -> Fault {
    eprintln!("warn: the store failed: call={call} error={error:?}");
    Fault
}
