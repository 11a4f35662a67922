//! What an event changes, in the store's terms.

use chatly_canonical::{Convert, DeliveryState, Event};
use chatly_fold::{Direction, Effect, fold};

use crate::bindings::chatly::store::effects as wit;
use crate::bindings::chatly::store::rows;

/// The effects of `event`; `stored_at` stands in where the event has no time.
pub fn of(event: &Event, stored_at: u64) -> Vec<wit::Effect> {
    let at = event.at.unwrap_or(stored_at);
    fold(event)
        .into_iter()
        .map(|effect| convert(effect, event, at))
        .collect()
}

fn convert(effect: Effect, event: &Event, at: u64) -> wit::Effect {
    let (channel, account) = (event.channel.clone(), event.account.clone());
    match effect {
        Effect::Contact {
            identities,
            previous,
            name,
            username,
        } => {
            let (identities, previous) = (identities.convert(), previous.convert());
            wit::Effect::Contact(wit::ContactEffect {
                channel,
                identities,
                previous,
                name,
                username,
            })
        }
        Effect::Conversation { chat } => wit::Effect::Conversation(wit::ConversationEffect {
            channel,
            account,
            chat,
        }),
        Effect::Message(message, direction) => {
            let (direction, author, state) = match direction {
                Direction::Inbound => (rows::Direction::Inbound, rows::Author::Contact, None),
                Direction::Echo => (
                    rows::Direction::Outbound,
                    rows::Author::External,
                    Some(DeliveryState::Sent),
                ),
            };
            wit::Effect::Message(wit::MessageEffect {
                content: (*message).convert(),
                direction,
                author,
                standby: event.standby,
                at,
                state: state.convert(),
                explanation: None,
            })
        }
        Effect::Edit(message) => wit::Effect::Edit(wit::EditEffect {
            channel,
            account,
            content: (*message).convert(),
            at,
        }),
        Effect::Delete(message_id) => wit::Effect::Delete(wit::DeleteEffect {
            channel,
            account,
            message_id,
            at,
        }),
        Effect::Reaction(reaction) => {
            let reaction = reaction.convert();
            wit::Effect::Reaction(wit::ReactionEffect {
                channel,
                account,
                reaction,
                at,
            })
        }
        Effect::Status(status) => wit::Effect::Status(wit::StatusEffect {
            channel,
            account,
            status: status.convert(),
            at,
        }),
        Effect::Opt(opt) => wit::Effect::Opt(wit::OptEffect {
            action: opt.action,
            granted: opt.granted,
            at,
        }),
        Effect::RecordEvent => wit::Effect::RecordEvent,
    }
}
