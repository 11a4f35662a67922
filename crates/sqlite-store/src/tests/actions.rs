//! What the actions of rules change, and the jobs of which a conversation has one.

use proptest::prelude::*;

use super::*;
use crate::Handover;

fn change(change: ConversationChange) -> Effect {
    Effect::ChangeConversation(change)
}

fn pick(by: PickBy, among: &[&str]) -> Effect {
    change(ConversationChange {
        pick: Some(Pick {
            by,
            among: among.iter().map(|&name| name.to_owned()).collect(),
        }),
        ..ConversationChange::default()
    })
}

fn status(status: ConversationStatus, until: Option<u64>) -> Effect {
    change(ConversationChange {
        status: Some(status),
        snoozed_until: until,
        ..ConversationChange::default()
    })
}

/// The person's conversation, with these effects on it.
pub(super) fn of(store: &Store, person: &str, effects: &[Effect]) -> Conversation {
    let start = vec![contact(&[person]), conversation()];
    let id = store.submit(&[start, effects.to_vec()].concat());
    find(store, &id.conversation_id.unwrap())
}

fn find(store: &Store, id: &str) -> Conversation {
    let found = block_on(find_conversation(&store.connection, Some(TENANT), id));
    found.unwrap().unwrap()
}

fn by(author: Author) -> Effect {
    match message("", Direction::Outbound, Some(DeliveryState::Accepted), 1) {
        Effect::Message(message) => Effect::Message(MessageEffect { author, ..message }),
        _ => unreachable!(),
    }
}

