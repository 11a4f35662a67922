//! A job of which only the newest counts: it takes the place of one that waits, for so long only.

use super::actions::{latest, of, payload};
use super::*;

#[test]
fn a_newer_job_takes_the_place_of_one_that_waits() {
    let store = Store::new();
    let start = store.now.get();
    of(
        &store,
        "a:1",
        &[inbound("m1"), latest("r", start + 100, Some(250))],
    );
    store.pass(90);
    of(
        &store,
        "a:1",
        &[
            inbound("m2"),
            latest("r", start + 190, Some(250)),
            latest("other", start + 190, None),
        ],
    );
    of(
        &store,
        "a:2",
        &[inbound("n1"), latest("r", start + 190, Some(250))],
    );
    store.pass(20);
    assert!(store.lease_kinds(&["reply"], 9).is_empty(), "put off");
    store.pass(80);
    let jobs = store.lease_kinds(&["reply"], 9);
    assert_eq!(jobs.len(), 3, "one a conversation and key");
    let context = block_on(read_context(
        &store.connection,
        store.moment(),
        &jobs[0].token,
        0,
    ))
    .unwrap();
    assert_eq!(
        context.message.unwrap().content.id,
        "m2",
        "about the newer message"
    );
    assert_eq!(payload(&jobs[0])["due"], start + 190);
}

#[test]
fn a_job_is_put_off_for_so_long_only() {
    let store = Store::new();
    let start = store.now.get();
    for step in 0..5 {
        of(
            &store,
            "a:1",
            &[
                inbound(&format!("m{step}")),
                latest("r", start + step * 100 + 100, Some(250)),
            ],
        );
    }
    store.pass(250);
    assert_eq!(store.lease_kinds(&["reply"], 9).len(), 1);
}

#[test]
fn a_job_at_work_loses_its_lease_to_a_newer_one() {
    let store = Store::new();
    let now = store.now.get();
    of(&store, "a:1", &[inbound("m1"), latest("r", now, None)]);
    let old = store.lease_kinds(&["reply"], 9).remove(0);
    of(&store, "a:1", &[inbound("m2"), latest("r", now, None)]);
    assert_eq!(store.commit(&old.token, &[]), Err(Error::Stale));
    let new = store.lease_kinds(&["reply"], 9);
    assert_eq!(new.len(), 1, "{new:?}");
    store.commit(&new[0].token, &[]).unwrap();
    // One that is over makes way, too.
    of(&store, "a:1", &[inbound("m3"), latest("r", now, None)]);
    assert_eq!(store.lease_kinds(&["reply"], 9).len(), 1);
}
