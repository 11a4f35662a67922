//! Lets one writer of a database at a time through, so that none waits much longer than others.
//!
//! SQLite's own busy handler polls: whoever happens to look first gets the write lock, so
//! under load some wait for seconds, up to the timeout. All connections to a database are in
//! this process, so they queue here before they ask SQLite. The lock that counts is still
//! SQLite's.
//!
//! Whoever comes while nobody is inside goes in, also past those who wait but are not awake
//! yet; handing each turn to the next thread would leave the database idle until that one
//! runs. Who has waited for [`UNFAIR_FOR`] is handed the next turn.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long others may go first: some commits, and little beside a request's time.
const UNFAIR_FOR: Duration = Duration::from_millis(20);

/// The queue of one database.
#[derive(Debug, Default)]
pub struct Gate {
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    last_ticket: u64,
    holder: Option<u64>,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    since: Instant,
    bell: Arc<Condvar>,
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
        let since = Instant::now();
        queue.waiting.push_back(Waiting {
            ticket,
            since,
            bell: bell.clone(),
        });
        let (mut queue, _) = bell
            .wait_timeout_while(queue, patience, |queue| {
                queue.holder.is_some_and(|holder| holder != ticket)
            })
            .unwrap_or_else(PoisonError::into_inner);
        queue.waiting.retain(|waiting| waiting.ticket != ticket);
        let holder = *queue.holder.get_or_insert(ticket);
        (holder == ticket).then(|| Turn(self.clone()))
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
        queue.holder = None;
        if let Some(next) = queue.waiting.front() {
            next.bell.notify_one();
            queue.holder = (next.since.elapsed() >= UNFAIR_FOR).then_some(next.ticket);
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

    #[test]
    fn whoever_has_waited_long_goes_next() {
        let gate = Arc::new(Gate::default());
        let first = gate.enter(Duration::ZERO).expect("nobody is inside");
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let waiter = std::thread::spawn({
            let gate = gate.clone();
            move || {
                let turn = gate.enter(Duration::from_secs(60));
                let _ = wait.recv();
                turn.is_some()
            }
        });
        while gate
            .lock()
            .waiting
            .front()
            .is_none_or(|next| next.since.elapsed() < UNFAIR_FOR)
        {
            std::thread::yield_now();
        }
        drop(first);
        assert!(
            gate.enter(Duration::ZERO).is_none(),
            "the turn is the waiter's"
        );
        drop(done);
        assert!(waiter.join().unwrap());
        assert!(gate.enter(Duration::ZERO).is_some());
    }
}
