//! Rules, endpoints, jobs about a message, and databases that version 1 made.

use super::*;

fn rule(id: &str, priority: i32) -> Rule {
    Rule {
        id: id.into(),
        platform_client_id: TENANT.into(),
        name: format!("rule {id}"),
        priority,
        condition: "true".into(),
        actions: "[]".into(),
        stop: false,
        enabled: true,
        created_at: 0,
        updated_at: 0,
        strategy: String::new(),
    }
}

fn put(store: &Store, rule: &Rule) -> Rule {
    block_on(put_rule(&store.connection, store.moment(), rule)).unwrap()
}

fn rules(store: &Store, tenant: Option<&str>) -> Vec<String> {
    let rules = block_on(list_rules(&store.connection, tenant)).unwrap();
    rules.into_iter().map(|rule| rule.id).collect()
}

fn about(kind: &str, dedupe_key: Option<&str>, ordering_key: Option<&str>) -> Effect {
    Effect::Enqueue(NewJob {
        kind: kind.into(),
        payload: r#"{"own":1}"#.into(),
        due_at: 0,
        ordering_key: ordering_key.map(Into::into),
        dedupe_key: dedupe_key.map(Into::into),
        traceparent: None,
        about_message: true,
    })
}

fn json(job: &Job) -> serde_json::Value {
    match &job.payload {
        Payload::Json(json) => serde_json::from_str(json).unwrap(),
        Payload::Event(_) => panic!("an event"),
    }
}

#[test]
fn rules_are_listed_by_priority_then_id_and_belong_to_one_tenant() {
    let store = Store::new();
    for (id, priority) in [("b", 10), ("c", -5), ("a", 10), ("d", 0)] {
        put(&store, &rule(id, priority));
    }
    put(
        &store,
        &Rule {
            platform_client_id: "other".into(),
            name: "theirs".into(),
            ..rule("a", 1)
        },
    );
    assert_eq!(rules(&store, Some(TENANT)), ["c", "d", "a", "b"]);
    assert_eq!(rules(&store, Some("other")), ["a"]);
    assert_eq!(rules(&store, None).len(), 5);
    let find = |tenant, id| block_on(find_rule(&store.connection, tenant, id)).unwrap();
    assert_eq!(find(Some(TENANT), "a").unwrap().name, "rule a");
    assert_eq!(find(Some("other"), "a").unwrap().name, "theirs");
    assert_eq!(find(Some("other"), "b"), None);
    assert_eq!(find(None, "b").unwrap().id, "b");
}

#[test]
fn a_rule_is_replaced_under_its_id_and_deleted_once() {
    let store = Store::new();
    let made = put(&store, &rule("a", 1));
    store.pass(500);
    let changed = put(
        &store,
        &Rule {
            stop: true,
            strategy: "latest".into(),
            enabled: false,
            condition: "false".into(),
            ..rule("a", 2)
        },
    );
    assert_eq!(
        (changed.created_at, changed.updated_at),
        (made.created_at, made.updated_at + 500)
    );
    let listed = block_on(list_rules(&store.connection, Some(TENANT))).unwrap();
    assert_eq!(listed, [changed]);
    let delete = |tenant| block_on(delete_rule(&store.connection, tenant, "a")).unwrap();
    assert!(!delete("other"));
    assert!(delete(TENANT));
    assert!(!delete(TENANT));
}

#[test]
fn a_tenant_has_at_most_1000_rules() {
    let store = Store::new();
    let fill = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
         INSERT INTO routing_rules SELECT '{TENANT}', 'r' || i, '', 0, '', '', 0, 1, 0, 0, '' FROM n"
    );
    store.connection.0.execute(&fill, []).unwrap();
    let one_more = block_on(put_rule(&store.connection, store.moment(), &rule("new", 0)));
    assert!(matches!(one_more, Err(Error::Invalid(_))));
    put(&store, &rule("r7", 3));
}

