//! Identities that turn out to be one person.

use super::*;

/// A call that was made because of this conversation.
fn call(conversation: &str) -> Effect {
    Effect::ExternalCall(ExternalCall {
        kind: "forward".into(),
        target: "hook".into(),
        status: Some(200),
        millis: 5,
        attempt: 1,
        at: 2,
        error: None,
        conversation_id: Some(conversation.into()),
        message_id: None,
        details: None,
    })
}

#[test]
fn a_third_event_makes_a_phone_and_a_bsuid_one_conversation_in_order_of_arrival() {
    for first_committed in [0, 1] {
        let store = Store::new();
        store.append(&[
            text("phone", &["phone:1"]),
            text("bsuid", &["bsuid:1"]),
            text("both", &["phone:1", "bsuid:1"]),
            text("after", &["bsuid:1"]),
        ]);
        let jobs = store.lease(9);
        assert_eq!(jobs.len(), 2);
        for job in [&jobs[first_committed], &jobs[1 - first_committed]] {
            store.commit(&job.token, &effects(event_of(job))).unwrap();
        }
        let apart: Vec<Conversation> = store.conversations();
        assert_eq!(apart.len(), 2);
        store.work();

        let (contacts, conversations) = (store.contacts(), store.conversations());
        assert_eq!((contacts.len(), conversations.len()), (1, 1));
        let identities = &contacts[0].identities;
        assert!(
            identities.contains(&identity("phone:1")) && identities.contains(&identity("bsuid:1"))
        );
        for old in &apart {
            let ids: Vec<_> = store
                .messages(&old.id)
                .into_iter()
                .map(|message| message.content.id)
                .collect();
            assert_eq!(
                ids,
                ["phone", "bsuid", "both", "after"],
                "by the id of either"
            );
            let found = block_on(find_conversation(&store.connection, Some(TENANT), &old.id))
                .unwrap()
                .unwrap();
            assert_eq!(found.id, conversations[0].id);
            let contact = old.contact_id.as_deref().unwrap();
            let found = block_on(find_contact(&store.connection, Some(TENANT), contact))
                .unwrap()
                .unwrap();
            assert_eq!(found.id, contacts[0].id);
        }
        assert_eq!(conversations[0].message_count, 4);
        assert_eq!(conversations[0].preview.as_deref(), Some("text of after"));
        assert!(
            store
                .messages(&conversations[0].id)
                .iter()
                .all(|m| m.contact_id.as_ref() == Some(&contacts[0].id))
        );
        for old in &apart {
            store.submit(&[call(&old.id)]);
            let (kind, data) = store.changes().pop().unwrap();
            assert_eq!(kind, "external_call.created");
            assert_eq!(data["conversation_id"], conversations[0].id.as_str());
        }
        let filter = CallFilter {
            conversation_id: Some(conversations[0].id.clone()),
            ..CallFilter::default()
        };
        let page = Page {
            cursor: None,
            limit: 9,
        };
        let calls = block_on(list_external_calls(&store.connection, &filter, &page));
        assert_eq!(calls.unwrap().0.len(), 2, "by whichever id it was made");
        let merged: Vec<_> = store
            .changes()
            .into_iter()
            .filter(|(kind, _)| kind == "contact.merged")
            .collect();
        assert_eq!(merged.len(), 1);
        assert_eq!(merged[0].1["contact_id"], contacts[0].id.as_str());
    }
}

#[test]
fn the_oldest_contact_stays_and_chains_of_merges_end_in_it() {
    let store = Store::new();
    let ids: Vec<String> = ["a:1", "b:1", "c:1"]
        .iter()
        .map(|id| store.submit(&[contact(&[id])]).contact_id.unwrap())
        .collect();
    assert_eq!(
        store
            .submit(&[contact(&["c:1", "b:1"])])
            .contact_id
            .as_ref(),
        Some(&ids[1])
    );
    assert_eq!(
        store
            .submit(&[contact(&["c:1", "a:1"])])
            .contact_id
            .as_ref(),
        Some(&ids[0])
    );
    for id in &ids {
        let found = block_on(find_contact(&store.connection, None, id))
            .unwrap()
            .unwrap();
        assert_eq!(found.id, ids[0]);
    }
    assert_eq!(store.contacts().len(), 1);
}

