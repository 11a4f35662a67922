//! What we send: from the caller's words to the platform's id, and what came of it.

use super::*;

/// A conversation with one inbound message; its id.
pub fn opened(store: &Store) -> String {
    store.append(&[text("theirs", &["phone:1"])]);
    store.work();
    store.conversations().remove(0).id
}

/// What an API submits: a message without a platform's id, and the job that sends it.
pub fn submitted(store: &Store, conversation: &str) -> String {
    let said = MessageEffect {
        content: Message {
            id: String::new(),
            ..content("ours")
        },
        direction: Direction::Outbound,
        author: Author::Agent,
        standby: false,
        at: store.now.get(),
        state: Some(DeliveryState::Accepted),
        explanation: None,
    };
    let effects = [
        Effect::BindConversation(conversation.to_owned()),
        Effect::Message(said),
        Effect::Enqueue(NewJob {
            about_message: true,
            dedupe_key: Some(String::new()),
            payload: "{}".into(),
            ..job()
        }),
    ];
    store.submit(&effects).message_id.unwrap()
}

fn job() -> NewJob {
    NewJob {
        kind: "send-whatsapp".into(),
        payload: String::new(),
        due_at: 0,
        ordering_key: None,
        dedupe_key: None,
        traceparent: None,
        about_message: false,
    }
}

fn came_of(message: &str, platform_id: Option<&str>, state: DeliveryState) -> SentEffect {
    SentEffect {
        message_id: message.into(),
        platform_id: platform_id.map(str::to_owned),
        state,
        error: None,
        at: 7,
    }
}

fn sent(message: &str, platform_id: &str) -> Effect {
    Effect::Sent(came_of(message, Some(platform_id), DeliveryState::Sent))
}

pub fn lease_send(store: &Store) -> Vec<Job> {
    store.lease_kinds(&["send-whatsapp"], 9)
}

fn mark(store: &Store, job: &Job, step: u32) {
    block_on(mark_sending(
        &store.connection,
        store.moment(),
        &job.token,
        step,
        &Gate::default(),
    ))
    .unwrap();
}

pub fn find(store: &Store, id: &str) -> StoredMessage {
    block_on(find_message(&store.connection, Some(TENANT), id))
        .unwrap()
        .unwrap()
}

fn status_of(id: &str, state: DeliveryState) -> Effect {
    status(Target::MessageId(id.into()), state)
}

#[test]
fn a_submitted_message_waits_with_its_job_and_is_known_by_both_ids_once_sent() {
    let store = Store::new();
    let conversation = opened(&store);
    let id = submitted(&store, &conversation);
    let before = find(&store, &id);
    assert_eq!(before.state, Some(DeliveryState::Accepted));
    assert_eq!(
        (&*before.content.id, before.contact_id.is_some()),
        ("", true)
    );
    let job = lease_send(&store).remove(0);
    let context = block_on(read_context(
        &store.connection,
        store.moment(),
        &job.token,
        0,
    ))
    .unwrap();
    assert_eq!(context.message.unwrap().id, id);
    mark(&store, &job, 0);
    store.commit(&job.token, &[sent(&id, "wamid.1")]).unwrap();
    let after = find(&store, &id);
    assert_eq!(after.state, Some(DeliveryState::Sent));
    assert_eq!(after.content.id, "wamid.1");
    store.submit(&[status_of("wamid.1", DeliveryState::Delivered)]);
    assert_eq!(find(&store, &id).state, Some(DeliveryState::Delivered));
    store.submit(&[sent(&id, "wamid.1"), sent(&id, "wamid.other")]);
    let again = find(&store, &id);
    assert_eq!(again.state, Some(DeliveryState::Delivered), "repeated");
    assert_eq!(again.content.id, "wamid.1", "a later part changes nothing");
}