#[test]
fn an_endpoint_is_disabled_and_enabled_per_tenant() {
    let store = Store::new();
    let find = |tenant| {
        let found = block_on(find_endpoint(&store.connection, tenant, "https://a"));
        found.unwrap().map(|endpoint| endpoint.disabled_at)
    };
    let disable = |reason| {
        block_on(disable_endpoint(
            &store.connection,
            store.moment(),
            TENANT,
            "https://a",
            reason,
        ))
        .unwrap()
    };
    let enable = || {
        block_on(enable_endpoint(
            &store.connection,
            store.moment(),
            TENANT,
            "https://a",
        ))
        .unwrap()
    };
    assert_eq!(find(TENANT), None);
    assert!(!enable());
    disable("410 Gone");
    let since = store.now.get();
    store.pass(5);
    disable("410 again");
    assert_eq!(find(TENANT), Some(Some(since)));
    assert_eq!(find("other"), None);
    let listed = block_on(list_endpoints(&store.connection, Some(TENANT))).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].reason, "410 again");
    assert!(enable());
    assert!(!enable());
    assert_eq!(find(TENANT), Some(None));
    assert!(
        block_on(list_endpoints(&store.connection, Some("other")))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_job_about_a_message_carries_its_ids_and_is_made_once() {
    let store = Store::new();
    store.append(&[text("m", &["phone:1"])]);
    let event = store.lease(1).remove(0);
    let mut effects = effects(event_of(&event));
    let forward = |key| about("forward", Some(key), None);
    effects.extend([
        about("enrich", Some(""), None),
        about("enrich", Some(""), None),
        forward("rule:https://a"),
        forward("rule:https://a"),
        forward("rule:https://b"),
    ]);
    let committed = store.commit(&event.token, &effects).unwrap();
    let message = store.messages(committed.conversation_id.as_deref().unwrap());
    let enrich = store.lease_kinds(&["enrich"], 9);
    assert_eq!(enrich.len(), 1);
    assert_eq!(
        json(&enrich[0]),
        serde_json::json!({
            "own": 1, "message_id": message[0].id,
            "conversation_id": committed.conversation_id, "contact_id": committed.contact_id,
        })
    );
    assert_eq!(
        store.number("SELECT count(*) FROM outbox WHERE kind = 'forward'"),
        2
    );
    // The job binds them again, and the same job from a later run changes nothing.
    let again = store
        .commit(
            &enrich[0].token,
            &[forward("rule:https://a"), about("route", Some(""), None)],
        )
        .unwrap();
    assert_eq!(
        (&again.contact_id, &again.conversation_id),
        (&committed.contact_id, &committed.conversation_id)
    );
    assert_eq!(store.number("SELECT count(*) FROM outbox"), 4);
    let route = store.lease_kinds(&["event", "route"], 9);
    assert_eq!(json(&route[0])["message_id"], message[0].id.as_str());
}

#[test]
fn a_second_message_of_one_id_makes_no_second_job() {
    let store = Store::new();
    for key in ["a", "b"] {
        store.append(&[event(key, &["phone:1"], Body::Message(content("m")))]);
        let job = store.lease(1).remove(0);
        let mut effects = effects(event_of(&job));
        effects.push(about("enrich", Some(""), None));
        store.commit(&job.token, &effects).unwrap();
    }
    assert_eq!(store.number("SELECT count(*) FROM messages"), 1);
    assert_eq!(store.number("SELECT count(*) FROM outbox"), 1);
}

#[test]
fn a_job_about_a_message_needs_one_and_an_object() {
    let store = Store::new();
    let submit = |effects: &[Effect]| {
        block_on(submit(
            &store.connection,
            store.moment(),
            TENANT,
            None,
            effects,
        ))
    };
    let no_message = submit(&[contact(&["phone:1"]), about("enrich", None, None)]);
    assert!(matches!(no_message, Err(Error::Invalid(_))));
    let array = Effect::Enqueue(NewJob {
        kind: "enrich".into(),
        payload: "[]".into(),
        due_at: 0,
        ordering_key: None,
        dedupe_key: None,
        traceparent: None,
        about_message: true,
    });
    let no_object = submit(&[contact(&["phone:1"]), conversation(), inbound("m"), array]);
    assert!(matches!(no_object, Err(Error::Invalid(_))));
    assert_eq!(store.number("SELECT count(*) FROM messages"), 0);
}

#[test]
fn jobs_of_one_endpoint_wait_for_each_other_within_a_conversation_only() {
    let store = Store::new();
    for (person, id) in [("phone:1", "a"), ("phone:1", "b"), ("phone:2", "c")] {
        store.submit(&[
            contact(&[person]),
            conversation(),
            inbound(id),
            about("forward", Some("x"), Some("https://a")),
            about("forward", Some("y"), Some("https://b")),
        ]);
    }
    // Of the first person one for each endpoint, and both of the second.
    assert_eq!(store.lease_kinds(&["forward"], 9).len(), 4);
}

#[test]
fn queues_of_endpoints_follow_conversations_that_become_one() {
    let store = Store::new();
    for (person, id) in [("phone:1", "a"), ("bsuid:x", "b")] {
        store.submit(&[
            contact(&[person]),
            conversation(),
            inbound(id),
            about("forward", Some("x"), Some("https://a")),
        ]);
    }
    store.submit(&[contact(&["phone:1", "bsuid:x"])]);
    let first = store.lease_kinds(&["forward"], 9);
    assert_eq!(first.len(), 1);
    store.commit(&first[0].token, &[]).unwrap();
    assert_eq!(store.lease_kinds(&["forward"], 9).len(), 1);
}

#[test]
fn the_context_of_a_job_ends_with_its_message() {
    let store = Store::new();
    for id in ["a", "b", "c"] {
        store.submit(&[
            contact(&["phone:1"]),
            conversation(),
            inbound(id),
            about("enrich", Some(""), None),
        ]);
    }
    let first = store.lease_kinds(&["enrich"], 1).remove(0);
    store.commit(&first.token, &[]).unwrap();
    let job = store.lease_kinds(&["enrich"], 1).remove(0);
    let context = block_on(read_context(
        &store.connection,
        store.moment(),
        &job.token,
        20,
    ))
    .unwrap();
    let recent: Vec<&str> = context
        .recent
        .iter()
        .map(|message| message.content.id.as_str())
        .collect();
    assert_eq!(recent, ["a", "b"]);
    assert_eq!(context.message.unwrap().content.id, "b");
    assert!(context.contact.is_some() && context.conversation.is_some());
}

#[test]
fn the_explanation_of_a_new_message_is_the_first_of_a_list() {
    let store = Store::new();
    let said = match inbound("m") {
        Effect::Message(message) => Effect::Message(MessageEffect {
            explanation: Some(r#"{"phase":"received"}"#.into()),
            ..message
        }),
        _ => unreachable!(),
    };
    let id = store
        .submit(&[contact(&["phone:1"]), conversation(), said])
        .conversation_id
        .unwrap();
    assert_eq!(
        store.messages(&id)[0].explanation.as_deref(),
        Some(r#"[{"phase":"received"}]"#)
    );
}