pub(super) fn latest(own: &str, due_at: u64, within_ms: Option<u64>) -> Effect {
    let job = NewJob {
        kind: "reply".into(),
        payload: format!(r#"{{"due":{due_at}}}"#),
        due_at,
        ordering_key: Some(own.into()),
        dedupe_key: Some(own.into()),
        traceparent: None,
        about_message: true,
    };
    Effect::EnqueueLatest(LatestJob { job, within_ms })
}

pub(super) fn payload(job: &Job) -> serde_json::Value {
    match &job.payload {
        Payload::Json(json) => serde_json::from_str(json).unwrap(),
        Payload::Event(_) => panic!("an event"),
    }
}

#[test]
fn round_robin_takes_turns_and_each_list_has_its_own() {
    let store = Store::new();
    let who = |person: &str, among: &[&str]| {
        let robin = pick(PickBy::RoundRobin, among);
        of(&store, person, &[robin]).assignee.unwrap()
    };
    let names = ["ann", "ben", "cas"];
    let turns: Vec<String> = ["a:1", "a:2", "a:3", "a:4"].map(|p| who(p, &names)).into();
    assert_eq!(turns, ["ann", "ben", "cas", "ann"]);
    assert_eq!(who("b:1", &["cas", "dan"]), "cas", "another list");
    assert_eq!(who("a:2", &names), "ben", "who has it keeps it");
    assert_eq!(who("b:1", &names), "cas", "also from another list");
    assert_eq!(who("a:5", &names), "ben", "a kept one takes no turn");
    assert_eq!(who("a:1", &["eve"]), "eve", "not one of the list");
}

#[test]
fn the_least_busy_has_the_fewest_open_conversations() {
    let store = Store::new();
    let least = || pick(PickBy::LeastBusy, &["ann", "ben"]);
    let who = |person: &str| of(&store, person, &[least()]).assignee.unwrap();
    assert_eq!(["a:1", "a:2", "a:3"].map(who), ["ann", "ben", "ann"]);
    assert_eq!(who("a:4"), "ben");
    for person in ["a:1", "a:3"] {
        of(
            &store,
            person,
            &[status(ConversationStatus::Resolved, None)],
        );
    }
    assert_eq!(
        ["a:5", "a:6"].map(who),
        ["ann", "ann"],
        "what is resolved does not count"
    );
    let other = Effect::ChangeConversation(ConversationChange {
        pick: Some(Pick {
            by: PickBy::LeastBusy,
            among: vec![],
        }),
        ..ConversationChange::default()
    });
    let start = [contact(&["a:7"]), conversation(), other];
    let refused = block_on(submit(
        &store.connection,
        store.moment(),
        TENANT,
        None,
        &start,
    ));
    assert!(matches!(refused, Err(Error::Invalid(_))));
}

proptest! {
    // Each step is a commit to disk.
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// Whatever is picked and resolved in between, the one who is picked had no more than any other.
    #[test]
    fn nobody_busier_is_picked(resolved in proptest::collection::vec(any::<Option<u8>>(), 1..24)) {
        let store = Store::new();
        let names = ["ann", "ben", "cas"];
        for (index, resolve) in resolved.into_iter().enumerate() {
            if let Some(person) = resolve {
                of(&store, &format!("a:{}", usize::from(person) % (index + 1)), &[status(ConversationStatus::Resolved, None)]);
            }
            let busy = |name: &str| store.number(&format!(
                "SELECT count(*) FROM conversations WHERE assignee = '{name}' AND status = 'open'"));
            let before: Vec<i64> = names.iter().map(|name| busy(name)).collect();
            let picked = of(&store, &format!("new:{index}"), &[pick(PickBy::LeastBusy, &names)]).assignee.unwrap();
            let least = before.iter().min().unwrap();
            let place = names.iter().position(|name| *name == picked).unwrap();
            prop_assert_eq!(before[place], *least);
            prop_assert_eq!(before.iter().position(|count| count == least), Some(place), "the first of several");
        }
    }
}

#[test]
fn team_handover_and_mute_stay_until_they_are_changed() {
    let store = Store::new();
    let plain = of(&store, "a:1", &[]);
    assert_eq!(
        (plain.handover, plain.handed_over_at, plain.muted_until),
        (Handover::Bot, None, None)
    );
    store.pass(5);
    let set = ConversationChange {
        team: Some("sales".into()),
        handover: Some(Handover::Human),
        muted_until: Some(77),
        ..ConversationChange::default()
    };
    let then = Some(store.now.get());
    let changed = of(&store, "a:1", &[change(set.clone())]);
    assert_eq!(changed.team.as_deref(), Some("sales"));
    assert_eq!(
        (
            changed.handover,
            changed.handed_over_at,
            changed.muted_until
        ),
        (Handover::Human, then, Some(77))
    );
    store.pass(5);
    let same = of(
        &store,
        "a:1",
        &[change(set), change(ConversationChange::default())],
    );
    assert_eq!(
        (same.handed_over_at, same.muted_until),
        (then, Some(77)),
        "the same again"
    );
    let back = ConversationChange {
        handover: Some(Handover::Bot),
        muted_until: Some(0),
        ..ConversationChange::default()
    };
    let back = of(&store, "a:1", &[change(back)]);
    assert_eq!(
        (back.handover, back.handed_over_at, back.muted_until),
        (Handover::Bot, Some(store.now.get()), None)
    );
}

#[test]
fn a_snoozed_conversation_opens_when_its_time_is_over_or_the_customer_writes() {
    let store = Store::new();
    let until = store.now.get() + 1_000;
    let snoozed = of(
        &store,
        "a:1",
        &[status(ConversationStatus::Snoozed, Some(until))],
    );
    assert_eq!(
        (snoozed.status, snoozed.snoozed_until),
        (ConversationStatus::Snoozed, Some(until))
    );
    assert!(
        store.lease_kinds(&["unsnooze"], 9).is_empty(),
        "not due yet"
    );
    // Later, and then sooner than at first: one job, due when the newest says.
    of(
        &store,
        "a:1",
        &[status(ConversationStatus::Snoozed, Some(until + 500))],
    );
    store.pass(1_000);
    assert!(
        store.lease_kinds(&["unsnooze"], 9).is_empty(),
        "it was put off"
    );
    store.pass(500);
    let job = store.lease_kinds(&["unsnooze"], 9).remove(0);
    store.commit(&job.token, &[Effect::EndSnooze]).unwrap();
    let open = find(&store, &snoozed.id);
    assert_eq!(
        (open.status, open.snoozed_until),
        (ConversationStatus::Open, None)
    );

    of(
        &store,
        "a:1",
        &[status(ConversationStatus::Snoozed, Some(until + 9_000))],
    );
    let woken = of(&store, "a:1", &[inbound("m")]);
    assert_eq!(
        (woken.status, woken.snoozed_until),
        (ConversationStatus::Open, None)
    );
    store.pass(9_000);
    of(&store, "a:1", &[status(ConversationStatus::Pending, None)]);
    let late = store.lease_kinds(&["unsnooze"], 9).remove(0);
    store.commit(&late.token, &[Effect::EndSnooze]).unwrap();
    assert_eq!(
        find(&store, &snoozed.id).status,
        ConversationStatus::Pending,
        "not snoozed any more"
    );
    let kept = of(
        &store,
        "a:1",
        &[status(ConversationStatus::Snoozed, None), by(Author::Agent)],
    );
    assert_eq!(
        kept.status,
        ConversationStatus::Snoozed,
        "what we say opens nothing"
    );
}

#[test]
fn the_last_answers_of_people_and_rules_are_known() {
    let store = Store::new();
    let mut times = Vec::new();
    for _ in 0..7 {
        store.pass(10);
        times.push(store.now.get());
        of(&store, "a:1", &[by(Author::Bot)]);
    }
    let run = of(&store, "a:1", &[inbound("m")]);
    assert_eq!(
        (run.bot_run, run.last_bot_at, run.last_human_at),
        (7, times.last().copied(), None)
    );
    assert_eq!(run.bot_times, times[2..]);
    store.pass(10);
    let human = of(&store, "a:1", &[by(Author::External)]);
    assert_eq!(
        (human.bot_run, human.last_human_at),
        (0, Some(store.now.get()))
    );
    assert_eq!(of(&store, "a:1", &[by(Author::Bot)]).bot_run, 1);
    store.pass(3_600_000);
    assert_eq!(
        of(&store, "a:1", &[by(Author::Bot)]).bot_run,
        1,
        "an hour without any"
    );
}

#[test]
fn an_echo_that_turns_out_to_be_our_own_is_no_persons_answer() {
    let store = Store::new();
    let mut sent = by(Author::Bot);
    if let Effect::Message(message) = &mut sent {
        message.content.id.clear();
    }
    let start = [contact(&["a:1"]), conversation(), sent];
    let made = store.submit(&start);
    let mut echo = by(Author::External);
    if let Effect::Message(message) = &mut echo {
        message.content.id = "wamid".into();
    }
    assert!(of(&store, "a:1", &[echo]).last_human_at.is_some());
    store.submit(&[Effect::Sent(SentEffect {
        message_id: made.message_id.unwrap(),
        platform_id: Some("wamid".into()),
        state: DeliveryState::Sent,
        error: None,
        at: 1,
    })]);
    let conversation = find(&store, &made.conversation_id.unwrap());
    assert_eq!(
        (conversation.last_human_at, conversation.message_count),
        (None, 1)
    );
}

#[test]
fn a_stage_that_was_set_outlives_enrichments() {
    let store = Store::new();
    let stage = |stage: &str| {
        Effect::ChangeContact(ContactChange {
            stage: Some(stage.into()),
            ..ContactChange::default()
        })
    };
    let lead = |store: &Store| {
        let lead = store.contacts().remove(0).lead;
        lead.map(|json| serde_json::from_str::<serde_json::Value>(&json).unwrap())
    };
    let made = store.submit(&[contact(&["a:1"]), conversation(), inbound("m")]);
    assert_eq!(lead(&store), None);
    of(&store, "a:1", &[stage("customer")]);
    assert_eq!(
        lead(&store),
        Some(serde_json::json!({ "stage": "customer" }))
    );
    store.submit(&[Effect::Enrichment(EnrichmentEffect {
        message_id: made.message_id.unwrap(),
        json: "{}".into(),
        lead: Some(r#"{"score":9,"stage":"new"}"#.into()),
    })]);
    assert_eq!(
        lead(&store),
        Some(serde_json::json!({ "score": 9, "stage": "customer" }))
    );
    of(&store, "a:1", &[stage("qualified")]);
    assert_eq!(
        lead(&store),
        Some(serde_json::json!({ "score": 9, "stage": "qualified" }))
    );
}

#[test]
fn a_rule_keeps_its_strategy() {
    let store = Store::new();
    let rule = Rule {
        id: "r".into(),
        platform_client_id: TENANT.into(),
        name: "rule".into(),
        priority: 1,
        condition: "true".into(),
        actions: "[]".into(),
        stop: false,
        enabled: true,
        created_at: 0,
        updated_at: 0,
        strategy: "debounce 5s".into(),
    };
    block_on(put_rule(&store.connection, store.moment(), &rule)).unwrap();
    let rules = block_on(list_rules(&store.connection, Some(TENANT))).unwrap();
    assert_eq!(rules[0].strategy, "debounce 5s");
}

#[test]
fn merged_conversations_stay_with_the_person_who_has_one_of_them() {
    let store = Store::new();
    of(&store, "a:1", &[by(Author::Bot)]);
    let human = ConversationChange {
        handover: Some(Handover::Human),
        muted_until: Some(5),
        team: Some("sales".into()),
        ..ConversationChange::default()
    };
    store.pass(10);
    of(&store, "b:1", &[change(human), by(Author::Agent)]);
    store.submit(&[contact(&["a:1", "b:1"])]);
    let merged = store.conversations().remove(0);
    assert_eq!(
        (merged.handover, merged.muted_until),
        (Handover::Human, Some(5))
    );
    assert_eq!(merged.team.as_deref(), Some("sales"));
    assert_eq!(
        (merged.last_human_at, merged.last_bot_at),
        (Some(1_000_010), Some(1_000_000))
    );
}