#[test]
fn statuses_and_watermarks_that_came_before_the_platforms_id_are_applied() {
    use DeliveryState::*;
    for (name, early, want) in [
        ("a status", status_of("wamid.1", Delivered), Delivered),
        ("a failure", status_of("wamid.1", Failed), Failed),
        (
            "a watermark",
            status(Target::Watermark(u64::MAX / 2), Read),
            Read,
        ),
    ] {
        let store = Store::new();
        let conversation = opened(&store);
        let id = submitted(&store, &conversation);
        store.submit(&[Effect::BindConversation(conversation), early]);
        store.submit(&[sent(&id, "wamid.1")]);
        assert_eq!(find(&store, &id).state, Some(want), "{name}");
    }
}

#[test]
fn an_echo_of_our_own_send_makes_no_second_message() {
    for echo_first in [true, false] {
        let store = Store::new();
        let conversation = opened(&store);
        let id = submitted(&store, &conversation);
        let echo = || {
            let effects = [
                Effect::BindConversation(conversation.clone()),
                message("wamid.1", Direction::Outbound, Some(DeliveryState::Sent), 5),
                status_of("wamid.1", DeliveryState::Read),
            ];
            store.submit(&effects).message_id.unwrap()
        };
        if echo_first {
            let row = echo();
            store.submit(&[Effect::Enrichment(EnrichmentEffect {
                message_id: row.clone(),
                json: r#"{"source":"x"}"#.into(),
                lead: None,
            })]);
            store.submit(&[sent(&id, "wamid.1")]);
            let (kind, told) = store.changes().pop().unwrap();
            assert_eq!(kind, "message.updated");
            assert_eq!(told["merged"][0], row);
            assert!(find(&store, &id).enrichment.is_some());
        } else {
            store.submit(&[sent(&id, "wamid.1")]);
            assert_eq!(echo(), id, "the echo binds our message");
        }
        let thread = store.messages(&conversation);
        let ids: Vec<_> = thread.iter().map(|m| m.content.id.as_str()).collect();
        assert_eq!(ids, ["theirs", "wamid.1"], "echo first: {echo_first}");
        assert_eq!(
            (thread[1].id.as_str(), thread[1].author),
            (&*id, Author::Agent)
        );
        assert_eq!(thread[1].state, Some(DeliveryState::Read));
        assert_eq!(store.conversations()[0].message_count, 2);
    }
}

#[test]
fn a_send_that_a_crash_left_is_not_leased_again_and_its_message_says_so() {
    let store = Store::new();
    let conversation = opened(&store);
    let (first, second) = (
        submitted(&store, &conversation),
        submitted(&store, &conversation),
    );
    let job = lease_send(&store).remove(0);
    mark(&store, &job, 0);
    store.pass(u64::from(LEASE_MS));
    let next = lease_send(&store);
    assert_eq!(
        (next.len(), next[0].seq),
        (1, job.seq + 1),
        "the next goes on"
    );
    let state = |id: &str| find(&store, id).state;
    assert_eq!(state(&first), Some(DeliveryState::Uncertain));
    assert_eq!(store.changes().pop().unwrap().1["message_id"], *first);
    assert_eq!(state(&second), Some(DeliveryState::Accepted));
    // The platform did get it after all.
    store.submit(&[sent(&first, "wamid.1")]);
    assert_eq!(state(&first), Some(DeliveryState::Sent));
    let replayed = block_on(replay(
        &store.connection,
        store.moment(),
        "send-whatsapp",
        job.seq,
    ));
    assert_eq!(replayed, Ok(false), "it is not sent again");
}

#[test]
fn a_send_that_was_given_up_shows_in_its_message_unless_somebody_knows_better() {
    for (name, before, reason, want) in [
        (
            "nobody said",
            None,
            "refused",
            (DeliveryState::Failed, Some("refused")),
        ),
        (
            "said before",
            Some(DeliveryState::Failed),
            "refused",
            (DeliveryState::Failed, None),
        ),
        (
            "unknown",
            None,
            "uncertain",
            (DeliveryState::Uncertain, None),
        ),
    ] {
        let store = Store::new();
        let conversation = opened(&store);
        let id = submitted(&store, &conversation);
        let job = lease_send(&store).remove(0);
        if let Some(state) = before {
            store.submit(&[Effect::Sent(came_of(&id, None, state))]);
        }
        block_on(bury(&store.connection, store.moment(), &job.token, reason)).unwrap();
        let found = find(&store, &id);
        let title = found.error.as_ref().and_then(|e| e.title.as_deref());
        assert_eq!((found.state.unwrap(), title), want, "{name}");
    }
    let store = Store::new();
    let conversation = opened(&store);
    let id = submitted(&store, &conversation);
    store.submit(&[sent(&id, "wamid.1")]);
    let job = lease_send(&store).remove(0);
    block_on(bury(&store.connection, store.moment(), &job.token, "x")).unwrap();
    assert_eq!(find(&store, &id).state, Some(DeliveryState::Sent), "named");
}

