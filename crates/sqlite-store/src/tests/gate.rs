//! The last moment before a send: who may go out, when, and who may not.

use super::sends::{find, lease_send, opened, submitted};
use super::*;

pub(super) fn gate() -> Gate {
    Gate {
        token_digest: "d1".into(),
        ..Gate::default()
    }
}

pub(super) fn pass(store: &Store, job: &Job, step: u32, gate: &Gate) -> Result<Clearance, Error> {
    block_on(mark_sending(
        &store.connection,
        store.moment(),
        &job.token,
        step,
        gate,
    ))
}

fn pace(scope: PaceScope, count: u32, per_ms: u64) -> Gate {
    let pace = Pace {
        scope,
        count,
        per_ms,
    };
    Gate {
        paces: vec![pace],
        ..gate()
    }
}

fn stop(store: &Store, job: &Job) {
    block_on(stop_account(
        &store.connection,
        store.moment(),
        &job.token,
        "d1",
        Some("190"),
        "the token is dead",
    ))
    .unwrap();
}

fn accounts(store: &Store) -> Vec<Account> {
    block_on(list_accounts(&store.connection, None, Some(CHANNEL))).unwrap()
}

pub(super) fn done(store: &Store, job: &Job) {
    store.commit(&job.token, &[]).unwrap();
}

/// A conversation with another customer.
fn other(store: &Store) -> String {
    store.append(&[text("theirs too", &["phone:2"])]);
    store.work();
    let mut all = store.conversations();
    all.sort_by(|a, b| a.created_at.cmp(&b.created_at).then(a.id.cmp(&b.id)));
    all.pop().unwrap().id
}

#[test]
fn a_conversation_waits_its_turn_and_the_wait_is_no_attempt() {
    let store = Store::new();
    let conversation = opened(&store);
    submitted(&store, &conversation);
    submitted(&store, &conversation);
    let slow = pace(PaceScope::Conversation, 1, 6_000);
    let first = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &first, 0, &slow), Ok(Clearance::Go));
    done(&store, &first);
    let second = lease_send(&store).remove(0);
    let until = store.now.get() + 6_000;
    assert_eq!(pass(&store, &second, 0, &slow), Ok(Clearance::Later(until)));
    assert_eq!(lease_send(&store), [], "not due");
    store.pass(6_000);
    let again = lease_send(&store).remove(0);
    assert_eq!((again.seq, again.attempt, again.step), (second.seq, 1, 0));
    assert_eq!(pass(&store, &again, 0, &slow), Ok(Clearance::Go));
}

#[test]
fn a_part_that_waits_knows_what_went_out_before_it() {
    let store = Store::new();
    let conversation = opened(&store);
    submitted(&store, &conversation);
    let slow = pace(PaceScope::Conversation, 1, 6_000);
    let job = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &job, 0, &slow), Ok(Clearance::Go));
    let Ok(Clearance::Later(until)) = pass(&store, &job, 1, &slow) else {
        panic!("too fast");
    };
    store.now.set(until);
    assert_eq!(lease_send(&store).remove(0).step, 1);
}

#[test]
fn an_account_spreads_its_sends_also_over_a_restart_and_holds_up_no_other() {
    let store = Store::new();
    let rate = pace(PaceScope::Account, 10, 1_000);
    let conversations: Vec<String> = [opened(&store), other(&store)].to_vec();
    for _ in 0..3 {
        for conversation in &conversations {
            submitted(&store, conversation);
        }
    }
    let (start, mut times) = (store.now.get(), vec![]);
    while times.len() < 6 {
        let mut idle = true;
        for job in lease_send(&store) {
            idle = false;
            if pass(&store, &job, 0, &rate) == Ok(Clearance::Go) {
                times.push(store.now.get() - start);
                done(&store, &job);
            }
        }
        if idle {
            let kinds = ["send-whatsapp".to_owned()];
            let due = block_on(find_next_due(&store.connection, &kinds));
            store.now.set(due.unwrap().unwrap());
        }
    }
    assert_eq!(times, [0, 100, 200, 300, 400, 500]);
}

