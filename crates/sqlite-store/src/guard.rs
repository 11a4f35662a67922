//! Whether machines are talking to each other: too many automatic messages before the one at hand.
//!
//! Replies of rules are held by the same limits before they become messages (`chatly-routing`, `safety`,
//! which says where the numbers come from). What an integration sends is a message already, so it is
//! held here, where it would go out.
//!
//! 1. What counts is what was made before this message and was not held itself.
//! 2. A person's message ends a run, and so does an hour without any automatic one; it does not make
//!    five within a minute fewer.

use crate::Error;
use crate::connection::{Connection, values_of};

/// Automatic messages within [`BURST_MS`] after which there is none.
const BURST: usize = 5;
const BURST_MS: u64 = 60_000;
/// Automatic messages in a row after which there is none.
const RUN: usize = 50;
/// A pause that ends a run.
const PAUSE_MS: u64 = 3_600_000;
/// Messages that are looked back at: a run in which the customer writes three times as often.
const LOOKED_AT: usize = 4 * RUN;

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Looping {
    /// Too many within a short time.
    #[error("{BURST} automatic messages within {} s; a person should take over", BURST_MS / 1000)]
    Burst,
    /// Too many in a row.
    #[error("{RUN} automatic messages in a row; a person should take over")]
    Run,
}

/// What is known of one message before this one: when it was made, and whether a person did.
type Earlier = (u64, u8);

/// The limit that the message with this id of ours breaks; none when it may go out.
pub(crate) async fn find<C: Connection>(
    connection: &C,
    message: &str,
) -> Result<Option<Looping>, Error> {
    let sql = format!(
        "SELECT made.created_at, (
            SELECT json_group_array(json_array(created_at, author <> 'bot')) FROM (
                SELECT created_at, author, error FROM messages
                WHERE conversation_id = made.conversation_id AND seq < made.seq
                ORDER BY seq DESC LIMIT {LOOKED_AT})
            WHERE author <> 'contact' AND NOT (author = 'bot' AND error ->> '$.code' IS 'suppressed'))
         FROM messages made WHERE made.id = ?"
    );
    let rows = connection.execute(&sql, values_of![message]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let earlier: Vec<Earlier> = row.json(1)?;
    Ok(judge(row.integer(0)?, &earlier))
}

/// `earlier` is what we sent, newest first.
fn judge(made_at: u64, earlier: &[Earlier]) -> Option<Looping> {
    let bots = || earlier.iter().filter(|(_, by_person)| *by_person == 0);
    let fifth = bots().nth(BURST - 1);
    if fifth.is_some_and(|(at, _)| made_at.saturating_sub(*at) < BURST_MS) {
        return Some(Looping::Burst);
    }
    let mut next = made_at;
    let run = earlier.iter().take_while(|(at, by_person)| {
        let follows = *by_person == 0 && next.saturating_sub(*at) < PAUSE_MS;
        next = *at;
        follows
    });
    (run.take(RUN).count() == RUN).then_some(Looping::Run)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000_000;

    fn bots(ages: impl IntoIterator<Item = u64>) -> Vec<Earlier> {
        ages.into_iter().map(|age| (NOW - age, 0)).collect()
    }

    fn spread(count: u64, every_ms: u64) -> Vec<Earlier> {
        bots((1..=count).map(|step| step * every_ms))
    }

    #[test]
    fn a_message_is_held_by_the_first_limit_that_it_breaks() {
        let person = |at: usize, mut all: Vec<Earlier>| {
            all.insert(at, (NOW - 1, 1));
            all
        };
        let paused = [spread(49, 20_000), bots([49 * 20_000 + PAUSE_MS])].concat();
        for (name, earlier, want) in [
            ("nothing", vec![], None),
            ("four in a minute", bots([0, 0, 0, 59_999]), None),
            (
                "five in a minute",
                bots([0, 0, 0, 0, 59_999]),
                Some(Looping::Burst),
            ),
            ("five in more", bots([0, 0, 0, 0, 60_000]), None),
            (
                "a person makes five no fewer",
                person(2, bots([0, 0, 0, 0, 9])),
                Some(Looping::Burst),
            ),
            ("forty-nine in a row", spread(49, 20_000), None),
            ("fifty in a row", spread(50, 20_000), Some(Looping::Run)),
            ("a person in the run", person(49, spread(50, 20_000)), None),
            (
                "a person before the run",
                person(50, spread(50, 20_000)),
                Some(Looping::Run),
            ),
            ("a pause in the run", paused, None),
            ("each after a pause", spread(60, PAUSE_MS), None),
        ] {
            assert_eq!(judge(NOW, &earlier), want, "{name}");
        }
    }
}
