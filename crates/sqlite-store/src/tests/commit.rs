//! What effects write.

mod messages;

use super::*;

#[test]
fn two_first_messages_of_one_person_make_one_contact_and_one_conversation() {
    let store = Store::new();
    store.append(&[text("a", &["phone:1"]), text("b", &["phone:1"])]);
    store.work();
    assert_eq!(
        (store.contacts().len(), store.conversations().len()),
        (1, 1)
    );
    let conversation = store.conversations().remove(0);
    let messages = store.messages(&conversation.id);
    assert_eq!(
        messages
            .iter()
            .map(|message| message.seq)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(conversation.message_count, 2);
    let kinds: Vec<String> = store.changes().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        [
            "contact.created",
            "conversation.created",
            "message.created",
            "message.created"
        ]
    );
}

#[test]
fn a_created_message_is_told_with_its_ids_and_its_event() {
    let store = Store::new();
    let sent = text("a", &["phone:1"]);
    store.append(std::slice::from_ref(&sent));
    store.work();
    let (_, data) = store.changes().pop().unwrap();
    let conversation = store.conversations().remove(0);
    let message = store.messages(&conversation.id).remove(0);
    assert_eq!(data["platform_client_id"], TENANT);
    assert_eq!(data["conversation_id"], conversation.id.as_str());
    assert_eq!(
        data["contact_id"],
        conversation.contact_id.as_deref().unwrap()
    );
    assert_eq!(data["message_id"], message.id.as_str());
    assert_eq!(
        serde_json::from_value::<Event>(data["event"].clone()).unwrap(),
        sent
    );
}

#[test]
fn what_we_send_takes_its_place_after_what_had_arrived() {
    let store = Store::new();
    store.append(&[text("a", &["phone:1"])]);
    store.work();
    store.append(&[text("b", &["phone:1"])]);
    store.submit(&[
        contact(&["phone:1"]),
        conversation(),
        message("reply", Direction::Outbound, None, 2),
    ]);
    store.append(&[text("c", &["phone:1"])]);
    store.work();
    let conversation = store.conversations().remove(0);
    let order: Vec<String> = store
        .messages(&conversation.id)
        .into_iter()
        .map(|m| m.content.id)
        .collect();
    assert_eq!(order, ["a", "b", "reply", "c"]);
}

#[test]
fn messages_without_a_platform_id_are_all_kept() {
    let store = Store::new();
    store.append(&[event("other", &["phone:1"], Body::Unknown)]);
    let job = store.lease(1).remove(0);
    let reply = || message("", Direction::Outbound, None, 2);
    let both = [contact(&["phone:1"]), conversation(), reply(), reply()];
    let conversation = store
        .commit(&job.token, &both)
        .unwrap()
        .conversation_id
        .unwrap();
    assert_eq!(store.messages(&conversation).len(), 2);
}

#[test]
fn a_message_that_is_here_changes_nothing() {
    let store = Store::new();
    let effects = [contact(&["phone:1"]), conversation(), inbound("m")];
    store.submit(&effects);
    assert_eq!(store.submit(&effects).last_change, 0);
    assert_eq!(store.conversations()[0].message_count, 1);
}

