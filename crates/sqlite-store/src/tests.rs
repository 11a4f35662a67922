//! A real SQLite file in WAL mode behind [`Connection`], and short ways to say things.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use chatly_canonical::*;
use futures::executor::block_on;

use crate::*;
pub use samples::*;

mod actions;
mod append;
mod clock;
mod commit;
mod cost;
mod endpoints;
mod gate;
mod guard;
mod joins;
mod late;
mod latest;
mod lists;
mod media;
mod merge;
mod migration;
mod model;
mod parts;
mod plans;
mod queue;
mod receipts;
mod routed;
mod routing;
mod samples;
mod sends;
mod spend;
mod takeover;
mod threads;

/// A connection of `rusqlite`.
pub struct Native(pub rusqlite::Connection);

impl Native {
    fn run(&self, sql: &str, parameters: Vec<Value>) -> rusqlite::Result<Vec<Row>> {
        use rusqlite::types::{Value as Theirs, ValueRef};
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        let parameters = parameters.into_iter().map(|value| match value {
            Value::Null => Theirs::Null,
            Value::Integer(value) => Theirs::Integer(value),
            Value::Real(value) => Theirs::Real(value),
            Value::Text(value) => Theirs::Text(value),
            Value::Blob(value) => Theirs::Blob(value),
        });
        let mut rows = statement.query(rusqlite::params_from_iter(parameters))?;
        let mut found = vec![];
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(value) => Value::Integer(value),
                    ValueRef::Real(value) => Value::Real(value),
                    ValueRef::Text(value) => {
                        Value::Text(String::from_utf8(value.to_vec()).unwrap())
                    }
                    ValueRef::Blob(value) => Value::Blob(value.to_vec()),
                })
            });
            found.push(Row(values.collect::<rusqlite::Result<_>>()?));
        }
        Ok(found)
    }
}

impl Connection for Native {
    async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.run(sql, parameters)
            .map_err(|error| match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                    Fault::Busy
                }
                _ => panic!("{error}\n{sql}"),
            })
    }
}

/// A database file that goes away with the test.
pub struct File(PathBuf);

impl File {
    pub fn new() -> Self {
        let unique = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_nanos();
        let name = format!(
            "chatly-{}-{unique}-{:?}.db",
            std::process::id(),
            std::thread::current().id()
        );
        File(std::env::temp_dir().join(name))
    }

    pub fn path(&self) -> &std::path::Path {
        &self.0
    }

    pub fn open(&self) -> Native {
        let native = Native(rusqlite::Connection::open(&self.0).unwrap());
        block_on(prepare(&native)).unwrap();
        native
    }
}

impl Drop for File {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

pub const TENANT: &str = "tenant";
pub const ACCOUNT: &str = "account";
pub const CHANNEL: &str = "whatsapp";

/// A database with a clock that the test sets.
pub struct Store {
    pub connection: Native,
    pub now: Cell<u64>,
    calls: Cell<u128>,
    _file: File,
}

impl Store {
    pub fn new() -> Self {
        let file = File::new();
        Store {
            connection: file.open(),
            now: Cell::new(1_000_000),
            calls: Cell::new(1),
            _file: file,
        }
    }

    pub fn moment(&self) -> Moment {
        self.calls.set(self.calls.get() + 1);
        // Spread, because tests compare ids only for being different.
        Moment {
            now: self.now.get(),
            seed: self
                .calls
                .get()
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835),
        }
    }

    pub fn pass(&self, millis: u64) {
        self.now.set(self.now.get() + millis);
    }

    pub fn append(&self, events: &[Event]) -> Appended {
        self.append_for(TENANT, events)
    }

    pub fn append_for(&self, tenant: &str, events: &[Event]) -> Appended {
        let items: Vec<Item> = events
            .iter()
            .map(|event| Item {
                platform_client_id: tenant.into(),
                event: event.clone(),
                traceparent: None,
            })
            .collect();
        block_on(append(
            &self.connection,
            self.moment(),
            self.delivery(),
            &items,
        ))
        .unwrap()
    }

    pub fn delivery(&self) -> Accepted {
        Accepted {
            channel: CHANNEL.into(),
            received_at: self.now.get(),
            headers: vec![("x-hub-signature-256".into(), b"sha256=00".to_vec())],
            body: b"{}".to_vec(),
            digest: "00".into(),
        }
    }

    pub fn lease(&self, max: u32) -> Vec<Job> {
        self.lease_kinds(&["event"], max)
    }

    pub fn lease_kinds(&self, kinds: &[&str], max: u32) -> Vec<Job> {
        let kinds: Vec<String> = kinds.iter().map(|&kind| kind.to_owned()).collect();
        block_on(lease(
            &self.connection,
            self.moment(),
            &kinds,
            max,
            LEASE_MS,
        ))
        .unwrap()
    }

    pub fn commit(&self, token: &str, effects: &[Effect]) -> Result<Committed, Error> {
        block_on(commit(&self.connection, self.moment(), token, effects))
    }

    pub fn submit(&self, effects: &[Effect]) -> Committed {
        block_on(submit(
            &self.connection,
            self.moment(),
            TENANT,
            None,
            effects,
        ))
        .unwrap()
    }

    /// Leases one event after another and commits what a worker would.
    pub fn work(&self) {
        while let Some(job) = self.lease(1).first() {
            self.commit(&job.token, &effects(event_of(job))).unwrap();
        }
    }

    pub fn messages(&self, conversation: &str) -> Vec<StoredMessage> {
        let page = Page {
            cursor: None,
            limit: 200,
        };
        block_on(list_messages(
            &self.connection,
            Some(TENANT),
            conversation,
            MessageOrder::Oldest,
            &page,
        ))
        .unwrap()
        .0
    }

    pub fn conversations(&self) -> Vec<Conversation> {
        let page = Page {
            cursor: None,
            limit: 200,
        };
        block_on(list_conversations(
            &self.connection,
            &ConversationFilter::default(),
            &page,
        ))
        .unwrap()
        .0
    }

    pub fn contacts(&self) -> Vec<Contact> {
        let page = Page {
            cursor: None,
            limit: 200,
        };
        block_on(list_contacts(
            &self.connection,
            &ContactFilter::default(),
            &page,
        ))
        .unwrap()
        .0
    }

    pub fn changes(&self) -> Vec<(String, serde_json::Value)> {
        let changes = block_on(list_changes(&self.connection, None, 0, 1000)).unwrap();
        changes
            .into_iter()
            .map(|change| (change.kind, serde_json::from_str(&change.data).unwrap()))
            .collect()
    }

    pub fn inbox(&self, state: Option<JobState>) -> Vec<StoredJob> {
        let page = Page {
            cursor: None,
            limit: 200,
        };
        block_on(list_inbox(
            &self.connection,
            &JobFilter {
                state,
                ..JobFilter::default()
            },
            &page,
        ))
        .unwrap()
        .0
    }

    pub fn number(&self, sql: &str) -> i64 {
        self.connection
            .0
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    }
}

pub const LEASE_MS: u32 = 30_000;
