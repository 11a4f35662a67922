//! One database file: where it lies, how it is opened, and who may write.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::gate::Gate;

/// How long a statement waits for a lock: Spin's `busy_timeout`.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared. A store has a few dozen.
const CACHED_STATEMENTS: usize = 128;

/// Longest label; it becomes a file name, of which file systems take 255 bytes.
const MAX_LABEL_BYTES: usize = 64;

/// A label that cannot name a database file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} cannot name a database: `sqlite_databases` takes 1 to {MAX_LABEL_BYTES} letters, digits, `-` and `_`, the first no `-` or `_`"
)]
pub struct InvalidLabel(pub String);

/// One database file.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    /// Where writers wait for their turn.
    pub gate: Arc<Gate>,
}

impl Database {
    /// The database `<state_dir>/sqlite/<label>.db`. Touches no file yet.
    pub fn new(state_dir: &Path, label: &str) -> Result<Self, InvalidLabel> {
        if !is_label(label) {
            return Err(InvalidLabel(label.to_owned()));
        }
        let file = format!("{label}.db");
        Ok(Self::at(state_dir.join("sqlite").join(file)))
    }

    /// The database in the file `path`. Touches no file yet.
    pub fn at(path: PathBuf) -> Self {
        Self {
            path,
            gate: Arc::default(),
        }
    }

    /// Opens a connection with Spin's settings.
    pub fn connect(&self) -> Result<Connection, String> {
        let failed = |cause: &dyn std::fmt::Display| {
            format!("cannot open the database {}: {cause}", self.path.display())
        };
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        self.try_connect().map_err(|error| failed(&error))
    }

    fn try_connect(&self) -> rusqlite::Result<Connection> {
        // Without SQLITE_OPEN_URI a path is never read as a `file:` URI with options.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
        connection.execute_batch("PRAGMA synchronous = FULL")?;
        connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
        Ok(connection)
    }
}

fn is_label(label: &str) -> bool {
    label.len() <= MAX_LABEL_BYTES
        && label.starts_with(|c: char| c.is_ascii_alphanumeric())
        && label
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_never_a_path() {
        let longest = "a".repeat(MAX_LABEL_BYTES);
        let too_long = "a".repeat(MAX_LABEL_BYTES + 1);
        for (label, want) in [
            ("default", true),
            ("Orders-2_b", true),
            (longest.as_str(), true),
            (too_long.as_str(), false),
            ("", false),
            (".", false),
            ("..", false),
            ("a.b", false),
            ("../etc", false),
            ("/etc/passwd", false),
            ("a/b", false),
            ("a\\b", false),
            ("a\0b", false),
            ("-a", false),
            ("_a", false),
            ("ä", false),
        ] {
            assert_eq!(
                Database::new(Path::new("/state"), label).is_ok(),
                want,
                "{label:?}"
            );
        }
    }
}
