//! Appending, leasing and how a lease ends.

use super::*;

#[test]
fn one_event_of_a_conversation_is_leased_at_a_time_and_in_order() {
    let store = Store::new();
    store.append(&[
        text("a1", &["phone:1"]),
        text("a2", &["phone:1"]),
        text("b1", &["phone:2"]),
    ]);
    let jobs = store.lease(9);
    assert_eq!(keys(&jobs), ["a1", "b1"]);
    assert_eq!(keys(&store.lease(9)), [""; 0], "the rest waits");
    store.commit(&jobs[0].token, &[]).unwrap();
    assert_eq!(keys(&store.lease(9)), ["a2"]);
}

#[test]
fn an_event_of_two_identities_waits_for_both_and_holds_both_back() {
    let store = Store::new();
    store.append(&[
        text("phone", &["phone:1"]),
        text("bsuid", &["bsuid:1"]),
        text("both", &["phone:1", "bsuid:1"]),
        text("late", &["bsuid:1"]),
    ]);
    let jobs = store.lease(9);
    assert_eq!(keys(&jobs), ["phone", "bsuid"]);
    store.commit(&jobs[1].token, &[]).unwrap();
    assert!(store.lease(9).is_empty());
    store.commit(&jobs[0].token, &[]).unwrap();
    let both = store.lease(9);
    assert_eq!(keys(&both), ["both"]);
    store.commit(&both[0].token, &[]).unwrap();
    assert_eq!(keys(&store.lease(9)), ["late"]);
}

#[test]
fn a_lease_that_ran_out_is_taken_by_another_and_its_holder_is_stale() {
    let store = Store::new();
    store.append(&[text("a", &["phone:1"])]);
    let first = store.lease(1).remove(0);
    assert_eq!(
        (first.attempt, first.lease_until),
        (1, store.now.get() + u64::from(LEASE_MS))
    );
    store.pass(u64::from(LEASE_MS) - 1);
    assert!(store.lease(1).is_empty());
    store.pass(1);
    assert_eq!(
        store.commit(&first.token, &effects(event_of(&first))),
        Err(Error::Stale),
        "nobody took it, yet it ran out"
    );
    let second = store.lease(1).remove(0);
    assert_eq!((second.seq, second.attempt), (first.seq, 2));
    let (c, moment) = (&store.connection, store.moment());
    for (name, answer) in [
        (
            "commit",
            store
                .commit(&first.token, &effects(event_of(&first)))
                .map(|_| ()),
        ),
        ("extend", block_on(extend(c, moment, &first.token, 1000))),
        ("retry", block_on(retry(c, moment, &first.token, 0, "no"))),
        ("bury", block_on(bury(c, moment, &first.token, "no"))),
        (
            "mark sending",
            block_on(mark_sending(c, moment, &first.token, 0, &Gate::default())).map(drop),
        ),
        (
            "context",
            block_on(read_context(c, moment, &first.token, 5)).map(|_| ()),
        ),
        ("nonsense", store.commit("inbox.x", &[]).map(|_| ())),
        (
            "no table",
            store.commit("social_contacts.1.0", &[]).map(|_| ()),
        ),
    ] {
        assert_eq!(answer, Err(Error::Stale), "{name}");
    }
    assert!(
        store.contacts().is_empty() && store.changes().is_empty(),
        "stale calls write nothing"
    );
    store
        .commit(&second.token, &effects(event_of(&second)))
        .unwrap();
    assert_eq!(
        store.commit(&second.token, &[]),
        Err(Error::Stale),
        "done is done"
    );
    assert_eq!(store.conversations().len(), 1);
}

#[test]
fn an_extended_lease_runs_on() {
    let store = Store::new();
    store.append(&[text("a", &["phone:1"])]);
    let job = store.lease(1).remove(0);
    store.pass(u64::from(LEASE_MS) - 1);
    block_on(extend(
        &store.connection,
        store.moment(),
        &job.token,
        LEASE_MS,
    ))
    .unwrap();
    store.pass(u64::from(LEASE_MS) - 1);
    assert!(store.lease(1).is_empty());
    store.commit(&job.token, &[]).unwrap();
}

#[test]
fn a_job_started_three_times_is_buried_and_its_conversation_goes_on() {
    let store = Store::new();
    store.append(&[text("poison", &["phone:1"]), text("next", &["phone:1"])]);
    for attempt in 1..=3 {
        assert_eq!(store.lease(9)[0].attempt, attempt);
        store.pass(u64::from(LEASE_MS));
    }
    assert_eq!(
        keys(&store.lease(9)),
        ["next"],
        "buried and followed in one call"
    );
    let buried = store.inbox(Some(JobState::Buried));
    assert_eq!(
        (
            buried[0].seq,
            buried[0].error.as_deref(),
            buried[0].attempts
        ),
        (1, Some("poison"), 3)
    );
}

#[test]
fn a_job_that_ends_its_worker_takes_no_other_with_it() {
    let store = Store::new();
    let ids = ["a", "poison", "b", "c"];
    store.append(&ids.map(|id| text(id, &[&format!("phone:{id}")])));
    let mut done = vec![];
    // A worker takes all it can get, and ends in the middle, with all it has leased.
    for _ in 0..10 {
        for job in store.lease(9) {
            let id = event_of(&job).key.clone();
            if id == "poison" {
                store.pass(u64::from(LEASE_MS));
                break;
            }
            store.commit(&job.token, &[]).unwrap();
            done.push(id);
        }
    }
    done.sort();
    assert_eq!(done, ["a", "b", "c"]);
    assert_eq!(store.inbox(Some(JobState::Buried)).len(), 1);
}

