//! The facts of a stored message as of when it came, where the store can say.
//!
//! 1. As of then: the message's place in its conversation, the last answers, and the time.
//! 2. As they are now: the contact, and the conversation's status, priority, people, tags, turn and
//!    silence. A closed conversation counts as open, because the message opened it.
//! 3. The first run knows no enrichment, as when the message came in.

use chatly_routing::{Calendar, Facts, Phase};

use crate::bindings::chatly::store::store::Routed;

mod of_rows {
    chatly_routing::facts_of_rows!(crate::bindings::chatly::store::rows);
}

/// The facts for one run over `row`.
pub fn as_of_then(row: &Routed, phase: Phase, calendar: &Calendar) -> Facts {
    let (contact, conversation) = (row.contact.clone(), row.conversation.clone());
    let mut facts = of_rows::stored(&row.message, contact, Some(conversation));
    if phase == Phase::Received {
        facts.enrichment = None;
    }
    if matches!(facts.status.as_str(), "resolved" | "snoozed") {
        facts.status = "open".to_owned();
    }
    facts.now = row.message.created_at;
    facts.time = calendar.at(facts.now);
    facts.message_count = row.message_count;
    facts.standing.last_human_at = row.last_human_at;
    facts.standing.last_bot_at = row.last_bot_at;
    facts
}
