//! What a canonical event changes: the effects that one commit writes.
//!
//! 1. The customer of an event is its sender; of an echo its recipient, because there the business
//!    acted; of a status the recipient where one is named, else the sender.
//! 2. A message needs somebody to belong to. With a customer's identity it goes to that contact's
//!    conversation; said in a group, to the group's, even when nobody is named; else it is only
//!    recorded.
//! 3. A receipt up to a time ("all until then were read") is about one conversation, so one is
//!    bound first; without a customer and without a group it would hit everyone and is only
//!    recorded.
//! 4. A status of one message binds a contact only when it names several identities: it is about
//!    our message and no sign of life, but a link between two ids must not be lost.
//! 5. What changes no row is recorded, so that readers of `changes` see every event.
//!
//! It writes nothing, reads no clock, and decides no answer to a customer.
#![deny(missing_docs)]

use chatly_canonical::{
    Body, DeliveryState, Event, Identity, IdentityChange, Message, Opt, Party, Reaction, Status,
    Target,
};

/// Who said a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The customer, to us.
    Inbound,
    /// The business, from an app that is not ours.
    Echo,
}

/// One step of a commit; `chatly:store/effects` in `wit/` says what each does. Channel and account
/// are the event's own.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Binds the contact of these identities.
    Contact {
        /// Those in use; never empty.
        identities: Vec<Identity>,
        /// Those given up.
        previous: Vec<Identity>,
        /// The display name, where one was given.
        name: Option<String>,
        /// The handle, where one was given.
        username: Option<String>,
    },
    /// Binds the conversation of the bound contact, or of this group.
    Conversation {
        /// The group it is held in.
        chat: Option<String>,
    },
    /// A new message in the bound conversation.
    Message(Box<Message>, Direction),
    /// New content for a message.
    Edit(Box<Message>),
    /// A message was taken back, by its id.
    Delete(String),
    /// An emoji was put on a message or taken back.
    Reaction(Reaction),
    /// A message, or all up to a time, came further.
    Status(Status),
    /// The bound contact gave or took back consent.
    Opt(Opt),
    /// Shows the event itself to readers of `changes`.
    RecordEvent,
}

/// The effects of `event`, in order; never none.
pub fn fold(event: &Event) -> Vec<Effect> {
    match &event.body {
        Body::Message(message) => fold_message(event, message),
        Body::MessageEdited(message) => {
            let customer = if message.echo {
                &event.recipient
            } else {
                &event.sender
            };
            bound(customer, Effect::Edit(Box::new(message.clone())))
        }
        Body::MessageDeleted(id) => bound(&event.sender, Effect::Delete(id.clone())),
        Body::Reaction(reaction) => bound(&event.sender, Effect::Reaction(reaction.clone())),
        Body::Status(status) => {
            let named = event
                .recipient
                .as_ref()
                .is_some_and(|party| !party.identities.is_empty());
            fold_status(
                event,
                if named {
                    &event.recipient
                } else {
                    &event.sender
                },
                status.clone(),
            )
        }
        Body::Read(target) => {
            let status = Status {
                target: target.clone(),
                state: DeliveryState::Read,
                error: None,
                reference: None,
            };
            fold_status(event, &event.sender, status)
        }
        Body::Opt(opt) => fold_opt(&event.sender, opt),
        Body::IdentityChanged(change) => fold_identity_change(&event.sender, change),
        Body::Referral(_) | Body::Handover(_) | Body::Call(_) => {
            bound(&event.sender, Effect::RecordEvent)
        }
        Body::Membership(_)
        | Body::Comment(_)
        | Body::Template(_)
        | Body::Account(_)
        | Body::Error(_)
        | Body::External(_)
        | Body::Unknown
        | Body::Unparsable => vec![Effect::RecordEvent],
    }
}

fn fold_message(event: &Event, message: &Message) -> Vec<Effect> {
    let (customer, direction) = if message.echo {
        (&event.recipient, Direction::Echo)
    } else {
        (&event.sender, Direction::Inbound)
    };
    let Some(mut effects) = bind_conversation(customer, event.chat.as_ref()) else {
        return vec![Effect::RecordEvent];
    };
    effects.push(Effect::Message(Box::new(message.clone()), direction));
    effects
}

fn fold_status(event: &Event, customer: &Option<Party>, status: Status) -> Vec<Effect> {
    let mut effects = match status.target {
        Target::MessageId(_) => contact(customer)
            .filter(links_identities)
            .into_iter()
            .collect(),
        Target::Watermark(_) => match bind_conversation(customer, event.chat.as_ref()) {
            Some(effects) => effects,
            None => return vec![Effect::RecordEvent],
        },
    };
    effects.push(Effect::Status(status));
    effects
}

/// The row keeps only what was consented to; the rest of what the platform gave (a topic, a
/// payload, a token to write with) is in the event, which is shown for it.
fn fold_opt(customer: &Option<Party>, opt: &Opt) -> Vec<Effect> {
    let Some(contact) = contact(customer) else {
        return vec![Effect::RecordEvent];
    };
    let mut effects = vec![contact, Effect::Opt(opt.clone())];
    if opt.topic.is_some() || opt.payload.is_some() {
        effects.push(Effect::RecordEvent);
    }
    effects
}

/// The sender counts as current too, unless it is one of the ids given up. The event is shown as
/// well: a changed identity may matter to a person even when no row changes.
fn fold_identity_change(sender: &Option<Party>, change: &IdentityChange) -> Vec<Effect> {
    let mut identities = change.current.clone();
    for identity in sender.iter().flat_map(|party| &party.identities) {
        if !identities.contains(identity) && !change.previous.contains(identity) {
            identities.push(identity.clone());
        }
    }
    if identities.is_empty() {
        return vec![Effect::RecordEvent];
    }
    let previous = change
        .previous
        .iter()
        .filter(|id| !identities.contains(id))
        .cloned()
        .collect();
    let (name, username) = sender.as_ref().map_or((None, None), |party| {
        (party.name.clone(), party.username.clone())
    });
    vec![
        Effect::Contact {
            identities,
            previous,
            name,
            username,
        },
        Effect::RecordEvent,
    ]
}

/// The contact where one is named, then `effect`.
fn bound(customer: &Option<Party>, effect: Effect) -> Vec<Effect> {
    contact(customer).into_iter().chain([effect]).collect()
}

/// What binds a conversation; none when there is nobody to have it with.
fn bind_conversation(customer: &Option<Party>, chat: Option<&String>) -> Option<Vec<Effect>> {
    let contact = contact(customer);
    if contact.is_none() && chat.is_none() {
        return None;
    }
    Some(
        contact
            .into_iter()
            .chain([Effect::Conversation {
                chat: chat.cloned(),
            }])
            .collect(),
    )
}

fn contact(party: &Option<Party>) -> Option<Effect> {
    let party = party
        .as_ref()
        .filter(|party| !party.identities.is_empty())?;
    Some(Effect::Contact {
        identities: party.identities.clone(),
        previous: Vec::new(),
        name: party.name.clone(),
        username: party.username.clone(),
    })
}

fn links_identities(effect: &Effect) -> bool {
    matches!(effect, Effect::Contact { identities, .. } if identities.len() > 1)
}

#[cfg(test)]
mod tests;
