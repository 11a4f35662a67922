//! Budgets hold whoever asks and whatever crashes; what is remembered is bounded.

use super::*;

const DAY: &str = "2026-11-23";
const PROVIDER: &str = "openai:https://a";

/// So many leased jobs that ask models, one a conversation.
fn jobs(store: &Store, count: usize) -> Vec<Job> {
    for n in 0..count {
        store.submit(&[
            contact(&[&format!("phone:{n}")]),
            conversation(),
            inbound(&format!("m{n}")),
            Effect::Enqueue(NewJob {
                kind: "understand".into(),
                payload: "{}".into(),
                due_at: 0,
                ordering_key: None,
                dedupe_key: Some(String::new()),
                traceparent: None,
                about_message: true,
            }),
        ]);
    }
    let jobs = store.lease_kinds(&["understand"], 1_000);
    assert_eq!(jobs.len(), count);
    jobs
}

fn reservation(tokens: Option<u64>, cost_micros: Option<u64>) -> Reservation {
    Reservation {
        provider: PROVIDER.into(),
        model: "m".into(),
        day: DAY.into(),
        tokens: 100,
        cost_micros: 50,
        budget: Budget {
            tokens,
            cost_micros,
        },
        per_minute: None,
        per_conversation: None,
    }
}

fn reserve(store: &Store, job: &Job, reservation: &Reservation) -> Result<Reserved, Error> {
    block_on(reserve_spend(
        &store.connection,
        store.moment(),
        &job.token,
        reservation,
    ))
}

fn spent(outcome: SpendOutcome) -> Spent {
    Spent {
        provider: PROVIDER.into(),
        model: "m".into(),
        day: DAY.into(),
        input_tokens: 30,
        output_tokens: 10,
        cost_micros: 20,
        outcome,
    }
}

fn settled(store: &Store, job: &Job, spent: &Spent) -> bool {
    block_on(settle_spend(&store.connection, &job.token, spent)).unwrap()
}

/// Calls, failed, cached, tokens, cost, tokens and cost that are set aside.
fn used(store: &Store) -> Option<[u64; 7]> {
    let rows = block_on(list_usage(&store.connection, Some(TENANT), DAY, DAY)).unwrap();
    assert!(rows.len() < 2);
    rows.first().map(|row| {
        [
            row.calls,
            row.failed,
            row.cached,
            row.input_tokens + row.output_tokens,
            row.cost_micros,
            row.open_tokens,
            row.open_cost_micros,
        ]
    })
}

#[test]
fn a_budget_is_passed_by_one_call_at_most() {
    for (name, tokens, cost, want) in [
        ("no budget", None, None, 10),
        ("nothing to spend", Some(0), None, 0),
        ("a call fits", Some(100), None, 1),
        ("the second passes it", Some(101), None, 2),
        ("by cost", None, Some(149), 3),
        ("the tighter one", Some(500), Some(50), 1),
    ] {
        let store = Store::new();
        let reservation = reservation(tokens, cost);
        let outcomes: Vec<Reserved> = jobs(&store, 10)
            .iter()
            .map(|job| reserve(&store, job, &reservation).unwrap())
            .collect();
        let through = outcomes.iter().filter(|it| **it == Reserved::Go).count();
        assert_eq!(through, want, "{name}");
        let rest = outcomes.iter().skip(want);
        assert!(rest.copied().all(|it| it == Reserved::Exhausted), "{name}");
    }
}

