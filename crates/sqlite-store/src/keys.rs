//! Which queues an event waits in.
//!
//! 1. A group's events wait for the group; others for every identity of the customer: the sender,
//!    or the recipient of what we sent (echoes, statuses); before and after for a changed identity.
//! 2. An event that names nobody waits for the message it is about; one without a message for its
//!    account.
//! 3. A key is the JSON array of its parts, so no sender can make two keys meet by a separator.

use chatly_canonical::{Body, Event, Identity, Party, Target};

/// The key of an identity, also the primary key of `contact_identities`.
pub(crate) fn identity_key(tenant: &str, channel: &str, identity: &Identity) -> String {
    key(&[tenant, "identity", channel, &identity.scheme, &identity.id])
}

/// The keys of an event; never empty.
pub(crate) fn ordering_keys(tenant: &str, event: &Event) -> Vec<String> {
    if let Some(chat) = &event.chat {
        return vec![key(&[tenant, "chat", &event.channel, &event.account, chat])];
    }
    let keys: Vec<String> = customer(event)
        .into_iter()
        .map(|identity| identity_key(tenant, &event.channel, identity))
        .collect();
    if !keys.is_empty() {
        return keys;
    }
    vec![match message_id(event) {
        Some(id) => key(&[tenant, "message", &event.channel, &event.account, id]),
        None => key(&[tenant, "account", &event.channel, &event.account]),
    }]
}

/// The identities of the customer's side.
pub(crate) fn customer(event: &Event) -> Vec<&Identity> {
    let (sender, recipient) = (identities(&event.sender), identities(&event.recipient));
    match &event.body {
        Body::Message(message) | Body::MessageEdited(message) if message.echo => {
            recipient.iter().collect()
        }
        Body::Status(_) => recipient.iter().collect(),
        Body::IdentityChanged(change) => change
            .previous
            .iter()
            .chain(&change.current)
            .chain(sender)
            .collect(),
        _ => sender.iter().collect(),
    }
}

fn identities(party: &Option<Party>) -> &[Identity] {
    party.as_ref().map_or(&[], |party| &party.identities)
}

/// The platform's id of the message that an event is, or is about.
pub(crate) fn message_id(event: &Event) -> Option<&str> {
    match &event.body {
        Body::Message(message) | Body::MessageEdited(message) => Some(&message.id),
        Body::MessageDeleted(id) => Some(id),
        Body::Reaction(reaction) => Some(&reaction.message_id),
        Body::Status(status) => target(&status.target),
        Body::Read(read) => target(read),
        _ => None,
    }
}

fn target(target: &Target) -> Option<&str> {
    match target {
        Target::MessageId(id) => Some(id),
        Target::Watermark(_) => None,
    }
}

pub(crate) fn key(parts: &[&str]) -> String {
    serde_json::Value::from(parts).to_string()
}

/// A dedupe key as it is stored. SQLite's JSON functions end a text at U+0000, which would make
/// two keys of a sender's choice one and lose an event, so such a key is stored escaped; keys that
/// look escaped are escaped too, which keeps this one to one.
pub(crate) fn dedupe_key(key: &str) -> String {
    if key.contains('\0') || key.starts_with('"') {
        serde_json::Value::from(key).to_string()
    } else {
        key.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatly_canonical::{AccountScope, DeliveryState, IdentityChange, Message, Status};

    fn event(body: Body) -> Event {
        let party = |id: &str| {
            Some(Party {
                identities: vec![Identity::new("phone", id)],
                ..Party::default()
            })
        };
        Event {
            key: "k".into(),
            channel: "whatsapp".into(),
            account: "1".into(),
            account_scope: AccountScope::Account,
            at: None,
            standby: false,
            sender: party("sender"),
            recipient: party("recipient"),
            chat: None,
            body,
            raw: None,
        }
    }

    #[test]
    fn an_event_waits_for_the_customer_it_is_about() {
        let message = |echo| {
            Body::Message(Message {
                id: "m".into(),
                echo,
                ..Message::default()
            })
        };
        let status = |target| {
            Body::Status(Status {
                target,
                state: DeliveryState::Sent,
                error: None,
                reference: None,
            })
        };
        let nobody = |body| Event {
            sender: None,
            recipient: None,
            ..event(body)
        };
        let changed = Body::IdentityChanged(IdentityChange {
            previous: vec![Identity::new("phone", "before")],
            current: vec![Identity::new("phone", "after")],
            detail: None,
        });
        let phone = |id: &str| format!(r#"["t","identity","whatsapp","phone","{id}"]"#);
        for (name, event, want) in [
            ("message", event(message(false)), vec![phone("sender")]),
            ("echo", event(message(true)), vec![phone("recipient")]),
            (
                "status",
                event(status(Target::Watermark(1))),
                vec![phone("recipient")],
            ),
            (
                "changed identity",
                event(changed),
                vec![phone("before"), phone("after"), phone("sender")],
            ),
            (
                "group",
                Event {
                    chat: Some("g".into()),
                    ..event(message(false))
                },
                vec![r#"["t","chat","whatsapp","1","g"]"#.into()],
            ),
            (
                "status of nobody",
                nobody(status(Target::MessageId("m".into()))),
                vec![r#"["t","message","whatsapp","1","m"]"#.into()],
            ),
            (
                "notice",
                nobody(Body::Unknown),
                vec![r#"["t","account","whatsapp","1"]"#.into()],
            ),
        ] {
            assert_eq!(ordering_keys("t", &event), want, "{name}");
        }
    }

    #[test]
    fn different_dedupe_keys_stay_different() {
        for (key, want) in [
            ("a", "a"),
            ("a\0b", "\"a\\u0000b\""),
            ("\"a\\u0000b\"", "\"\\\"a\\\\u0000b\\\"\""),
        ] {
            assert_eq!(dedupe_key(key), want);
        }
    }
}
