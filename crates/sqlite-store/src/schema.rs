//! Tables, triggers and how a database gets them.
//!
//! A queue is a table of jobs and one of their keys. `ready` says that no earlier unfinished job
//! shares a key, so leasing looks at the heads of queues only, however long they are. Triggers
//! keep it: a new job is ready when its keys are free, a finished one readies its followers, and
//! one that was replayed puts those behind it back.
//!
//! `inbox` numbers also place messages in their conversation (`messages.seq`); what we send takes
//! the next number of the same sequence.

use crate::Error;
use crate::connection::{Connection, Fault};

/// The version that [`prepare`] brings a database to.
pub(crate) const VERSION: u64 = 7;

const NEWER: Error = Error::Other("the database is of a newer version than this program");

/// Prepares a fresh connection, and migrates the database when it is older than this code.
/// Repeating is safe, at once too. A database of a newer version is refused: what it promises about
/// its rows is not known here.
pub async fn prepare<C: Connection>(connection: &C) -> Result<(), Error> {
    for pragma in [
        "PRAGMA busy_timeout=5000",
        "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON",
    ] {
        connection.execute(pragma, vec![]).await?;
    }
    use_wal(connection).await?;
    match version(connection).await? {
        VERSION => return Ok(()),
        newer if newer > VERSION => return Err(NEWER),
        _ => {}
    }
    crate::connection::transaction(connection, async || {
        let found = version(connection).await?;
        if found > VERSION {
            return Err(NEWER);
        }
        if found < 1 {
            for statement in schema() {
                connection.execute(&statement, vec![]).await?;
            }
        }
        if found < 2 {
            for statement in ROUTING {
                connection.execute(statement, vec![]).await?;
            }
        }
        if found < 3 {
            for statement in SENDING {
                connection.execute(statement, vec![]).await?;
            }
        }
        if found < 4 {
            for statement in ACTING {
                connection.execute(statement, vec![]).await?;
            }
        }
        if found < 5 {
            for statement in ENDPOINTS {
                connection.execute(statement, vec![]).await?;
            }
        }
        if found < 6 {
            for statement in DELIVERY {
                connection.execute(statement, vec![]).await?;
            }
        }
        if found < 7 {
            for statement in crate::parts::SCHEMA {
                connection.execute(statement, vec![]).await?;
            }
        }
        Ok(())
    })
    .await
}

/// Turns the write-ahead log on; it stays on in the file. SQLite does not wait for other
/// connections here, so after each refusal a write lock is asked for, which does wait.
async fn use_wal<C: Connection>(connection: &C) -> Result<(), Error> {
    const TRIES: usize = 50;
    for _ in 0..TRIES {
        match connection.execute("PRAGMA journal_mode=WAL", vec![]).await {
            Ok(_) => return Ok(()),
            Err(Fault::Busy) => {
                if connection.execute("BEGIN IMMEDIATE", vec![]).await.is_ok() {
                    connection.execute("ROLLBACK", vec![]).await?;
                }
            }
            Err(fault) => return Err(fault.into()),
        }
    }
    Err(Error::Busy)
}

async fn version<C: Connection>(connection: &C) -> Result<u64, Error> {
    let rows = connection.execute("PRAGMA user_version", vec![]).await?;
    rows.first().map_or(Ok(0), |row| row.integer(0))
}

/// What version 2 adds to version 1: what routing and enrichment keep. Nothing in version 1 wrote
/// to `routing_rules`, whose ids were unique across tenants, so it is made anew.
const ROUTING: &[&str] = &[
    "ALTER TABLE social_contacts ADD COLUMN lead TEXT",
    "ALTER TABLE outbox ADD COLUMN message_id TEXT",
    "DROP TABLE routing_rules",
    "CREATE TABLE routing_rules (
        platform_client_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
        priority INTEGER NOT NULL, condition TEXT NOT NULL, actions TEXT NOT NULL,
        stop INTEGER NOT NULL, enabled INTEGER NOT NULL,
        created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        PRIMARY KEY (platform_client_id, id)) WITHOUT ROWID",
    "CREATE INDEX routing_rules_order ON routing_rules (platform_client_id, priority, id)",
    "CREATE TABLE endpoints (
        platform_client_id TEXT NOT NULL, url TEXT NOT NULL, disabled_at INTEGER,
        reason TEXT NOT NULL, updated_at INTEGER NOT NULL,
        PRIMARY KEY (platform_client_id, url)) WITHOUT ROWID",
    "CREATE INDEX endpoints_updated ON endpoints (updated_at)",
    "CREATE INDEX external_calls_conversation ON external_calls (conversation_id, seq)",
    "CREATE INDEX external_calls_message ON external_calls (message_id, seq)",
    "PRAGMA user_version=2",
];