#[test]
fn a_budget_holds_when_many_ask_at_once() {
    const THREADS: usize = 8;
    let file = File::new();
    let (moment, reservation) = (
        |n: u128| Moment {
            now: 1_000,
            seed: n << 32,
        },
        reservation(Some(250), None),
    );
    let connection = file.open();
    for n in 0..THREADS {
        let effects = [
            contact(&[&format!("phone:{n}")]),
            conversation(),
            inbound(&format!("m{n}")),
            Effect::Enqueue(NewJob {
                kind: "understand".into(),
                payload: "{}".into(),
                due_at: 0,
                ordering_key: None,
                dedupe_key: Some(String::new()),
                traceparent: None,
                about_message: true,
            }),
        ];
        block_on(submit(
            &connection,
            moment(n as u128 + 1),
            TENANT,
            None,
            &effects,
        ))
        .unwrap();
    }
    let kinds = ["understand".to_owned()];
    let jobs = block_on(lease(&connection, moment(99), &kinds, 100, LEASE_MS)).unwrap();
    assert_eq!(jobs.len(), THREADS);
    let threads: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let (connection, reservation) = (file.open(), reservation.clone());
            std::thread::spawn(move || {
                block_on(reserve_spend(
                    &connection,
                    moment(1),
                    &job.token,
                    &reservation,
                ))
                .unwrap()
            })
        })
        .collect();
    let outcomes: Vec<Reserved> = threads.into_iter().map(|it| it.join().unwrap()).collect();
    let through = outcomes.iter().filter(|it| **it == Reserved::Go).count();
    assert_eq!(through, 3, "{outcomes:?}");
}

#[test]
fn what_was_set_aside_gives_way_to_what_was_used() {
    let store = Store::new();
    let jobs = jobs(&store, 3);
    let (free, tight) = (reservation(None, None), reservation(Some(100), None));
    assert_eq!(reserve(&store, &jobs[0], &free), Ok(Reserved::Go));
    assert_eq!(used(&store), Some([1, 0, 0, 0, 0, 100, 50]));
    assert_eq!(reserve(&store, &jobs[1], &tight), Ok(Reserved::Exhausted));
    let effects = [Effect::Spent(spent(SpendOutcome::Answered))];
    store.commit(&jobs[0].token, &effects).unwrap();
    assert_eq!(used(&store), Some([1, 0, 0, 40, 20, 0, 0]));
    assert_eq!(reserve(&store, &jobs[1], &tight), Ok(Reserved::Go));
    assert!(settled(&store, &jobs[1], &spent(SpendOutcome::Failed)));
    assert_eq!(used(&store), Some([2, 1, 0, 80, 40, 0, 0]));
    assert!(
        !settled(&store, &jobs[1], &spent(SpendOutcome::Failed)),
        "once"
    );
    assert_eq!(used(&store), Some([2, 1, 0, 80, 40, 0, 0]));
    store
        .commit(
            &jobs[2].token,
            &[Effect::Spent(spent(SpendOutcome::Cached))],
        )
        .unwrap();
    assert_eq!(used(&store), Some([2, 1, 1, 80, 40, 0, 0]));
}

#[test]
fn a_provider_is_asked_once_unless_it_was_surely_not_billed() {
    for (outcome, again) in [
        (SpendOutcome::Answered, Reserved::Already),
        (SpendOutcome::Failed, Reserved::Already),
        (SpendOutcome::Unbilled, Reserved::Go),
    ] {
        let store = Store::new();
        let jobs = jobs(&store, 1);
        let free = reservation(None, None);
        assert_eq!(reserve(&store, &jobs[0], &free), Ok(Reserved::Go));
        assert!(settled(&store, &jobs[0], &spent(outcome)));
        assert_eq!(reserve(&store, &jobs[0], &free), Ok(again), "{outcome:?}");
        let other = Reservation {
            provider: "anthropic:https://b".into(),
            ..free
        };
        assert_eq!(
            reserve(&store, &jobs[0], &other),
            Ok(Reserved::Go),
            "the next of the chain"
        );
    }
}

#[test]
fn a_call_that_a_crash_ended_is_not_made_again_and_stays_charged() {
    let store = Store::new();
    let first = jobs(&store, 1).remove(0);
    let free = reservation(None, None);
    assert_eq!(reserve(&store, &first, &free), Ok(Reserved::Go));
    store.pass(u64::from(LEASE_MS) + 1);
    let second = store.lease_kinds(&["understand"], 1).remove(0);
    assert_eq!((second.seq, second.attempt), (first.seq, 2));
    assert_eq!(reserve(&store, &first, &free), Err(Error::Stale));
    assert_eq!(used(&store), Some([1, 0, 0, 0, 0, 100, 50]));
    for _ in 0..2 {
        assert_eq!(reserve(&store, &second, &free), Ok(Reserved::Already));
        assert_eq!(used(&store), Some([1, 1, 0, 100, 50, 0, 0]), "once");
    }
    assert!(!settled(&store, &second, &spent(SpendOutcome::Answered)));
    assert!(
        !settled(&store, &first, &spent(SpendOutcome::Answered)),
        "too late"
    );
    store
        .commit(
            &second.token,
            &[Effect::Spent(spent(SpendOutcome::Answered))],
        )
        .unwrap();
    assert_eq!(used(&store), Some([1, 1, 0, 100, 50, 0, 0]));
}

