//! How endpoints fare, and buried jobs as an operator handles them.

use super::*;

const URL: &str = "https://a/hook?token=t";
const OPEN_AFTER: u32 = 3;

/// A forward of the person's `n`th message to [`URL`].
fn forward(store: &Store, person: &str, id: &str) -> String {
    let committed = store.submit(&[
        contact(&[person]),
        conversation(),
        inbound(id),
        Effect::Enqueue(NewJob {
            kind: "forward".into(),
            payload: serde_json::json!({ "url": URL }).to_string(),
            due_at: 0,
            ordering_key: Some(URL.into()),
            dedupe_key: Some("rule".into()),
            traceparent: None,
            about_message: true,
        }),
    ]);
    committed.message_id.unwrap()
}

fn attempt(store: &Store, outcome: EndpointOutcome, probe: bool) -> Effect {
    Effect::EndpointAttempt(EndpointAttempt {
        url: URL.into(),
        outcome,
        error: (outcome != EndpointOutcome::Delivered).then(|| "status 503".into()),
        open_after: OPEN_AFTER,
        next_probe_at: store.now.get() + 1_000,
        probe,
        release_every_ms: 20,
    })
}

fn endpoint(store: &Store) -> Endpoint {
    block_on(find_endpoint(&store.connection, TENANT, URL))
        .unwrap()
        .unwrap()
}

fn claim(store: &Store) -> bool {
    block_on(claim_probe(
        &store.connection,
        store.moment(),
        TENANT,
        URL,
        500,
    ))
    .unwrap()
}

fn told(store: &Store) -> Vec<String> {
    let changes = store.changes().into_iter();
    changes
        .filter(|(kind, _)| kind == "endpoint.updated")
        .map(|(_, data)| {
            assert_eq!(data["url"], "https://a/hook", "the query is not told");
            format!("{} {}", data["state"].as_str().unwrap(), data["alert"])
        })
        .collect()
}

#[test]
fn a_circuit_opens_after_failures_in_a_row_and_lets_one_attempt_through_at_a_time() {
    use EndpointOutcome::{Delivered, Failed, Refused};
    let store = Store::new();
    assert!(!claim(&store), "an endpoint that is not known");
    for (name, outcome, consecutive, open) in [
        ("first", Failed, 1, false),
        ("second", Failed, 2, false),
        ("it answers", Refused, 0, false),
        ("first again", Failed, 1, false),
        ("it takes one", Delivered, 0, false),
        ("one", Failed, 1, false),
        ("two", Failed, 2, false),
        ("three", Failed, 3, true),
    ] {
        store.submit(&[attempt(&store, outcome, false)]);
        let found = endpoint(&store);
        assert_eq!(found.consecutive_failures, consecutive, "{name}");
        assert_eq!(found.open_since.is_some(), open, "{name}");
    }
    let opened = endpoint(&store);
    assert_eq!((opened.delivered, opened.failed), (1, 7));
    assert_eq!(opened.last_error.as_deref(), Some("status 503"));
    assert!(!claim(&store), "not yet");
    store.pass(10);
    // One that was under way when it opened does not put the probe off.
    store.submit(&[attempt(&store, Failed, false)]);
    assert_eq!(endpoint(&store).next_probe_at, opened.next_probe_at);

    store.pass(990);
    assert!(claim(&store));
    assert!(!claim(&store), "one at a time");
    assert!(endpoint(&store).probing_since.is_some());
    store.pass(500);
    assert!(claim(&store), "the one before was lost");
    store.submit(&[attempt(&store, Failed, true)]);
    let found = endpoint(&store);
    assert_eq!(found.probing_since, None);
    assert_eq!(found.next_probe_at, Some(store.now.get() + 1_000));
    assert_eq!(found.open_since, opened.open_since, "open all the time");

    store.submit(&[attempt(&store, Delivered, true)]);
    let found = endpoint(&store);
    assert_eq!((found.open_since, found.next_probe_at), (None, None));
    assert_eq!(found.consecutive_failures, 0);
    assert_eq!(told(&store), ["open 0", "closed 0"]);
}

