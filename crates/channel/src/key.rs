//! Dedupe keys.
//!
//! 1. What has an id is keyed by it: `{channel}:{account}:{id}`, with what tells its steps apart
//!    behind it (a status repeats the message's id).
//! 2. What has none is keyed by the SHA-256 of its own JSON, not by its place, so that a
//!    redelivery in another batch gives the same key.
//! 3. Of equal key-less items in one delivery, the second and later ones get `:2`, `:3`, …

use std::collections::HashMap;

use chatly_signature::sha256_hex;

use crate::json::Json;

/// Makes the keys of one delivery.
#[derive(Debug)]
pub struct Keys {
    channel: &'static str,
    hashed: HashMap<String, u32>,
}

impl Keys {
    /// For one delivery of a channel.
    pub fn new(channel: &'static str) -> Self {
        Keys {
            channel,
            hashed: HashMap::new(),
        }
    }

    /// The key of a thing without an id. `time` tells two equal notices apart that were sent at
    /// different times and carry no time of their own.
    pub fn hashed(&mut self, account: &str, item: &[u8], time: Option<Json>) -> String {
        let time = time.map_or("", Json::text);
        let digest = sha256_hex(&[item, b"\n", time.as_bytes()]);
        let key = format!("{}:{account}:sha256:{digest}", self.channel);
        let count = self.hashed.entry(key.clone()).or_insert(0);
        *count += 1;
        if *count == 1 {
            key
        } else {
            format!("{key}:{count}")
        }
    }
}

/// The key of a thing with an id; `steps` are what its id is not unique by.
pub fn named(channel: &str, account: &str, id: &str, steps: &[&str]) -> String {
    let mut key = format!("{channel}:{account}:{id}");
    for step in steps.iter().filter(|step| !step.is_empty()) {
        key.push(':');
        key.push_str(step);
    }
    key
}
