//! One thing that happened on a platform. Field meanings: `chatly:types/types` in `wit/`.
#![expect(
    missing_docs,
    reason = "every field is documented in wit/deps/types/event.wit"
)]

use serde::{Deserialize, Serialize};

use crate::message::{Message, Raw, Referral, record};

record! {
    /// One id of a person or business.
    #[derive(Eq, Hash, PartialOrd, Ord)]
    Identity { scheme: String, id: String, }
}
record! {
    /// Who acted, or on whom.
    Party { identities: Vec<Identity>, name: Option<String>, username: Option<String>, }
}

impl Identity {
    /// An identity of a scheme.
    pub fn new(scheme: impl Into<String>, id: impl Into<String>) -> Self {
        Identity {
            scheme: scheme.into(),
            id: id.into(),
        }
    }
}

/// Whose id [`Event::account`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountScope {
    /// The id that a send goes out from.
    #[default]
    Account,
    /// A business-level id above several accounts.
    Business,
}

/// One event, whatever platform it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub key: String,
    pub channel: String,
    pub account: String,
    pub account_scope: AccountScope,
    pub at: Option<u64>,
    pub standby: bool,
    pub sender: Option<Party>,
    pub recipient: Option<Party>,
    pub chat: Option<String>,
    pub body: Body,
    pub raw: Option<Raw>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Message(Message),
    MessageEdited(Message),
    MessageDeleted(String),
    Reaction(Reaction),
    Status(Status),
    Read(Target),
    Referral(Referral),
    Opt(Opt),
    IdentityChanged(IdentityChange),
    Membership(Membership),
    Handover(Handover),
    Call(Call),
    Comment(Comment),
    Template(Notice),
    Account(Notice),
    Error(ErrorDetail),
    External(External),
    Unknown,
    Unparsable,
}

impl Body {
    /// The JSON `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Body::Message(_) => "message",
            Body::MessageEdited(_) => "message.edited",
            Body::MessageDeleted(_) => "message.deleted",
            Body::Reaction(_) => "reaction",
            Body::Status(_) => "status",
            Body::Read(_) => "read",
            Body::Referral(_) => "referral",
            Body::Opt(_) => "opt",
            Body::IdentityChanged(_) => "identity.changed",
            Body::Membership(_) => "membership",
            Body::Handover(_) => "handover",
            Body::Call(_) => "call",
            Body::Comment(_) => "comment",
            Body::Template(_) => "template",
            Body::Account(_) => "account",
            Body::Error(_) => "error",
            Body::External(_) => "external",
            Body::Unknown => "unknown",
            Body::Unparsable => "unparsable",
        }
    }
}

/// Which messages a status or a read marker is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    MessageId(String),
    /// All messages up to this Unix millisecond.
    Watermark(u64),
}

impl Default for Target {
    fn default() -> Self {
        Target::MessageId(String::new())
    }
}

/// How far a message that we sent has come. Ordered: a later state never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    #[default]
    Accepted,
    Uncertain,
    Sent,
    Delivered,
    Read,
    Played,
    Failed,
    Deleted,
}

record! {
    /// A step of a message that we sent.
    Status {
        #[serde(flatten)]
        target: Target,
        state: DeliveryState,
        error: Option<ErrorDetail>,
        /// What we sent along with the message.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    }
}
record! {
    /// A platform's error.
    ErrorDetail { code: Option<String>, title: Option<String>, detail: Option<String>, }
}
record! {
    /// An emoji put on a message, or taken back.
    Reaction { message_id: String, emoji: Option<String>, emojis: Vec<String>, count: Option<u32>, }
}
record! {
    /// Consent given or taken back.
    Opt { action: String, granted: Option<bool>, topic: Option<String>, payload: Option<String>, }
}
record! {
    /// Ids of one person that changed.
    IdentityChange { previous: Vec<Identity>, current: Vec<Identity>, detail: Option<String>, }
}
record! {
    /// People who joined or left a group.
    Membership { joined: bool, members: Vec<Party>, }
}
record! {
    /// A conversation that passed between apps or agents.
    Handover {
        action: String,
        previous_owner: Option<String>,
        new_owner: Option<String>,
        metadata: Option<String>,
    }
}
record! {
    /// A step of a call.
    Call {
        id: String,
        action: String,
        direction: Option<String>,
        status: Option<String>,
        duration_secs: Option<u64>,
    }
}
record! {
    /// A comment on a post, or a mention.
    Comment { id: String, parent_id: Option<String>, post_id: Option<String>, text: Option<String>, }
}
record! {
    /// Something that changed on a template or an account.
    Notice { action: String, subject: Option<String>, detail: Option<String>, }
}
record! {
    /// An event of a Standard Webhooks sender.
    External {
        #[serde(rename = "type")]
        kind: String,
        data: Raw,
    }
}
