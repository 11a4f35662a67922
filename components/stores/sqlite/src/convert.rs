//! The contract's types and the store's, field by field.

use chatly_canonical::Convert;
use chatly_sqlite_store as store;

use crate::bindings::chatly::store::{effects, rows, understanding};
use crate::wit;

chatly_canonical::wit_conversions!(crate::bindings::chatly::types::types);

/// Records: `from => to { fields }`.
macro_rules! records {
    ($($from:ty => $to:ty { $($field:ident),* $(,)? })*) => {
        $(impl Convert<$to> for $from {
            fn convert(self) -> $to {
                type To = $to;
                To { $($field: self.$field.convert()),* }
            }
        })*
    };
}

/// Enumerations and variants: `from => to { cases }`.
macro_rules! choices {
    ($($from:ty => $to:ty { $($case:ident $(($value:ident))?),* $(,)? })*) => {
        $(impl Convert<$to> for $from {
            fn convert(self) -> $to {
                type From = $from;
                type To = $to;
                match self { $(From::$case $(($value))? => To::$case $(($value.convert()))?),* }
            }
        })*
    };
}

choices! {
    store::ConversationStatus => rows::ConversationStatus { Open, Pending, Snoozed, Resolved }
    rows::ConversationStatus => store::ConversationStatus { Open, Pending, Snoozed, Resolved }
    store::Priority => rows::Priority { Low, Normal, High, Urgent }
    rows::Priority => store::Priority { Low, Normal, High, Urgent }
    store::Direction => rows::Direction { Inbound, Outbound }
    rows::Direction => store::Direction { Inbound, Outbound }
    store::Author => rows::Author { Contact, Agent, Bot, External }
    rows::Author => store::Author { Contact, Agent, Bot, External }
    store::MediaState => rows::MediaState { Pending, Stored, Failed }
    rows::MediaState => store::MediaState { Pending, Stored, Failed }
    store::Handover => rows::Handover { Bot, Human }
    rows::Handover => store::Handover { Bot, Human }
    effects::PickBy => store::PickBy { RoundRobin, LeastBusy }
    store::JobState => rows::JobState { Pending, Leased, Sending, Done, Buried }
    rows::JobState => store::JobState { Pending, Leased, Sending, Done, Buried }
    wit::MessageOrder => store::MessageOrder { Oldest, Newest }
    wit::Queue => store::Queue { Inbox, Outbox }
    store::Cancelled => wit::Cancelled { Cancelled, NotWaiting, Absent }
    understanding::SpendOutcome => store::SpendOutcome { Answered, Cached, Failed, Unbilled }
    effects::EndpointOutcome => store::EndpointOutcome { Delivered, Refused, Failed }
    store::Health => rows::Health { Ok, Stopped }
    wit::PaceScope => store::PaceScope { Account, Conversation }
    effects::Effect => store::Effect {
        Contact(v), Conversation(v), BindConversation(v), Message(v), Edit(v), Delete(v), Reaction(v),
        Status(v), Sent(v), Opt(v),
        ChangeConversation(v), ChangeContact(v), Enqueue(v), EnqueueLatest(v), EndSnooze, ExternalCall(v),
        BindJob(v), EndpointAttempt(v), EndpointAlert(v), Explanation(v),
        Enrichment(v), Media(v), Spent(v), KeepAnswer(v), RecordEvent,
    }
}

