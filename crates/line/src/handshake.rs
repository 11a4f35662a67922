//! The delivery by which LINE checks a webhook: signed like any other, and without events.

use chatly_channel::json::Json;
use chatly_channel::{Delivery, Refusal, Reply};

use crate::verify::verify;

/// What such a delivery has at most: a longer one has events, and is read once it is known to be
/// genuine.
const MAX_CHECK_BYTES: usize = 1024;

/// Answers a check; none for a delivery that has events, or is no delivery of LINE's at all.
pub(crate) fn handshake(delivery: &Delivery, secrets: &[String]) -> Option<Reply> {
    if delivery.method != "POST" || delivery.body.len() > MAX_CHECK_BYTES {
        return None;
    }
    let events = Json::parse(&delivery.body)?.object()?.get("events")?;
    if !events.list()?.is_empty() {
        return None;
    }
    Some(match verify(delivery, secrets) {
        Ok(()) => Reply {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
        },
        Err(Refusal::NoSecret) => {
            Reply::problem(503, "no_secret", "No channel secret is configured")
        }
        Err(_) => Reply::problem(401, "bad_signature", "The signature is missing or wrong"),
    })
}
