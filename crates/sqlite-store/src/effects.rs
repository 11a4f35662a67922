//! What a commit writes. Field meanings: `chatly:store/effects` in `wit/`.
#![expect(
    missing_docs,
    reason = "every field is documented in wit/deps/store/effects.wit"
)]

use chatly_canonical::{DeliveryState, ErrorDetail, Identity, Message, Reaction, Status};

use crate::answers::AnswerEffect;
use crate::model::{
    Author, ConversationStatus, Direction, EndpointOutcome, ExternalCall, Handover, Priority,
    StoredMedia,
};
use crate::spend::Spent;

/// A step of a commit; they run in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Contact(ContactEffect),
    Conversation(ConversationEffect),
    BindConversation(String),
    Message(MessageEffect),
    Edit(EditEffect),
    Delete(DeleteEffect),
    Reaction(ReactionEffect),
    Status(StatusEffect),
    Sent(SentEffect),
    Opt(OptEffect),
    ChangeConversation(ConversationChange),
    ChangeContact(ContactChange),
    Enqueue(NewJob),
    EnqueueLatest(LatestJob),
    EndSnooze,
    ExternalCall(ExternalCall),
    BindJob(u64),
    EndpointAttempt(EndpointAttempt),
    EndpointAlert(EndpointAlert),
    Explanation(ExplanationEffect),
    Enrichment(EnrichmentEffect),
    Media(MediaEffect),
    Spent(Spent),
    KeepAnswer(AnswerEffect),
    RecordEvent,
}

/// Which of several gets a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickBy {
    RoundRobin,
    LeastBusy,
}

macro_rules! effects {
    ($($(#[$meta:meta])* $name:ident { $($field:ident: $type:ty,)* })*) => {
        $(
            $(#[$meta])*
            #[doc = concat!("See [`Effect`]: `", stringify!($name), "`.")]
            #[derive(Debug, Clone, PartialEq)]
            pub struct $name { $(pub $field: $type,)* }
        )*
    };
}
effects! {
    ContactEffect {
        channel: String, identities: Vec<Identity>, previous: Vec<Identity>,
        name: Option<String>, username: Option<String>,
    }
    ConversationEffect { channel: String, account: String, chat: Option<String>, }
    MessageEffect {
        content: Message, direction: Direction, author: Author, standby: bool,
        at: u64, state: Option<DeliveryState>, explanation: Option<String>,
    }
    EditEffect { channel: String, account: String, content: Message, at: u64, }
    DeleteEffect { channel: String, account: String, message_id: String, at: u64, }
    ReactionEffect { channel: String, account: String, reaction: Reaction, at: u64, }
    StatusEffect { channel: String, account: String, status: Status, at: u64, }
    SentEffect {
        message_id: String, platform_id: Option<String>, state: DeliveryState,
        error: Option<ErrorDetail>, at: u64,
    }
    OptEffect { action: String, granted: Option<bool>, at: u64, }
    #[derive(Default)]
    ConversationChange {
        status: Option<ConversationStatus>, snoozed_until: Option<u64>,
        priority: Option<Priority>, assignee: Option<String>,
        add_tags: Vec<String>, remove_tags: Vec<String>, team: Option<String>, pick: Option<Pick>,
        handover: Option<Handover>, muted_until: Option<u64>,
    }
    Pick { by: PickBy, among: Vec<String>, }
    #[derive(Default)]
    ContactChange {
        add_tags: Vec<String>, remove_tags: Vec<String>, attributes: Option<String>,
        stage: Option<String>,
    }
    NewJob {
        kind: String, payload: String, due_at: u64,
        ordering_key: Option<String>, dedupe_key: Option<String>, traceparent: Option<String>,
        about_message: bool,
    }
    LatestJob { job: NewJob, within_ms: Option<u64>, }
    EndpointAttempt {
        url: String, outcome: EndpointOutcome, error: Option<String>, open_after: u32,
        next_probe_at: u64, probe: bool, release_every_ms: u32,
    }
    EndpointAlert { url: String, percent: u8, }
    ExplanationEffect { message_id: String, json: String, }
    MediaEffect { message_id: Option<String>, media: StoredMedia, }
    EnrichmentEffect { message_id: String, json: String, lead: Option<String>, }
}