#[test]
fn the_failure_rate_follows_recent_attempts() {
    let store = Store::new();
    for _ in 0..100 {
        store.submit(&[attempt(&store, EndpointOutcome::Failed, false)]);
    }
    assert!(endpoint(&store).failure_permille > 950);
    for _ in 0..20 {
        store.submit(&[attempt(&store, EndpointOutcome::Delivered, false)]);
    }
    assert!(endpoint(&store).failure_permille < 400);
}

#[test]
fn each_level_of_the_retry_time_is_told_once_until_a_success() {
    let store = Store::new();
    let alert = |percent| {
        store.submit(&[Effect::EndpointAlert(EndpointAlert {
            url: URL.into(),
            percent,
        })]);
    };
    alert(50);
    assert!(told(&store).is_empty(), "nothing is known of it");
    store.submit(&[attempt(&store, EndpointOutcome::Failed, false)]);
    for percent in [50, 50, 100, 50, 100] {
        alert(percent);
    }
    store.submit(&[attempt(&store, EndpointOutcome::Delivered, false)]);
    alert(50);
    assert_eq!(
        told(&store),
        ["closed 50", "closed 100", "closed 0", "closed 50"]
    );
}

#[test]
fn what_waits_is_released_in_order_when_the_circuit_closes() {
    let store = Store::new();
    for n in 0..5 {
        forward(&store, &format!("phone:{n}"), &format!("m{n}"));
    }
    forward(&store, "phone:0", "behind");
    let jobs = store.lease_kinds(&["forward"], 9);
    assert_eq!(jobs.len(), 5);
    for job in &jobs {
        let at = store.now.get() + 60_000;
        block_on(put_off(
            &store.connection,
            store.moment(),
            &job.token,
            at,
            "the circuit is open",
        ))
        .unwrap();
    }
    for _ in 0..OPEN_AFTER {
        store.submit(&[attempt(&store, EndpointOutcome::Failed, false)]);
    }
    store.pass(30);
    assert!(store.lease_kinds(&["forward"], 9).is_empty());
    store.submit(&[attempt(&store, EndpointOutcome::Delivered, true)]);
    let mut order = vec![];
    for _ in 0..5 {
        store.pass(20);
        let due = store.lease_kinds(&["forward"], 9);
        assert_eq!(due.len(), 1, "one each 20 ms");
        assert_eq!(due[0].attempt, 1, "what was put off is no attempt");
        order.push(due[0].seq);
    }
    assert!(order.is_sorted(), "{order:?}");
}

fn list(store: &Store, filter: &BuriedFilter) -> (u64, Vec<u64>) {
    let (count, jobs) = block_on(list_buried(&store.connection, filter, 2)).unwrap();
    (count, jobs.into_iter().map(|job| job.seq).collect())
}

/// Six forwards of six people, of which the first four are buried, for three reasons.
fn buried(store: &Store) -> Vec<u64> {
    for n in 0..6 {
        forward(store, &format!("phone:{n}"), &format!("m{n}"));
    }
    let jobs = store.lease_kinds(&["forward"], 9);
    for (job, reason) in jobs
        .iter()
        .zip(["status 400", "status 400", "poison", "uncertain"])
    {
        block_on(bury(&store.connection, store.moment(), &job.token, reason)).unwrap();
    }
    jobs.iter().map(|job| job.seq).collect()
}

