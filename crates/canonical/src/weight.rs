//! How much an event holds, counted alike wherever it is counted.
//!
//! What a sender writes once may be copied into many events, and an empty item of a list is two bytes
//! in a body and a record in memory. So it is text in bytes, and a fixed amount for each item of a list
//! and each event; sizes of pointers, which differ between machines, do not come in.

use crate::event::*;
use crate::message::*;

/// What an item of a list counts beside its text.
const ITEM_BYTES: usize = 64;
/// What an event counts beside its text.
const EVENT_BYTES: usize = 512;

/// The bytes that a value holds.
pub trait Weight {
    /// Those bytes, about.
    fn weight(&self) -> usize;
}

macro_rules! weightless {
    ($($type:ty)*) => { $(impl Weight for $type { fn weight(&self) -> usize { 0 } })* };
}
weightless!(bool u32 u64 f64 MessageType DeliveryState);

impl Weight for String {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl Weight for Raw {
    fn weight(&self) -> usize {
        self.get().len()
    }
}

impl<T: Weight> Weight for Option<T> {
    fn weight(&self) -> usize {
        self.as_ref().map_or(0, T::weight)
    }
}

impl<T: Weight> Weight for Vec<T> {
    fn weight(&self) -> usize {
        self.iter().map(|item| ITEM_BYTES + item.weight()).sum()
    }
}

impl Weight for Target {
    fn weight(&self) -> usize {
        match self {
            Target::MessageId(id) => id.len(),
            Target::Watermark(_) => 0,
        }
    }
}

impl Weight for Body {
    fn weight(&self) -> usize {
        match self {
            Body::Message(it) | Body::MessageEdited(it) => it.weight(),
            Body::MessageDeleted(id) => id.len(),
            Body::Reaction(it) => it.weight(),
            Body::Status(it) => it.weight(),
            Body::Read(it) => it.weight(),
            Body::Referral(it) => it.weight(),
            Body::Opt(it) => it.weight(),
            Body::IdentityChanged(it) => it.weight(),
            Body::Membership(it) => it.weight(),
            Body::Handover(it) => it.weight(),
            Body::Call(it) => it.weight(),
            Body::Comment(it) => it.weight(),
            Body::Template(it) | Body::Account(it) => it.weight(),
            Body::Error(it) => it.weight(),
            Body::External(it) => it.weight(),
            Body::Unknown | Body::Unparsable => 0,
        }
    }
}

impl Weight for Event {
    fn weight(&self) -> usize {
        EVENT_BYTES
            + self.key.weight()
            + self.channel.weight()
            + self.account.weight()
            + self.sender.weight()
            + self.recipient.weight()
            + self.chat.weight()
            + self.body.weight()
            + self.raw.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_items_count() {
        let event = |body: Body, raw: Option<&str>| Event {
            key: "1234".into(),
            channel: "line".into(),
            account: "12".into(),
            account_scope: AccountScope::Account,
            at: Some(1),
            standby: true,
            sender: None,
            recipient: None,
            chat: None,
            body,
            raw: raw.map(Raw::json),
        };
        let message = Message {
            text: Some("ä".into()),
            contacts: vec![ContactCard::default(); 3],
            ..Message::default()
        };
        let party = Party {
            identities: vec![Identity::new("ab", "c")],
            ..Party::default()
        };
        let members = Membership {
            joined: true,
            members: vec![party],
        };
        for (name, body, raw, want) in [
            ("nothing", Body::Unknown, None, 0),
            ("raw", Body::Unknown, Some("[1, 2]"), 5),
            ("text and cards", Body::Message(message), None, 2 + 3 * 64),
            ("an id", Body::MessageDeleted("123".into()), None, 3),
            (
                "lists in lists",
                Body::Membership(members),
                None,
                64 + 64 + 3,
            ),
        ] {
            assert_eq!(event(body, raw).weight(), 512 + 10 + want, "{name}");
        }
    }
}
