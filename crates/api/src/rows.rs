//! Rows as JSON.
#![expect(
    missing_docs,
    reason = "every field is documented in wit/deps/store/rows.wit"
)]

use chatly_canonical::{DeliveryState, ErrorDetail, Event, Identity, Message, Raw};
use serde::Serialize;

/// A word of a closed set: its JSON, and what a filter may be.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($case:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum $name { $(#[serde(rename = $word)] $case,)* }

        impl $name {
            /// Each word and what it means.
            pub const WORDS: &[(&'static str, $name)] = &[$(($word, $name::$case),)*];
        }
    };
}

words! {
    /// Where a conversation stands.
    ConversationStatus { Open = "open", Pending = "pending", Snoozed = "snoozed", Resolved = "resolved", }
}
words! {
    /// Which end of a list comes first.
    MessageOrder { Oldest = "oldest", Newest = "newest", }
}
words! {
    /// How much a conversation presses.
    Priority { Low = "low", Normal = "normal", High = "high", Urgent = "urgent", }
}
words! {
    /// Whose turn it is to answer.
    Handover { Bot = "bot", Human = "human", }
}
words! {
    /// Which way a message went.
    Direction { Inbound = "inbound", Outbound = "outbound", }
}
words! {
    /// Who wrote a message.
    Author { Contact = "contact", Agent = "agent", Bot = "bot", External = "external", }
}
words! {
    /// Whether an account may send.
    Health { Ok = "ok", Stopped = "stopped", }
}
words! {
    /// How far a job is.
    JobState { Pending = "pending", Leased = "leased", Sending = "sending", Done = "done", Buried = "buried", }
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    pub data: Vec<T>,
    /// Starts the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// A person on a channel.
#[derive(Debug, Serialize)]
pub struct Contact {
    pub id: String,
    pub platform_client_id: String,
    pub channel: String,
    pub identities: Vec<Identity>,
    pub name: Option<String>,
    pub username: Option<String>,
    pub tags: Vec<String>,
    pub attributes: Raw,
    pub opt: Option<String>,
    /// `score`, `fit`, `engagement`, `stage` and `reasons` of the newest enrichment.
    pub lead: Option<Raw>,
    pub created_at: u64,
    pub updated_at: u64,
}

/// The contact of a conversation, as a list shows it.
#[derive(Debug, Serialize)]
pub struct ContactName {
    pub id: String,
    pub name: Option<String>,
}

/// A conversation.
#[derive(Debug, Serialize)]
pub struct Conversation {
    pub id: String,
    pub platform_client_id: String,
    pub channel: String,
    pub account: String,
    pub chat: Option<String>,
    /// Null only for a group where nobody has spoken yet.
    pub contact: Option<ContactName>,
    pub status: ConversationStatus,
    pub snoozed_until: Option<u64>,
    pub priority: Priority,
    pub assignee: Option<String>,
    pub tags: Vec<String>,
    pub message_count: u64,
    pub preview: Option<String>,
    pub last_message_at: Option<u64>,
    pub last_inbound_at: Option<u64>,
    pub created_at: u64,
    pub updated_at: u64,
    pub team: Option<String>,
    /// Whether rules may answer, or only a person does.
    pub handover: Handover,
    pub handed_over_at: Option<u64>,
    /// No rule answers before this.
    pub muted_until: Option<u64>,
    /// The newest answer of a person.
    pub last_human_at: Option<u64>,
    /// The newest automatic answer.
    pub last_bot_at: Option<u64>,
}

/// An emoji on a message.
#[derive(Debug, Serialize)]
pub struct Reaction {
    pub by: String,
    pub emoji: String,
}

/// A message in its conversation.
#[derive(Debug, Serialize)]
pub struct StoredMessage {
    pub id: String,
    pub seq: u64,
    pub conversation_id: String,
    pub contact_id: Option<String>,
    pub platform_client_id: String,
    pub channel: String,
    pub account: String,
    pub direction: Direction,
    pub author: Author,
    pub standby: bool,
    /// The canonical message; its `id` is the platform's.
    pub message: Message,
    pub state: Option<DeliveryState>,
    pub error: Option<ErrorDetail>,
    pub reactions: Vec<Reaction>,
    pub edited_at: Option<u64>,
    pub deleted_at: Option<u64>,
    pub previous_texts: Vec<String>,
    /// What the router said, one object a run, oldest first.
    pub explanation: Option<Raw>,
    /// The newest enrichment.
    pub enrichment: Option<Raw>,
    pub sent_at: u64,
    pub created_at: u64,
    /// What became of the message's media, by their place in it.
    pub stored_media: Vec<StoredMedia>,
}

words! {
    /// Whether a medium is in our own keeping.
    MediaState { Pending = "pending", Stored = "stored", Failed = "failed", }
}

/// A medium in our own keeping.
#[derive(Debug, Serialize)]
pub struct StoredMedia {
    /// Its place in the message's `media`, counted from 0.
    pub index: u32,
    pub state: MediaState,
    /// Where it can be read until `expires_at`; null unless it is stored, and where no signing secret
    /// is set.
    pub url: Option<String>,
    /// Unix milliseconds.
    pub expires_at: Option<u64>,
    /// As found in its bytes, as are the next two.
    pub mime_type: Option<String>,
    pub bytes: Option<u64>,
    pub sha256: Option<String>,
    /// Why it failed, or why the last try did.
    pub error: Option<String>,
}

/// What a job is about.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// An inbox row's canonical event.
    Event(Box<Event>),
    /// What another kind of job defines.
    Payload(Raw),
}