records! {
    store::ExternalCall => rows::ExternalCall {
        kind, target, status, millis, attempt, at, error, conversation_id, message_id, details,
    }
    rows::ExternalCall => store::ExternalCall {
        kind, target, status, millis, attempt, at, error, conversation_id, message_id, details,
    }
    store::Contact => rows::Contact {
        id, platform_client_id, channel, identities, name, username, tags, attributes, opt, lead, created_at, updated_at,
    }
    store::Conversation => rows::Conversation {
        id, platform_client_id, channel, account, chat, contact_id, contact_name, status, snoozed_until, priority,
        assignee, tags, message_count, preview, last_message_at, last_inbound_at, created_at, updated_at, team,
        handover, handed_over_at, muted_until, last_human_at, last_bot_at, bot_run, bot_times,
    }
    wit::RoutedFilter => store::RoutedFilter { platform_client_id, channel, conversation_id, since, until }
    store::Routed => wit::Routed {
        message, contact, conversation, message_count, last_human_at, last_bot_at,
    }
    store::MessageReaction => rows::MessageReaction { by, emoji }
    store::StoredMessage => rows::StoredMessage {
        id, seq, conversation_id, contact_id, platform_client_id, channel, account, direction, author, standby,
        content, state, error, reactions, edited_at, deleted_at, previous_texts, explanation, enrichment,
        sent_at, created_at, stored_media,
    }
    store::StoredMedia => rows::StoredMedia { index, state, path, mime_type, bytes, sha256, error }
    rows::StoredMedia => store::StoredMedia { index, state, path, mime_type, bytes, sha256, error }
    effects::MediaEffect => store::MediaEffect { message_id, media }
    store::StoredJob => rows::StoredJob {
        seq, kind, platform_client_id, state, attempts, due_at, created_at, error, payload,
    }
    store::Change => rows::Change { seq, platform_client_id, kind, data, at }
    store::Job => wit::Job {
        token, seq, kind, platform_client_id, payload, attempt, step, created_at, lease_until, traceparent, replayed_at,
    }
    store::Appended => wit::Appended { stored, duplicates }
    store::Committed => wit::Committed { contact_id, conversation_id, message_id, last_change }
    store::Context => wit::Context { contact, conversation, message, recent }
    store::Rule => rows::Rule {
        id, platform_client_id, name, priority, condition, actions, stop, enabled, created_at, updated_at, strategy,
    }
    rows::Rule => store::Rule {
        id, platform_client_id, name, priority, condition, actions, stop, enabled, created_at, updated_at, strategy,
    }
    store::Endpoint => rows::Endpoint {
        platform_client_id, url, disabled_at, reason, updated_at, delivered, failed, failure_permille,
        consecutive_failures, open_since, next_probe_at, probing_since, last_success_at, last_failure_at,
        last_error, alert,
    }
    store::JobDetail => rows::JobDetail { job, conversation_id, message_id, finished_at, replayed_at, calls }
    store::BuriedJob => rows::BuriedJob { seq, kind, platform_client_id, attempts, created_at, error }
    effects::EndpointAttempt => store::EndpointAttempt {
        url, outcome, error, open_after, next_probe_at, probe, release_every_ms,
    }
    effects::EndpointAlert => store::EndpointAlert { url, percent }
    wit::BuriedFilter => store::BuriedFilter {
        platform_client_id, kind, error, url, created_from, created_before,
    }
    store::Account => rows::Account {
        platform_client_id, channel, account, health, code, reason, stopped_at, token_digest, created_at,
    }
    understanding::Budget => store::Budget { tokens, cost_micros }
    understanding::Reservation => store::Reservation {
        provider, model, day, tokens, cost_micros, budget, per_minute, per_conversation,
    }
    understanding::Spent => store::Spent {
        provider, model, day, input_tokens, output_tokens, cost_micros, outcome,
    }
    store::Usage => understanding::Usage {
        platform_client_id, day, provider, model, calls, failed, cached, input_tokens, output_tokens,
        cost_micros, open_tokens, open_cost_micros,
    }
    store::LeadEntry => understanding::LeadEntry { at, message_id, lead }
    understanding::AnswerEffect => store::AnswerEffect { key, json }
    wit::Pace => store::Pace { scope, count, per_ms }
    wit::Gate => store::Gate { token_digest, paces, decided_at, announces, requests }
    wit::CallFilter => store::CallFilter { platform_client_id, conversation_id, message_id }
    wit::Item => store::Item { platform_client_id, event, traceparent }
    wit::Page => store::Page { cursor, limit }
    wit::ConversationFilter => store::ConversationFilter { platform_client_id, status, channel, account, contact_id }
    wit::ContactFilter => store::ContactFilter { platform_client_id, channel, identity }
    wit::JobFilter => store::JobFilter { platform_client_id, kind, event_kind, state }
    effects::ContactEffect => store::ContactEffect { channel, identities, previous, name, username }
    effects::ConversationEffect => store::ConversationEffect { channel, account, chat }
    effects::MessageEffect => store::MessageEffect { content, direction, author, standby, at, state, explanation }
    effects::EditEffect => store::EditEffect { channel, account, content, at }
    effects::DeleteEffect => store::DeleteEffect { channel, account, message_id, at }
    effects::ReactionEffect => store::ReactionEffect { channel, account, reaction, at }
    effects::StatusEffect => store::StatusEffect { channel, account, status, at }
    effects::SentEffect => store::SentEffect { message_id, platform_id, state, error, at }
    effects::OptEffect => store::OptEffect { action, granted, at }
    effects::ConversationChange => store::ConversationChange {
        status, snoozed_until, priority, assignee, add_tags, remove_tags, team, pick, handover, muted_until,
    }
    effects::Pick => store::Pick { by, among }
    effects::LatestJob => store::LatestJob { job, within_ms }
    effects::ContactChange => store::ContactChange { add_tags, remove_tags, attributes, stage }
    effects::NewJob => store::NewJob {
        kind, payload, due_at, ordering_key, dedupe_key, traceparent, about_message,
    }
    effects::ExplanationEffect => store::ExplanationEffect { message_id, json }
    effects::EnrichmentEffect => store::EnrichmentEffect { message_id, json, lead }
}

