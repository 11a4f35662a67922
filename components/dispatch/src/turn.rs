//! Whose turn it is: the gates of the endpoints that this instance sends to, and the rights that all
//! instances share. The gate spreads and bounds what one instance does without asking anybody; the
//! rights keep the rate when there are several.

use std::cell::RefCell;
use std::collections::HashMap;

use chatly_webhook::{Admission, Gate, Limits};

use crate::bindings::chatly::store::store::{self, Error};
use crate::clock::{random, unix_millis};

/// Gates that are kept before idle ones are thrown away: far more than a tenant's rules name.
const MAX_GATES: usize = 1_000;

/// Rights that are asked for in one go: of those that are free, most are found by then.
const MAX_ASKED: u32 = 4;

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

/// Takes one of the endpoint's shared rights; the time to come back at, where none was found.
pub async fn share(tenant: &str, url: &str, limits: Limits) -> Result<Result<(), u64>, Error> {
    let slots = limits.slots();
    let first = random() % u64::from(slots.count);
    for asked in 0..slots.count.min(MAX_ASKED) {
        let slot = (first + u64::from(asked)) % u64::from(slots.count);
        let name = format!("turn {slot} {tenant} {url}");
        if store::hold(name, None, slots.for_ms).await?.is_some() {
            return Ok(Ok(()));
        }
    }
    let wait = u64::from(slots.for_ms) / 2 + random() % u64::from(slots.for_ms.max(1));
    Ok(Err(unix_millis() + wait))
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
