//! The facts of a message from what the store knows.

use chatly_canonical::{Body, Event, Message, Party};
use chatly_routing::Facts;

use crate::bindings::chatly::store::store::Context;

chatly_routing::facts_of_rows!(crate::bindings::chatly::store::rows);

/// The facts of a message that is about to be stored: what is known before it, with it counted in.
pub fn received(event: &Event, message: &Message, at: u64, context: Context) -> Facts {
    let sender = event.sender.clone().unwrap_or_default();
    let mut facts = Facts {
        channel: event.channel.clone(),
        account: event.account.clone(),
        at,
        standby: event.standby,
        message: message.clone(),
        name: sender.name,
        username: sender.username,
        identities: sender.identities,
        status: "open".to_owned(),
        priority: "normal".to_owned(),
        message_count: 1,
        ..Facts::default()
    };
    if let Some(contact) = context.contact {
        known(&mut facts, contact);
    }
    if let Some(conversation) = context.conversation {
        held(&mut facts, conversation);
        facts.message_count = facts.message_count.saturating_add(1);
        // A message opens what was closed.
        if matches!(facts.status.as_str(), "resolved" | "snoozed") {
            facts.status = "open".to_owned();
        }
    }
    facts
}

/// The event of a stored message, for those that it is forwarded to. Its key is the one that a
/// message has in section 5 of the architecture.
pub fn event_of(message: &rows::StoredMessage, facts: &Facts, chat: Option<String>) -> Event {
    Event {
        key: format!(
            "{}:{}:{}",
            message.channel, message.account, message.content.id
        ),
        channel: message.channel.clone(),
        account: message.account.clone(),
        account_scope: Default::default(),
        at: Some(message.sent_at),
        standby: message.standby,
        sender: Some(Party {
            identities: facts.identities.clone(),
            name: facts.name.clone(),
            username: facts.username.clone(),
        }),
        recipient: None,
        chat,
        body: Body::Message(facts.message.clone()),
        raw: None,
    }
}
