//! Lets one writer of a database at a time through, in order of arrival.
//!
//! SQLite's own busy handler polls: whoever happens to look first gets the write lock, so
//! under load some wait for very long. All connections to a database are in this process, so
//! they queue here before they ask SQLite. The lock that counts is still SQLite's.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The queue of one database.
#[derive(Debug, Default)]
pub struct Gate {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    last_ticket: u64,
    holder: Option<u64>,
    waiting: VecDeque<(u64, Arc<Condvar>)>,
}

impl Gate {
    /// Waits for a turn, at most `patience`; `None` when it did not come.
    pub fn enter(self: &Arc<Self>, patience: Duration) -> Option<Turn> {
        let mut queue = self.lock();
        queue.last_ticket += 1;
        let ticket = queue.last_ticket;
        if queue.holder.is_none() {
            queue.holder = Some(ticket);
            return Some(Turn(self.clone()));
        }
        let bell = Arc::new(Condvar::new());
        queue.waiting.push_back((ticket, bell.clone()));
        let (mut queue, _) = bell
            .wait_timeout_while(queue, patience, |queue| queue.holder != Some(ticket))
            .unwrap_or_else(PoisonError::into_inner);
        if queue.holder == Some(ticket) {
            return Some(Turn(self.clone()));
        }
        queue.waiting.retain(|(waiting, _)| *waiting != ticket);
        None
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write, until dropped.
#[derive(Debug)]
pub struct Turn(Arc<Gate>);

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        let next = queue.waiting.pop_front();
        queue.holder = next.as_ref().map(|(ticket, _)| *ticket);
        if let Some((_, bell)) = next {
            bell.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_taken_in_order_of_arrival() {
        let gate = Arc::new(Gate::default());
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = gate.enter(Duration::ZERO).expect("nobody is inside");
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let thread = std::thread::spawn({
                    let (gate, order) = (gate.clone(), order.clone());
                    move || {
                        let _turn = gate.enter(Duration::from_secs(60)).expect("a turn");
                        order.lock().unwrap().push(number);
                    }
                });
                while gate.lock().waiting.len() <= number {
                    std::thread::yield_now();
                }
                thread
            })
            .collect();
        drop(first);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert!(gate.enter(Duration::ZERO).is_some(), "the last one left");
    }

    #[test]
    fn whoever_loses_patience_leaves_the_queue() {
        let gate = Arc::new(Gate::default());
        let turn = gate.enter(Duration::ZERO);
        assert!(gate.enter(Duration::from_millis(1)).is_none());
        assert!(gate.lock().waiting.is_empty());
        drop(turn);
        assert!(gate.enter(Duration::ZERO).is_some());
    }
}