#[test]
fn a_merge_keeps_names_tags_and_attributes() {
    let store = Store::new();
    let change = |tag: &str, attributes: &str| {
        Effect::ChangeContact(ContactChange {
            add_tags: vec![tag.into()],
            remove_tags: vec![],
            attributes: Some(attributes.into()),
            stage: None,
        })
    };
    store.submit(&[contact(&["a:1"]), change("old", r#"{"x":1,"y":1}"#)]);
    let named = match contact(&["b:1"]) {
        Effect::Contact(effect) => Effect::Contact(ContactEffect {
            name: Some("Ann".into()),
            ..effect
        }),
        other => other,
    };
    store.submit(&[named, change("new", r#"{"x":2,"z":2}"#)]);
    store.submit(&[contact(&["a:1", "b:1"])]);
    let contact = store.contacts().remove(0);
    assert_eq!(contact.name.as_deref(), Some("Ann"));
    assert_eq!(contact.tags.len(), 2);
    let attributes: serde_json::Value = serde_json::from_str(&contact.attributes).unwrap();
    assert_eq!(attributes, serde_json::json!({"x": 1, "y": 1, "z": 2}));
}

#[test]
fn queues_meet_when_a_link_is_committed_while_both_have_events() {
    let store = Store::new();
    store.append(&[
        text("link", &["phone:1"]),
        text("b", &["bsuid:1"]),
        text("p", &["phone:1"]),
    ]);
    let jobs = store.lease(9);
    assert_eq!(jobs.len(), 2, "link and b");
    // What `link` said is that both are one; b is running already.
    store
        .commit(
            &jobs[0].token,
            &[
                contact(&["phone:1", "bsuid:1"]),
                conversation(),
                inbound("link"),
            ],
        )
        .unwrap();
    assert!(
        store.lease(9).is_empty(),
        "p waits for b, which arrived first"
    );
    store.append(&[text("late", &["bsuid:1"])]);
    store
        .commit(&jobs[1].token, &effects(event_of(&jobs[1])))
        .unwrap();
    let next = store.lease(9);
    assert_eq!(next.len(), 1);
    assert_eq!(event_of(&next[0]).key, "p");
}

#[test]
fn an_earlier_event_waits_for_a_later_one_that_runs_when_their_queues_meet() {
    let store = Store::new();
    store.append(&[text("b", &["bsuid:1"]), text("p", &["phone:1"])]);
    let first = store.lease(1).remove(0);
    block_on(retry(
        &store.connection,
        store.moment(),
        &first.token,
        0,
        "again",
    ))
    .unwrap();
    store
        .connection
        .0
        .execute("UPDATE inbox SET due_at = 9000000 WHERE seq = 1", [])
        .unwrap();
    let p = store.lease(9).remove(0);
    assert_eq!(event_of(&p).key, "p");
    store
        .connection
        .0
        .execute("UPDATE inbox SET due_at = 0 WHERE seq = 1", [])
        .unwrap();
    store.submit(&[contact(&["phone:1", "bsuid:1"])]);
    assert!(store.lease(9).is_empty(), "never two of one person at once");
    assert_eq!(
        block_on(find_next_due(&store.connection, &["event".into()])).unwrap(),
        Some(p.lease_until)
    );
    block_on(retry(
        &store.connection,
        store.moment(),
        &p.token,
        0,
        "again",
    ))
    .unwrap();
    assert_eq!(
        event_of(&store.lease(9)[0]).key,
        "b",
        "then in order of arrival"
    );
}

#[test]
fn a_changed_number_keeps_the_contact_and_retires_the_old_one() {
    let store = Store::new();
    let first = store.submit(&[contact(&["phone:1"]), conversation()]);
    let moved = Effect::Contact(ContactEffect {
        channel: CHANNEL.into(),
        identities: vec![identity("phone:2")],
        previous: vec![identity("phone:1")],
        name: None,
        username: None,
    });
    assert_eq!(store.submit(&[moved]).contact_id, first.contact_id);
    assert_eq!(store.contacts()[0].identities, [identity("phone:2")]);
    assert_eq!(
        store
            .submit(&[contact(&["phone:2"]), conversation()])
            .conversation_id,
        first.conversation_id
    );
    assert_eq!(
        store.submit(&[contact(&["phone:1"])]).contact_id,
        first.contact_id,
        "a late event"
    );
}

#[test]
fn an_identity_is_known_within_its_channel_and_tenant_only() {
    let store = Store::new();
    let on = |channel: &str| match contact(&["email:a@b"]) {
        Effect::Contact(effect) => Effect::Contact(ContactEffect {
            channel: channel.into(),
            ..effect
        }),
        other => other,
    };
    let strong = store.submit(&[on("whatsapp")]).contact_id;
    assert_ne!(store.submit(&[on("webform")]).contact_id, strong);
    let other = block_on(submit(
        &store.connection,
        store.moment(),
        "other",
        None,
        &[on("whatsapp")],
    ))
    .unwrap();
    assert_ne!(other.contact_id, strong);
    let hidden = block_on(find_contact(
        &store.connection,
        Some("other"),
        strong.as_deref().unwrap(),
    ))
    .unwrap();
    assert_eq!(hidden, None);
}

#[test]
fn jobs_of_merged_conversations_run_one_at_a_time_in_order() {
    let store = Store::new();
    let enqueue = || super::queue::job("send-whatsapp", None);
    store.submit(&[contact(&["a:1"]), conversation(), enqueue()]);
    store.submit(&[contact(&["b:1"]), conversation(), enqueue(), enqueue()]);
    store.submit(&[contact(&["a:1", "b:1"])]);
    for seq in 1..=3 {
        let jobs = store.lease_kinds(&["send-whatsapp"], 9);
        assert_eq!(jobs.iter().map(|job| job.seq).collect::<Vec<_>>(), [seq]);
        store.commit(&jobs[0].token, &[]).unwrap();
    }
}