#[test]
fn a_plan_counts_what_a_replay_makes_due() {
    let store = Store::new();
    let seqs = buried(&store);
    let all = BuriedFilter::default();
    let of = |error: &str| BuriedFilter {
        error: Some(error.into()),
        ..BuriedFilter::default()
    };
    let elsewhere = BuriedFilter {
        url: Some("https://b".into()),
        ..BuriedFilter::default()
    };
    let early = BuriedFilter {
        created_before: Some(store.now.get()),
        ..BuriedFilter::default()
    };
    let whole = BuriedFilter {
        platform_client_id: Some(TENANT.into()),
        kind: Some("forward".into()),
        error: Some("status 400".into()),
        url: Some(URL.into()),
        created_from: Some(store.now.get()),
        created_before: Some(store.now.get() + 1),
    };
    for (name, filter, count, first) in [
        ("all but the uncertain", &all, 3, &seqs[..2]),
        ("by reason", &of("poison"), 1, &seqs[2..3]),
        ("the uncertain by name", &of("uncertain"), 1, &seqs[3..4]),
        ("another address", &elsewhere, 0, &[]),
        ("before there were any", &early, 0, &[]),
        ("by everything", &whole, 2, &seqs[..2]),
    ] {
        assert_eq!(list(&store, filter), (count, first.to_vec()), "{name}");
    }
    store.pass(5);
    let replay = |filter, max| {
        block_on(replay_buried(
            &store.connection,
            store.moment(),
            filter,
            max,
        ))
    };
    assert_eq!(replay(&all, 2), Ok(2));
    assert_eq!(list(&store, &all), (1, vec![seqs[2]]));
    assert_eq!(replay(&all, 9), Ok(1));
    assert_eq!(replay(&all, 9), Ok(0));
    let again = store.lease_kinds(&["forward"], 9);
    assert_eq!(again.len(), 3);
    assert!(
        again
            .iter()
            .all(|job| (job.attempt, job.replayed_at) == (1, Some(store.now.get())))
    );
    for max in [0, 1001] {
        assert!(matches!(replay(&all, max), Err(Error::Invalid(_))));
    }
}

#[test]
fn only_a_job_that_waits_can_be_cancelled() {
    let store = Store::new();
    let cancel = |tenant: Option<&str>, seq| {
        block_on(cancel(&store.connection, store.moment(), tenant, seq)).unwrap()
    };
    forward(&store, "phone:1", "a");
    forward(&store, "phone:1", "b");
    let first = store.lease_kinds(&["forward"], 9).remove(0);
    assert_eq!(cancel(None, first.seq), Cancelled::NotWaiting);
    assert_eq!(cancel(None, first.seq + 7), Cancelled::Absent);
    assert_eq!(cancel(Some("other"), first.seq), Cancelled::Absent);
    block_on(retry(
        &store.connection,
        store.moment(),
        &first.token,
        9_000_000,
        "status 503",
    ))
    .unwrap();
    assert_eq!(cancel(Some(TENANT), first.seq), Cancelled::Cancelled);
    assert_eq!(cancel(None, first.seq), Cancelled::NotWaiting);
    let next = store.lease_kinds(&["forward"], 9);
    assert_eq!(next.len(), 1, "what was behind it is free");
    assert_ne!(next[0].seq, first.seq);
    assert_eq!(list(&store, &BuriedFilter::default()).0, 0);
}

#[test]
fn a_job_shows_the_calls_it_made_and_no_others() {
    let store = Store::new();
    let message = forward(&store, "phone:1", "a");
    forward(&store, "phone:2", "b");
    let jobs = store.lease_kinds(&["forward"], 9);
    let call = |status| {
        Effect::ExternalCall(ExternalCall {
            kind: "forward".into(),
            target: "https://a/hook".into(),
            status: Some(status),
            millis: 1,
            attempt: 1,
            at: 1,
            error: None,
            conversation_id: None,
            message_id: Some(message.clone()),
            details: None,
        })
    };
    store.submit(&[Effect::BindJob(jobs[0].seq), call(503)]);
    store.submit(&[Effect::BindJob(jobs[1].seq), call(404)]);
    store.submit(&[call(418)]);
    store.pass(3);
    store.commit(&jobs[0].token, &[call(200)]).unwrap();
    let find = |tenant: Option<&str>, queue, seq| {
        block_on(find_job(&store.connection, tenant, queue, seq)).unwrap()
    };
    let detail = find(Some(TENANT), Queue::Outbox, jobs[0].seq).unwrap();
    let statuses: Vec<_> = detail.calls.iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(503), Some(200)]);
    assert_eq!(detail.job.state, JobState::Done);
    assert_eq!(detail.finished_at, Some(store.now.get()));
    assert_eq!(detail.message_id.as_deref(), Some(message.as_str()));
    assert_eq!(find(Some("other"), Queue::Outbox, jobs[0].seq), None);
    assert_eq!(find(None, Queue::Outbox, 99), None);

    store.append(&[text("in", &["phone:1"])]);
    let event = store.inbox(None).remove(0);
    let detail = find(None, Queue::Inbox, event.seq).unwrap();
    assert!(matches!(detail.job.payload, Payload::Event(_)));
    assert!(detail.calls.is_empty() && detail.finished_at.is_none());
}
