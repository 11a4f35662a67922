//! Statements stay quick when tables are long: no plan scans one.

use super::*;

fn plan(store: &Store, sql: &str) -> String {
    let mut statement = store
        .connection
        .0
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let nulls = vec![rusqlite::types::Null; statement.parameter_count()];
    let rows = statement
        .query_map(rusqlite::params_from_iter(nulls), |row| {
            row.get::<_, String>(3)
        })
        .unwrap();
    rows.map(Result::unwrap).collect::<Vec<_>>().join("\n")
}

#[test]
fn leasing_reads_the_heads_of_queues_only() {
    let store = Store::new();
    for (table, wanted) in [
        ("inbox", "true"),
        ("outbox", "outbox.kind IN (SELECT value FROM json_each(?4))"),
    ] {
        let plan = plan(&store, &crate::jobs::lease_statement(table, wanted, "0"));
        assert!(
            plan.contains(&format!("{table} USING INDEX {table}_ready"))
                || plan.contains(&format!("{table} USING COVERING INDEX {table}_ready")),
            "{plan}"
        );
        assert!(
            !plan.contains(&format!("SCAN {table}\n")) && !plan.ends_with(&format!("SCAN {table}")),
            "{plan}"
        );
    }
}

#[test]
fn a_long_queue_of_one_person_and_many_done_jobs_do_not_slow_a_lease() {
    let store = Store::new();
    const WAITING: i64 = 20_000;
    let insert = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {WAITING})
         INSERT INTO inbox (platform_client_id, key, event_kind, payload, keys, due_at, created_at)
         SELECT 't', i, 'message', '{{}}', '[\"hot\"]', 0, 0 FROM n"
    );
    store.connection.0.execute(&insert, []).unwrap();
    assert_eq!(
        store.number("SELECT count(*) FROM inbox WHERE ready = 1"),
        1
    );
    // Steps of the virtual machine, which do not depend on the machine's load.
    let sql = crate::jobs::lease_statement("inbox", "true", "0");
    let mut statement = store.connection.0.prepare(&sql).unwrap();
    let mut rows = statement
        .query(rusqlite::params![1, 2, "r", "[]", 100])
        .unwrap();
    let mut leased = 0;
    while rows.next().unwrap().is_some() {
        leased += 1;
    }
    drop(rows);
    assert_eq!(leased, 1);
    let steps = statement.get_status(rusqlite::StatementStatus::VmStep);
    assert!(steps < 5_000, "{steps} steps");
}

#[test]
fn lists_use_an_index_for_each_filter() {
    let store = Store::new();
    for (name, sql, index) in [
        (
            "conversations of a tenant",
            "SELECT 1 FROM conversations v WHERE v.platform_client_id = ? AND (v.active_at, v.seq) < (?, ?) ORDER BY v.active_at DESC, v.seq DESC",
            "conversations_tenant",
        ),
        (
            "conversations",
            "SELECT 1 FROM conversations v WHERE (v.active_at, v.seq) < (?, ?) ORDER BY v.active_at DESC, v.seq DESC",
            "conversations_active",
        ),
        (
            "messages",
            "SELECT 1 FROM messages m WHERE m.conversation_id = ? AND m.seq > ? ORDER BY m.seq",
            "messages_conversation",
        ),
        (
            "messages, newest first",
            "SELECT 1 FROM messages m WHERE m.conversation_id = ? AND m.seq < ? ORDER BY m.seq DESC",
            "messages_conversation",
        ),
        (
            "buried",
            "SELECT 1 FROM inbox WHERE state = 'buried' AND seq < ? ORDER BY seq DESC",
            "inbox_buried",
        ),
        (
            "changes of a tenant",
            "SELECT 1 FROM changes WHERE seq > ? AND platform_client_id = ? ORDER BY seq",
            "changes_tenant",
        ),
    ] {
        let plan = plan(&store, sql);
        assert!(
            plan.contains(index) && !plan.contains("TEMP B-TREE"),
            "{name}: {plan}"
        );
    }
}

#[test]
fn jobs_are_found_by_what_they_are_about() {
    let store = Store::new();
    let stop = format!(
        "UPDATE outbox SET due_at = ?1 WHERE {}",
        crate::accounts::ITS_JOBS
    );
    for (name, sql, index) in [
        ("of an account", stop.as_str(), "outbox_pending"),
        (
            "of a conversation",
            "SELECT 1 FROM outbox WHERE state = 'pending' AND kind = ? AND conversation_id = ?",
            "outbox_pending (kind=? AND conversation_id=?)",
        ),
        (
            "of a message",
            "SELECT 1 FROM outbox WHERE message_id = ? AND at_most_once AND step > 0",
            "outbox_message",
        ),
        (
            "that become another message's",
            "UPDATE outbox SET message_id = ?2 WHERE message_id = ?1",
            "outbox_message",
        ),
    ] {
        let plan = plan(&store, sql);
        assert!(
            plan.contains(index) && !plan.contains("SCAN"),
            "{name}: {plan}"
        );
    }
}