#[test]
fn a_slot_that_a_pause_left_behind_is_taken_anew() {
    let store = Store::new();
    let rate = pace(PaceScope::Account, 10, 1_000);
    let (one, two) = (opened(&store), other(&store));
    for conversation in [&one, &two] {
        submitted(&store, conversation);
    }
    let jobs = lease_send(&store);
    assert_eq!(pass(&store, &jobs[0], 0, &rate), Ok(Clearance::Go));
    let Ok(Clearance::Later(_)) = pass(&store, &jobs[1], 0, &rate) else {
        panic!("no slot at once");
    };
    // Somebody else takes the present slot after the pause.
    store.pass(60_000);
    submitted(&store, &one);
    done_late(&store, &jobs[0]);
    let later = lease_send(&store);
    let cleared: Vec<_> = later
        .iter()
        .map(|job| pass(&store, job, 0, &rate).unwrap())
        .collect();
    assert_eq!(cleared[0], Clearance::Go);
    assert!(
        cleared
            .iter()
            .skip(1)
            .all(|it| matches!(it, Clearance::Later(_))),
        "{cleared:?}"
    );
}

/// The lease is long over; the job is buried as uncertain by the next lease.
fn done_late(store: &Store, job: &Job) {
    assert_eq!(store.commit(&job.token, &[]).map(drop), Err(Error::Stale));
}

#[test]
fn a_stopped_account_lets_nothing_out_until_it_has_another_token() {
    let store = Store::new();
    let (one, two) = (opened(&store), other(&store));
    let id = submitted(&store, &one);
    submitted(&store, &one);
    let job = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &job, 0, &gate()), Ok(Clearance::Go));
    stop(&store, &job);
    let [account] = &accounts(&store)[..] else {
        panic!("one account");
    };
    assert_eq!(account.health, Health::Stopped);
    assert_eq!(
        (account.code.as_deref(), account.reason.as_deref()),
        (Some("190"), Some("the token is dead"))
    );
    assert_eq!(store.changes().pop().unwrap().0, "account.updated");
    assert_eq!(find(&store, &id).state, Some(DeliveryState::Accepted));
    store.pass(7 * 24 * 3_600_000);
    assert_eq!(lease_send(&store), [], "those that were there wait");
    submitted(&store, &two);
    let fresh = lease_send(&store).remove(0);
    assert_eq!(
        pass(&store, &fresh, 0, &gate()),
        Ok(Clearance::Later(crate::gate::NEVER)),
        "a new one is looked at once"
    );
    assert_eq!(lease_send(&store), []);
    // A job that is looked at with another token starts all of them.
    submitted(&store, &two);
    let fresh = made_due(&store);
    let new = Gate {
        token_digest: "d2".into(),
        ..Gate::default()
    };
    assert_eq!(pass(&store, &fresh, 0, &new), Ok(Clearance::Go));
    assert_eq!(accounts(&store)[0].health, Health::Ok);
    done(&store, &fresh);
    let again = lease_send(&store);
    assert_eq!(again.len(), 2, "the heads of both conversations");
    assert!(again.iter().all(|job| job.attempt == 1));
}

/// The head of the newest queue, made due by hand as a replay would.
fn made_due(store: &Store) -> Job {
    let sql =
        "UPDATE outbox SET due_at = 0 WHERE seq = (SELECT max(seq) FROM outbox WHERE ready = 1)";
    block_on(store.connection.execute(sql, vec![])).unwrap();
    lease_send(store).remove(0)
}

#[test]
fn an_account_goes_on_when_a_person_says_so() {
    let store = Store::new();
    let one = opened(&store);
    submitted(&store, &one);
    let job = lease_send(&store).remove(0);
    stop(&store, &job);
    let resume = |account: &str| {
        block_on(resume_account(
            &store.connection,
            store.moment(),
            TENANT,
            CHANNEL,
            account,
        ))
    };
    assert_eq!(resume("another"), Ok(false));
    assert_eq!(resume(ACCOUNT), Ok(true));
    assert_eq!(resume(ACCOUNT), Ok(false), "it is not stopped");
    let job = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &job, 0, &gate()), Ok(Clearance::Go));
}

