//! Events and effects in as few words as a test has room for.

use super::*;

pub fn event_of(job: &Job) -> &Event {
    match &job.payload {
        Payload::Event(event) => event,
        Payload::Json(_) => panic!("not an event"),
    }
}

pub fn event(key: &str, from: &[&str], body: Body) -> Event {
    Event {
        key: key.into(),
        channel: CHANNEL.into(),
        account: ACCOUNT.into(),
        account_scope: AccountScope::Account,
        at: Some(1_000),
        standby: false,
        sender: Some(party(from)),
        recipient: None,
        chat: None,
        body,
        raw: None,
    }
}

/// A party of identities like `phone:1` and `bsuid:x`.
pub fn party(identities: &[&str]) -> Party {
    Party {
        identities: identities.iter().map(|text| identity(text)).collect(),
        name: None,
        username: None,
    }
}

pub fn identity(text: &str) -> Identity {
    let (scheme, id) = text.split_once(':').unwrap();
    Identity::new(scheme, id)
}

pub fn text(id: &str, from: &[&str]) -> Event {
    event(id, from, Body::Message(content(id)))
}

pub fn content(id: &str) -> Message {
    Message {
        id: id.into(),
        kind: MessageType::Text,
        text: Some(format!("text of {id}")),
        ..Message::default()
    }
}

pub fn contact(identities: &[&str]) -> Effect {
    Effect::Contact(ContactEffect {
        channel: CHANNEL.into(),
        identities: party(identities).identities,
        previous: vec![],
        name: None,
        username: None,
    })
}

pub fn conversation() -> Effect {
    Effect::Conversation(ConversationEffect {
        channel: CHANNEL.into(),
        account: ACCOUNT.into(),
        chat: None,
    })
}

pub fn inbound(id: &str) -> Effect {
    message(id, Direction::Inbound, None, 1_000)
}

pub fn message(id: &str, direction: Direction, state: Option<DeliveryState>, at: u64) -> Effect {
    let author = if direction == Direction::Inbound {
        Author::Contact
    } else {
        Author::Agent
    };
    Effect::Message(MessageEffect {
        content: content(id),
        direction,
        author,
        standby: false,
        at,
        state,
        explanation: None,
    })
}

pub fn status(target: Target, state: DeliveryState) -> Effect {
    let status = Status {
        target,
        state,
        error: None,
        reference: None,
    };
    Effect::Status(StatusEffect {
        channel: CHANNEL.into(),
        account: ACCOUNT.into(),
        status,
        at: 1,
    })
}

/// What a worker commits for an event.
pub fn effects(event: &Event) -> Vec<Effect> {
    let identities = event.sender.clone().unwrap_or_default().identities;
    let person = Effect::Contact(ContactEffect {
        channel: event.channel.clone(),
        identities,
        previous: vec![],
        name: event.sender.as_ref().and_then(|sender| sender.name.clone()),
        username: None,
    });
    match &event.body {
        Body::Message(message) => vec![person, conversation(), inbound(&message.id)],
        _ => vec![person, conversation(), Effect::RecordEvent],
    }
}
