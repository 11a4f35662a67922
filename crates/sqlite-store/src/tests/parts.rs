//! Messages of several requests: what a crash between them leaves, and what shows.

use super::sends::{find, lease_send, opened, submitted};
use super::*;
use DeliveryState::{Delivered, Failed, Sent, Uncertain};

pub fn pass(store: &Store, job: &Job, step: u32, requests: u32) -> Clearance {
    let gate = Gate {
        requests,
        ..Gate::default()
    };
    let moment = store.moment();
    block_on(mark_sending(
        &store.connection,
        moment,
        &job.token,
        step,
        &gate,
    ))
    .unwrap()
}

pub fn on(store: &Store, job: &Job, step: u32, effects: &[Effect]) {
    let moment = store.moment();
    block_on(advance(
        &store.connection,
        moment,
        &job.token,
        step,
        15_000,
        effects,
    ))
    .unwrap();
}

pub fn came_of(message: &str, platform_id: Option<&str>, state: DeliveryState) -> Effect {
    Effect::Sent(SentEffect {
        message_id: message.into(),
        platform_id: platform_id.map(str::to_owned),
        state,
        error: None,
        at: 7,
    })
}

/// The only job's state, error and step.
pub fn job(store: &Store) -> (String, Option<String>, u32) {
    let sql = "SELECT state, error, step FROM outbox ORDER BY seq DESC LIMIT 1";
    let row = store
        .connection
        .0
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    row.unwrap()
}

/// The lease runs out; what is leased then.
pub fn crashed(store: &Store) -> Option<Job> {
    store.pass(60_000);
    lease_send(store).pop()
}

pub fn told(store: &Store, id: &str, reference: &str) {
    let mut status = status(Target::MessageId(id.into()), Delivered);
    if let Effect::Status(effect) = &mut status {
        effect.status.reference = Some(reference.to_owned());
    }
    store.submit(&[status]);
}

#[test]
fn a_crash_between_parts_repeats_none_and_goes_on_with_the_next() {
    let store = Store::new();
    let id = submitted(&store, &opened(&store));
    let leased = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &leased, 0, 3), Clearance::Go);
    on(&store, &leased, 1, &[came_of(&id, Some("m.1"), Sent)]);
    let again = crashed(&store).expect("it is known what went out");
    assert_eq!((again.step, job(&store).0.as_str()), (1, "leased"));
    assert_eq!(pass(&store, &again, 0, 3), Clearance::AlreadySent);
    assert_eq!(pass(&store, &again, 1, 3), Clearance::Go);
    // In the middle of the second nobody knows any more.
    assert_eq!(crashed(&store), None);
    assert_eq!(job(&store), ("buried".into(), Some("uncertain".into()), 1));
    assert_eq!(find(&store, &id).state, Some(Uncertain));
    // What the platform says of the first part hides nothing.
    store.submit(&[status(Target::MessageId("m.1".into()), Delivered)]);
    assert_eq!(find(&store, &id).state, Some(Uncertain));
    told(&store, "m.2", &id);
    assert_eq!(job(&store).0, "buried", "whichever part that was");
    // Somebody has it sent again, and all of it arrives.
    let (kind, seq) = ("send-whatsapp", again.seq);
    assert!(block_on(replay(&store.connection, store.moment(), kind, seq)).unwrap());
    let last = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &last, 1, 3), Clearance::Go);
    on(&store, &last, 2, &[came_of(&id, Some("m.2"), Sent)]);
    assert_eq!(pass(&store, &last, 2, 3), Clearance::Go);
    store
        .commit(&last.token, &[came_of(&id, Some("m.3"), Sent)])
        .unwrap();
    let message = find(&store, &id);
    assert_eq!(
        (message.state, &*message.content.id),
        (Some(Delivered), "m.1")
    );
}

#[test]
fn a_first_part_that_the_platform_tells_of_ends_the_job_only_where_it_was_the_whole() {
    for (requests, while_leased, want) in [
        (1, false, "done"),
        (2, false, "pending"),
        (1, true, "leased"),
        (2, true, "leased"),
    ] {
        let store = Store::new();
        let id = submitted(&store, &opened(&store));
        let leased = lease_send(&store).remove(0);
        assert_eq!(pass(&store, &leased, 0, requests), Clearance::Go);
        let name = format!("{requests} requests, told before the lease's end: {while_leased}");
        if while_leased {
            told(&store, "m.1", &id);
            assert!(crashed(&store).is_some(), "{name}");
        } else {
            assert_eq!(crashed(&store), None, "{name}");
            assert_eq!(find(&store, &id).state, Some(Uncertain), "{name}");
            told(&store, "m.1", &id);
        }
        assert_eq!(job(&store).0, want, "{name}");
        assert_eq!(find(&store, &id).state, Some(Delivered), "{name}");
        if want == "done" {
            continue;
        }
        let next = if while_leased {
            let token = store.connection.0.query_row(
                "SELECT token FROM outbox ORDER BY seq DESC LIMIT 1",
                [],
                |row| row.get(0),
            );
            Job {
                token: token.unwrap(),
                ..leased
            }
        } else {
            lease_send(&store).remove(0)
        };
        assert_eq!(pass(&store, &next, 0, 9), Clearance::AlreadySent, "{name}");
        let second = pass(&store, &next, 1, 9);
        let is_over = requests == 1;
        assert_eq!(
            second == Clearance::AlreadySent,
            is_over,
            "{name}: {second:?}"
        );
    }
}