/// What version 3 adds: sends. The state `uncertain` takes the second place in the order, so all
/// after it move up by one. When a send is given up, a message that no platform has named yet shows
/// it, in the statement that buries the job: nobody else may be there to write it.
const SENDING: &[&str] = &[
    "ALTER TABLE outbox ADD COLUMN step INTEGER NOT NULL DEFAULT 0",
    "UPDATE messages SET state = state + 1 WHERE state >= 1",
    "UPDATE message_states SET state = state + 1 WHERE state >= 1",
    // Updated in one go, two marks of a conversation could meet half-way.
    "UPDATE conversation_watermarks SET state = -1 - state WHERE state >= 1",
    "UPDATE conversation_watermarks SET state = -state WHERE state < 0",
    "CREATE TRIGGER outbox_given_up AFTER UPDATE OF state ON outbox
        WHEN NEW.state = 'buried' AND NEW.at_most_once AND NEW.message_id IS NOT NULL BEGIN
        UPDATE messages SET
            error = iif(NEW.error = 'uncertain', NULL, json_object('code', NULL, 'title', NEW.error, 'detail', NULL)),
            state = iif(NEW.error = 'uncertain', 1, 6)
        WHERE id = NEW.message_id AND external_id IS NULL
            AND coalesce(state, 0) < iif(NEW.error = 'uncertain', 1, 6);
        INSERT INTO changes (platform_client_id, kind, data, at)
            SELECT platform_client_id, 'message.updated', json_object('platform_client_id', platform_client_id,
                'conversation_id', conversation_id, 'message_id', id), coalesce(NEW.finished_at, 0)
            FROM messages WHERE id = NEW.message_id AND changes() > 0;
     END",
    "PRAGMA user_version=3",
];

/// What version 4 adds: what the actions of rules and the checks before an automatic answer need.
const ACTING: &[&str] = &[
    "ALTER TABLE conversations ADD COLUMN team TEXT",
    "ALTER TABLE conversations ADD COLUMN handover TEXT NOT NULL DEFAULT 'bot'",
    "ALTER TABLE conversations ADD COLUMN handed_over_at INTEGER",
    "ALTER TABLE conversations ADD COLUMN muted_until INTEGER",
    "ALTER TABLE conversations ADD COLUMN last_human_at INTEGER",
    "ALTER TABLE conversations ADD COLUMN last_bot_at INTEGER",
    "ALTER TABLE conversations ADD COLUMN bot_run INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE conversations ADD COLUMN bot_times TEXT NOT NULL DEFAULT '[]'",
    "UPDATE conversations SET last_human_at = (SELECT max(created_at) FROM messages
        WHERE conversation_id = conversations.id AND author IN ('agent', 'external'))",
    "CREATE INDEX conversations_assignee ON conversations (platform_client_id, assignee) WHERE assignee IS NOT NULL",
    "CREATE TABLE assignment_turns (
        platform_client_id TEXT NOT NULL, among TEXT NOT NULL, turn INTEGER NOT NULL,
        PRIMARY KEY (platform_client_id, among)) WITHOUT ROWID",
    "ALTER TABLE social_contacts ADD COLUMN stage TEXT",
    "ALTER TABLE routing_rules ADD COLUMN strategy TEXT NOT NULL DEFAULT ''",
    "PRAGMA user_version=4",
];

