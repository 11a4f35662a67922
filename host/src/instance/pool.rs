//! The instances of one component and the queue of requests before them.
//!
//! 1. An instance is made when a request comes and none is free, up to [`max_instances`]; one that
//!    has nothing to do for a while is dropped.
//! 2. A request is taken by whichever instance is in control of itself first: never by one whose
//!    guest computes at that moment.
//! 3. A request whose sender left before any instance took it is never started.
//! 4. A request that no instance took in time is refused as busy, not as late.
//! 5. An instance of WASI 0.2 takes one request, so the limit on requests at once bounds instances.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use opentelemetry::trace::SpanContext;
use thiserror::Error;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmtime_wasi_http::handler::{ExpirationError, Request, Response};

use super::activity::Activity;
use super::blueprint::Blueprint;
use super::worker;
use crate::metrics::{Component, Counters};
use crate::telemetry::Ambient;

/// Time for the instance's own timers to answer first.
const GRACE: Duration = Duration::from_secs(2);

/// Instances of one component at once. More than the cores can run helps only while some wait for
/// a blocking call; two for each core cover that.
pub fn max_instances() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from) * 2
}

/// Why a request got no response from the guest.
#[derive(Debug, Error)]
pub enum Failure {
    /// No response head in time.
    #[error("no response head in time")]
    Late,
    /// Every instance was full for the whole time.
    #[error("no instance was free in time")]
    Busy,
    /// The instance ended: a trap, or a limit. Its worker logs why.
    #[error("the instance ended")]
    Ended,
    /// No instance could be made.
    #[error("no instance could be made")]
    Unmade,
    /// The guest answered with an error value.
    #[error("the component answered with the error {0}")]
    Guest(wasmtime::Error),
}

/// How instances are told to end.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Finish what is there, then end. Streams of events end at once.
    pub gently: CancellationToken,
    /// End now.
    pub now: CancellationToken,
    /// Counts everything that has to end.
    pub tasks: TaskTracker,
}

/// One request on its way to an instance.
pub(super) struct Job {
    pub id: Arc<str>,
    pub request: Request,
    pub reply: oneshot::Sender<wasmtime::Result<Response>>,
    pub deadline: Instant,
    /// The span it belongs to, when spans are collected.
    pub trace: Option<SpanContext>,
    /// Filled by the instance that takes the job.
    pub taken: Arc<OnceLock<Arc<Activity>>>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Instances, those included that are being made.
    live: usize,
    /// Instances that are being made.
    starting: usize,
}

/// The instances of one component.
pub struct Pool {
    pub(super) blueprint: Blueprint,
    pub(super) stop: Stop,
    /// What is counted of the component.
    pub counters: Counters,
    state: Mutex<State>,
    bell: Notify,
    free: AtomicUsize,
    max_instances: usize,
}

impl Pool {
    /// A pool without instances.
    pub fn new(blueprint: Blueprint, stop: Stop) -> Arc<Self> {
        let max_instances = if blueprint.serves_once() {
            blueprint.limits.max_concurrency
        } else {
            max_instances()
        };
        Arc::new(Self {
            blueprint,
            stop,
            counters: Counters::default(),
            state: Mutex::default(),
            bell: Notify::new(),
            free: AtomicUsize::new(0),
            max_instances,
        })
    }

    /// Has a request answered by the component: the response, and the instance it comes from.
    ///
    /// A caller that drops this future does not stop a guest that has started.
    pub async fn handle(
        self: &Arc<Self>,
        id: Arc<str>,
        request: Request,
    ) -> Result<(Response, Arc<Activity>), Failure> {
        let (reply, answer) = oneshot::channel();
        let taken = Arc::new(OnceLock::new());
        let deadline = Instant::now() + self.blueprint.limits.response_timeout;
        self.submit(Job {
            id: id.clone(),
            request,
            reply,
            deadline,
            trace: Ambient::current(),
            taken: taken.clone(),
        });

        let latest = tokio::time::Instant::from_std(deadline + GRACE);
        let answer = tokio::time::timeout_at(latest, answer).await;
        let Some(activity) = taken.get().cloned() else {
            return Err(if answer.is_ok() {
                Failure::Unmade
            } else {
                Failure::Busy
            });
        };
        match answer {
            Ok(Ok(Ok(response))) => {
                // The instance does not hear of it while its guest blocks.
                activity.answered(&id, Instant::now(), true);
                Ok((response, activity))
            }
            Ok(Ok(Err(error))) if error.is::<ExpirationError>() => Err(Failure::Late),
            Ok(Ok(Err(error))) => Err(Failure::Guest(error)),
            Ok(Err(oneshot::Canceled)) if Instant::now() < deadline => Err(Failure::Ended),
            Ok(Err(oneshot::Canceled)) | Err(_) => Err(Failure::Late),
        }
    }

    fn submit(self: &Arc<Self>, job: Job) {
        let mut state = self.lock();
        state.jobs.push_back(job);
        self.bell.notify_waiters();
        if self.free.load(SeqCst) == 0 && state.starting == 0 {
            self.grow(&mut state);
        }
    }

    /// Makes one more instance, if there may be one more.
    fn grow(self: &Arc<Self>, state: &mut State) {
        if state.live < self.max_instances {
            state.live += 1;
            state.starting += 1;
            let seat = Seat {
                pool: self.clone(),
                starting: true,
            };
            self.stop.tasks.spawn(worker::run(seat));
        }
    }

    /// The next request that somebody still waits for.
    pub(super) fn try_take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            let job = state.jobs.pop_front()?;
            if !job.reply.is_canceled() {
                return Some(job);
            }
        }
    }

    /// Rings when a request comes; enable it before [`Pool::try_take`].
    pub(super) fn bell(&self) -> Notified<'_> {
        self.bell.notified()
    }

    /// Makes another instance when requests wait and nobody is free to take them: whoever was free
    /// when they came may have begun to compute since.
    pub(super) fn relieve(self: &Arc<Self>) {
        let mut state = self.lock();
        if !state.jobs.is_empty() && self.free.load(SeqCst) == 0 && state.starting == 0 {
            self.grow(&mut state);
        }
    }

    /// Counts an instance as free, as long as the value lives.
    pub(super) fn free(&self) -> Free<'_> {
        self.free.fetch_add(1, SeqCst);
        Free(&self.free)
    }

    /// What there is to tell of the component.
    pub fn measured(&self) -> Component<'_> {
        let state = self.lock();
        Component {
            id: &self.blueprint.id,
            counters: &self.counters,
            instances: state.live,
            queued: state.jobs.len(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Pool::free`].
pub(super) struct Free<'a>(&'a AtomicUsize);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// The place of one instance in its pool; given back when dropped, also by a panic.
pub(super) struct Seat {
    pub pool: Arc<Pool>,
    starting: bool,
}

impl Seat {
    /// The instance has been made, or could not be.
    pub(super) fn started(&mut self) {
        if std::mem::replace(&mut self.starting, false) {
            self.pool.lock().starting -= 1;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.started();
        self.pool.lock().live -= 1;
        // What is queued may need another instance.
        if !self.pool.stop.now.is_cancelled() {
            self.pool.relieve();
        }
    }
}
