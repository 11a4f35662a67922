//! Version 1: every table, and the view that `append` writes to.

use super::queue::queue;

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