/// What version 5 adds: how endpoints fare, and which calls a job made.
const ENDPOINTS: &[&str] = &[
    "ALTER TABLE endpoints ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE endpoints ADD COLUMN failed INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE endpoints ADD COLUMN failure_permille INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE endpoints ADD COLUMN consecutive_failures INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE endpoints ADD COLUMN open_since INTEGER",
    "ALTER TABLE endpoints ADD COLUMN next_probe_at INTEGER",
    "ALTER TABLE endpoints ADD COLUMN probing_since INTEGER",
    "ALTER TABLE endpoints ADD COLUMN last_success_at INTEGER",
    "ALTER TABLE endpoints ADD COLUMN last_failure_at INTEGER",
    "ALTER TABLE endpoints ADD COLUMN last_error TEXT",
    "ALTER TABLE endpoints ADD COLUMN alert INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE outbox ADD COLUMN replayed_at INTEGER",
    "ALTER TABLE external_calls ADD COLUMN job INTEGER",
    "CREATE INDEX external_calls_job ON external_calls (job, seq) WHERE job IS NOT NULL",
    "PRAGMA user_version=5",
];

/// What version 6 adds: accounts that stop (`health` is `ok` or `stopped`), consent that was taken
/// back, and how fast things went out: `free_us` is when the account's next slot is free, in Unix
/// microseconds, `paced` the times of the conversation's last requests, `permit_at` a job's slot.
const DELIVERY: &[&str] = &[
    "ALTER TABLE channel_accounts ADD COLUMN code TEXT",
    "ALTER TABLE channel_accounts ADD COLUMN reason TEXT",
    "ALTER TABLE channel_accounts ADD COLUMN token_digest TEXT",
    "ALTER TABLE channel_accounts ADD COLUMN stopped_at INTEGER",
    "ALTER TABLE channel_accounts ADD COLUMN free_us INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE social_contacts ADD COLUMN opt_granted INTEGER",
    "ALTER TABLE conversations ADD COLUMN paced TEXT",
    "ALTER TABLE outbox ADD COLUMN permit_at INTEGER",
    "PRAGMA user_version=6",
];

/// Every statement of version 1, in order.
pub(crate) fn schema() -> Vec<String> {
    let mut statements: Vec<String> = PEOPLE
        .iter()
        .chain(MESSAGES)
        .chain(REST)
        .map(|&s| s.to_owned())
        .collect();
    statements.push(INBOX.to_owned());
    statements.push(OUTBOX.to_owned());
    for table in ["inbox", "outbox"] {
        statements.extend(queue(table));
    }
    statements.extend(QUEUE_INDEXES.iter().chain(ACCEPT).map(|&s| s.to_owned()));
    statements
}

const PEOPLE: &[&str] = &[
    "CREATE TABLE social_contacts (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
        platform_client_id TEXT NOT NULL, channel TEXT NOT NULL, name TEXT, username TEXT,
        tags TEXT NOT NULL DEFAULT '[]', attributes TEXT NOT NULL DEFAULT '{}', opt TEXT,
        merged_into TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL)",
    "CREATE INDEX social_contacts_tenant ON social_contacts (platform_client_id, seq)",
    "CREATE INDEX social_contacts_merged ON social_contacts (merged_into) WHERE merged_into IS NOT NULL",
    "CREATE TABLE contact_identities (
        key TEXT PRIMARY KEY, platform_client_id TEXT NOT NULL, channel TEXT NOT NULL,
        scheme TEXT NOT NULL, id TEXT NOT NULL,
        contact_id TEXT NOT NULL REFERENCES social_contacts (id),
        current INTEGER NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX contact_identities_contact ON contact_identities (contact_id)",
    "CREATE INDEX contact_identities_id ON contact_identities (id)",
    "CREATE TABLE channel_accounts (
        platform_client_id TEXT NOT NULL, channel TEXT NOT NULL, account TEXT NOT NULL,
        health TEXT NOT NULL DEFAULT 'ok', created_at INTEGER NOT NULL,
        PRIMARY KEY (channel, account, platform_client_id)) WITHOUT ROWID",
    "CREATE TABLE conversations (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
        platform_client_id TEXT NOT NULL, channel TEXT NOT NULL, account TEXT NOT NULL, chat TEXT,
        contact_id TEXT REFERENCES social_contacts (id),
        status TEXT NOT NULL DEFAULT 'open', snoozed_until INTEGER,
        priority TEXT NOT NULL DEFAULT 'normal', assignee TEXT, tags TEXT NOT NULL DEFAULT '[]',
        message_count INTEGER NOT NULL DEFAULT 0, preview TEXT,
        last_message_at INTEGER, last_inbound_at INTEGER,
        active_at INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX conversations_contact ON conversations
        (contact_id, account, channel, platform_client_id) WHERE chat IS NULL",
    "CREATE UNIQUE INDEX conversations_chat ON conversations
        (chat, account, channel, platform_client_id) WHERE chat IS NOT NULL",
    "CREATE INDEX conversations_active ON conversations (active_at, seq)",
    "CREATE INDEX conversations_tenant ON conversations (platform_client_id, active_at, seq)",
    "CREATE INDEX conversations_status ON conversations (status, active_at, seq)",
    "CREATE INDEX conversations_person ON conversations (contact_id)",
    "CREATE TABLE merged_conversations (id TEXT PRIMARY KEY, into_id TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX merged_conversations_into ON merged_conversations (into_id)",
];