#[test]
fn who_lost_the_lease_still_settles() {
    let store = Store::new();
    let job = jobs(&store, 1).remove(0);
    assert_eq!(
        reserve(&store, &job, &reservation(None, None)),
        Ok(Reserved::Go)
    );
    store.pass(u64::from(LEASE_MS) + 1);
    assert!(settled(&store, &job, &spent(SpendOutcome::Answered)));
    assert_eq!(used(&store), Some([1, 0, 0, 40, 20, 0, 0]));
}

#[test]
fn what_is_written_besides_a_job_settles_its_call() {
    let store = Store::new();
    let job = jobs(&store, 1).remove(0);
    assert_eq!(
        reserve(&store, &job, &reservation(None, None)),
        Ok(Reserved::Go)
    );
    for _ in 0..2 {
        store.submit(&[
            Effect::BindJob(job.seq),
            Effect::Spent(spent(SpendOutcome::Unbilled)),
        ]);
        assert_eq!(used(&store), Some([1, 1, 0, 40, 20, 0, 0]), "once");
    }
    let of_nobody = [Effect::Spent(spent(SpendOutcome::Answered))];
    let refused = block_on(submit(
        &store.connection,
        store.moment(),
        TENANT,
        None,
        &of_nobody,
    ));
    assert!(matches!(refused, Err(Error::Invalid(_))));
}

#[test]
fn a_minute_has_room_for_so_many_calls() {
    let store = Store::new();
    let jobs = jobs(&store, 3);
    let two = Reservation {
        per_minute: Some(2),
        ..reservation(None, None)
    };
    assert_eq!(reserve(&store, &jobs[0], &two), Ok(Reserved::Go));
    store.pass(10_000);
    assert_eq!(reserve(&store, &jobs[1], &two), Ok(Reserved::Go));
    assert_eq!(
        reserve(&store, &jobs[2], &two),
        Ok(Reserved::Later(1_060_000))
    );
    let elsewhere = Reservation {
        provider: "other".into(),
        ..two.clone()
    };
    assert_eq!(reserve(&store, &jobs[2], &elsewhere), Ok(Reserved::Go));
    store.pass(10_000);
    assert_eq!(
        reserve(&store, &jobs[2], &two),
        Ok(Reserved::Later(1_060_000))
    );
}

