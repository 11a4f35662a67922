//! Runs one instance: takes requests from the pool, several at once, until the instance ends.
//!
//! 1. A request is taken only when the store's event loop is in control, and then one work item
//!    of the guest runs first: instances share a burst instead of one taking it all.
//! 2. An instance ends by a trap, by a limit, when nothing ran in it for [`IDLE_TIMEOUT`], and when
//!    the pool stops. With it end the requests and the work that shared it.
//!    When the pool stops, an instance that has streamed events ends [`STREAM_GRACE`] after its last
//!    response: the host has ended its streams, but the guest, which waits for something to send,
//!    does not know yet.
//! 3. After a request ran out of time the instance takes no more.
//! 4. An instance of WASI 0.2 takes one request and ends with it. While its guest blocks, nothing here
//!    runs: the store is not free. So what has to happen then is up to the pool and [`Activity`].

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt};
use tracing::{debug, error, info};
use wasmtime::component::{Accessor, Func};
use wasmtime::{AsContextMut, Store};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{Prepared, Proxy};

use super::activity::Activity;
use super::cpu::CpuClock;
use super::pool::{Free, Job, Pool, Seat};
use super::{Data, blueprint::Made};
use crate::telemetry::Ambient;

/// How long an instance is kept with nothing to do: chat traffic comes in bursts minutes apart,
/// and making one costs about a millisecond.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an instance whose streams of events were ended may work on: a write to the database
/// takes milliseconds.
const STREAM_GRACE: Duration = Duration::from_secs(1);

/// Makes an instance and runs it to its end.
pub(super) async fn run(mut seat: Seat) {
    let made = make(&seat.pool).await;
    seat.started();
    match made {
        Ok(made) => {
            seat.pool.counters.started();
            Worker::new(&seat.pool, made.clock.clone()).run(made).await;
        }
        Err(error) => {
            error!(component = %seat.pool.blueprint.id, error = ?error, "instance not made");
            // One request pays for each failed attempt, so that the queue always gets shorter.
            drop(seat.pool.try_take());
        }
    }
}

async fn make(pool: &Pool) -> wasmtime::Result<Made> {
    let limit = pool.blueprint.limits.response_timeout;
    tokio::select! {
        made = pool.blueprint.make() => made,
        () = tokio::time::sleep(limit) => {
            Err(wasmtime::format_err!("instantiation took over {} s", limit.as_secs()))
        }
        () = pool.stop.now.cancelled() => Err(wasmtime::format_err!("the host stops")),
    }
}

struct Worker<'p> {
    pool: &'p Arc<Pool>,
    activity: Arc<Activity>,
    clock: Arc<CpuClock>,
    /// Whose the calls of the guest are.
    requests: Ambient,
    /// Whether the last turn of the event loop ended with room for a request.
    has_room: AtomicBool,
}

impl<'p> Worker<'p> {
    fn new(pool: &'p Arc<Pool>, clock: Arc<CpuClock>) -> Self {
        Self {
            pool,
            activity: Arc::new(Activity::new(Instant::now())),
            clock,
            requests: Ambient::default(),
            has_room: AtomicBool::new(false),
        }
    }

    async fn run(&self, made: Made) {
        let component = &*self.pool.blueprint.id;
        let Made {
            mut store, proxy, ..
        } = made;
        let result = tokio::select! {
            result = self.drive(&mut store, &proxy) => result,
            why = self.activity.overdue(&self.pool.blueprint.limits) => Err(why.into()),
            () = self.pool.stop.now.cancelled() => {
                info!(component, "instance dropped with work in it: the host stops");
                return;
            }
        };
        match result {
            Ok(()) => debug!(component, "instance ended"),
            Err(error) => {
                self.ended(&store, &error);
                if self.pool.blueprint.serves_once() {
                    // Before the store goes: a body of WASI 0.2 that goes with it looks like a whole one.
                    self.activity.breaks();
                }
            }
        }
    }

    /// Reports an instance that a trap or a limit ended.
    fn ended(&self, store: &Store<Data>, error: &wasmtime::Error) {
        self.pool.counters.trapped();
        error!(
            component = &*self.pool.blueprint.id,
            requests = ?self.activity.waiting(),
            out_of_memory = store.data().memory.refused(),
            error = ?error,
            "instance ended by a trap or a limit",
        );
    }

