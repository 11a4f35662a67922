//! What a guest's SQL may not do, although its database is granted.
//!
//! 1. No file but its own database: no `ATTACH` of a file (which is also what `VACUUM INTO`
//!    does), no loading of extensions, no directory for temporary files.
//! 2. Nothing that reaches beyond its connection: no heap limits of the process, no memory
//!    mapping (a shortened file would kill the process with SIGBUS).
//! 3. No way to damage the file below the level of SQL: `writable_schema` is refused, and
//!    SQLite's defensive mode is on.
//! 4. A value is at most [`MAX_RESULT_BYTES`] long, as no longer one could be returned.
//!
//! Refusals are SQLite's own: `not authorized`, or `authorization denied`. What the authorizer cannot name is refused:
//! `ATTACH` with an expression in place of a literal gives it no file name.

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, Authorization};
use rusqlite::limits::Limit;

use super::MAX_RESULT_BYTES;
use super::status::COUNTERS;

/// Pragmas that are refused when they set something.
const REFUSED_PRAGMAS: [&str; 7] = [
    "data_store_directory",
    "hard_heap_limit",
    "lock_proxy_file",
    "mmap_size",
    "soft_heap_limit",
    "temp_store_directory",
    "writable_schema",
];

/// What the rest of the host has to know about a statement while SQLite prepares it.
pub enum Notice {
    /// It changes the connection itself: a setting, an attached or temporary database.
    Altered,
    /// It may leave the WAL mode, for which SQLite needs the database alone.
    JournalMode,
    /// It sets how long to wait for a lock, in milliseconds.
    BusyTimeout(u64),
    /// It inserts, updates or deletes rows.
    Rows,
    /// It reads the counters of its connection.
    Counters,
    /// It does something else than to read and write rows.
    Other,
}

/// Puts the fence around a connection, and calls `notice` for statements of note.
///
/// # Errors
///
/// When SQLite refuses a setting.
pub fn install(
    connection: &mut Connection,
    mut notice: impl FnMut(Notice) + Send + 'static,
) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    let longest = i32::try_from(MAX_RESULT_BYTES).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
    connection.authorizer(Some(move |context: rusqlite::hooks::AuthContext<'_>| {
        if let AuthAction::Pragma {
            pragma_name,
            pragma_value: Some(value),
        } = context.action
        {
            let (name, value) = (pragma_name.to_ascii_lowercase(), value.to_ascii_lowercase());
            if name == "busy_timeout" {
                notice(Notice::BusyTimeout(value.trim().parse().unwrap_or(0)));
            }
            if name == "journal_mode" && value != "wal" {
                notice(Notice::JournalMode);
            }
            if !leaves_alike(&name, &value) {
                notice(Notice::Altered);
            }
        }
        if let Some(noticed) = deed(&context.action) {
            notice(noticed);
        }
        let attaches = matches!(context.action, AuthAction::Attach { .. });
        if attaches || context.database_name == Some("temp") {
            notice(Notice::Altered);
        }
        if refused(&context.action) {
            Authorization::Deny
        } else {
            Authorization::Allow
        }
    }))
}

/// What an action says about the kind of its statement; `None` for what any may do.
fn deed(action: &AuthAction<'_>) -> Option<Notice> {
    match action {
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => {
            let schema = matches!(
                *table_name,
                "sqlite_master" | "sqlite_schema" | "sqlite_temp_master" | "sqlite_temp_schema"
            );
            Some(if schema { Notice::Other } else { Notice::Rows })
        }
        AuthAction::Function { function_name } => COUNTERS
            .iter()
            .any(|counter| counter.eq_ignore_ascii_case(function_name))
            .then_some(Notice::Counters),
        AuthAction::Read { .. } | AuthAction::Select | AuthAction::Recursive => None,
        // A pragma that reads, as FTS5 does within an INSERT.
        AuthAction::Pragma {
            pragma_value: None, ..
        } => None,
        _ => Some(Notice::Other),
    }
}

/// Whether a connection is like a new one after this pragma: it reads, changes the file, or
/// sets what is set anyway. The common ones are here; others cost a new connection.
fn leaves_alike(name: &str, value: &str) -> bool {
    match name {
        "journal_mode" => value == "wal",
        "synchronous" => matches!(value, "full" | "2"),
        "foreign_keys" => matches!(value, "on" | "1" | "true" | "yes"),
        "busy_timeout" => value == "5000",
        "user_version" | "application_id" | "wal_checkpoint" | "integrity_check" => true,
        _ => ["table_", "index_", "foreign_key_"]
            .iter()
            .any(|start| name.starts_with(start)),
    }
}

fn refused(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Attach { filename } => !matches!(*filename, "" | ":memory:"),
        AuthAction::Function { function_name } => {
            function_name.eq_ignore_ascii_case("load_extension")
        }
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => {
            pragma_value.is_some()
                && REFUSED_PRAGMAS
                    .iter()
                    .any(|refused| refused.eq_ignore_ascii_case(pragma_name))
        }
        AuthAction::Unknown { .. } => true,
        _ => false,
    }
}
