//! HTTP to and from components.
//!
//! 1. [`server`] accepts connections, as many as [`admission`] lets in; [`routes`] and [`dispatch`] find the component.
//! 2. [`headers`] tells it how it was reached; [`body`] and [`problem`] are what goes back.
//! 3. [`outgoing`] is what components send; what leaves this process does so by `connect`
//!    and [`clients`].

pub mod admission;
pub mod body;
pub mod clients;
mod connect;
pub mod dispatch;
pub mod headers;
pub mod outgoing;
pub mod problem;
pub mod routes;
pub mod server;

use std::cell::RefCell;
use std::sync::Arc;

/// Bytes of a request id: 128 bits, so that ids of several hosts can share one log.
const ID_BYTES: usize = 16;
/// Ids for which the system is asked at once: asking costs a call into the kernel.
const IDS_AT_ONCE: usize = 32;

/// Random bytes for the next ids of a thread.
struct Ids {
    random: [u8; IDS_AT_ONCE * ID_BYTES],
    used: usize,
}

thread_local! {
    static IDS: RefCell<Ids> = const {
        RefCell::new(Ids { random: [0; IDS_AT_ONCE * ID_BYTES], used: IDS_AT_ONCE * ID_BYTES })
    };
}

/// A new request id: random, in hex.
fn request_id() -> Arc<str> {
    IDS.with_borrow_mut(|ids| {
        if ids.used >= ids.random.len() {
            // Without a source of random numbers ids repeat, and nothing else depends on them.
            _ = getrandom::fill(&mut ids.random);
            ids.used = 0;
        }
        let next = ids.used.saturating_add(ID_BYTES);
        let bytes = ids.random.get(ids.used..next).unwrap_or_default();
        let id = hex::encode(bytes).into();
        ids.used = next;
        id
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_of_one_form_and_do_not_repeat() {
        let ids: std::collections::BTreeSet<_> =
            (0..10 * IDS_AT_ONCE).map(|_| request_id()).collect();
        assert_eq!(ids.len(), 10 * IDS_AT_ONCE);
        let is_hex = |id: &Arc<str>| id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        assert!(ids.iter().all(|id| id.len() == 2 * ID_BYTES && is_hex(id)));
    }
}
