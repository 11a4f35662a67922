//! A clock that was ahead and came back.

use super::sends::{lease_send, opened, submitted};
use super::*;

const HOURS_MS: u64 = 6 * 3_600_000;

fn right(store: &Store) -> Option<String> {
    block_on(hold(
        &store.connection,
        store.moment(),
        "worker",
        None,
        15_000,
    ))
    .unwrap()
}

fn pass(store: &Store, job: &Job) -> Clearance {
    let pace = |scope| Pace {
        scope,
        count: 1,
        per_ms: 1_000,
    };
    let gate = Gate {
        paces: vec![pace(PaceScope::Account), pace(PaceScope::Conversation)],
        ..Gate::default()
    };
    let moment = store.moment();
    block_on(mark_sending(
        &store.connection,
        moment,
        &job.token,
        0,
        &gate,
    ))
    .unwrap()
}

#[test]
fn nothing_waits_for_a_time_that_the_clock_left() {
    let store = Store::new();
    let conversation = opened(&store);
    let start = store.now.get();
    assert!(right(&store).is_some());
    store.now.set(start + HOURS_MS);
    assert!(right(&store).is_some(), "the old right is over");
    // Ahead: a send, one that waits for its turn, one that the platform put off, and an event.
    for _ in 0..3 {
        submitted(&store, &conversation);
    }
    let first = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &first), Clearance::Go);
    let at = store.now.get() + 60_000;
    block_on(hold_account(
        &store.connection,
        store.moment(),
        &first.token,
        at,
    ))
    .unwrap();
    store.commit(&first.token, &[]).unwrap();
    let second = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &second), Clearance::Later(at));
    store.append(&[text("ahead", &["phone:1"])]);

    store.now.set(start + 1_000);
    assert_eq!(store.lease(9), [], "in the future");
    assert!(right(&store).is_some(), "held by nobody of this time");
    assert_eq!(store.lease(9).len(), 1);
    let second = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &second), Clearance::Go);
    store.commit(&second.token, &[]).unwrap();
    let third = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &third), Clearance::Later(start + 2_000));
}

#[test]
fn a_small_correction_and_what_was_asked_for_by_time_stay() {
    let store = Store::new();
    let start = store.now.get();
    assert!(right(&store).is_some());
    store.now.set(start - 59_000);
    assert_eq!(right(&store), None, "it is waited for");
    store.now.set(start + HOURS_MS);
    assert!(right(&store).is_some());
    store.now.set(start);
    let conversation = opened(&store);
    let tomorrow = start + 24 * 3_600_000;
    let job = NewJob {
        kind: "reply".into(),
        payload: "{}".into(),
        due_at: tomorrow,
        ordering_key: None,
        dedupe_key: None,
        traceparent: None,
        about_message: false,
    };
    store.submit(&[Effect::BindConversation(conversation), Effect::Enqueue(job)]);
    assert!(right(&store).is_some());
    let kinds = ["reply".to_owned()];
    let due = block_on(find_next_due(&store.connection, &kinds)).unwrap();
    assert_eq!(due, Some(tomorrow));
}
