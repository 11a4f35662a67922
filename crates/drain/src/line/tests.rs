//! The work of these tests waits until its gate is open, so that what is in flight can be counted.

use std::cell::RefCell;

use proptest::prelude::*;

use super::*;
use crate::fake::{Error, Fake, Job, step};

#[derive(Default)]
struct Seen {
    /// Jobs that may end; none: all.
    gate: RefCell<Option<Vec<u64>>>,
    running: RefCell<Vec<Job>>,
    done: RefCell<Vec<u64>>,
    most: Cell<usize>,
    begun: Cell<usize>,
}

impl Seen {
    fn may_end(&self, seq: u64) -> bool {
        self.gate
            .borrow()
            .as_ref()
            .is_none_or(|it| it.contains(&seq))
    }

    fn running(&self) -> Vec<u64> {
        let mut running: Vec<u64> = self.running.borrow().iter().map(|job| job.seq).collect();
        running.sort_unstable();
        running
    }
}

struct Gated(Fake, Rc<Seen>);

impl Work<Job> for Gated {
    fn begin(&self) {
        self.1.begun.set(self.1.begun.get() + 1);
    }

    async fn run(&self, job: Job) {
        let Self(store, seen) = self;
        {
            let mut running = seen.running.borrow_mut();
            let together = running.iter().any(|it| it.key == job.key);
            assert!(!together, "two of one ordering key");
            running.push(job.clone());
            seen.most.set(seen.most.get().max(running.len()));
        }
        step().await;
        while !seen.may_end(job.seq) {
            step().await;
        }
        seen.running.borrow_mut().retain(|it| it.seq != job.seq);
        seen.done.borrow_mut().push(job.seq);
        store.finish(job.seq);
    }
}

fn terms(at_once: u32) -> Terms {
    Terms {
        right: "right".to_owned(),
        kinds: vec!["kind".to_owned()],
        at_once,
        lease_ms: 7,
    }
}

type Gates = Rc<Line<Fake, Gated>>;

fn line(store: &Fake, at_once: u32) -> (Gates, Rc<Seen>) {
    let seen = Rc::<Seen>::default();
    let work = Gated(store.clone(), seen.clone());
    (
        Rc::new(Line::new(store.clone(), terms(at_once), work)),
        seen,
    )
}

fn wake_in_flight(store: &Fake, line: &Gates, places: &Rc<Places>) {
    store.spawn(line.clone().drain_in_flight(places.clone()));
}

#[test]
fn one_after_another_never_runs_two() {
    let store = Fake::with(&[1, 2, 1, 3]);
    let (line, seen) = line(&store, 2);
    let bell = Bell::default();
    store.spawn(async move { line.drain(&bell).await });
    store.settle();
    assert_eq!(*seen.done.borrow(), [1, 2, 3, 4]);
    assert_eq!((seen.most.get(), store.tasks()), (1, 0));
    assert!(!store.is_held());
}

#[test]
fn the_store_is_asked_on_the_terms() {
    let store = Fake::with(&[1]);
    let (line, seen) = line(&store, 9);
    let bell = Bell::default();
    store.spawn(async move { line.drain(&bell).await });
    store.settle();
    assert_eq!(
        *store.0.calls.borrow(),
        [
            "hold right None 15000",
            r#"lease ["kind"] 9 7"#,
            r#"lease ["kind"] 9 7"#,
            "release right token",
            r#"find-next-due ["kind"]"#,
        ]
    );
    assert_eq!(
        seen.begun.get(),
        store.count("lease"),
        "once for each lease"
    );
}