const MESSAGES: &[&str] = &[
    "CREATE TABLE messages (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, platform_client_id TEXT NOT NULL,
        conversation_id TEXT NOT NULL REFERENCES conversations (id),
        contact_id TEXT REFERENCES social_contacts (id),
        channel TEXT NOT NULL, account TEXT NOT NULL, external_id TEXT,
        direction TEXT NOT NULL, author TEXT NOT NULL, standby INTEGER NOT NULL,
        content TEXT NOT NULL, state INTEGER, error TEXT, edited_at INTEGER, deleted_at INTEGER,
        previous_texts TEXT NOT NULL DEFAULT '[]', explanation TEXT,
        sent_at INTEGER NOT NULL, created_at INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX messages_external ON messages (external_id, account, channel, platform_client_id)",
    "CREATE INDEX messages_conversation ON messages (conversation_id, seq)",
    "CREATE INDEX messages_contact ON messages (contact_id)",
    "CREATE TABLE message_states (
        external_id TEXT NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL,
        platform_client_id TEXT NOT NULL, state INTEGER NOT NULL, error TEXT, at INTEGER NOT NULL,
        PRIMARY KEY (external_id, account, channel, platform_client_id)) WITHOUT ROWID",
    "CREATE TABLE conversation_watermarks (
        conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
        state INTEGER NOT NULL, until INTEGER NOT NULL,
        PRIMARY KEY (conversation_id, state)) WITHOUT ROWID",
    "CREATE TABLE message_reactions (
        external_id TEXT NOT NULL, account TEXT NOT NULL, channel TEXT NOT NULL,
        platform_client_id TEXT NOT NULL, by TEXT NOT NULL, emoji TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (external_id, account, channel, platform_client_id, by)) WITHOUT ROWID",
    "CREATE INDEX message_reactions_by ON message_reactions (by)",
    "CREATE TABLE enrichments (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, platform_client_id TEXT NOT NULL,
        message_id TEXT NOT NULL, json TEXT NOT NULL, created_at INTEGER NOT NULL)",
    "CREATE INDEX enrichments_message ON enrichments (message_id, seq)",
];