    /// Polls the store, measures its CPU time, and tells the pool when it is free.
    async fn drive(&self, store: &mut Store<Data>, proxy: &Proxy) -> wasmtime::Result<()> {
        let mut events = pin!(store.run_concurrent(async |accessor| {
            let mut turns = pin!(self.turns(accessor, proxy));
            std::future::poll_fn(|cx| {
                // The event loop is in control, so the guest has yielded.
                self.clock.yielded();
                turns.as_mut().poll(cx)
            })
            .await
        }));
        let mut free: Option<Free<'_>> = None;
        std::future::poll_fn(|cx| {
            free = None;
            self.has_room.store(false, Relaxed);
            let _request = self.requests.enter();
            let poll = self.clock.metered(|| events.as_mut().poll(cx));
            if poll.is_pending() {
                if self.has_room.load(Relaxed) && !self.clock.is_running() {
                    free = Some(self.pool.free());
                } else {
                    self.pool.relieve();
                }
            }
            poll
        })
        .await?
    }

    async fn turns(&self, accessor: &Accessor<Data>, proxy: &Proxy) -> wasmtime::Result<()> {
        let entry = entry(proxy);
        let at_once = self.pool.blueprint.limits.max_concurrency;
        let mut stopping = self.pool.stop.gently.is_cancelled();
        let mut running = FuturesUnordered::new();
        let mut spent = false;
        loop {
            let open = !spent && !self.activity.condemned();
            tokio::select! {
                biased;
                Some(answered) = running.next(), if !running.is_empty() => {
                    let (id, in_time) = answered?;
                    self.activity.answered(&id, Instant::now(), in_time);
                }
                job = self.take(accessor, entry), if open && running.len() < at_once => {
                    spent = self.pool.blueprint.serves_once();
                    running.push(self.start(accessor, proxy, job)?);
                    one_work_item().await;
                }
                () = quiet(accessor), if running.is_empty() && (stopping || !open) => return Ok(()),
                () = tokio::time::sleep(STREAM_GRACE), if running.is_empty() && stopping
                    && self.activity.has_streamed_events() => return Ok(()),
                () = self.rest(accessor), if running.is_empty() => return Ok(()),
                () = self.pool.stop.gently.cancelled(), if !stopping => stopping = true,
            }
        }
    }

    /// Hands a request to the guest. The future gives its id, and whether it was answered in time.
    fn start<'a>(
        &self,
        accessor: &'a Accessor<Data>,
        proxy: &'a Proxy,
        job: Job,
    ) -> wasmtime::Result<impl Future<Output = wasmtime::Result<(Arc<str>, bool)>> + use<'a>> {
        let Job {
            id,
            request,
            reply,
            deadline,
            trace,
            taken,
        } = job;
        self.requests.begin(trace);
        // Nobody else has this cell to fill.
        _ = taken.set(self.activity.clone());
        self.activity.started(&id, Instant::now());
        let prepared = accessor.with(|mut access| {
            Prepared::new(access.as_context_mut(), proxy, request, Data::http, reply)
        })?;
        let (activity, waiting) = (self.activity.clone(), id.clone());
        let expiration = async move {
            tokio::time::sleep_until(deadline.into()).await;
            if !activity.waits(&waiting) {
                // WASI 0.2 is still in the call that gave the response head.
                std::future::pending::<()>().await;
            }
        };
        Ok(async move { Ok((id, prepared.run(accessor, expiration).await?)) })
    }

    /// The next request, when the guest takes one.
    async fn take(&self, accessor: &Accessor<Data>, entry: Func) -> Job {
        std::future::poll_fn(|cx| accessor.poll_ready_for_concurrent_call(entry, cx)).await;
        loop {
            let mut bell = pin!(self.pool.bell());
            bell.as_mut().enable();
            if let Some(job) = self.pool.try_take() {
                return job;
            }
            std::future::poll_fn(|cx| {
                self.has_room.store(true, Relaxed);
                bell.as_mut().poll(cx)
            })
            .await;
        }
    }

    /// Returns when nothing has run in the guest for a while.
    async fn rest(&self, accessor: &Accessor<Data>) {
        quiet(accessor).await;
        self.activity.rests();
        self.requests.clear();
        tokio::time::sleep(IDLE_TIMEOUT).await;
    }
}

/// Returns when no task of the guest is left.
async fn quiet(accessor: &Accessor<Data>) {
    std::future::poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
}

/// Lets the event loop run one work item: it polls us again after each.
async fn one_work_item() {
    let mut waited = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn entry(proxy: &Proxy) -> Func {
    match proxy {
        Proxy::P3(guest) => *guest.wasi_http_handler().func_handle().func(),
        Proxy::P2(guest) => *guest.wasi_http_incoming_handler().func_handle().func(),
    }
}