#[test]
fn as_many_are_in_flight_as_there_are_places() {
    let store = Fake::with(&[1, 2, 3, 4, 5]);
    let (line, seen) = line(&store, 3);
    let places = Rc::<Places>::default();
    *seen.gate.borrow_mut() = Some(vec![]);
    wake_in_flight(&store, &line, &places);
    store.settle();
    assert_eq!(seen.running(), [1, 2, 3]);
    assert!(!store.is_held(), "work in flight does not keep the right");
    let (leases, looks) = (store.count("lease"), store.count("find-next-due"));
    assert_eq!((leases, looks), (1, 0), "a full queue is not asked");

    wake_in_flight(&store, &line, &places);
    store.settle();
    let asked = (store.count("lease"), store.count("find-next-due"));
    assert_eq!(asked, (leases, looks), "nor by another wake");

    *seen.gate.borrow_mut() = Some(vec![2]);
    store.settle();
    assert_eq!(seen.running(), [1, 3, 4], "whoever ends makes room for one");
    assert!(
        store
            .0
            .calls
            .borrow()
            .iter()
            .any(|it| it == r#"lease ["kind"] 1 7"#),
        "as many are leased as there is room for"
    );
    *seen.gate.borrow_mut() = None;
    store.settle();
    assert_eq!((seen.done.borrow().len(), seen.most.get()), (5, 3));
    assert_eq!((store.tasks(), places.taken.get()), (0, 0));
}

#[test]
fn the_next_of_an_ordering_key_follows_when_the_first_ends() {
    let store = Fake::with(&[1, 1, 2]);
    let (line, seen) = line(&store, 3);
    *seen.gate.borrow_mut() = Some(vec![3]);
    wake_in_flight(&store, &line, &Rc::default());
    store.settle();
    assert_eq!((seen.running(), seen.done.take()), (vec![1], vec![3]));
    *seen.gate.borrow_mut() = None;
    store.settle();
    assert_eq!(*seen.done.borrow(), [1, 2]);
    assert_eq!(store.tasks(), 0);
}

#[test]
fn a_wake_while_jobs_are_in_flight_takes_the_places_that_are_left() {
    let store = Fake::with(&[1]);
    let (line, seen) = line(&store, 2);
    let places = Rc::<Places>::default();
    *seen.gate.borrow_mut() = Some(vec![]);
    wake_in_flight(&store, &line, &places);
    store.settle();
    for seq in [2, 3] {
        store.add(seq, u32::try_from(seq).unwrap());
        wake_in_flight(&store, &line, &places);
        store.settle();
        assert_eq!(seen.running(), [1, 2], "{seq}");
    }
}

#[test]
fn a_task_that_is_dropped_half_way_gives_its_place_back() {
    let store = Fake::with(&[1, 2]);
    let (line, seen) = line(&store, 2);
    let places = Rc::<Places>::default();
    *seen.gate.borrow_mut() = Some(vec![]);
    wake_in_flight(&store, &line, &places);
    store.settle();
    assert_eq!(places.taken.get(), 2);
    store.drop_tasks();
    assert_eq!(places.taken.get(), 0);
    *seen.gate.borrow_mut() = None;
    store.add(3, 3);
    wake_in_flight(&store, &line, &places);
    store.settle();
    assert_eq!(*seen.done.borrow(), [3]);
}

#[test]
fn what_the_store_says_is_logged_with_the_call() {
    for call in ["hold", "release", "lease", "find-next-due"] {
        for in_flight in [false, true] {
            let store = Fake::with(&[1]);
            let (line, _) = line(&store, 1);
            let error = Error::Other("disk".to_owned());
            *store.0.failing.borrow_mut() = Some((call, error));
            if in_flight {
                wake_in_flight(&store, &line, &Rc::default());
            } else {
                let bell = Bell::default();
                store.spawn(async move { line.drain(&bell).await });
            }
            store.settle();
            let want = format!(r#"warn: the store failed: call={call} error=Other("disk")"#);
            let log = store.0.log.borrow();
            assert!(
                !log.is_empty() && log.iter().all(|it| *it == want),
                "{log:?}"
            );
            assert_eq!(store.tasks(), 0, "{call}");
        }
    }
}

proptest! {
    /// In whatever order the steps fall and jobs come in, each is done once, never more at once than
    /// there are places, never two of one ordering key (which the work itself checks).
    #[test]
    fn every_job_is_done_once(
        at_once in 1..5u32,
        moves in proptest::collection::vec((0..4u8, any::<prop::sample::Index>()), 1..200),
    ) {
        let store = Fake::default();
        let (line, seen) = line(&store, at_once);
        let places = Rc::<Places>::default();
        let mut added: Vec<u64> = vec![];
        for (what, pick) in moves {
            if what == 0 {
                let seq = added.len() as u64 + 1;
                added.push(seq);
                store.add(seq, u32::try_from(pick.index(4)).unwrap());
                wake_in_flight(&store, &line, &places);
            } else {
                store.poll(pick.index(64));
            }
        }
        store.settle();
        let mut done = seen.done.take();
        done.sort_unstable();
        prop_assert_eq!(done, added);
        prop_assert!(seen.most.get() <= usize::try_from(at_once).unwrap());
        prop_assert_eq!((store.tasks(), places.taken.get(), store.is_held()), (0, 0, false));
    }
}
