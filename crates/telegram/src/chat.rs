//! Chats, people and the ids that are made of them.

use chatly_canonical::{Identity, Party};
use chatly_channel::json::Object;

use crate::NAME;

/// A chat as an update names it.
pub(crate) struct Chat {
    /// Its id; `connection:id` when it is seen through a business connection.
    pub(crate) address: String,
    /// Its id alone.
    id: String,
    private: bool,
    through_business: bool,
    party: Party,
}

impl Chat {
    /// The chat of an item that holds `chat`, and perhaps `business_connection_id`.
    pub(crate) fn of(item: &Object) -> Option<Self> {
        let chat = item.object("chat")?;
        let id = chat.id("id")?;
        let connection = item.string("business_connection_id");
        let address = match &connection {
            Some(connection) => format!("{connection}:{id}"),
            None => id.clone(),
        };
        Some(Chat {
            address,
            private: chat.string("type").as_deref() == Some("private"),
            through_business: connection.is_some(),
            party: party(&chat)?,
            id,
        })
    }

    /// What an event calls its chat: none for the private chat of bot and person.
    pub(crate) fn name(&self) -> Option<String> {
        (!self.private || self.through_business).then(|| self.address.clone())
    }

    /// Whether bot and person are alone.
    pub(crate) fn is_private(&self) -> bool {
        self.private
    }

    /// Whether `sender` is the business that lent the bot this chat, not the one it talks to.
    pub(crate) fn is_echo(&self, sender: Option<&Party>) -> bool {
        let other = |party: &Party| party.identities.iter().all(|one| one.id != self.id);
        self.through_business && self.private && sender.is_some_and(other)
    }

    /// The person or the group itself.
    pub(crate) fn party(&self) -> Party {
        self.party.clone()
    }

    /// The id of a message in this chat.
    pub(crate) fn message(&self, id: &str) -> String {
        format!("{}:{id}", self.address)
    }
}

/// A user or a chat: both have an id of one number space, and a name.
pub(crate) fn party(item: &Object) -> Option<Party> {
    let names = [item.string("first_name"), item.string("last_name")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(Party {
        identities: vec![Identity::new(NAME, item.id("id")?)],
        name: Some(name)
            .filter(|name| !name.is_empty())
            .or_else(|| item.string("title")),
        username: item.string("username"),
    })
}

/// Who did something: a chat where one acts under its name, else the user in one of `fields`.
pub(crate) fn actor(item: &Object, fields: &[&str]) -> Option<Party> {
    ["sender_chat", "actor_chat", "voter_chat"]
        .iter()
        .chain(fields)
        .find_map(|name| party(&item.object(name)?))
}

/// Chat address and message id of one of our message ids.
pub(crate) fn split(message_id: &str) -> Option<(&str, &str)> {
    let (chat, id) = message_id.rsplit_once(':')?;
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !chat.is_empty()).then_some((chat, id))
}