const REST: &[&str] = &[
    "CREATE TABLE deliveries_in (
        id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, received_at INTEGER NOT NULL,
        headers TEXT NOT NULL, body BLOB NOT NULL, digest TEXT NOT NULL)",
    "CREATE TABLE refused_deliveries (
        channel TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (channel, reason)) WITHOUT ROWID",
    "CREATE TABLE external_calls (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, platform_client_id TEXT NOT NULL, kind TEXT NOT NULL,
        target TEXT NOT NULL, status INTEGER, millis INTEGER NOT NULL, attempt INTEGER NOT NULL,
        at INTEGER NOT NULL, error TEXT, conversation_id TEXT, message_id TEXT)",
    "CREATE INDEX external_calls_tenant ON external_calls (platform_client_id, seq)",
    "CREATE TABLE routing_rules (
        id TEXT PRIMARY KEY, platform_client_id TEXT NOT NULL, position INTEGER NOT NULL,
        rule TEXT NOT NULL, updated_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX routing_rules_tenant ON routing_rules (platform_client_id, position)",
    "CREATE TABLE changes (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, platform_client_id TEXT NOT NULL, kind TEXT NOT NULL,
        data TEXT NOT NULL, at INTEGER NOT NULL)",
    "CREATE INDEX changes_tenant ON changes (platform_client_id, seq)",
    "CREATE TABLE holds (name TEXT PRIMARY KEY, token TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE idempotency_keys (
        platform_client_id TEXT NOT NULL, key TEXT NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (platform_client_id, key)) WITHOUT ROWID",
    "CREATE INDEX idempotency_keys_age ON idempotency_keys (at)",
];

/// `due_at` of a leased job is when its lease runs out. `starts` counts those without an outcome.
const INBOX: &str = "CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, platform_client_id TEXT NOT NULL, key TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT 'event', event_kind TEXT NOT NULL, payload TEXT NOT NULL,
    keys TEXT NOT NULL, delivery_id INTEGER REFERENCES deliveries_in (id),
    state TEXT NOT NULL DEFAULT 'pending', ready INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, starts INTEGER NOT NULL DEFAULT 0, token TEXT, error TEXT,
    traceparent TEXT, created_at INTEGER NOT NULL, finished_at INTEGER,
    UNIQUE (platform_client_id, key))";

const OUTBOX: &str = "CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, platform_client_id TEXT NOT NULL, key TEXT,
    kind TEXT NOT NULL, payload TEXT NOT NULL, keys TEXT NOT NULL, conversation_id TEXT,
    at_most_once INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending', ready INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, starts INTEGER NOT NULL DEFAULT 0, token TEXT, error TEXT,
    traceparent TEXT, created_at INTEGER NOT NULL, finished_at INTEGER,
    UNIQUE (platform_client_id, key))";

const QUEUE_INDEXES: &[&str] = &[
    "CREATE INDEX inbox_ready ON inbox (seq, due_at) WHERE ready = 1",
    "CREATE INDEX outbox_ready ON outbox (kind, due_at, seq) WHERE ready = 1",
    "CREATE INDEX inbox_event_kind ON inbox (event_kind, seq)",
    "CREATE INDEX outbox_kind ON outbox (kind, seq)",
    "CREATE INDEX outbox_conversation ON outbox (conversation_id)",
];

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
fn queue(table: &str) -> [String; 9] {
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

/// `accept` is written to by `append`: one statement that stores a delivery with its events. The
/// body of one that brings nothing new is not kept: platforms send again for hours, and whoever saw
/// one signed body could fill the disk with it.
const ACCEPT: &[&str] = &[
    "CREATE VIEW accept AS SELECT channel, received_at, headers, body, digest, '[]' AS items FROM deliveries_in",
    "CREATE TRIGGER accept_delivery INSTEAD OF INSERT ON accept BEGIN
        INSERT INTO deliveries_in (channel, received_at, headers, body, digest)
            VALUES (NEW.channel, NEW.received_at, NEW.headers, iif(NEW.items = '[]' OR EXISTS (
                    SELECT 1 FROM json_each(NEW.items) item WHERE NOT EXISTS (SELECT 1 FROM inbox
                        WHERE platform_client_id = item.value ->> 0 AND key = item.value ->> 1)),
                NEW.body, x''), NEW.digest);
        INSERT INTO inbox (platform_client_id, key, event_kind, payload, keys, traceparent, due_at, created_at, delivery_id)
            SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                NEW.received_at, NEW.received_at, (SELECT max(id) FROM deliveries_in)
            FROM json_each(NEW.items) WHERE true ORDER BY json_each.key
            ON CONFLICT (platform_client_id, key) DO NOTHING;
     END",
    // Messages take their numbers from the inbox's sequence, which must exist for that.
    "INSERT INTO sqlite_sequence (name, seq) VALUES ('inbox', 0)",
];
