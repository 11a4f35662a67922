//! Tables, triggers and how a database gets them: version 1 in `first`, what later versions add here.
//!
//! A queue is a table of jobs and one of their keys. `ready` says that no earlier unfinished job
//! shares a key, so leasing looks at the heads of queues only, however long they are. Triggers
//! keep it: a new job is ready when its keys are free, a finished one readies its followers, and
//! one that was replayed puts those behind it back.
//!
//! `inbox` numbers also place messages in their conversation (`messages.seq`); what we send takes
//! the next number of the same sequence.

mod first;
mod queue;
mod understanding;

use crate::Error;
use crate::connection::{Connection, Fault};
pub(crate) use first::schema;
pub(crate) use queue::{behind_another, beside_a_running};

/// The version that [`prepare`] brings a database to.
pub(crate) const VERSION: u64 = 11;

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
            for statement in crate::media::SCHEMA {
                connection.execute(statement, vec![]).await?;
            }
        }
        if found < 8 {
            for statement in crate::parts::SCHEMA {
                connection.execute(statement, vec![]).await?;
            }
        }
        if found < 9 {
            for statement in understanding::statements() {
                connection.execute(statement, vec![]).await?;
            }
        }
        if found < 10 {
            for statement in crate::media::TOLD {
                connection.execute(statement, vec![]).await?;
            }
        }
        if found < 11 {
            for statement in crate::spend::BY_MODEL {
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