#[test]
fn a_retry_is_due_later_in_its_place_and_is_no_strike() {
    let store = Store::new();
    store.append(&[text("a", &["phone:1"]), text("b", &["phone:1"])]);
    for _ in 0..10 {
        let job = store.lease(9).remove(0);
        let at = store.now.get() + 500;
        block_on(retry(
            &store.connection,
            store.moment(),
            &job.token,
            at,
            "later",
        ))
        .unwrap();
        assert!(store.lease(9).is_empty(), "b waits for a");
        assert_eq!(
            block_on(find_next_due(&store.connection, &["event".into()])).unwrap(),
            Some(at)
        );
        store.pass(500);
    }
    assert_eq!(keys(&store.lease(9)), ["a"]);
}

#[test]
fn a_buried_job_frees_its_queue_and_comes_back_when_replayed() {
    let store = Store::new();
    store.append(&[
        text("a", &["phone:1"]),
        text("b", &["phone:1"]),
        text("c", &["phone:1"]),
    ]);
    let a = store.lease(1).remove(0);
    block_on(bury(
        &store.connection,
        store.moment(),
        &a.token,
        "hopeless",
    ))
    .unwrap();
    assert_eq!(
        store.inbox(Some(JobState::Buried))[0].error.as_deref(),
        Some("hopeless")
    );
    let b = store.lease(9);
    assert_eq!(keys(&b), ["b"]);
    let replay =
        |kind: &str, seq| block_on(replay(&store.connection, store.moment(), kind, seq)).unwrap();
    assert!(replay("event", a.seq));
    for (name, kind, seq) in [
        ("twice", "event", a.seq),
        ("leased", "event", b[0].seq),
        ("kind", "enrich", a.seq),
    ] {
        assert!(!replay(kind, seq), "{name}");
    }
    assert!(store.lease(9).is_empty(), "b is running");
    store.commit(&b[0].token, &[]).unwrap();
    let again = store.lease(9);
    assert_eq!(keys(&again), ["a"], "a goes before c");
    store.commit(&again[0].token, &[]).unwrap();
    assert_eq!(keys(&store.lease(9)), ["c"]);
}

#[test]
fn a_send_whose_outcome_nobody_knows_is_buried_and_other_kinds_run_again() {
    let store = Store::new();
    store.submit(&[
        contact(&["phone:1"]),
        conversation(),
        job("send-whatsapp", None),
        job("dispatch", None),
    ]);
    let jobs = store.lease_kinds(&["send-whatsapp", "dispatch"], 9);
    assert_eq!(jobs.len(), 2);
    for job in &jobs {
        block_on(mark_sending(
            &store.connection,
            store.moment(),
            &job.token,
            0,
            &Gate::default(),
        ))
        .unwrap();
    }
    store.pass(u64::from(LEASE_MS));
    let again = store.lease_kinds(&["send-whatsapp", "dispatch"], 9);
    assert_eq!(
        again
            .iter()
            .map(|job| job.kind.as_str())
            .collect::<Vec<_>>(),
        ["dispatch"]
    );
    let page = Page {
        cursor: None,
        limit: 9,
    };
    let filter = JobFilter {
        state: Some(JobState::Buried),
        ..JobFilter::default()
    };
    let buried = block_on(list_outbox(&store.connection, &filter, &page))
        .unwrap()
        .0;
    assert_eq!(
        (buried[0].kind.as_str(), buried[0].error.as_deref()),
        ("send-whatsapp", Some("uncertain"))
    );
}

#[test]
fn outbox_jobs_of_one_key_run_in_order_and_a_known_key_changes_nothing() {
    let store = Store::new();
    let keyed = |key: &str| match job("dispatch", Some("queue")) {
        Effect::Enqueue(job) => Effect::Enqueue(NewJob {
            dedupe_key: Some(key.into()),
            ..job
        }),
        _ => unreachable!(),
    };
    store.submit(&[
        keyed("1"),
        keyed("2"),
        keyed("1"),
        job("other", None),
        job("other", None),
    ]);
    let kinds = ["dispatch", "other", "event"];
    let jobs = store.lease_kinds(&kinds, 9);
    assert_eq!(jobs.len(), 3, "one of the queue, and both that have none");
    store.commit(&jobs[0].token, &[]).unwrap();
    assert_eq!(store.lease_kinds(&kinds, 9).len(), 1);
    assert_eq!(store.number("SELECT count(*) FROM outbox"), 4);
}

#[test]
fn a_right_has_one_holder_until_it_runs_out() {
    let store = Store::new();
    let hold = |token: Option<&str>| {
        block_on(hold(
            &store.connection,
            store.moment(),
            "drain",
            token,
            1_000,
        ))
        .unwrap()
    };
    let first = hold(None).unwrap();
    assert_eq!(hold(None), None);
    assert_eq!(hold(Some("guess")), None);
    store.pass(900);
    assert_eq!(hold(Some(&first)), Some(first.clone()), "prolonged");
    store.pass(999);
    assert_eq!(hold(None), None);
    store.pass(1);
    let second = hold(None).unwrap();
    assert_eq!(hold(Some(&first)), None, "lost");
    block_on(release(&store.connection, "drain", &first)).unwrap();
    assert_eq!(hold(None), None, "only the holder gives it back");
    block_on(release(&store.connection, "drain", &second)).unwrap();
    assert!(hold(None).is_some());
}

fn keys(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| event_of(job).key.as_str()).collect()
}

pub fn job(kind: &str, ordering_key: Option<&str>) -> Effect {
    Effect::Enqueue(NewJob {
        kind: kind.into(),
        payload: r#"{"n":1}"#.into(),
        due_at: 0,
        ordering_key: ordering_key.map(str::to_owned),
        dedupe_key: None,
        traceparent: None,
        about_message: false,
    })
}
