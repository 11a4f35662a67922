//! What the requests of one instance tell its drain.

use std::cell::Cell;

/// Says whether a drain is at work in this instance, and whether anybody came by meanwhile. One
/// thread only.
#[derive(Debug, Default)]
pub struct Bell {
    working: Cell<bool>,
    rung: Cell<bool>,
    /// Which drain has the watch; counts up.
    turn: Cell<u64>,
}

/// The turn of one drain. It is at work from the start until it lies down or is dropped, half-way
/// through included.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    bell: &'a Bell,
    turn: u64,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.lie_down();
    }
}

impl Watch<'_> {
    /// No other drain has started since this one did.
    pub(crate) fn is_mine(&self) -> bool {
        self.bell.turn.get() == self.turn
    }

    /// From here on a wake starts another drain.
    pub(crate) fn lie_down(&self) {
        if self.is_mine() {
            self.bell.working.set(false);
        }
    }

    /// Goes back to work; false when another drain has started.
    pub(crate) fn get_up(&self) -> bool {
        if self.is_mine() {
            self.bell.working.set(true);
        }
        self.is_mine()
    }
}

impl Bell {
    /// Starts a drain's turn; if one is at work, rings for it and gives none.
    pub(crate) fn start(&self) -> Option<Watch<'_>> {
        if self.working.replace(true) {
            self.rung.set(true);
            return None;
        }
        let turn = self.turn.get().wrapping_add(1);
        self.turn.set(turn);
        Some(Watch { bell: self, turn })
    }

    /// Forgets earlier rings; the drain is about to look anyway.
    pub(crate) fn silence(&self) {
        self.rung.set(false);
    }

    /// Whether anybody rang since the last silence.
    pub(crate) fn has_rung(&self) -> bool {
        self.rung.get()
    }
}
