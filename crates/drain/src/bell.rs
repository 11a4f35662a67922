//! What the requests of one instance tell its drain.

use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};

/// Says whether a drain runs in this instance, and wakes it from its sleep. One thread only.
#[derive(Debug, Default)]
pub struct Bell {
    running: Cell<bool>,
    rung: Cell<bool>,
    sleeper: RefCell<Option<Waker>>,
}

/// A drain runs as long as this lives: also a drain that is dropped half-way leaves the bell free.
#[derive(Debug)]
pub(crate) struct Running<'a>(&'a Bell);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.set(false);
        self.0.sleeper.take();
    }
}

impl Bell {
    /// Marks a drain as running; if one runs already, rings for it and gives none.
    pub(crate) fn start(&self) -> Option<Running<'_>> {
        if !self.running.replace(true) {
            return Some(Running(self));
        }
        self.rung.set(true);
        // Taken out first: waking may run code that comes back here.
        let sleeper = self.sleeper.take();
        if let Some(sleeper) = sleeper {
            sleeper.wake();
        }
        None
    }

    /// Forgets earlier rings; the drain is about to look anyway.
    pub(crate) fn silence(&self) {
        self.rung.set(false);
    }

    /// Whether anybody rang since the last silence.
    pub(crate) fn has_rung(&self) -> bool {
        self.rung.get()
    }

    /// Ready when somebody rang.
    pub(crate) fn poll_ring(&self, context: &Context<'_>) -> Poll<()> {
        if self.rung.get() {
            self.sleeper.take();
            return Poll::Ready(());
        }
        self.sleeper.replace(Some(context.waker().clone()));
        Poll::Pending
    }
}