#[test]
fn a_worker_that_lost_its_lease_marks_nothing() {
    let store = Store::new();
    let one = opened(&store);
    submitted(&store, &one);
    let slow = lease_send(&store).remove(0);
    store.pass(u64::from(super::LEASE_MS));
    let quick = lease_send(&store).remove(0);
    assert_eq!(quick.seq, slow.seq);
    assert_eq!(pass(&store, &slow, 0, &gate()), Err(Error::Stale));
    assert_eq!(pass(&store, &quick, 0, &gate()), Ok(Clearance::Go));
    assert_eq!(pass(&store, &slow, 0, &gate()), Err(Error::Stale));
}

#[test]
fn an_account_that_is_too_fast_is_held_back_as_a_whole() {
    let store = Store::new();
    let (one, two) = (opened(&store), other(&store));
    submitted(&store, &one);
    submitted(&store, &two);
    let jobs = lease_send(&store);
    assert_eq!(pass(&store, &jobs[0], 0, &gate()), Ok(Clearance::Go));
    let until = store.now.get() + 30_000;
    let moment = store.moment();
    block_on(hold_account(
        &store.connection,
        moment,
        &jobs[0].token,
        until,
    ))
    .unwrap();
    // A shorter wait does not end a longer one.
    let sooner = store.now.get() + 1_000;
    block_on(hold_account(
        &store.connection,
        store.moment(),
        &jobs[0].token,
        sooner,
    ))
    .unwrap();
    assert_eq!(
        pass(&store, &jobs[1], 0, &gate()),
        Ok(Clearance::Later(until))
    );
    let stale = block_on(hold_account(
        &store.connection,
        store.moment(),
        "outbox.1.x",
        until,
    ));
    assert_eq!(stale, Err(Error::Stale));
    store.pass(30_000);
    let again = lease_send(&store).pop().unwrap();
    assert_eq!((again.seq, again.attempt), (jobs[1].seq, 1));
    assert_eq!(pass(&store, &again, 0, &gate()), Ok(Clearance::Go));
}

#[test]
fn an_account_that_goes_on_gives_its_jobs_all_their_time() {
    let store = Store::new();
    submitted(&store, &opened(&store));
    let job = lease_send(&store).remove(0);
    assert_eq!(job.replayed_at, None);
    stop(&store, &job);
    store.pass(3 * 24 * 3_600_000);
    let account = accounts(&store).remove(0).account;
    let moment = store.moment();
    block_on(resume_account(
        &store.connection,
        moment,
        TENANT,
        CHANNEL,
        &account,
    ))
    .unwrap();
    let job = lease_send(&store).remove(0);
    assert_eq!((job.replayed_at, job.attempt), (Some(store.now.get()), 1));
}

#[test]
fn a_message_that_was_begun_is_brought_to_its_end() {
    let store = Store::new();
    let conversation = opened(&store);
    submitted(&store, &conversation);
    let automatic = Gate {
        decided_at: Some(store.now.get()),
        requests: 2,
        ..gate()
    };
    let job = lease_send(&store).remove(0);
    let sql = "UPDATE conversations SET last_human_at = NULL";
    store.connection.0.execute(sql, []).unwrap();
    assert_eq!(pass(&store, &job, 0, &automatic), Ok(Clearance::Go));
    let sql = "UPDATE conversations SET last_human_at = 9e15, muted_until = 9e15";
    store.connection.0.execute(sql, []).unwrap();
    assert_eq!(pass(&store, &job, 1, &automatic), Ok(Clearance::Go));
    assert_eq!(pass(&store, &job, 0, &automatic), Ok(Clearance::TakenOver));
}
