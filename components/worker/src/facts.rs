//! The facts of a message from what the store knows.

use chatly_canonical::{Body, Convert, Event, Message, Party};
use chatly_routing::{Facts, Standing};

use crate::bindings::chatly::store::rows;
use crate::bindings::chatly::store::store::Context;

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

/// The facts of a message that is stored.
pub fn stored(message: &rows::StoredMessage, context: Context) -> Facts {
    let mut facts = Facts {
        channel: message.channel.clone(),
        account: message.account.clone(),
        at: message.sent_at,
        standby: message.standby,
        message: message.content.clone().convert(),
        enrichment: message.enrichment.clone(),
        ..Facts::default()
    };
    if let Some(contact) = context.contact {
        known(&mut facts, contact);
    }
    if let Some(conversation) = context.conversation {
        held(&mut facts, conversation);
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

/// A name that the event brings is newer than the one that is stored.
fn known(facts: &mut Facts, contact: rows::Contact) {
    facts.contact_id = contact.id;
    facts.name = facts.name.take().or(contact.name);
    facts.username = facts.username.take().or(contact.username);
    facts.contact_tags = contact.tags;
    facts.attributes = Some(contact.attributes);
    for identity in contact.identities.convert() {
        if !facts.identities.contains(&identity) {
            facts.identities.push(identity);
        }
    }
    facts.lead = contact.lead;
    facts.opt = contact.opt;
}

/// What an automatic answer in the conversation depends on.
pub fn standing(conversation: &rows::Conversation) -> Standing {
    Standing {
        human: conversation.handover == rows::Handover::Human,
        muted_until: conversation.muted_until,
        last_human_at: conversation.last_human_at,
        last_bot_at: conversation.last_bot_at,
        bot_run: conversation.bot_run,
        bot_times: conversation.bot_times.clone(),
    }
}

fn held(facts: &mut Facts, conversation: rows::Conversation) {
    facts.standing = standing(&conversation);
    facts.team = conversation.team;
    facts.conversation_id = conversation.id;
    facts.status = status_word(conversation.status).to_owned();
    facts.priority = priority_word(conversation.priority).to_owned();
    facts.assignee = conversation.assignee;
    facts.tags = conversation.tags;
    facts.message_count = conversation.message_count;
}

fn status_word(status: rows::ConversationStatus) -> &'static str {
    match status {
        rows::ConversationStatus::Open => "open",
        rows::ConversationStatus::Pending => "pending",
        rows::ConversationStatus::Snoozed => "snoozed",
        rows::ConversationStatus::Resolved => "resolved",
    }
}

fn priority_word(priority: rows::Priority) -> &'static str {
    match priority {
        rows::Priority::Low => "low",
        rows::Priority::Normal => "normal",
        rows::Priority::High => "high",
        rows::Priority::Urgent => "urgent",
    }
}
