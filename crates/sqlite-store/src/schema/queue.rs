//! The keys of a queue's unfinished jobs, and the triggers that keep `ready`.
//!
//! They are of version 1. Who changes them makes the triggers anew in a step of its own.

/// An earlier unfinished job shares a key with the row of `table` at hand.
pub(crate) fn behind_another(table: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM {table}_keys mine JOIN {table}_keys earlier
            ON earlier.key = mine.key AND earlier.seq < mine.seq WHERE mine.seq = {table}.seq)"
    )
}

/// Another job that shares a key with the row of `table` at hand is running. Only queues that met
/// while one of them ran, or a replay, let a later job run before an earlier one.
pub(crate) fn beside_a_running(table: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM {table} running
            JOIN {table}_keys theirs ON theirs.seq = running.seq
            JOIN {table}_keys mine ON mine.key = theirs.key AND mine.seq = {table}.seq
            WHERE running.state IN ('leased', 'sending') AND running.seq <> {table}.seq)"
    )
}

/// The keys of a queue's unfinished jobs, and the triggers that keep `ready`.
pub(super) fn queue(table: &str) -> [String; 9] {
    let (behind, beside) = (behind_another(table), beside_a_running(table));
    // An identity that a contact is known for waits in the contact's queue.
    let enter = format!(
        "INSERT INTO {table}_keys (key, seq)
            SELECT coalesce((SELECT contact_id FROM contact_identities i WHERE i.key = k.value), k.value), NEW.seq
            FROM json_each(NEW.keys) k WHERE true ON CONFLICT DO NOTHING;"
    );
    let promote = |except: &str| {
        // The first of each of NEW's keys, unless another of its keys holds it back.
        format!(
            "UPDATE {table} SET ready = 1
                WHERE seq IN (SELECT (
                        SELECT first.seq FROM {table}_keys first
                        WHERE first.key = own.key AND first.seq <> {except} ORDER BY first.seq LIMIT 1)
                    FROM {table}_keys own WHERE own.seq = NEW.seq)
                AND state = 'pending' AND NOT {} AND NOT {beside};",
            behind.replace("WHERE mine", &format!("AND earlier.seq <> {except} WHERE mine"))
        )
    };
    let (promote_followers, promote_heads) = (promote("NEW.seq"), promote("-1"));
    let trigger = |name: &str, when: &str, body: &str| {
        format!("CREATE TRIGGER {table}_{name} {when} BEGIN {body} END")
    };
    let on = |old: &str, new: &str| {
        format!(
            "AFTER UPDATE OF state ON {table} WHEN OLD.state IN ({old}) AND NEW.state IN ({new})"
        )
    };
    [
        format!(
            "CREATE TABLE {table}_keys (key TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) WITHOUT ROWID"
        ),
        format!("CREATE INDEX {table}_keys_seq ON {table}_keys (seq)"),
        format!(
            "CREATE INDEX {table}_running ON {table} (seq) WHERE state IN ('leased', 'sending')"
        ),
        format!("CREATE INDEX {table}_buried ON {table} (seq) WHERE state = 'buried'"),
        format!("CREATE INDEX {table}_tenant ON {table} (platform_client_id, seq)"),
        trigger(
            "enter",
            &format!("AFTER INSERT ON {table}"),
            &format!("{enter} UPDATE {table} SET ready = NOT {behind} WHERE seq = NEW.seq;"),
        ),
        trigger(
            "finish",
            &on("'pending', 'leased', 'sending'", "'done', 'buried'"),
            &format!(
                "UPDATE {table} SET ready = 0 WHERE seq = NEW.seq; {promote_followers}
                 DELETE FROM {table}_keys WHERE seq = NEW.seq;"
            ),
        ),
        trigger(
            "settle",
            &on("'leased', 'sending'", "'pending'"),
            &format!(
                "UPDATE {table} SET ready = 0 WHERE seq = NEW.seq AND ({behind} OR {beside}); {promote_heads}"
            ),
        ),
        trigger(
            "replay",
            &on("'buried'", "'pending'"),
            &format!(
                "{enter} UPDATE {table} SET ready = NOT ({behind} OR {beside}) WHERE seq = NEW.seq;
                 UPDATE {table} SET ready = 0 WHERE ready = 1 AND state = 'pending' AND {behind}
                    AND seq IN (SELECT other.seq FROM {table}_keys own JOIN {table}_keys other
                        ON other.key = own.key WHERE own.seq = NEW.seq);"
            ),
        ),
    ]
}