/// A row of the inbox or the outbox.
#[derive(Debug, Serialize)]
pub struct Job {
    pub seq: u64,
    pub kind: String,
    pub platform_client_id: String,
    pub state: JobState,
    pub attempts: u32,
    pub due_at: u64,
    pub created_at: u64,
    pub error: Option<String>,
    #[serde(flatten)]
    pub payload: Payload,
}

/// A call to a platform, n8n or an AI service.
#[derive(Debug, Serialize)]
pub struct ExternalCall {
    pub kind: String,
    pub target: String,
    pub status: Option<u16>,
    pub millis: u64,
    pub attempt: u32,
    pub at: u64,
    pub error: Option<String>,
    pub conversation_id: Option<String>,
    pub message_id: Option<String>,
    /// What the kind of call tells besides: for AI `model`, `input_tokens`, `output_tokens`, `cost_usd` and
    /// `cached`.
    pub details: Option<Raw>,
}

words! {
    /// Whether an endpoint is sent to.
    EndpointState { Closed = "closed", Open = "open", HalfOpen = "half_open", Disabled = "disabled", }
}

/// An address that events are forwarded to, and how it fares.
#[derive(Debug, Serialize)]
pub struct Endpoint {
    pub platform_client_id: String,
    pub url: String,
    pub state: EndpointState,
    /// Null when it was never disabled, or enabled again.
    pub disabled_at: Option<u64>,
    pub reason: String,
    pub updated_at: u64,
    pub delivered: u64,
    pub failed: u64,
    /// 0 to 1, of recent attempts.
    pub failure_rate: f64,
    pub consecutive_failures: u32,
    pub open_since: Option<u64>,
    pub next_probe_at: Option<u64>,
    pub last_success_at: Option<u64>,
    pub last_failure_at: Option<u64>,
    pub last_error: Option<String>,
    /// 0, 50 or 100 percent of the time to retry.
    pub alert: u8,
}

/// What messages come in for and go out from.
#[derive(Debug, Serialize)]
pub struct Account {
    pub platform_client_id: String,
    pub channel: String,
    pub account: String,
    pub health: Health,
    /// Why it is stopped: the platform's code and words.
    pub code: Option<String>,
    pub reason: Option<String>,
    pub stopped_at: Option<u64>,
    pub created_at: u64,
}

/// How many deliveries of a channel were refused for a reason.
#[derive(Debug, Serialize)]
pub struct Refused {
    pub channel: String,
    pub reason: String,
    pub count: u64,
}

/// A job that is in another state now.
#[derive(Debug, Serialize)]
pub struct Replayed {
    pub seq: u64,
    pub kind: String,
    pub state: JobState,
}

/// A one-minute ticket for the stream of events.
#[derive(Debug, Serialize)]
pub struct Ticket {
    pub ticket: String,
    /// Unix milliseconds.
    pub expires_at: u64,
    /// Where to use it, relative to the API.
    pub url: String,
}

#[cfg(test)]
mod tests {
    use chatly_canonical::{AccountScope, Body};

    use super::*;

    #[test]
    fn a_job_shows_its_event_or_its_payload_unchanged() {
        let job = |payload| Job {
            seq: 7,
            kind: "event".into(),
            platform_client_id: "default".into(),
            state: JobState::Buried,
            attempts: 3,
            due_at: 1,
            created_at: 2,
            error: Some("poison".into()),
            payload,
        };
        let event = Event {
            key: "k".into(),
            channel: "whatsapp".into(),
            account: "1".into(),
            account_scope: AccountScope::Account,
            at: Some(5),
            standby: false,
            sender: None,
            recipient: None,
            chat: None,
            body: Body::Unknown,
            raw: Some(Raw::json(r#"{"n": 12345678901234567890.10}"#)),
        };
        let start = concat!(
            r#"{"seq":7,"kind":"event","platform_client_id":"default","state":"buried","#,
            r#""attempts":3,"due_at":1,"created_at":2,"error":"poison","#
        );
        for (name, payload, want) in [
            (
                "event",
                Payload::Event(Box::new(event)),
                r#""event":{"kind":"unknown","key":"k","channel":"whatsapp","account":"1","at":5,"raw":{"n":12345678901234567890.10}}}"#,
            ),
            (
                "payload",
                Payload::Payload(Raw::json(r#"{"id": 12345678901234567890}"#)),
                r#""payload":{"id":12345678901234567890}}"#,
            ),
        ] {
            assert_eq!(
                serde_json::to_string(&job(payload)).unwrap(),
                format!("{start}{want}"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_word_and_its_json_are_the_same() {
        for (word, status) in ConversationStatus::WORDS {
            assert_eq!(
                serde_json::to_string(status).unwrap(),
                format!("\"{word}\"")
            );
        }
        for (word, state) in JobState::WORDS {
            assert_eq!(serde_json::to_string(state).unwrap(), format!("\"{word}\""));
        }
    }
}