#[test]
fn a_send_that_is_tried_again_knows_how_far_it_got() {
    let store = Store::new();
    let conversation = opened(&store);
    submitted(&store, &conversation);
    let job = lease_send(&store).remove(0);
    assert_eq!(job.step, 0);
    mark(&store, &job, 0);
    mark(&store, &job, 2);
    let (now, connection) = (store.now.get(), &store.connection);
    block_on(retry(connection, store.moment(), &job.token, now, "429")).unwrap();
    let again = lease_send(&store).remove(0);
    assert_eq!((again.step, again.attempt), (2, 2));
}

#[test]
fn only_a_conversation_of_the_tenant_can_be_bound() {
    let store = Store::new();
    let conversation = opened(&store);
    for (tenant, id, sound) in [
        (TENANT, conversation.as_str(), true),
        ("other", &conversation, false),
        (TENANT, "nobody", false),
    ] {
        let effects = [Effect::BindConversation(id.to_owned())];
        let bound = block_on(submit(
            &store.connection,
            store.moment(),
            tenant,
            None,
            &effects,
        ));
        assert_eq!(bound.is_ok(), sound, "{tenant} {id}");
    }
}

#[test]
fn a_repeated_key_answers_the_first_message() {
    let store = Store::new();
    let conversation = opened(&store);
    let say = || {
        let effects = [
            Effect::BindConversation(conversation.clone()),
            message("", Direction::Outbound, Some(DeliveryState::Accepted), 5),
        ];
        block_on(submit(
            &store.connection,
            store.moment(),
            TENANT,
            Some("k"),
            &effects,
        ))
        .unwrap()
    };
    let first = say();
    assert!(first.message_id.is_some());
    assert_eq!(say(), first);
    assert_eq!(store.messages(&conversation).len(), 2);
}

#[test]
fn a_status_that_brings_our_reference_back_solves_what_was_uncertain() {
    use DeliveryState::*;
    for (name, reference, account, want) in [
        ("ours", None, ACCOUNT, (Some(Delivered), "wamid.1", "done")),
        (
            "nobody's",
            Some("job-1"),
            ACCOUNT,
            (Some(Uncertain), "", "buried"),
        ),
        (
            "another account's",
            None,
            "other",
            (Some(Uncertain), "", "buried"),
        ),
    ] {
        let store = Store::new();
        let conversation = opened(&store);
        let id = submitted(&store, &conversation);
        let job = lease_send(&store).remove(0);
        mark(&store, &job, 0);
        store.pass(u64::from(LEASE_MS));
        assert_eq!(lease_send(&store), []);
        assert_eq!(find(&store, &id).state, Some(Uncertain), "{name}");
        let status = Status {
            target: Target::MessageId("wamid.1".into()),
            state: Delivered,
            error: None,
            reference: Some(reference.unwrap_or(&id).to_owned()),
        };
        let effect = StatusEffect {
            channel: CHANNEL.into(),
            account: account.into(),
            status,
            at: 9,
        };
        store.submit(&[Effect::Status(effect.clone())]);
        store.submit(&[Effect::Status(effect)]);
        let found = find(&store, &id);
        let rows = block_on(store.connection.execute("SELECT state FROM outbox", vec![])).unwrap();
        assert_eq!(
            (found.state, &*found.content.id, rows[0].text(0).unwrap()),
            want,
            "{name}"
        );
    }
}
