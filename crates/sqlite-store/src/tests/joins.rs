//! What two conversations that turn out to be one keep, and the jobs of which each has one.

use super::*;
use crate::Handover;
use crate::join::REPLACED;

/// The conversations of `a:1` and `b:1` with these changes, joined.
fn joined(stays: &ConversationChange, goes: &ConversationChange) -> Conversation {
    let store = Store::new();
    for (person, change) in [("a:1", stays), ("b:1", goes)] {
        store.submit(&[
            contact(&[person]),
            conversation(),
            Effect::ChangeConversation(change.clone()),
        ]);
    }
    store.submit(&[contact(&["a:1", "b:1"])]);
    store.conversations().remove(0)
}

fn status(status: ConversationStatus, until: Option<u64>) -> ConversationChange {
    ConversationChange {
        status: Some(status),
        snoozed_until: until,
        ..ConversationChange::default()
    }
}

#[test]
fn somebody_who_waits_is_kept_before_nobody() {
    use ConversationStatus::{Open, Pending, Resolved, Snoozed};
    for (name, one, two, want) in [
        (
            "open beats snoozed",
            (Open, None),
            (Snoozed, Some(9)),
            (Open, None),
        ),
        (
            "open beats pending",
            (Open, None),
            (Pending, None),
            (Open, None),
        ),
        (
            "open beats resolved",
            (Open, None),
            (Resolved, None),
            (Open, None),
        ),
        (
            "snoozed beats pending",
            (Snoozed, Some(9)),
            (Pending, None),
            (Snoozed, Some(9)),
        ),
        (
            "snoozed beats resolved",
            (Snoozed, None),
            (Resolved, None),
            (Snoozed, None),
        ),
        (
            "pending beats resolved",
            (Pending, None),
            (Resolved, None),
            (Pending, None),
        ),
        (
            "the earlier end",
            (Snoozed, Some(8)),
            (Snoozed, Some(9)),
            (Snoozed, Some(8)),
        ),
        (
            "an end before none",
            (Snoozed, Some(8)),
            (Snoozed, None),
            (Snoozed, Some(8)),
        ),
        (
            "both resolved",
            (Resolved, None),
            (Resolved, None),
            (Resolved, None),
        ),
    ] {
        for (stays, goes) in [(one, two), (two, one)] {
            let kept = joined(&status(stays.0, stays.1), &status(goes.0, goes.1));
            assert_eq!((kept.status, kept.snoozed_until), want, "{name}");
        }
    }
}

#[test]
fn each_field_is_kept_by_its_own_rule() {
    let none = ConversationChange::default;
    let people = |assignee: &str, team: &str| ConversationChange {
        assignee: Some(assignee.into()),
        team: Some(team.into()),
        ..none()
    };
    let priority = |priority| ConversationChange {
        priority: Some(priority),
        ..none()
    };
    let muted = |until| ConversationChange {
        muted_until: Some(until),
        ..none()
    };
    let human = ConversationChange {
        handover: Some(Handover::Human),
        ..none()
    };
    let shown = |kept: &Conversation| {
        let people = [&kept.assignee, &kept.team].map(|it| it.clone().unwrap_or_default());
        let turn = kept.handover == Handover::Human && kept.handed_over_at.is_some();
        (people.join("/"), kept.priority, kept.muted_until, turn)
    };
    let want = |people: &str, priority, muted_until, turn| {
        (people.to_owned(), priority, muted_until, turn)
    };
    use Priority::{High, Low, Normal, Urgent};
    for (name, stays, goes, expected) in [
        ("nothing", none(), none(), want("/", Normal, None, false)),
        (
            "its own people",
            people("zed", "z"),
            people("ann", "a"),
            want("zed/z", Normal, None, false),
        ),
        (
            "the other's people",
            none(),
            people("ann", "a"),
            want("ann/a", Normal, None, false),
        ),
        (
            "one from each",
            people("zed", ""),
            people("", "a"),
            want("zed/a", Normal, None, false),
        ),
        (
            "the higher priority stays",
            priority(Urgent),
            priority(High),
            want("/", Urgent, None, false),
        ),
        (
            "the higher priority comes",
            priority(Low),
            priority(High),
            want("/", High, None, false),
        ),
        (
            "both low",
            priority(Low),
            priority(Low),
            want("/", Low, None, false),
        ),
        (
            "a mute stays",
            muted(9),
            none(),
            want("/", Normal, Some(9), false),
        ),
        (
            "a mute comes",
            none(),
            muted(9),
            want("/", Normal, Some(9), false),
        ),
        (
            "the longer mute",
            muted(9),
            muted(8),
            want("/", Normal, Some(9), false),
        ),
        (
            "a person's turn stays",
            human.clone(),
            none(),
            want("/", Normal, None, true),
        ),
        (
            "a person's turn comes",
            none(),
            human,
            want("/", Normal, None, true),
        ),
    ] {
        assert_eq!(shown(&joined(&stays, &goes)), expected, "{name}");
    }
}

