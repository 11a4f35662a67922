//! How many statements the commits of one database held.
//!
//! Only what runs in groups is counted: a transaction of a guest's own, and a statement that may
//! not join others, commit by themselves.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Upper bounds of the histogram. The last is the largest group.
const BOUNDS: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, super::writer::MAX_MEMBERS as u64];

/// A histogram, counted since the start.
#[derive(Debug, Default)]
pub struct Commits {
    /// Commits in each bucket alone.
    buckets: [AtomicU64; BOUNDS.len()],
    statements: AtomicU64,
}

impl Commits {
    /// A commit held so many statements. One without any changed nothing and does not count.
    pub(super) fn note(&self, statements: usize) {
        let statements = statements as u64;
        let bucket = BOUNDS.partition_point(|bound| statements > *bound);
        if let Some(count) = self.buckets.get(bucket).filter(|_| statements > 0) {
            count.fetch_add(1, Relaxed);
            self.statements.fetch_add(statements, Relaxed);
        }
    }

    /// Upper bounds in statements, and the commits between each and the bound before.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.buckets.iter().map(|count| count.load(Relaxed));
        BOUNDS.into_iter().zip(counts)
    }

    /// Statements of all commits together.
    pub fn statements(&self) -> u64 {
        self.statements.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_in_the_bucket_that_it_fits() {
        let commits = Commits::default();
        for statements in [0, 1, 1, 2, 3, 4, 5, 127, 128] {
            commits.note(statements);
        }
        let counts: Vec<_> = commits.buckets().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 1, 2, 1, 0, 0, 0, 2]);
        assert_eq!(commits.statements(), 271);
    }
}
