//! Sends whose outcome one side knew before the other: a status before the answer, an answer after the
//! lease's end.

use super::parts::{came_of, job, on, pass, told};
use super::sends::{find, lease_send, opened, submitted};
use super::*;
use DeliveryState::{Delivered, Read, Sent, Uncertain};

/// What a sender writes that does not know what became of its request.
fn gave_up(store: &Store, leased: &Job, message: &str, known: Option<&str>) {
    store.submit(&[came_of(message, known, Uncertain)]);
    bury_uncertain(store, leased);
}

fn bury_uncertain(store: &Store, leased: &Job) {
    let moment = store.moment();
    block_on(bury(&store.connection, moment, &leased.token, "uncertain")).unwrap();
}

fn replay_send(store: &Store, seq: u64) -> bool {
    block_on(replay(
        &store.connection,
        store.moment(),
        "send-whatsapp",
        seq,
    ))
    .unwrap()
}

#[test]
fn a_first_request_that_the_platform_told_of_is_not_uncertain_to_whom_it_did_not_answer() {
    for (name, requests, told_after_the_judgement) in [
        ("one request", 1, false),
        ("one request, told last", 1, true),
        ("three requests", 3, false),
        ("three requests, told last", 3, true),
    ] {
        let store = Store::new();
        let id = submitted(&store, &opened(&store));
        let leased = lease_send(&store).remove(0);
        assert_eq!(pass(&store, &leased, 0, requests), Clearance::Go);
        if told_after_the_judgement {
            store.submit(&[came_of(&id, None, Uncertain)]);
            assert_eq!(find(&store, &id).state, Some(Uncertain), "{name}");
            told(&store, "m.1", &id);
            bury_uncertain(&store, &leased);
        } else {
            told(&store, "m.1", &id);
            gave_up(&store, &leased, &id, None);
        }
        assert_eq!(find(&store, &id).state, Some(Delivered), "{name}");
        assert_eq!(find(&store, &id).error, None, "{name}");
        store.submit(&[status(Target::MessageId("m.1".into()), Read)]);
        assert_eq!(find(&store, &id).state, Some(Read), "{name}");
        if requests == 1 {
            assert_eq!(job(&store), ("done".into(), None, 0), "{name}");
            assert!(!replay_send(&store, leased.seq), "{name}");
            continue;
        }
        assert_eq!(job(&store), ("pending".into(), None, 1), "{name}");
        let next = lease_send(&store).remove(0);
        assert_eq!((next.step, next.attempt), (1, 2), "{name}");
        assert_eq!(pass(&store, &next, 1, 3), Clearance::Go, "{name}");
    }
}

#[test]
fn a_request_that_nobody_told_of_stays_uncertain() {
    for (name, step, known) in [("the first", 0, None), ("the second", 1, Some("m.1"))] {
        let store = Store::new();
        let id = submitted(&store, &opened(&store));
        let leased = lease_send(&store).remove(0);
        assert_eq!(pass(&store, &leased, 0, 3), Clearance::Go);
        if step == 1 {
            on(&store, &leased, 1, &[came_of(&id, known, Sent)]);
            assert_eq!(pass(&store, &leased, 1, 3), Clearance::Go);
        }
        gave_up(&store, &leased, &id, known);
        let want = ("buried".to_owned(), Some("uncertain".to_owned()), step);
        assert_eq!(job(&store), want, "{name}");
        assert_eq!(find(&store, &id).state, Some(Uncertain), "{name}");
    }
}

#[test]
fn a_replay_that_finds_all_of_it_sent_takes_the_doubt_from_the_message() {
    let store = Store::new();
    let id = submitted(&store, &opened(&store));
    let leased = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &leased, 0, 1), Clearance::Go);
    told(&store, "m.1", &id);
    // As a program before this one left it.
    for sql in [
        "UPDATE outbox SET state = 'buried', error = 'uncertain', token = NULL WHERE at_most_once",
        "UPDATE messages SET state = 1, own_state = 1, own_error = '{}' WHERE direction = 'outbound'",
    ] {
        store.connection.0.execute(sql, []).unwrap();
    }
    assert_eq!(find(&store, &id).state, Some(Uncertain));
    assert!(replay_send(&store, leased.seq));
    let again = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &again, 0, 1), Clearance::AlreadySent);
    store
        .commit(&again.token, &[came_of(&id, None, Sent)])
        .unwrap();
    assert_eq!(find(&store, &id).state, Some(Delivered));
    assert_eq!(find(&store, &id).content.id, "m.1");
    assert_eq!(job(&store).0, "done");
}