#[test]
fn a_joined_snooze_ends_at_the_time_it_shows_whatever_jobs_there_were() {
    let store = Store::new();
    let start = store.now.get();
    let snooze =
        |until| Effect::ChangeConversation(status(ConversationStatus::Snoozed, Some(until)));
    let resolve = Effect::ChangeConversation(status(ConversationStatus::Resolved, None));
    // The job of the first snooze is left behind by the resolution.
    store.submit(&[
        contact(&["a:1"]),
        conversation(),
        snooze(start + 10),
        resolve,
    ]);
    store.submit(&[contact(&["b:1"]), conversation(), snooze(start + 50)]);
    store.submit(&[contact(&["a:1", "b:1"])]);
    assert_eq!(store.conversations()[0].snoozed_until, Some(start + 50));
    store.pass(49);
    assert!(store.lease_kinds(&["unsnooze"], 9).is_empty());
    store.pass(1);
    let jobs = store.lease_kinds(&["unsnooze"], 9);
    assert_eq!(jobs.len(), 1);
    store.commit(&jobs[0].token, &[Effect::EndSnooze]).unwrap();
    assert_eq!(store.conversations()[0].status, ConversationStatus::Open);
}

#[test]
fn the_times_of_automatic_answers_are_of_both() {
    let store = Store::new();
    let bot = |at| match message("", Direction::Outbound, Some(DeliveryState::Accepted), at) {
        Effect::Message(message) => Effect::Message(MessageEffect {
            author: Author::Bot,
            ..message
        }),
        _ => unreachable!(),
    };
    let start = store.now.get();
    for person in ["a:1", "b:1", "a:1", "b:1", "a:1", "b:1"] {
        store.pass(10);
        store.submit(&[contact(&[person]), conversation(), bot(1)]);
    }
    store.submit(&[contact(&["a:1", "b:1"])]);
    let kept = store.conversations().remove(0);
    let newest: Vec<u64> = (2..=6).map(|step| start + step * 10).collect();
    assert_eq!((kept.bot_times, kept.bot_run), (newest, 3));
}

