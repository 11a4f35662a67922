//! A store in memory, with a scheduler for what it spawns. Each call takes a step on the way there
//! and one on the way back.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::{Fate, Store, Ticket};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    Stale,
    Invalid(String),
    Other(String),
    Busy,
}

#[derive(Debug, Clone)]
pub struct Job {
    pub seq: u64,
    /// The ordering key: two jobs with one key are never leased together.
    pub key: u32,
    pub attempt: u32,
    pub lease_until: u64,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
pub struct State {
    pub now_ms: Cell<u64>,
    pub waiting: RefCell<Vec<Job>>,
    pub leased: RefCell<Vec<Job>>,
    /// Every call, with what it was given.
    pub calls: RefCell<Vec<String>>,
    pub log: RefCell<Vec<String>>,
    /// What calls of this name answer instead.
    pub failing: RefCell<Option<(&'static str, Error)>>,
    held: Cell<bool>,
    tasks: RefCell<Vec<Task>>,
}

#[derive(Clone, Default)]
pub struct Fake(pub Rc<State>);

/// One step of the scheduler.
pub async fn step() {
    let mut yielded = false;
    poll_fn(|_| {
        if std::mem::replace(&mut yielded, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

impl Fake {
    /// A store with a job of each of these ordering keys.
    pub fn with(keys: &[u32]) -> Self {
        let fake = Self::default();
        for (seq, key) in (1..).zip(keys) {
            fake.add(seq, *key);
        }
        fake
    }

    pub fn add(&self, seq: u64, key: u32) {
        let (attempt, lease_until) = (1, 0);
        self.0.waiting.borrow_mut().push(Job {
            seq,
            key,
            attempt,
            lease_until,
        });
    }

    /// The work is done with this job.
    pub fn finish(&self, seq: u64) {
        self.0.leased.borrow_mut().retain(|job| job.seq != seq);
    }

    pub fn is_held(&self) -> bool {
        self.0.held.get()
    }

    pub fn tasks(&self) -> usize {
        self.0.tasks.borrow().len()
    }

    pub fn count(&self, call: &str) -> usize {
        let calls = self.0.calls.borrow();
        calls.iter().filter(|it| it.starts_with(call)).count()
    }

    /// Polls one task.
    pub fn poll(&self, pick: usize) {
        let count = self.tasks();
        if count == 0 {
            return;
        }
        let mut task = self.0.tasks.borrow_mut().remove(pick % count);
        let mut context = Context::from_waker(Waker::noop());
        if task.as_mut().poll(&mut context).is_pending() {
            self.0.tasks.borrow_mut().push(task);
        }
    }

    /// Polls each task in turn until there is none, or for longer than any of these tests needs.
    pub fn settle(&self) {
        for _ in 0..10_000 {
            self.poll(0);
        }
    }

    /// Drops every task half-way, as a host does whose time for an instance is over.
    pub fn drop_tasks(&self) {
        let tasks = std::mem::take(&mut *self.0.tasks.borrow_mut());
        drop(tasks);
    }

    async fn call<T>(
        &self,
        name: &str,
        given: String,
        action: impl FnOnce(&State) -> T,
    ) -> Result<T, Error> {
        step().await;
        let line = format!("{name} {given}").trim_end().to_owned();
        self.0.calls.borrow_mut().push(line);
        let failing = self.0.failing.borrow().clone();
        let answer = match failing {
            Some((call, error)) if call == name => Err(error),
            _ => Ok(action(&self.0)),
        };
        step().await;
        answer
    }
}

impl Store for Fake {
    type Job = Job;
    type Error = Error;

    async fn hold(
        &self,
        name: String,
        token: Option<String>,
        for_ms: u32,
    ) -> Result<Option<String>, Error> {
        let given = format!("{name} {token:?} {for_ms}");
        let take = |state: &State| {
            let mine = token.is_some() || !state.held.replace(true);
            mine.then(|| "token".to_owned())
        };
        self.call("hold", given, take).await
    }

    async fn release(&self, name: String, token: String) -> Result<(), Error> {
        let release = |state: &State| state.held.set(false);
        self.call("release", format!("{name} {token}"), release)
            .await
    }

    async fn lease(&self, kinds: Vec<String>, max: u32, for_ms: u32) -> Result<Vec<Job>, Error> {
        let given = format!("{kinds:?} {max} {for_ms}");
        let lease = |state: &State| {
            let mut leased = state.leased.borrow_mut();
            let mut keys: BTreeSet<u32> = leased.iter().map(|job| job.key).collect();
            let mut free = |job: &mut Job| keys.insert(job.key);
            let max = usize::try_from(max).unwrap();
            let mut waiting = state.waiting.borrow_mut();
            let mut jobs: Vec<Job> = waiting.extract_if(.., &mut free).collect();
            let rest = jobs.split_off(max.min(jobs.len()));
            waiting.splice(0..0, rest);
            waiting.sort_by_key(|job| job.seq);
            leased.extend(jobs.iter().cloned());
            jobs
        };
        self.call("lease", given, lease).await
    }

    async fn find_next_due(&self, kinds: Vec<String>) -> Result<Option<u64>, Error> {
        let due = |state: &State| {
            let leased = state.leased.borrow();
            let is_free = |job: &&Job| leased.iter().all(|it| it.key != job.key);
            state.waiting.borrow().iter().find(is_free).map(|_| 0)
        };
        self.call("find-next-due", format!("{kinds:?}"), due).await
    }

    async fn extend(&self, token: String, for_ms: u32) -> Result<(), Error> {
        self.call("extend", format!("{token} {for_ms}"), |_| ())
            .await
    }

    async fn retry(&self, token: String, at: u64, reason: String) -> Result<(), Error> {
        self.call("retry", format!("{token} {at} {reason}"), |_| ())
            .await
    }

    async fn bury(&self, token: String, reason: String) -> Result<(), Error> {
        self.call("bury", format!("{token} {reason}"), |_| ()).await
    }

    fn ticket(job: &Job) -> Ticket {
        Ticket {
            seq: job.seq,
            attempt: job.attempt,
            token: format!("job-{}", job.seq),
            lease_until: job.lease_until,
        }
    }

    fn fate(error: Error) -> Fate {
        match error {
            Error::Stale => Fate::Lost,
            Error::Invalid(reason) => Fate::Hopeless(reason),
            Error::Other(reason) => Fate::Failed(reason),
            Error::Busy => Fate::Unwell,
        }
    }

    fn now_ms(&self) -> u64 {
        self.0.now_ms.get()
    }

    async fn sleep(&self, millis: u64) {
        step().await;
        self.0.now_ms.set(self.now_ms() + millis);
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.tasks.borrow_mut().push(Box::pin(task));
    }

    fn log(&self, line: String) {
        self.0.log.borrow_mut().push(line);
    }
}