#[test]
fn an_answer_is_found_for_a_week_and_by_its_tenant_only() {
    let store = Store::new();
    let keep = |key: &str, json: &str| {
        Effect::KeepAnswer(AnswerEffect {
            key: key.into(),
            json: json.into(),
        })
    };
    let find = |tenant: &str, key: &str| {
        block_on(find_answer(&store.connection, store.moment(), tenant, key)).unwrap()
    };
    store.submit(&[keep("k", r#"{"a":1}"#)]);
    store.submit(&[keep("k", r#"{"a":2}"#)]);
    assert_eq!(find(TENANT, "k").as_deref(), Some(r#"{"a":2}"#));
    assert_eq!(find("other", "k"), None);
    assert_eq!(find(TENANT, "l"), None);
    let week = 7 * 24 * 60 * 60 * 1000;
    store.pass(week - 1);
    assert!(find(TENANT, "k").is_some());
    store.pass(1);
    assert_eq!(find(TENANT, "k"), None);
    store.submit(&[keep("l", "{}")]);
    assert_eq!(store.number("SELECT count(*) FROM answers"), 1);
}

#[test]
fn no_more_answers_are_kept_than_there_is_room_for() {
    let store = Store::new();
    let most = i64::from(crate::answers::MAX_ANSWERS);
    let insert = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})
         INSERT INTO answers SELECT '{TENANT}', 'k' || i, '{{}}', 900000 + i FROM n"
    );
    store.connection.0.execute(&insert, []).unwrap();
    store.submit(&[Effect::KeepAnswer(AnswerEffect {
        key: "new".into(),
        json: "{}".into(),
    })]);
    assert_eq!(store.number("SELECT count(*) FROM answers"), most);
    assert_eq!(
        store.number("SELECT count(*) FROM answers WHERE key = 'k1'"),
        0
    );
    assert_eq!(
        store.number("SELECT count(*) FROM answers WHERE key = 'new'"),
        1
    );
}

#[test]
fn a_lead_has_a_history_of_what_changed() {
    let store = Store::new();
    let told = store.submit(&[contact(&["phone:1"]), conversation(), inbound("a")]);
    let (message, person) = (told.message_id.unwrap(), told.contact_id.unwrap());
    for lead in [
        Some(r#"{"score":1}"#),
        Some(r#"{"score":1}"#),
        None,
        Some(r#"{"score":2}"#),
        Some(r#"{"score":1}"#),
    ] {
        store.pass(1);
        store.submit(&[Effect::Enrichment(EnrichmentEffect {
            message_id: message.clone(),
            json: "{}".into(),
            lead: lead.map(str::to_owned),
        })]);
    }
    let page = |cursor, limit| {
        let page = Page { cursor, limit };
        block_on(list_lead_history(
            &store.connection,
            Some(TENANT),
            &person,
            &page,
        ))
        .unwrap()
    };
    let (entries, next) = page(None, 2);
    let shown: Vec<(u64, &str)> = entries.iter().map(|it| (it.at, it.lead.as_str())).collect();
    assert_eq!(
        shown,
        [(1_000_005, r#"{"score":1}"#), (1_000_004, r#"{"score":2}"#)]
    );
    assert!(entries.iter().all(|it| it.message_id == message));
    let (rest, end) = page(next, 2);
    assert_eq!((rest.len(), rest[0].at, end), (1, 1_000_001, None));
    let other = Page {
        cursor: None,
        limit: 1,
    };
    let none = block_on(list_lead_history(
        &store.connection,
        Some("other"),
        &person,
        &other,
    ));
    assert_eq!(none.unwrap().0, []);
}

#[test]
fn a_job_may_ask_two_models_of_one_provider() {
    let store = Store::new();
    let job = &jobs(&store, 1)[0];
    let of = |model: &str| Reservation {
        model: model.into(),
        ..reservation(None, None)
    };
    assert_eq!(reserve(&store, job, &of("m")), Ok(Reserved::Go));
    assert!(settled(&store, job, &spent(SpendOutcome::Failed)));
    assert_eq!(reserve(&store, job, &of("m")), Ok(Reserved::Already));
    assert_eq!(reserve(&store, job, &of("n")), Ok(Reserved::Go));
    assert_eq!(
        reserve(&store, job, &of("n")),
        Ok(Reserved::Already),
        "never settled, so it may have been billed"
    );
}

#[test]
fn a_conversation_has_so_many_calls_a_day() {
    let store = Store::new();
    let jobs = jobs(&store, 2);
    let of = |model: &str, day: &str| Reservation {
        model: model.into(),
        day: day.into(),
        per_conversation: Some(2),
        ..reservation(None, None)
    };
    let reserve = |job, model, day| reserve(&store, job, &of(model, day)).unwrap();
    assert_eq!(reserve(&jobs[0], "a", DAY), Reserved::Go);
    let unbilled = Spent {
        model: "a".into(),
        ..spent(SpendOutcome::Unbilled)
    };
    assert!(settled(&store, &jobs[0], &unbilled));
    assert_eq!(reserve(&jobs[0], "b", DAY), Reserved::Go);
    assert_eq!(reserve(&jobs[0], "c", DAY), Reserved::Go);
    assert_eq!(reserve(&jobs[0], "d", DAY), Reserved::Enough);
    assert_eq!(
        reserve(&jobs[1], "d", DAY),
        Reserved::Go,
        "another conversation"
    );
    assert_eq!(
        reserve(&jobs[0], "d", "2026-11-24"),
        Reserved::Go,
        "another day"
    );
}