/// A message of three requests whose lease ran out during request number `step`.
fn lost_at(store: &Store, step: u32) -> (String, Job) {
    let id = submitted(store, &opened(store));
    let leased = lease_send(store).remove(0);
    for sent in 0..step {
        assert_eq!(pass(store, &leased, sent, 3), Clearance::Go);
        let part = format!("m.{}", sent + 1);
        on(store, &leased, sent + 1, &[came_of(&id, Some(&part), Sent)]);
    }
    assert_eq!(pass(store, &leased, step, 3), Clearance::Go);
    store.pass(60_000);
    assert_eq!(lease_send(store), []);
    assert_eq!(find(store, &id).state, Some(Uncertain));
    (id, leased)
}

fn late(store: &Store, leased: &Job, step: u32, id: &str) -> Result<Committed, Error> {
    let part = [came_of(id, Some(&format!("m.{step}")), Sent)];
    let moment = store.moment();
    match step {
        3 => store.commit(&leased.token, &part),
        _ => block_on(advance(
            &store.connection,
            moment,
            &leased.token,
            step,
            15_000,
            &part,
        )),
    }
}

#[test]
fn an_answer_after_the_leases_end_makes_the_rest_due_and_repeats_nothing() {
    for (step, is_replayed) in [
        (0, false),
        (1, false),
        (2, false),
        (0, true),
        (1, true),
        (2, true),
    ] {
        let name = format!("request {step}, replayed: {is_replayed}");
        let store = Store::new();
        let (id, leased) = lost_at(&store, step);
        if is_replayed {
            assert!(replay_send(&store, leased.seq), "{name}");
        }
        late(&store, &leased, step + 1, &id).unwrap();
        assert_eq!(find(&store, &id).state, Some(Sent), "{name}");
        if step == 2 {
            assert_eq!(job(&store), ("done".into(), None, 2), "{name}");
            assert!(!replay_send(&store, leased.seq), "{name}");
            continue;
        }
        assert_eq!(job(&store), ("pending".into(), None, step + 1), "{name}");
        let marked = block_on(mark_sending(
            &store.connection,
            store.moment(),
            &leased.token,
            step + 1,
            &Gate::default(),
        ));
        assert_eq!(marked, Err(Error::Stale), "{name}");
        let next = lease_send(&store).remove(0);
        assert_eq!((next.step, next.attempt), (step + 1, 1), "{name}");
        assert_eq!(pass(&store, &next, step + 1, 3), Clearance::Go, "{name}");
    }
}

#[test]
fn a_late_answer_moves_no_job_that_somebody_has_or_that_was_given_up_for_another_reason() {
    for (name, sql) in [
        (
            "leased again",
            "UPDATE outbox SET state = 'leased', token = 'outbox.0.x'",
        ),
        ("cancelled", "UPDATE outbox SET error = 'cancelled'"),
        ("further on", "UPDATE outbox SET step = 2"),
    ] {
        let store = Store::new();
        let (id, leased) = lost_at(&store, 1);
        store.connection.0.execute(sql, []).unwrap();
        let before = job(&store);
        assert_eq!(late(&store, &leased, 2, &id), Err(Error::Stale), "{name}");
        assert_eq!(job(&store), before, "{name}");
        assert_eq!(find(&store, &id).state, Some(Uncertain), "{name}");
    }
}

#[test]
fn a_part_that_is_known_to_be_sent_hides_no_rest_that_nobody_sends() {
    let store = Store::new();
    let (id, leased) = lost_at(&store, 1);
    store.submit(&[came_of(&id, Some("m.1"), Sent)]);
    assert_eq!(find(&store, &id).state, Some(Uncertain), "buried");
    assert!(replay_send(&store, leased.seq));
    let next = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &next, 1, 3), Clearance::Go);
    on(&store, &next, 2, &[came_of(&id, Some("m.2"), Sent)]);
    assert_eq!(find(&store, &id).state, Some(Sent), "somebody is at it");
}
