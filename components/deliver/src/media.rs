//! The media that came in from the channel's platform, as a queue that can be drained.
//!
//! 1. Apart from the sends: another queue, another right, places in flight of its own. A medium that
//!    does not come holds up neither an answer nor, since each has an ordering key of its own, another
//!    medium.
//! 2. What is fetched is never in memory as a whole; see [`fetch`].

mod exchange;
mod fetch;
mod settings;

use std::cell::Cell;
use std::fmt::Debug;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use chatly_drain::{Bell, Fault, HOLD_MS, Queue};
use spin_sdk::{time, wasip3};

use self::settings::Media;
use crate::bindings::chatly::store::store::{self, Job};
use crate::clock::unix_millis;
use crate::settings::{self as shared, Settings};

/// Media at once: enough for the pictures of one message, few enough that sends have the network.
const MAX_IN_FLIGHT: u32 = 4;

thread_local! {
    static BELL: Rc<Bell> = Rc::default();
    static IN_FLIGHT: Cell<u32> = const { Cell::new(0) };
}

/// Empties the queue, unless this instance is at it already.
pub fn drain() -> Pin<Box<dyn Future<Output = ()>>> {
    let bell = BELL.with(Rc::clone);
    Box::pin(async move {
        if let (Some(sending), Some(media)) = (shared::load().await, settings::load().await) {
            chatly_drain::wake(&bell, &Fetches { sending, media }).await;
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

struct Fetches {
    sending: Rc<Settings>,
    media: Rc<Media>,
}

impl Fetches {
    /// The exclusive right that a drain needs, and the kind of its jobs.
    fn name(&self) -> String {
        format!("media-{}", self.sending.channel)
    }
}

impl Queue for Fetches {
    type Job = Job;

    async fn hold(&self, token: Option<String>) -> Result<Option<String>, Fault> {
        store::hold(self.name(), token, HOLD_MS)
            .await
            .map_err(|error| fault("hold", &error))
    }

    async fn release(&self, token: String) -> Result<(), Fault> {
        store::release(self.name(), token)
            .await
            .map_err(|error| fault("release", &error))
    }

    async fn lease(&self) -> Result<Vec<Job>, Fault> {
        match Place::left() {
            0 => Ok(Vec::new()),
            max => store::lease(vec![self.name()], max, self.media.lease_ms())
                .await
                .map_err(|error| fault("lease", &error)),
        }
    }

    async fn work(&self, job: Job) {
        let place = Place::take();
        let (sending, media) = (self.sending.clone(), self.media.clone());
        wasip3::spawn(async move {
            fetch::run(job, &sending, &media).await;
            drop(place);
            drain().await;
        });
    }

    async fn find_next_due(&self) -> Result<Option<u64>, Fault> {
        if Place::left() == 0 {
            // Whoever makes room wakes the drain.
            return Ok(None);
        }
        store::find_next_due(vec![self.name()])
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