impl Convert<store::Accepted> for wit::Accepted {
    fn convert(self) -> store::Accepted {
        store::Accepted {
            channel: self.channel,
            received_at: self.received_at,
            headers: self
                .headers
                .into_iter()
                .map(|header| (header.name, header.value))
                .collect(),
            body: self.body,
            digest: self.digest,
        }
    }
}

impl Convert<rows::Payload> for store::Payload {
    fn convert(self) -> rows::Payload {
        match self {
            store::Payload::Event(event) => rows::Payload::Event((*event).convert()),
            store::Payload::Json(json) => rows::Payload::Json(json),
        }
    }
}

impl Convert<understanding::Reserved> for store::Reserved {
    fn convert(self) -> understanding::Reserved {
        match self {
            store::Reserved::Go => understanding::Reserved::Go,
            store::Reserved::Exhausted => understanding::Reserved::Exhausted,
            store::Reserved::Enough => understanding::Reserved::Enough,
            store::Reserved::Already => understanding::Reserved::Already,
            store::Reserved::Later(at) => understanding::Reserved::Later(at),
        }
    }
}

impl Convert<wit::Clearance> for store::Clearance {
    fn convert(self) -> wit::Clearance {
        match self {
            store::Clearance::Go => wit::Clearance::Go,
            store::Clearance::Later(at) => wit::Clearance::Later(at),
            store::Clearance::TakenOver => wit::Clearance::TakenOver,
            store::Clearance::OptedOut => wit::Clearance::OptedOut,
            store::Clearance::Looping(limit) => wit::Clearance::Looping(limit.to_string()),
            store::Clearance::AlreadySent => wit::Clearance::AlreadySent,
        }
    }
}

impl Convert<wit::Error> for store::Error {
    fn convert(self) -> wit::Error {
        match self {
            store::Error::Denied => wit::Error::Denied,
            store::Error::Busy => wit::Error::Busy,
            store::Error::Stale => wit::Error::Stale,
            store::Error::InvalidCursor => wit::Error::InvalidCursor,
            store::Error::Invalid(words) => wit::Error::Invalid(words.to_owned()),
            store::Error::Other(words) => wit::Error::Other(words.to_owned()),
        }
    }
}