fn latest(own: &str, due_at: u64) -> Effect {
    let job = NewJob {
        kind: "reply".into(),
        payload: format!(r#"{{"due":{due_at}}}"#),
        due_at,
        ordering_key: Some(own.into()),
        dedupe_key: Some(own.into()),
        traceparent: None,
        about_message: true,
    };
    Effect::EnqueueLatest(LatestJob {
        job,
        within_ms: None,
    })
}

/// The jobs by number: state, key and reason.
fn jobs(store: &Store) -> Vec<(String, String, Option<String>)> {
    let mut statement = store
        .connection
        .0
        .prepare("SELECT state, key, error FROM outbox WHERE kind = 'reply' ORDER BY seq")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

fn about(job: &Job) -> String {
    let Payload::Json(json) = &job.payload else {
        panic!("an event")
    };
    let payload: serde_json::Value = serde_json::from_str(json).unwrap();
    payload["message_id"].as_str().unwrap().to_owned()
}

#[test]
fn of_the_jobs_of_joined_conversations_the_one_of_the_newest_message_stays() {
    for (name, first, second) in [
        ("the newest goes", "a:1", "b:1"),
        ("the newest stays", "b:1", "a:1"),
    ] {
        for leased in [false, true] {
            let store = Store::new();
            // Whoever stays is the older, whatever its messages are.
            let stays = store
                .submit(&[contact(&["a:1"]), conversation()])
                .conversation_id
                .unwrap();
            store.submit(&[contact(&["b:1"]), conversation()]);
            let due = store.now.get();
            store.submit(&[
                contact(&[first]),
                conversation(),
                inbound("m1"),
                latest("r", due),
                latest("own", due),
            ]);
            let older = leased.then(|| store.lease_kinds(&["reply"], 1).remove(0));
            let newest = store.submit(&[
                contact(&[second]),
                conversation(),
                inbound("m2"),
                latest("r", due),
            ]);
            store.submit(&[contact(&["a:1", "b:1"])]);

            let key = |own: &str| format!("reply:{stays}:{own}");
            let kept = |own: &str| ("pending".to_owned(), key(own), None);
            let ended = ("done".to_owned(), key("r:1"), Some(REPLACED.to_owned()));
            assert_eq!(jobs(&store), [ended, kept("own"), kept("r")], "{name}");
            if let Some(older) = older {
                assert_eq!(store.commit(&older.token, &[]), Err(Error::Stale), "{name}");
            }
            // Another message of either makes the one job its own.
            let third = store.submit(&[
                contact(&["b:1"]),
                conversation(),
                inbound("m3"),
                latest("r", due),
            ]);
            let leased = store.lease_kinds(&["reply"], 9);
            let messages: Vec<String> = leased.iter().map(about).collect();
            assert_eq!(messages.len(), 2, "{name}");
            assert!(messages.contains(&third.message_id.unwrap()), "{name}");
            assert!(!messages.contains(&newest.message_id.unwrap()), "{name}");
        }
    }
}

#[test]
fn jobs_that_are_over_are_in_nobodys_way() {
    for state in ["done", "buried"] {
        let store = Store::new();
        let due = store.now.get();
        for (person, id) in [("a:1", "m1"), ("b:1", "m2")] {
            store.submit(&[
                contact(&[person]),
                conversation(),
                inbound(id),
                latest("r", due),
            ]);
        }
        let all = store.lease_kinds(&["reply"], 9);
        assert_eq!(all.len(), 2);
        for job in &all {
            match state {
                "done" => drop(store.commit(&job.token, &[]).unwrap()),
                _ => block_on(bury(
                    &store.connection,
                    store.moment(),
                    &job.token,
                    "hopeless",
                ))
                .unwrap(),
            }
        }
        store.submit(&[contact(&["a:1", "b:1"])]);
        assert!(jobs(&store).iter().all(|(is, ..)| is == state), "{state}");
        store.submit(&[
            contact(&["a:1"]),
            conversation(),
            inbound("m3"),
            latest("r", due),
        ]);
        assert_eq!(store.lease_kinds(&["reply"], 9).len(), 1, "{state}");
    }
}

#[test]
fn a_late_run_over_an_older_message_does_not_take_the_place_of_a_newer_one() {
    for leased in [false, true] {
        let store = Store::new();
        let due = store.now.get();
        let start = [contact(&["a:1"]), conversation()];
        let with = |effects: &[Effect]| store.submit(&[start.to_vec(), effects.to_vec()].concat());
        let again = || {
            Effect::Enqueue(NewJob {
                kind: "route".into(),
                payload: "{}".into(),
                due_at: due,
                ordering_key: None,
                dedupe_key: None,
                traceparent: None,
                about_message: true,
            })
        };
        with(&[inbound("m1"), again()]);
        let newer = with(&[inbound("m2"), latest("r", due)]).message_id.unwrap();
        let held = leased.then(|| store.lease_kinds(&["reply"], 1).remove(0));
        // The run over m1 comes last.
        let late = store.lease_kinds(&["route"], 1).remove(0);
        store.commit(&late.token, &[latest("r", due + 5)]).unwrap();
        assert_eq!(jobs(&store).len(), 1);
        let job = held.unwrap_or_else(|| store.lease_kinds(&["reply"], 9).remove(0));
        assert_eq!(about(&job), newer);
        assert!(store.commit(&job.token, &[]).is_ok(), "its lease holds");
    }
}
