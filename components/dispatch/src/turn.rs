//! Whose turn it is: the gates of the endpoints that this instance sends to.

use std::cell::RefCell;
use std::collections::HashMap;

use chatly_webhook::{Admission, Gate, Limits};

use crate::clock::unix_millis;

/// Gates that are kept before idle ones are thrown away: far more than a tenant's rules name.
const MAX_GATES: usize = 1_000;

type Key = (String, String);

thread_local! {
    static GATES: RefCell<HashMap<Key, Gate>> = RefCell::default();
}

/// A place at an endpoint; given back also when the host drops the task half-way.
pub struct Turn {
    key: Key,
    /// When it is, milliseconds from now.
    pub in_ms: u64,
}

/// Asks for a place; the time to come back at, where there is none.
pub fn ask(tenant: &str, url: &str, limits: Limits) -> Result<Turn, u64> {
    let key = (tenant.to_owned(), url.to_owned());
    let now = unix_millis();
    GATES.with_borrow_mut(|gates| {
        if gates.len() >= MAX_GATES {
            gates.retain(|_, gate| !gate.is_idle(now));
        }
        let gate = gates
            .entry(key.clone())
            .or_insert_with(|| Gate::new(limits, now));
        gate.set_limits(limits);
        match gate.ask(now) {
            Admission::After(in_ms) => Ok(Turn { key, in_ms }),
            Admission::Later(at) => Err(at),
        }
    })
}

impl Drop for Turn {
    fn drop(&mut self) {
        GATES.with_borrow_mut(|gates| {
            if let Some(gate) = gates.get_mut(&self.key) {
                gate.leave();
            }
        });
    }
}
