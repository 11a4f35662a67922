//! The world of these tests is one table of jobs, several instances and a scheduler that polls
//! them in any order, each store call being one step: so every interleaving can come up.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct World {
    now_ms: Cell<u64>,
    /// Due times of jobs that are not done.
    jobs: RefCell<Vec<u64>>,
    done: Cell<usize>,
    holder: RefCell<Option<(String, u64)>>,
    tokens: Cell<u32>,
    /// So many store calls fail from now on.
    failing: Cell<u32>,
    /// Due jobs cannot be leased: another's lease blocks them.
    blocked: Cell<bool>,
    calls: Cell<u32>,
}

impl World {
    /// One step of the scheduler: a call on its way to the store, or the answer on its way back.
    async fn travel(&self) {
        let mut yielded = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// A call that reaches the store, does `action` there, and brings the answer home later.
    async fn call<T>(&self, action: impl FnOnce() -> T) -> Result<T, Fault> {
        self.travel().await;
        self.calls.set(self.calls.get() + 1);
        let answer = match self.failing.get() {
            0 => Ok(action()),
            left => {
                self.failing.set(left - 1);
                Err(Fault)
            }
        };
        self.travel().await;
        answer
    }
}

impl Queue for World {
    type Job = ();

    async fn hold(&self, token: Option<String>) -> Result<Option<String>, Fault> {
        self.call(|| {
            let now = self.now_ms();
            let mut holder = self.holder.borrow_mut();
            if holder
                .as_ref()
                .is_some_and(|(held, until)| *until > now && token.as_ref() != Some(held))
            {
                return None;
            }
            self.tokens.set(self.tokens.get() + 1);
            let token = token.unwrap_or_else(|| self.tokens.get().to_string());
            *holder = Some((token.clone(), now + u64::from(HOLD_MS)));
            Some(token)
        })
        .await
    }

    async fn release(&self, token: String) -> Result<(), Fault> {
        self.call(|| drop(self.holder.borrow_mut().take_if(|(held, _)| *held == token)))
            .await
    }

    async fn lease(&self) -> Result<Vec<()>, Fault> {
        self.call(|| {
            if self.blocked.get() {
                return Vec::new();
            }
            let now = self.now_ms();
            let mut jobs = self.jobs.borrow_mut();
            let before = jobs.len();
            jobs.retain(|due| *due > now);
            vec![(); before - jobs.len()]
        })
        .await
    }

    async fn work(&self, (): ()) {
        // A failure here would be the work's own to settle.
        if self
            .call(|| self.done.set(self.done.get() + 1))
            .await
            .is_err()
        {
            self.done.set(self.done.get() + 1);
        }
    }

    async fn find_next_due(&self) -> Result<Option<u64>, Fault> {
        self.call(|| self.jobs.borrow().iter().min().copied()).await
    }

    fn now_ms(&self) -> u64 {
        self.now_ms.get()
    }

