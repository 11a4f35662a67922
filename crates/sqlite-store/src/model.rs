//! What readers see. Field meanings: `chatly:store/rows` in `wit/`.
#![expect(
    missing_docs,
    reason = "every field is documented in wit/deps/store/rows.wit"
)]

use chatly_canonical::{DeliveryState, ErrorDetail, Event, Identity, Message};
use serde::{Deserialize, Deserializer, Serialize};

macro_rules! words {
    ($($(#[$meta:meta])* $name:ident { $($case:ident = $word:literal,)* })*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
            pub enum $name { $(#[serde(rename = $word)] $case,)* }

            impl $name {
                /// The word in the database.
                pub fn as_str(self) -> &'static str {
                    match self { $($name::$case => $word,)* }
                }
            }
        )*
    };
}
words! {
    /// Whose turn a conversation is.
    ConversationStatus { Open = "open", Pending = "pending", Snoozed = "snoozed", Resolved = "resolved", }
    /// Whose turn it is to answer.
    Handover { Bot = "bot", Human = "human", }
    /// How soon a conversation needs somebody.
    Priority { Low = "low", Normal = "normal", High = "high", Urgent = "urgent", }
    /// From the customer or to them.
    Direction { Inbound = "inbound", Outbound = "outbound", }
    /// Who wrote a message.
    Author { Contact = "contact", Agent = "agent", Bot = "bot", External = "external", }
    /// Whether an account may send.
    Health { Ok = "ok", Stopped = "stopped", }
    /// Whether a medium is in our own keeping.
    MediaState { Pending = "pending", Stored = "stored", Failed = "failed", }
    /// Where a job stands.
    JobState { Pending = "pending", Leased = "leased", Sending = "sending", Done = "done", Buried = "buried", }
}

macro_rules! rows {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        $($(#[$meta])* #[derive(Debug, Clone, PartialEq, Deserialize)] pub struct $name { $($(#[$field_meta])* pub $field: $type,)* })*
    };
}
rows! {
    /// A person on one channel.
    Contact {
        id: String, platform_client_id: String, channel: String, identities: Vec<Identity>,
        name: Option<String>, username: Option<String>, tags: Vec<String>, attributes: String,
        opt: Option<String>, lead: Option<String>, created_at: u64, updated_at: u64,
    }
    /// What is said with one contact, or in one group, on one account.
    Conversation {
        id: String, platform_client_id: String, channel: String, account: String, chat: Option<String>,
        contact_id: Option<String>, contact_name: Option<String>, status: ConversationStatus,
        snoozed_until: Option<u64>, priority: Priority, assignee: Option<String>, tags: Vec<String>,
        message_count: u64, preview: Option<String>, last_message_at: Option<u64>,
        last_inbound_at: Option<u64>, created_at: u64, updated_at: u64, team: Option<String>,
        handover: Handover, handed_over_at: Option<u64>, muted_until: Option<u64>,
        last_human_at: Option<u64>, last_bot_at: Option<u64>, bot_run: u32, bot_times: Vec<u64>,
    }
    /// A message.
    StoredMessage {
        id: String, seq: u64, conversation_id: String, contact_id: Option<String>,
        platform_client_id: String, channel: String, account: String, direction: Direction,
        author: Author,
        #[serde(deserialize_with = "flag")]
        standby: bool,
        #[serde(skip)]
        content: Message,
        #[serde(deserialize_with = "rank")]
        state: Option<DeliveryState>,
        error: Option<ErrorDetail>, reactions: Vec<MessageReaction>, edited_at: Option<u64>,
        deleted_at: Option<u64>, previous_texts: Vec<String>, explanation: Option<String>,
        enrichment: Option<String>, sent_at: u64, created_at: u64, stored_media: Vec<StoredMedia>,
    }
    /// A medium in our own keeping.
    StoredMedia {
        index: u32, state: MediaState, path: Option<String>, mime_type: Option<String>,
        bytes: Option<u64>, sha256: Option<String>, error: Option<String>,
    }
    /// An emoji that somebody put on a message.
    MessageReaction { by: String, emoji: String, }
    /// A job as readers see it.
    StoredJob {
        seq: u64, kind: String, platform_client_id: String, state: JobState, attempts: u32,
        due_at: u64, created_at: u64, error: Option<String>,
        #[serde(skip)]
        payload: Payload,
    }
    /// A job with what happened to it.
    JobDetail {
        job: StoredJob, conversation_id: Option<String>, message_id: Option<String>,
        finished_at: Option<u64>, replayed_at: Option<u64>, calls: Vec<ExternalCall>,
    }
    /// A buried job, in short.
    BuriedJob {
        seq: u64, kind: String, platform_client_id: String, attempts: u32, created_at: u64,
        error: Option<String>,
    }
    /// A leased job.
    Job {
        token: String, seq: u64, kind: String, platform_client_id: String,
        #[serde(skip)]
        payload: Payload,
        attempt: u32, step: u32, created_at: u64, lease_until: u64, traceparent: Option<String>,
        replayed_at: Option<u64>,
    }
    /// A row of `changes`.
    Change { seq: u64, platform_client_id: String, kind: String, data: String, at: u64, }
    /// A call to a platform, n8n or AI.
    ExternalCall {
        kind: String, target: String, status: Option<u16>, millis: u64, attempt: u32, at: u64,
        error: Option<String>, conversation_id: Option<String>, message_id: Option<String>,
        details: Option<String>,
    }
    /// A row of `routing_rules`.
    Rule {
        id: String, platform_client_id: String, name: String, priority: i32, condition: String,
        actions: String,
        #[serde(deserialize_with = "flag")]
        stop: bool,
        #[serde(deserialize_with = "flag")]
        enabled: bool,
        created_at: u64, updated_at: u64, strategy: String,
    }
    /// A row of `channel_accounts`.
    Account {
        platform_client_id: String, channel: String, account: String, health: Health,
        code: Option<String>, reason: Option<String>, stopped_at: Option<u64>,
        token_digest: Option<String>, created_at: u64,
    }
    /// An address that events are forwarded to, and how it fares.
    Endpoint {
        platform_client_id: String, url: String, disabled_at: Option<u64>, reason: String,
        updated_at: u64, delivered: u64, failed: u64, failure_permille: u32,
        consecutive_failures: u32, open_since: Option<u64>, next_probe_at: Option<u64>,
        probing_since: Option<u64>, last_success_at: Option<u64>, last_failure_at: Option<u64>,
        last_error: Option<String>, alert: u8,
    }
}

words! {
    /// What came of an attempt to reach an endpoint.
    EndpointOutcome { Delivered = "delivered", Refused = "refused", Failed = "failed", }
    /// What came of cancelling a job.
    Cancelled { Cancelled = "cancelled", NotWaiting = "not-waiting", Absent = "absent", }
}

/// What a worker needs to know about a leased job.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Context {
    pub contact: Option<Contact>,
    pub conversation: Option<Conversation>,
    pub message: Option<StoredMessage>,
    pub recent: Vec<StoredMessage>,
}

/// What a job carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    Event(Box<Event>),
    Json(String),
}

impl Default for Payload {
    fn default() -> Self {
        Payload::Json("null".to_owned())
    }
}

fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(u8::deserialize(deserializer)? != 0)
}

/// States in their order: what `message_states.state` and `messages.state` hold.
const STATES: [DeliveryState; 8] = [
    DeliveryState::Accepted,
    DeliveryState::Uncertain,
    DeliveryState::Sent,
    DeliveryState::Delivered,
    DeliveryState::Read,
    DeliveryState::Played,
    DeliveryState::Failed,
    DeliveryState::Deleted,
];

/// The place of a state in the order; 6 and above are final.
pub(crate) fn rank_of(state: DeliveryState) -> u8 {
    state as u8
}

fn rank<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DeliveryState>, D::Error> {
    Ok(Option::<usize>::deserialize(deserializer)?.and_then(|rank| STATES.get(rank).copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_names_its_state() {
        for (rank, state) in STATES.into_iter().enumerate() {
            assert_eq!(usize::from(rank_of(state)), rank);
        }
    }
}
