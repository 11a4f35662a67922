//! What a conversation's last messages say, and what a tenant asks of them.

use chatly_canonical::{Convert, Message};
use chatly_providers::Chain;
use chatly_routing::text_of;

use crate::bindings::chatly::store::rows::{Author, StoredMessage};
use crate::bindings::chatly::store::store::Context;
use crate::bindings::chatly::types::enrichment::{LeadSettings, Request, Role, Turn};

/// Turns of a window: what somebody would scroll back to understand the last one.
pub const MAX_TURNS: u32 = 20;

/// The turns up to the message that a job is about, with that message; none when it says nothing in
/// words.
pub fn of(context: Context) -> Option<(StoredMessage, Vec<Turn>)> {
    let window: Vec<Turn> = context.recent.into_iter().filter_map(turn).collect();
    let message = context.message?;
    let is_last = window
        .last()
        .is_some_and(|turn| turn.message_id == message.id);
    is_last.then_some((message, window))
}

/// A message as a turn; none when it says nothing in words or was taken back.
fn turn(message: StoredMessage) -> Option<Turn> {
    let content: Message = message.content.convert();
    let text = text_of(&content).filter(|_| message.deleted_at.is_none())?;
    Some(Turn {
        text: text.to_owned(),
        message_id: message.id,
        role: match message.author {
            Author::Contact => Role::Customer,
            Author::Agent | Author::External => Role::Agent,
            Author::Bot => Role::Bot,
        },
        at: message.sent_at,
    })
}

/// What the tenant of this chain asks for.
pub fn request(chain: &Chain, now: u64) -> Request {
    Request {
        intents: chain.intents.clone(),
        languages: vec![],
        now,
        time_zone: chain.time_zone.clone(),
        lead: chain.lead.map(|lead| LeadSettings {
            engaged: lead.engaged,
            qualified: lead.qualified,
            half_life_hours: lead.half_life_hours,
        }),
    }
}
