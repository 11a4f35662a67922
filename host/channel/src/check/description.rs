//! Whether a plugin's facts can be true.

use chatly_channel::Description;

use super::failed;
use crate::plugin::Plugin;

/// Every `kind` of an event, from `wit/deps/types/event.wit`.
const KINDS: [&str; 19] = [
    "message",
    "message.edited",
    "message.deleted",
    "reaction",
    "status",
    "read",
    "referral",
    "opt",
    "identity.changed",
    "membership",
    "handover",
    "call",
    "comment",
    "template",
    "account",
    "error",
    "external",
    "unknown",
    "unparsable",
];

/// Every content of `wit/deps/types/outbound.wit`.
const SENDS: [&str; 11] = [
    "text",
    "media",
    "location",
    "contacts",
    "reaction",
    "template",
    "buttons",
    "menu",
    "quick_replies",
    "mark_read",
    "typing",
];

pub(super) fn check(plugin: &mut Plugin) -> Result<Description, String> {
    let description = plugin.describe().map_err(failed("describe"))?;
    let Description {
        name,
        label,
        kinds,
        sends,
        base_url,
        limits,
        ..
    } = &description;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || !name.bytes().all(is_plain) {
        return Err(format!(
            "the name {name:?} is not of a-z, 0-9 and -, as routes and variables need it"
        ));
    }
    if label.trim().is_empty() {
        return Err("it has no label".to_owned());
    }
    known("kinds", kinds, &KINDS)?;
    known("sends", sends, &SENDS)?;
    if !kinds.iter().any(|kind| kind == "unparsable") {
        return Err("its kinds lack \"unparsable\", which any body may be".to_owned());
    }
    let is_url = base_url.starts_with("https://") && !base_url.ends_with('/');
    if !sends.is_empty() && !is_url {
        return Err(format!(
            "the base URL {base_url:?} does not begin with https:// or ends with a slash"
        ));
    }
    if limits.webhook_body_bytes == 0 {
        return Err("it takes no body of a single byte".to_owned());
    }
    if description
        .rates
        .iter()
        .any(|rate| rate.count == 0 || rate.per_ms == 0)
    {
        return Err("a rate of it allows nothing, or takes no time".to_owned());
    }
    Ok(description)
}

fn known(what: &str, given: &[String], known: &[&str]) -> Result<(), String> {
    for (at, word) in given.iter().enumerate() {
        if !known.contains(&word.as_str()) {
            return Err(format!(
                "{what} has {word:?}; known are {}",
                known.join(", ")
            ));
        }
        if given.iter().take(at).any(|earlier| earlier == word) {
            return Err(format!("{what} has {word:?} twice"));
        }
    }
    Ok(())
}
