//! What the fence noticed while SQLite prepared a statement.

use std::sync::atomic::{AtomicU8, Ordering};

use super::fence::Notice;
use super::group::Kind;

const ROWS: u8 = 1;
const COUNTERS: u8 = 2;
const OTHER: u8 = 4;

/// Collects notices.
#[derive(Debug, Default)]
pub struct Marks(AtomicU8);

impl Marks {
    /// Adds a notice.
    pub fn note(&self, notice: &Notice) {
        let mark = match notice {
            Notice::Rows => ROWS,
            Notice::Counters => COUNTERS,
            Notice::Altered | Notice::JournalMode | Notice::BusyTimeout(_) | Notice::Other => OTHER,
        };
        self.0.fetch_or(mark, Ordering::Relaxed);
    }

    /// What was noticed since the last call.
    pub fn take(&self) -> Seen {
        Seen(self.0.swap(0, Ordering::Relaxed))
    }
}

/// What was noticed about one statement.
#[derive(Debug, Clone, Copy)]
pub struct Seen(u8);

impl Seen {
    /// Whether it does something that no member of a group may.
    pub fn more_than_rows(self) -> bool {
        self.0 & (COUNTERS | OTHER) != 0
    }

    /// The kind of the statement, all of whose notices these are.
    pub fn kind(self) -> Kind {
        match self.0 {
            ROWS => Kind::Joins,
            seen if seen & ROWS != 0 && seen & OTHER == 0 => Kind::Counted,
            _ => Kind::Other,
        }
    }
}
