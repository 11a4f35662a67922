//! What keeps an automatic answer back: a person, a mute, an answer meanwhile, an opt-out.

use super::gate::{gate, pass};
use super::sends::{lease_send, opened, submitted};
use super::*;

#[test]
fn a_handover_to_a_person_keeps_the_automatic_answer_back() {
    use crate::model::Handover;
    for (to, announces, want) in [
        (Handover::Human, false, Clearance::TakenOver),
        (Handover::Human, true, Clearance::Go),
        (Handover::Bot, false, Clearance::Go),
    ] {
        let store = Store::new();
        let one = opened(&store);
        submitted(&store, &one);
        let change = ConversationChange {
            handover: Some(to),
            ..ConversationChange::default()
        };
        store.submit(&[
            Effect::BindConversation(one),
            Effect::ChangeConversation(change),
        ]);
        store.pass(10);
        let automatic = Gate {
            decided_at: Some(store.now.get()),
            announces,
            ..gate()
        };
        let job = lease_send(&store).remove(0);
        let clearance = pass(&store, &job, 0, &automatic);
        assert_eq!(clearance, Ok(want), "{to:?} {announces}");
    }
}

#[test]
fn a_mute_keeps_the_automatic_answer_back_until_it_ends() {
    for (ahead, want) in [(60_000, Clearance::TakenOver), (0, Clearance::Go)] {
        let store = Store::new();
        let one = opened(&store);
        submitted(&store, &one);
        store.pass(10);
        let change = ConversationChange {
            muted_until: Some(store.now.get() + ahead),
            ..ConversationChange::default()
        };
        store.submit(&[
            Effect::BindConversation(one),
            Effect::ChangeConversation(change),
        ]);
        let automatic = Gate {
            decided_at: Some(store.now.get()),
            ..gate()
        };
        let job = lease_send(&store).remove(0);
        assert_eq!(pass(&store, &job, 0, &automatic), Ok(want), "{ahead}");
    }
}

#[test]
fn a_person_who_answers_meanwhile_keeps_the_automatic_answer_back() {
    for (name, author, want) in [
        ("agent", Author::Agent, Clearance::TakenOver),
        ("from another app", Author::External, Clearance::TakenOver),
        ("another automatic answer", Author::Bot, Clearance::Go),
    ] {
        let store = Store::new();
        let one = opened(&store);
        submitted(&store, &one);
        store.pass(10);
        let decided_at = store.now.get();
        store.pass(10);
        let said = MessageEffect {
            content: content("wamid.theirs"),
            direction: Direction::Outbound,
            author,
            standby: false,
            at: store.now.get(),
            state: None,
            explanation: None,
        };
        store.submit(&[Effect::BindConversation(one), Effect::Message(said)]);
        let automatic = |decided_at| Gate {
            decided_at: Some(decided_at),
            ..gate()
        };
        let job = lease_send(&store).remove(0);
        assert_eq!(
            pass(&store, &job, 0, &automatic(decided_at)),
            Ok(want),
            "{name}"
        );
        let after = automatic(store.now.get() + 1);
        assert_eq!(pass(&store, &job, 0, &after), Ok(Clearance::Go), "{name}");
    }
}

#[test]
fn who_opted_out_gets_nothing_automatic_until_they_opt_in_again() {
    let store = Store::new();
    let one = opened(&store);
    let opt = |granted| {
        let opt = OptEffect {
            action: "stop".into(),
            granted,
            at: 1,
        };
        store.submit(&[contact(&["phone:1"]), Effect::Opt(opt)]);
    };
    submitted(&store, &one);
    let job = lease_send(&store).remove(0);
    let automatic = Gate {
        decided_at: Some(u64::MAX / 4),
        ..gate()
    };
    for (name, granted, want) in [
        ("said nothing", None, Clearance::Go),
        ("out", Some(false), Clearance::OptedOut),
        ("a word that says neither", None, Clearance::OptedOut),
        ("in", Some(true), Clearance::Go),
    ] {
        opt(granted);
        assert_eq!(pass(&store, &job, 0, &automatic), Ok(want), "{name}");
    }
    opt(Some(false));
    assert_eq!(
        pass(&store, &job, 0, &gate()),
        Ok(Clearance::Go),
        "a person"
    );
}

#[test]
fn who_opted_out_under_one_name_stays_out_under_all() {
    for (older, newer) in [(Some(false), Some(true)), (Some(true), Some(false))] {
        let store = Store::new();
        let one = opened(&store);
        let opt = |phone: &str, granted| {
            let opt = OptEffect {
                action: "said".into(),
                granted,
                at: 1,
            };
            store.submit(&[contact(&[phone]), Effect::Opt(opt)]);
        };
        opt("phone:1", older);
        opt("phone:2", newer);
        store.submit(&[contact(&["phone:1", "phone:2"])]);
        submitted(&store, &one);
        store.pass(10);
        let automatic = Gate {
            decided_at: Some(store.now.get()),
            ..gate()
        };
        let job = lease_send(&store).remove(0);
        let clearance = pass(&store, &job, 0, &automatic);
        assert_eq!(clearance, Ok(Clearance::OptedOut), "{older:?} {newer:?}");
    }
}
