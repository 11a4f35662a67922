//! A database of an older version becomes what a new one is.

use super::*;

/// What makes a database of version 1, with a message in it.
fn version_1(file: &File) {
    let native = Native(rusqlite::Connection::open(file.path()).unwrap());
    for statement in crate::schema::schema() {
        native.run(&statement, vec![]).unwrap();
    }
    for statement in [
        "PRAGMA user_version=1",
        "INSERT INTO social_contacts (id, platform_client_id, channel, created_at, updated_at)
            VALUES ('p', 'tenant', 'whatsapp', 1, 1)",
        "INSERT INTO conversations (id, platform_client_id, channel, account, contact_id, active_at, created_at, updated_at)
            VALUES ('c', 'tenant', 'whatsapp', 'account', 'p', 1, 1, 1)",
        "INSERT INTO messages (seq, id, platform_client_id, conversation_id, contact_id, channel, account, external_id,
            direction, author, standby, content, sent_at, created_at) VALUES (1, 'm', 'tenant', 'c', 'p', 'whatsapp',
            'account', 'x', 'inbound', 'contact', 0, '{\"id\":\"x\",\"type\":\"text\",\"text\":\"hi\"}', 1, 1)",
        "INSERT INTO outbox (platform_client_id, kind, payload, keys, conversation_id, at_most_once, due_at, created_at)
            VALUES ('tenant', 'old', '{}', '[]', 'c', 0, 1, 1)",
        "INSERT INTO messages (seq, id, platform_client_id, conversation_id, contact_id, channel, account, external_id,
            direction, author, standby, content, state, sent_at, created_at) VALUES (2, 'o', 'tenant', 'c', 'p', 'whatsapp',
            'account', 'y', 'outbound', 'external', 0, '{\"id\":\"y\",\"type\":\"text\",\"text\":\"hi\"}', 2, 1, 1)",
        "INSERT INTO message_states (external_id, account, channel, platform_client_id, state, at)
            VALUES ('y', 'account', 'whatsapp', 'tenant', 2, 1)",
        "INSERT INTO conversation_watermarks (conversation_id, state, until) VALUES ('c', 2, 1), ('c', 3, 1)",
    ] {
        native.run(statement, vec![]).unwrap();
    }
}

#[test]
fn a_database_of_version_1_keeps_its_rows_and_becomes_what_a_new_one_is() {
    let file = File::new();
    version_1(&file);
    let connection = file.open();
    block_on(prepare(&connection)).unwrap();
    let again = file.open();
    let schema = |native: &Native| {
        let rows = native
            .run(
                "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY type, name",
                vec![],
            )
            .unwrap();
        rows.iter()
            .map(|row| row.text(0).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let fresh = File::new();
    assert_eq!(schema(&again), schema(&fresh.open()));
    let page = Page {
        cursor: None,
        limit: 9,
    };
    let (messages, _) = block_on(list_messages(
        &again,
        Some(TENANT),
        "c",
        MessageOrder::Oldest,
        &page,
    ))
    .unwrap();
    assert_eq!(messages[0].content.text.as_deref(), Some("hi"));
    assert_eq!(messages[0].enrichment, None);
    assert_eq!(messages[1].state, Some(DeliveryState::Delivered));
    let numbers = |sql| {
        let rows = again.run(sql, vec![]).unwrap();
        rows.iter()
            .map(|row| row.integer(0).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers("SELECT state FROM message_states"), [3]);
    assert_eq!(
        numbers("SELECT state FROM conversation_watermarks ORDER BY state"),
        [3, 4]
    );
    let moment = Moment { now: 9, seed: 7 };
    let jobs = block_on(lease(&again, moment, &["old".to_owned()], 9, LEASE_MS)).unwrap();
    let context = block_on(read_context(&again, moment, &jobs[0].token, 9)).unwrap();
    assert_eq!(context.conversation.unwrap().id, "c");
}
