//! What must hold for any delivery whatever.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chatly_canonical::Event;
use chatly_channel::event::MAX_EVENTS;
use chatly_channel::{Delivery, Response};
use chatly_channels::Plugin;
use cpu_time::ThreadTime;

/// No body of the size that mutations reach may take more of a processor: a hundred times what the
/// slowest takes. Time that others had the processor does not count.
const MAX_TIME: Duration = Duration::from_secs(5);
/// The account of the route.
const ACCOUNT: &str = "account-1";

/// The shape of the events, or what does not hold.
pub fn check(plugin: Plugin, delivery: &Delivery) -> Result<Vec<&'static str>, String> {
    let start = ThreadTime::now();
    let run = catch_unwind(AssertUnwindSafe(|| all(plugin, delivery)));
    let shape = run.map_err(|_| "a panic".to_owned())??;
    let taken = start.elapsed();
    if taken > MAX_TIME {
        return Err(format!("it took {taken:?}"));
    }
    Ok(shape)
}

fn all(plugin: Plugin, delivery: &Delivery) -> Result<Vec<&'static str>, String> {
    let secrets = [
        "a secret".to_owned(),
        "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0".to_owned(),
    ];
    if (plugin.verify)(delivery, &secrets, 1_749_416_383).is_ok() {
        return Err("what nobody signed is accepted".to_owned());
    }
    if (plugin.verify)(delivery, &[], 1_749_416_383).is_ok() {
        return Err("accepted without a secret".to_owned());
    }
    let tokens = ["a token".to_owned()];
    // A GET proves itself by a token in its URL.
    if let Some(reply) = (plugin.handshake)(delivery, &tokens, &secrets, 1_749_416_383)
        && reply.status < 300
        && delivery.body.windows(9).any(|bytes| bytes == b"challenge")
    {
        return Err("a challenge is answered that nobody signed".to_owned());
    }
    let _ = (plugin.acknowledge)(delivery);
    let _ = (plugin.classify)(&Response {
        status: 200 + (delivery.body.len() % 400) as u16,
        headers: delivery.headers.clone(),
        body: delivery.body.clone(),
    });
    let events = (plugin.parse)(delivery, Some(ACCOUNT));
    if (plugin.parse)(delivery, Some(ACCOUNT)) != events {
        return Err("two calls differ".to_owned());
    }
    sound(&(plugin.describe)().name, &events)?;
    Ok(events.iter().map(|event| event.body.kind()).collect())
}

fn sound(channel: &str, events: &[Event]) -> Result<(), String> {
    if events.len() > MAX_EVENTS + 1 {
        return Err(format!("{} events", events.len()));
    }
    let mut keys = HashSet::new();
    for event in events {
        let start = format!("{channel}:{}:", event.account);
        if event.channel != channel || !event.key.starts_with(&start) {
            return Err(format!(
                "the key {:?} does not begin with {start:?}",
                event.key
            ));
        }
        keys.insert(event.key.as_str());
        let mut event = event.clone();
        // JSON tells no kept `null` from nothing kept.
        event.raw = event.raw.filter(|raw| raw.get() != "null");
        let json = again(&event)?;
        if json != event {
            return Err(format!("written and read again, {event:?} is {json:?}"));
        }
    }
    Ok(())
}

/// The event written as JSON and read again, which is what the store does.
fn again(event: &Event) -> Result<Event, String> {
    let text = serde_json::to_string(event).map_err(|error| format!("not written: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("not read again: {error}"))
}
