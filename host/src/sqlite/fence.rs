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
    /// It may change the journal mode, for which SQLite needs the database alone.
    JournalMode,
    /// It sets how long to wait for a lock, in milliseconds.
    BusyTimeout(u64),
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
            if pragma_name.eq_ignore_ascii_case("journal_mode") {
                notice(Notice::JournalMode);
            } else if pragma_name.eq_ignore_ascii_case("busy_timeout") {
                notice(Notice::BusyTimeout(value.trim().parse().unwrap_or(0)));
            }
        }
        if refused(&context.action) {
            Authorization::Deny
        } else {
            Authorization::Allow
        }
    }))
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
