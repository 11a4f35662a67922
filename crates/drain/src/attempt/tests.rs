use std::cell::Cell;

use super::*;
use crate::fake::{Error, Fake, Job};

/// Starts job 5, whose work ends with `done`: what the store was asked, and what was logged.
fn start(
    store: &Fake,
    (number, attempts): (u32, Option<u32>),
    done: Result<(), Error>,
) -> (Vec<String>, Vec<String>) {
    store.0.now_ms.set(1_000);
    let job = Job {
        seq: 5,
        key: 0,
        attempt: number,
        lease_until: 16_000,
    };
    let own = store.clone();
    store.spawn(async move { attempt(&own, job, attempts, async |_| done).await });
    store.settle();
    assert_eq!(store.tasks(), 0);
    (store.0.calls.take(), store.0.log.take())
}

#[test]
fn a_failed_job_is_settled() {
    let invalid = || Error::Invalid("no phase".to_owned());
    let other = || Error::Other("disk".to_owned());
    for (name, starts, done, call, line) in [
        ("done", (1, Some(3)), Ok(()), "", ""),
        ("another has it", (9, Some(3)), Err(Error::Stale), "", ""),
        (
            "hopeless",
            (1, Some(3)),
            Err(invalid()),
            "bury job-5 no phase",
            "error: job buried: seq=5 attempt=1",
        ),
        (
            "first failure",
            (1, Some(3)),
            Err(other()),
            "retry job-5 1255 the store failed",
            r#"warn: job put off: seq=5 attempt=1 error=Other("disk")"#,
        ),
        (
            "last but one",
            (2, Some(3)),
            Err(other()),
            "retry job-5 1505 the store failed",
            r#"warn: job put off: seq=5 attempt=2 error=Other("disk")"#,
        ),
        (
            "last",
            (3, Some(3)),
            Err(other()),
            "bury job-5 the store failed 3 times",
            "error: job buried: seq=5 attempt=3 error=disk",
        ),
        (
            "without an end",
            (3, None),
            Err(other()),
            "retry job-5 2005 the store failed",
            r#"warn: job put off: seq=5 attempt=3 error=Other("disk")"#,
        ),
        (
            "busy is not the job's fault",
            (3, Some(3)),
            Err(Error::Busy),
            "retry job-5 2005 the store failed",
            "warn: job put off: seq=5 attempt=3 error=Busy",
        ),
    ] {
        let want = |line: &str| match line {
            "" => vec![],
            line => vec![line.to_owned()],
        };
        let seen = start(&Fake::default(), starts, done);
        assert_eq!(seen, (want(call), want(line)), "{name}");
    }
}

#[test]
fn a_settlement_that_fails_is_left_to_the_lease() {
    let store = Fake::default();
    *store.0.failing.borrow_mut() = Some(("bury", Error::Busy));
    let invalid = Error::Invalid(String::new());
    let (_, log) = start(&store, (1, None), Err(invalid));
    assert_eq!(
        log.last().unwrap(),
        "warn: job not settled: seq=5 error=Busy"
    );
}

#[test]
fn a_lease_that_is_nearly_over_is_prolonged_first() {
    for (name, left, failing, calls, worked) in [
        ("enough", 5_000, None, vec![], true),
        ("less", 4_999, None, vec!["extend job-5 15000"], true),
        ("over", 0, None, vec!["extend job-5 15000"], true),
        (
            "lost",
            0,
            Some(("extend", Error::Stale)),
            vec!["extend job-5 15000"],
            false,
        ),
        (
            "the store is busy",
            0,
            Some(("extend", Error::Busy)),
            vec!["extend job-5 15000", "retry job-5 1255 the store failed"],
            false,
        ),
    ] {
        let store = Fake::default();
        store.0.now_ms.set(1_000);
        *store.0.failing.borrow_mut() = failing;
        let job = Job {
            seq: 5,
            key: 0,
            attempt: 1,
            lease_until: 1_000 + left,
        };
        let done = std::rc::Rc::new(Cell::new(false));
        let (own, mark) = (store.clone(), done.clone());
        store.spawn(async move {
            let work = async |_| {
                mark.set(true);
                Ok(())
            };
            attempt(&own, job, None, work).await;
        });
        store.settle();
        assert_eq!(*store.0.calls.borrow(), calls, "{name}");
        assert_eq!(done.get(), worked, "{name}");
    }
}