#[test]
fn an_error_in_the_last_effect_writes_nothing() {
    let store = Store::new();
    store.append(&[text("a", &["phone:1"])]);
    let job = store.lease(1).remove(0);
    let bad = Effect::Enrichment(EnrichmentEffect {
        message_id: "m".into(),
        json: "{".into(),
        lead: None,
    });
    let answer = store.commit(
        &job.token,
        &[contact(&["phone:1"]), conversation(), inbound("a"), bad],
    );
    assert_eq!(answer, Err(Error::Invalid("not JSON")));
    for table in [
        "social_contacts",
        "conversations",
        "messages",
        "changes",
        "contact_identities",
    ] {
        assert_eq!(
            store.number(&format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
    store.commit(&job.token, &[]).unwrap();
}

#[test]
fn effects_that_need_what_is_not_bound_are_refused() {
    let store = Store::new();
    let nobody = ContactEffect {
        channel: CHANNEL.into(),
        identities: vec![],
        previous: vec![],
        name: None,
        username: None,
    };
    for (name, effect) in [
        ("message", inbound("m")),
        ("conversation", conversation()),
        (
            "watermark",
            status(Target::Watermark(1), DeliveryState::Read),
        ),
        ("event", Effect::RecordEvent),
        ("contact without identities", Effect::Contact(nobody)),
    ] {
        let answer = block_on(submit(
            &store.connection,
            store.moment(),
            TENANT,
            None,
            &[effect],
        ));
        assert!(
            matches!(answer, Err(Error::Invalid(_))),
            "{name}: {answer:?}"
        );
    }
}

#[test]
fn a_repeated_idempotency_key_answers_what_the_first_answered_for_a_day() {
    let store = Store::new();
    let send = |tenant: &str, key: &str, id: &str| {
        let effects = [
            contact(&["phone:1"]),
            conversation(),
            message(id, Direction::Outbound, None, 1),
        ];
        block_on(submit(
            &store.connection,
            store.moment(),
            tenant,
            Some(key),
            &effects,
        ))
        .unwrap()
    };
    let first = send(TENANT, "k", "one");
    assert_eq!(send(TENANT, "k", "two"), first);
    assert_ne!(send("other", "k", "two"), first);
    store.pass(24 * 60 * 60 * 1000);
    send(TENANT, "k", "three");
    assert_eq!(
        store
            .messages(first.conversation_id.as_deref().unwrap())
            .len(),
        2
    );
}

#[test]
fn explanations_enrichments_opts_and_calls_are_kept() {
    let store = Store::new();
    let id = store
        .submit(&[contact(&["phone:1"]), conversation(), inbound("m")])
        .conversation_id
        .unwrap();
    let ours = store.messages(&id)[0].id.clone();
    store.submit(&[
        contact(&["phone:1"]),
        conversation(),
        Effect::Explanation(ExplanationEffect {
            message_id: ours.clone(),
            json: r#"{"rule":1}"#.into(),
        }),
        Effect::Explanation(ExplanationEffect {
            message_id: ours.clone(),
            json: r#"{"rule":2}"#.into(),
        }),
        Effect::Opt(OptEffect {
            action: "stop".into(),
            granted: Some(false),
            at: 1,
        }),
        Effect::Enrichment(EnrichmentEffect {
            message_id: ours.clone(),
            json: r#"{"language":"en"}"#.into(),
            lead: Some(r#"{"score":61}"#.into()),
        }),
        Effect::ExternalCall(ExternalCall {
            kind: "n8n".into(),
            target: "hook".into(),
            status: Some(200),
            millis: 5,
            attempt: 1,
            at: 2,
            error: None,
            conversation_id: None,
            message_id: None,
            details: None,
        }),
    ]);
    let message = store.messages(&id).remove(0);
    assert_eq!(
        message.explanation.as_deref(),
        Some(r#"[{"rule":1},{"rule":2}]"#)
    );
    assert_eq!(message.enrichment.as_deref(), Some(r#"{"language":"en"}"#));
    let contact = store.contacts().remove(0);
    assert_eq!(contact.opt.as_deref(), Some("stop"));
    assert_eq!(contact.lead.as_deref(), Some(r#"{"score":61}"#));
    let mut changes = store.changes();
    let (kind, data) = changes.pop().unwrap();
    assert_eq!(kind, "external_call.created");
    assert_eq!(
        data,
        serde_json::json!({ "platform_client_id": TENANT, "conversation_id": id })
    );
    let (kind, data) = changes.pop().unwrap();
    assert_eq!(
        (kind.as_str(), data["contact_id"].as_str()),
        ("contact.updated", Some(contact.id.as_str()))
    );
    let (kind, data) = changes.pop().unwrap();
    assert_eq!(
        (kind.as_str(), &data["enrichment"]["language"]),
        ("message.updated", &"en".into())
    );
    let page = Page {
        cursor: None,
        limit: 9,
    };
    let calls = |tenant: &str, conversation: Option<&str>, message: Option<&str>| {
        let filter = CallFilter {
            platform_client_id: Some(tenant.into()),
            conversation_id: conversation.map(Into::into),
            message_id: message.map(Into::into),
        };
        block_on(list_external_calls(&store.connection, &filter, &page))
            .unwrap()
            .0
    };
    let found = calls(TENANT, None, None).remove(0);
    assert_eq!(
        (found.status, found.conversation_id.as_ref()),
        (Some(200), Some(&id))
    );
    for (name, tenant, conversation, message, want) in [
        ("conversation", TENANT, Some(id.as_str()), None, 1),
        ("another conversation", TENANT, Some("x"), None, 0),
        (
            "a message that had none",
            TENANT,
            None,
            Some(ours.as_str()),
            0,
        ),
        ("another tenant", "other", None, None, 0),
    ] {
        assert_eq!(calls(tenant, conversation, message).len(), want, "{name}");
    }
}

#[test]
fn a_leased_event_sees_its_contact_conversation_and_newest_messages() {
    let store = Store::new();
    store.append(&[
        text("a", &["phone:1"]),
        text("b", &["phone:1"]),
        text("c", &["phone:1"]),
    ]);
    let first = store.lease(1).remove(0);
    let context = |job: &Job, max| {
        block_on(read_context(
            &store.connection,
            store.moment(),
            &job.token,
            max,
        ))
        .unwrap()
    };
    assert_eq!(context(&first, 5), Context::default());
    store
        .commit(&first.token, &effects(event_of(&first)))
        .unwrap();
    let second = store.lease(1).remove(0);
    store
        .commit(&second.token, &effects(event_of(&second)))
        .unwrap();
    let third = store.lease(1).remove(0);
    let seen = context(&third, 1);
    assert_eq!(seen.contact.unwrap().identities, [identity("phone:1")]);
    assert_eq!(seen.conversation.unwrap().message_count, 2);
    assert_eq!(
        seen.recent
            .iter()
            .map(|m| m.content.id.as_str())
            .collect::<Vec<_>>(),
        ["b"]
    );
}

#[test]
fn a_status_of_nobody_sees_the_conversation_of_its_message() {
    let store = Store::new();
    let sent = [
        contact(&["phone:1"]),
        conversation(),
        message("m", Direction::Outbound, None, 1),
        super::queue::job("send-x", None),
    ];
    let id = store.submit(&sent).conversation_id;
    let target = Target::MessageId("m".into());
    let body = Body::Status(Status {
        target,
        state: DeliveryState::Read,
        error: None,
        reference: None,
    });
    store.append(&[Event {
        sender: None,
        ..event("s", &[], body)
    }]);
    for job in [store.lease(1), store.lease_kinds(&["send-x"], 1)].concat() {
        let context = block_on(read_context(
            &store.connection,
            store.moment(),
            &job.token,
            1,
        ))
        .unwrap();
        assert_eq!(context.conversation.map(|c| c.id), id, "{}", job.kind);
        assert!(context.contact.is_some());
    }
}