    async fn sleep(&self, millis: u64) {
        let until = self.now_ms() + millis;
        // Nothing wakes it but time: in a component one task cannot wake another everywhere.
        std::future::poll_fn(|_| {
            if self.now_ms() >= until {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Tasks that are polled one step at a time. A task is polled only when it was woken or when time
/// has passed, as a real executor does it.
struct Scheduler {
    world: Rc<World>,
    bells: Vec<Rc<Bell>>,
    tasks: Vec<(Task, Arc<Woken>)>,
}

impl Scheduler {
    fn new(instances: usize) -> Self {
        Scheduler {
            world: Rc::default(),
            bells: (0..instances).map(|_| Rc::default()).collect(),
            tasks: Vec::new(),
        }
    }

    /// A job is stored, then an instance is woken.
    fn add_job(&mut self, instance: usize, due_in_ms: u64) {
        self.world
            .jobs
            .borrow_mut()
            .push(self.world.now_ms() + due_in_ms);
        self.wake(instance);
    }

    fn wake(&mut self, instance: usize) {
        let (world, bell) = (
            self.world.clone(),
            self.bells[instance % self.bells.len()].clone(),
        );
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.tasks
            .push((Box::pin(async move { wake(&bell, &*world).await }), woken));
    }

    /// Polls one runnable task; false when there is none.
    fn step(&mut self, pick: usize) -> bool {
        let runnable: Vec<_> = (0..self.tasks.len())
            .filter(|&at| self.tasks[at].1.0.load(Ordering::Relaxed))
            .collect();
        let Some(&at) = runnable.get(pick % runnable.len().max(1)) else {
            return false;
        };
        let (task, woken) = &mut self.tasks[at];
        woken.0.store(false, Ordering::Relaxed);
        let waker = woken.clone().into();
        if task
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            drop(self.tasks.swap_remove(at));
        }
        true
    }

    fn settle(&mut self) {
        while self.step(0) {}
    }

    /// Lets time go by in slices, and everybody do what they want to meanwhile.
    fn pass(&mut self, millis: u64) {
        let mut left = millis;
        while left > 0 {
            let slice = left.min(SLICE_MS);
            left -= slice;
            self.world.now_ms.set(self.world.now_ms() + slice);
            for (_, woken) in &self.tasks {
                woken.0.store(true, Ordering::Relaxed);
            }
            self.settle();
        }
    }
}

#[test]
fn a_wake_does_what_is_due_and_ends() {
    let mut scheduler = Scheduler::new(1);
    scheduler.add_job(0, 0);
    scheduler.settle();
    assert_eq!((scheduler.world.done.get(), scheduler.tasks.len()), (1, 0));
    assert!(
        scheduler.world.holder.borrow().is_none(),
        "the hold is given back"
    );
}

#[test]
fn a_job_that_is_due_soon_is_waited_for_without_the_hold() {
    let mut scheduler = Scheduler::new(2);
    scheduler.add_job(0, NEAR_MS);
    scheduler.settle();
    assert_eq!((scheduler.world.done.get(), scheduler.tasks.len()), (0, 1));
    assert!(scheduler.world.holder.borrow().is_none());
    for (name, instance, done) in [
        ("the sleeper's own instance", 0, 1),
        ("another instance", 1, 2),
    ] {
        scheduler.add_job(instance, 0);
        scheduler.settle();
        assert_eq!(
            scheduler.world.done.get(),
            done,
            "{name}, without any time passing"
        );
        scheduler.pass(SLICE_MS);
        assert!(
            scheduler.tasks.len() <= 2,
            "{name}: only one sleeper stays in an instance"
        );
    }
    scheduler.pass(NEAR_MS);
    assert_eq!((scheduler.world.done.get(), scheduler.tasks.len()), (3, 0));
}

#[test]
fn a_job_that_is_due_late_is_left_to_the_sweep() {
    let mut scheduler = Scheduler::new(1);
    scheduler.add_job(0, NEAR_MS + 1);
    scheduler.settle();
    assert_eq!((scheduler.world.done.get(), scheduler.tasks.len()), (0, 0));
}

#[test]
fn a_store_that_does_not_answer_ends_the_drain_after_a_few_seconds() {
    for (name, failing, done) in [("for a moment", 3, 1), ("for ever", u32::MAX, 0)] {
        let mut scheduler = Scheduler::new(1);
        scheduler.world.failing.set(failing);
        scheduler.add_job(0, 0);
        scheduler.settle();
        scheduler.pass(20 * MAX_PAUSE_MS);
        assert_eq!(
            (scheduler.world.done.get(), scheduler.tasks.len()),
            (done, 0),
            "{name}"
        );
        assert!(scheduler.world.calls.get() < 30, "{name}");
    }
}

#[test]
fn a_blocked_queue_is_not_asked_in_a_loop() {
    let mut scheduler = Scheduler::new(1);
    scheduler.world.blocked.set(true);
    scheduler.add_job(0, 0);
    scheduler.settle();
    let calls = scheduler.world.calls.get();
    assert!(
        calls <= 8,
        "two rounds of four, not {calls} calls, without any time passing"
    );
    scheduler.world.blocked.set(false);
    scheduler.pass(MAX_PAUSE_MS);
    assert_eq!((scheduler.world.done.get(), scheduler.tasks.len()), (1, 0));
}

#[test]
fn a_drain_that_was_dropped_leaves_the_bell_free() {
    let mut scheduler = Scheduler::new(1);
    scheduler.add_job(0, 0);
    scheduler.step(0);
    scheduler.tasks.clear();
    scheduler.pass(u64::from(HOLD_MS));
    scheduler.wake(0);
    scheduler.settle();
    assert_eq!(scheduler.world.done.get(), 1);
}

#[test]
fn the_pauses_grow_and_stay_short() {
    for (fruitless, want) in [
        (0, 0),
        (1, 0),
        (2, 50),
        (3, 100),
        (6, 800),
        (7, 1_000),
        (u32::MAX, 1_000),
    ] {
        assert_eq!(pause_ms(fruitless), want, "{fruitless}");
    }
}

proptest! {
    /// The promise of the module: whoever stores a job and then wakes any instance, in whatever
    /// order the steps fall, finds it done without a sweep and without time passing.
    #[test]
    fn no_wake_up_is_lost(
        instances in 1..4usize,
        moves in proptest::collection::vec((0..4usize, any::<prop::sample::Index>()), 1..80),
        late in proptest::option::of(1..NEAR_MS),
    ) {
        let mut scheduler = Scheduler::new(instances);
        if let Some(late) = late {
            scheduler.add_job(0, late);
        }
        let mut added = 0;
        for (what, pick) in moves {
            if what == 0 {
                scheduler.add_job(pick.index(instances), 0);
                added += 1;
            } else {
                scheduler.step(pick.index(64));
            }
        }
        scheduler.settle();
        prop_assert_eq!(scheduler.world.done.get(), added);
        prop_assert!(scheduler.world.holder.borrow().is_none());
        scheduler.pass(SLICE_MS);
        prop_assert!(scheduler.tasks.len() <= instances, "one sleeper for each instance at most");
        scheduler.pass(NEAR_MS);
        prop_assert_eq!(scheduler.world.done.get(), added + usize::from(late.is_some()));
        prop_assert_eq!(scheduler.tasks.len(), 0);
    }
}
