//! A queue of one store: jobs of some kinds, done under one exclusive right.
//!
//! 1. [`Line::drain`] does jobs one after another. [`Line::drain_in_flight`] begins a job and does not
//!    wait for it, so that one which takes long holds up no other: at most `at_once` are in flight, and
//!    as many are leased as there is room for.
//! 2. Whoever finishes a job in flight wakes the drain: there is room again, the next job of the same
//!    ordering key may be due, and the job itself may be due again soon.
//! 3. A place in flight is given back also when the host drops its task half-way.
//!
//! What becomes of a job is the work's to settle; [`attempt`](crate::attempt) does it for most.

use std::cell::Cell;
use std::fmt::Debug;
use std::pin::Pin;
use std::rc::Rc;

use crate::{Bell, Fault, HOLD_MS, Queue, Store, wake};

/// Which jobs are in line, and on what terms they are given out.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The exclusive right that a drain needs.
    pub right: String,
    /// The kinds of jobs.
    pub kinds: Vec<String>,
    /// One after another: how many are leased with one call. In flight: how many at most.
    pub at_once: u32,
    /// How long a job is leased for.
    pub lease_ms: u32,
}

/// What is done with a job.
#[expect(
    async_fn_in_trait,
    reason = "one thread; nothing is gained by naming the futures"
)]
pub trait Work<Job>: 'static {
    /// Comes before each lease. What is kept for the jobs of one lease is forgotten here.
    fn begin(&self) {}
    /// Does one job and settles it. Whatever fails is settled with the store or left to the lease.
    async fn run(&self, job: Job);
}

/// The places in flight of one queue in this instance, and the bell of its drain. One thread only.
#[derive(Debug, Default)]
pub struct Places {
    bell: Bell,
    taken: Cell<u32>,
}

impl Places {
    fn left(&self, at_once: u32) -> u32 {
        at_once.saturating_sub(self.taken.get())
    }
}

/// One of the places.
struct Place(Rc<Places>);

impl Place {
    fn take(places: &Rc<Places>) -> Self {
        places.taken.set(places.taken.get() + 1);
        Self(places.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.set(self.0.taken.get().saturating_sub(1));
    }
}

/// A queue of `S` on which `W` works.
#[derive(Debug)]
pub struct Line<S, W> {
    store: S,
    terms: Terms,
    work: W,
}

impl<S: Store, W: Work<S::Job>> Line<S, W> {
    /// A line on these terms.
    pub fn new(store: S, terms: Terms, work: W) -> Self {
        Self { store, terms, work }
    }

    /// Empties the queue one job after another, unless a drain is at it under this bell already.
    pub async fn drain(&self, bell: &Bell) {
        wake(bell, &OneByOne(self)).await;
    }

    /// Empties the queue with several jobs in flight, unless a drain is at it from these places
    /// already. Boxed since each job wakes the drain in its turn.
    pub fn drain_in_flight(
        self: Rc<Self>,
        places: Rc<Places>,
    ) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move {
            let queue = InFlight {
                line: self,
                places: places.clone(),
            };
            wake(&places.bell, &queue).await;
        })
    }

    async fn hold(&self, token: Option<String>) -> Result<Option<String>, Fault> {
        let held = self.store.hold(self.terms.right.clone(), token, HOLD_MS);
        self.logged("hold", held.await)
    }

    async fn release(&self, token: String) -> Result<(), Fault> {
        let released = self.store.release(self.terms.right.clone(), token);
        self.logged("release", released.await)
    }

    async fn lease(&self, max: u32) -> Result<Vec<S::Job>, Fault> {
        self.work.begin();
        let (kinds, for_ms) = (self.terms.kinds.clone(), self.terms.lease_ms);
        let leased = self.store.lease(kinds, max, for_ms);
        self.logged("lease", leased.await)
    }

    async fn find_next_due(&self) -> Result<Option<u64>, Fault> {
        let due = self.store.find_next_due(self.terms.kinds.clone());
        self.logged("find-next-due", due.await)
    }

    fn logged<T>(&self, call: &str, answer: Result<T, impl Debug>) -> Result<T, Fault> {
        answer.map_err(|error| {
            self.store.log(format!(
                "warn: the store failed: call={call} error={error:?}"
            ));
            Fault
        })
    }
}

struct OneByOne<'a, S, W>(&'a Line<S, W>);

impl<S: Store, W: Work<S::Job>> Queue for OneByOne<'_, S, W> {
    type Job = S::Job;

    async fn hold(&self, token: Option<String>) -> Result<Option<String>, Fault> {
        self.0.hold(token).await
    }

    async fn release(&self, token: String) -> Result<(), Fault> {
        self.0.release(token).await
    }

    async fn lease(&self) -> Result<Vec<S::Job>, Fault> {
        self.0.lease(self.0.terms.at_once).await
    }

    async fn work(&self, job: S::Job) {
        self.0.work.run(job).await;
    }

    async fn find_next_due(&self) -> Result<Option<u64>, Fault> {
        self.0.find_next_due().await
    }

    fn now_ms(&self) -> u64 {
        self.0.store.now_ms()
    }

    async fn sleep(&self, millis: u64) {
        self.0.store.sleep(millis).await;
    }
}

struct InFlight<S, W> {
    line: Rc<Line<S, W>>,
    places: Rc<Places>,
}

impl<S, W> InFlight<S, W> {
    fn left(&self) -> u32 {
        self.places.left(self.line.terms.at_once)
    }
}

impl<S: Store, W: Work<S::Job>> Queue for InFlight<S, W> {
    type Job = S::Job;

    async fn hold(&self, token: Option<String>) -> Result<Option<String>, Fault> {
        self.line.hold(token).await
    }

    async fn release(&self, token: String) -> Result<(), Fault> {
        self.line.release(token).await
    }

    async fn lease(&self) -> Result<Vec<S::Job>, Fault> {
        match self.left() {
            0 => Ok(Vec::new()),
            max => self.line.lease(max).await,
        }
    }

    async fn work(&self, job: S::Job) {
        let place = Place::take(&self.places);
        let (line, places) = (self.line.clone(), self.places.clone());
        self.line.store.spawn(async move {
            line.work.run(job).await;
            drop(place);
            line.drain_in_flight(places).await;
        });
    }

    async fn find_next_due(&self) -> Result<Option<u64>, Fault> {
        if self.left() == 0 {
            // Whoever makes room wakes the drain.
            return Ok(None);
        }
        self.line.find_next_due().await
    }

    fn now_ms(&self) -> u64 {
        self.line.store.now_ms()
    }

    async fn sleep(&self, millis: u64) {
        self.line.store.sleep(millis).await;
    }
}

#[cfg(test)]
mod tests;