#[test]
fn a_part_that_fails_shows_before_what_became_of_the_first() {
    let store = Store::new();
    let id = submitted(&store, &opened(&store));
    let leased = lease_send(&store).remove(0);
    pass(&store, &leased, 0, 2);
    on(&store, &leased, 1, &[came_of(&id, Some("m.1"), Sent)]);
    store.submit(&[came_of(&id, Some("m.1"), Failed)]);
    block_on(bury(
        &store.connection,
        store.moment(),
        &leased.token,
        "refused",
    ))
    .unwrap();
    store.submit(&[status(Target::MessageId("m.1".into()), Delivered)]);
    assert_eq!(find(&store, &id).state, Some(Failed));
    // One that is cancelled between two parts shows it too.
    let other = submitted(&store, &opened_again(&store));
    let leased = lease_send(&store).remove(0);
    pass(&store, &leased, 0, 2);
    on(&store, &leased, 1, &[came_of(&other, Some("m.9"), Sent)]);
    let (moment, at) = (store.moment(), store.now.get());
    block_on(retry(&store.connection, moment, &leased.token, at, "later")).unwrap();
    block_on(cancel(&store.connection, store.moment(), None, leased.seq)).unwrap();
    let message = find(&store, &other);
    assert_eq!(message.state, Some(Failed));
    assert_eq!(message.error.unwrap().title.as_deref(), Some("cancelled"));
}

fn opened_again(store: &Store) -> String {
    store.conversations().remove(0).id
}

#[test]
fn an_echo_with_our_reference_is_no_message_of_its_own() {
    for at_first in [true, false] {
        let store = Store::new();
        let conversation = opened(&store);
        let id = submitted(&store, &conversation);
        let leased = lease_send(&store).remove(0);
        pass(&store, &leased, 0, 2);
        if !at_first {
            on(&store, &leased, 1, &[came_of(&id, Some("m.1"), Sent)]);
            pass(&store, &leased, 1, 2);
        }
        let before = store.conversations().remove(0);
        let echo = |platform_id: &str, reference: Option<&str>| {
            let content = Message {
                reference: reference.map(str::to_owned),
                echo: true,
                ..content(platform_id)
            };
            let effect = MessageEffect {
                content,
                direction: Direction::Outbound,
                author: Author::External,
                standby: false,
                at: 9,
                state: Some(Sent),
                explanation: None,
            };
            let bind = Effect::BindConversation(conversation.clone());
            store.submit(&[bind, Effect::Message(effect)]).message_id
        };
        let own = if at_first { "m.1" } else { "m.2" };
        assert_eq!(echo(own, Some(&id)).as_deref(), Some(&*id));
        assert_eq!(find(&store, &id).content.id, "m.1");
        // Known by its id from here on.
        assert_eq!(echo(own, None).as_deref(), Some(&*id));
        let after = store.conversations().remove(0);
        assert_eq!(after.last_human_at, before.last_human_at);
        assert_eq!(after.message_count, before.message_count);
        // Somebody else's reference says nothing.
        assert_ne!(echo("m.7", Some("nobody")).as_deref(), Some(&*id));
    }
}

/// What the platform says went wrong with a request.
fn refused(id: &str) -> Effect {
    let mut effect = status(Target::MessageId(id.into()), Failed);
    if let Effect::Status(effect) = &mut effect {
        effect.status.error = Some(ErrorDetail {
            code: Some("131026".into()),
            title: Some("undeliverable".into()),
            detail: None,
        });
    }
    effect
}

#[test]
fn a_later_part_that_the_platform_could_not_deliver_shows_in_the_message_whenever_it_says_so() {
    for (name, said_after) in [
        ("before the part is known", 1),
        ("before the rest is sent", 2),
        ("after all was sent", 3),
    ] {
        let store = Store::new();
        let id = submitted(&store, &opened(&store));
        let leased = lease_send(&store).remove(0);
        for step in 0..3 {
            if said_after == step {
                store.submit(&[refused("m.2")]);
            }
            assert_eq!(pass(&store, &leased, step, 3), Clearance::Go, "{name}");
            let sent = [came_of(&id, Some(&format!("m.{}", step + 1)), Sent)];
            match step {
                2 => drop(store.commit(&leased.token, &sent).unwrap()),
                _ => on(&store, &leased, step + 1, &sent),
            }
        }
        if said_after == 3 {
            assert_eq!(find(&store, &id).state, Some(Sent), "{name}");
            store.submit(&[refused("m.2")]);
        }
        let shown = || {
            let message = find(&store, &id);
            let error = message.error.unwrap();
            (message.state, error.code, message.content.id)
        };
        let want = (Some(Failed), Some("131026".to_owned()), "m.1".to_owned());
        assert_eq!(shown(), want, "{name}");
        let (kind, data) = store.changes().pop().unwrap();
        assert_eq!(
            (&*kind, data["message_id"].as_str()),
            ("message.updated", Some(&*id))
        );
        // The others arrive, which hides nothing.
        for part in ["m.1", "m.3"] {
            store.submit(&[status(Target::MessageId(part.into()), Delivered)]);
        }
        assert_eq!(shown(), want, "{name}");
        assert_eq!(job(&store).0, "done", "nothing is sent again");
    }
}

#[test]
fn a_later_part_that_arrives_changes_nothing_and_a_strangers_failure_is_not_ours() {
    let store = Store::new();
    let id = submitted(&store, &opened(&store));
    let leased = lease_send(&store).remove(0);
    assert_eq!(pass(&store, &leased, 0, 2), Clearance::Go);
    on(&store, &leased, 1, &[came_of(&id, Some("m.1"), Sent)]);
    assert_eq!(pass(&store, &leased, 1, 2), Clearance::Go);
    store
        .commit(&leased.token, &[came_of(&id, Some("m.2"), Sent)])
        .unwrap();
    for effect in [
        status(Target::MessageId("m.2".into()), Delivered),
        refused("m.2x"),
    ] {
        store.submit(&[effect]);
        assert_eq!(find(&store, &id).state, Some(Sent));
    }
}
