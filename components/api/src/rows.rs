//! Turns the store's records into the API's, and filters back.

use chatly_api::{self as api, Error};
use chatly_canonical::{Convert, Raw, wit_conversions};

use crate::bindings::chatly::store::{rows, store};

wit_conversions!(crate::bindings::chatly::types::types);

/// The one conversion of a value that the store and the API both have.
pub trait Row<T> {
    /// The same value on the other side.
    fn row(self) -> T;
}

/// How a store's error is answered. What the store says in words is logged, never answered.
pub fn failure(error: store::Error) -> Error {
    match error {
        store::Error::Denied => Error::Denied,
        store::Error::Busy => Error::Busy,
        store::Error::InvalidCursor => Error::Cursor,
        store::Error::Invalid(words) => {
            eprintln!("warn store refused an argument error={words:?}");
            Error::Argument
        }
        // No lease is used here.
        store::Error::Stale => Error::Store,
        store::Error::Other(words) => {
            eprintln!("error store failed error={words:?}");
            Error::Store
        }
    }
}

macro_rules! same_words {
    ($from:ty => $to:ty { $($case:ident)* }) => {
        impl Row<$to> for $from {
            fn row(self) -> $to {
                match self { $(<$from>::$case => <$to>::$case,)* }
            }
        }
    };
}
same_words!(rows::ConversationStatus => api::ConversationStatus { Open Pending Snoozed Resolved });
same_words!(api::ConversationStatus => rows::ConversationStatus { Open Pending Snoozed Resolved });
same_words!(rows::Health => api::Health { Ok Stopped });
same_words!(rows::JobState => api::JobState { Pending Leased Sending Done Buried });
same_words!(api::JobState => rows::JobState { Pending Leased Sending Done Buried });
same_words!(api::MessageOrder => store::MessageOrder { Oldest Newest });
same_words!(rows::Priority => api::Priority { Low Normal High Urgent });
same_words!(api::Priority => rows::Priority { Low Normal High Urgent });
same_words!(rows::Handover => api::Handover { Bot Human });
same_words!(api::Handover => rows::Handover { Bot Human });
same_words!(rows::Direction => api::Direction { Inbound Outbound });
same_words!(rows::MediaState => api::MediaState { Pending Stored Failed });
same_words!(rows::Author => api::Author { Contact Agent Bot External });

impl Row<store::Page> for api::Page {
    fn row(self) -> store::Page {
        store::Page {
            cursor: self.cursor,
            limit: self.limit,
        }
    }
}

impl Row<api::Contact> for rows::Contact {
    fn row(self) -> api::Contact {
        api::Contact {
            id: self.id,
            platform_client_id: self.platform_client_id,
            channel: self.channel,
            identities: self.identities.convert(),
            name: self.name,
            username: self.username,
            tags: self.tags,
            attributes: Raw::json(&self.attributes),
            opt: self.opt,
            lead: self.lead.convert(),
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl Row<api::Conversation> for rows::Conversation {
    fn row(self) -> api::Conversation {
        let name = self.contact_name;
        api::Conversation {
            id: self.id,
            platform_client_id: self.platform_client_id,
            channel: self.channel,
            account: self.account,
            chat: self.chat,
            contact: self.contact_id.map(|id| api::ContactName { id, name }),
            status: self.status.row(),
            snoozed_until: self.snoozed_until,
            priority: self.priority.row(),
            assignee: self.assignee,
            tags: self.tags,
            message_count: self.message_count,
            preview: self.preview,
            last_message_at: self.last_message_at,
            last_inbound_at: self.last_inbound_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            team: self.team,
            handover: self.handover.row(),
            handed_over_at: self.handed_over_at,
            muted_until: self.muted_until,
            last_human_at: self.last_human_at,
            last_bot_at: self.last_bot_at,
        }
    }
}

impl Row<api::StoredMessage> for rows::StoredMessage {
    fn row(self) -> api::StoredMessage {
        let reactions = self.reactions.into_iter();
        api::StoredMessage {
            id: self.id,
            seq: self.seq,
            conversation_id: self.conversation_id,
            contact_id: self.contact_id,
            platform_client_id: self.platform_client_id,
            channel: self.channel,
            account: self.account,
            direction: self.direction.row(),
            author: self.author.row(),
            standby: self.standby,
            message: self.content.convert(),
            state: self.state.convert(),
            error: self.error.convert(),
            reactions: reactions
                .map(|r| api::Reaction {
                    by: r.by,
                    emoji: r.emoji,
                })
                .collect(),
            edited_at: self.edited_at,
            deleted_at: self.deleted_at,
            previous_texts: self.previous_texts,
            explanation: self.explanation.convert(),
            enrichment: self.enrichment.convert(),
            sent_at: self.sent_at,
            created_at: self.created_at,
            stored_media: self.stored_media.into_iter().map(Row::row).collect(),
        }
    }
}

impl Row<api::StoredMedia> for rows::StoredMedia {
    /// Without its link, which [`crate::media`] makes.
    fn row(self) -> api::StoredMedia {
        api::StoredMedia {
            index: self.index,
            state: self.state.row(),
            url: None,
            expires_at: None,
            mime_type: self.mime_type,
            bytes: self.bytes,
            sha256: self.sha256,
            error: self.error,
        }
    }
}

impl Row<api::Job> for rows::StoredJob {
    fn row(self) -> api::Job {
        api::Job {
            seq: self.seq,
            kind: self.kind,
            platform_client_id: self.platform_client_id,
            state: self.state.row(),
            attempts: self.attempts,
            due_at: self.due_at,
            created_at: self.created_at,
            error: self.error,
            payload: match self.payload {
                rows::Payload::Event(event) => api::Payload::Event(Box::new(event.convert())),
                rows::Payload::Json(json) => api::Payload::Payload(Raw::ours(&json)),
            },
        }
    }
}

impl Row<api::JobDetail> for rows::JobDetail {
    fn row(self) -> api::JobDetail {
        api::JobDetail::new(
            self.job.row(),
            (self.conversation_id, self.message_id),
            (self.finished_at, self.replayed_at),
            self.calls.into_iter().map(Row::row).collect(),
        )
    }
}

impl Row<api::BuriedJob> for rows::BuriedJob {
    fn row(self) -> api::BuriedJob {
        api::BuriedJob {
            seq: self.seq,
            kind: self.kind,
            platform_client_id: self.platform_client_id,
            attempts: self.attempts,
            created_at: self.created_at,
            error: self.error,
        }
    }
}

impl Row<api::Account> for rows::Account {
    fn row(self) -> api::Account {
        api::Account {
            platform_client_id: self.platform_client_id,
            channel: self.channel,
            account: self.account,
            health: self.health.row(),
            code: self.code,
            reason: self.reason,
            stopped_at: self.stopped_at,
            created_at: self.created_at,
        }
    }
}

impl Row<api::Rule> for rows::Rule {
    fn row(self) -> api::Rule {
        api::Rule {
            id: self.id,
            platform_client_id: self.platform_client_id,
            name: self.name,
            priority: self.priority,
            when: self.condition,
            then: Raw::json(&self.actions),
            stop: self.stop,
            enabled: self.enabled,
            strategy: match self.strategy.as_str() {
                "" => "each".to_owned(),
                _ => self.strategy,
            },
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

impl Row<api::Endpoint> for rows::Endpoint {
    fn row(self) -> api::Endpoint {
        let state = match (self.disabled_at, self.open_since, self.probing_since) {
            (Some(_), _, _) => api::EndpointState::Disabled,
            (None, Some(_), Some(_)) => api::EndpointState::HalfOpen,
            (None, Some(_), None) => api::EndpointState::Open,
            (None, None, _) => api::EndpointState::Closed,
        };
        api::Endpoint {
            platform_client_id: self.platform_client_id,
            url: self.url,
            state,
            disabled_at: self.disabled_at,
            reason: self.reason,
            updated_at: self.updated_at,
            delivered: self.delivered,
            failed: self.failed,
            failure_rate: f64::from(self.failure_permille) / 1000.0,
            consecutive_failures: self.consecutive_failures,
            open_since: self.open_since,
            next_probe_at: self.next_probe_at,
            last_success_at: self.last_success_at,
            last_failure_at: self.last_failure_at,
            last_error: self.last_error,
            alert: self.alert,
        }
    }
}

impl Row<api::ExternalCall> for rows::ExternalCall {
    fn row(self) -> api::ExternalCall {
        api::ExternalCall {
            kind: self.kind,
            target: self.target,
            status: self.status,
            millis: self.millis,
            attempt: self.attempt,
            at: self.at,
            error: self.error,
            conversation_id: self.conversation_id,
            message_id: self.message_id,
            details: self.details.as_deref().map(Raw::json),
        }
    }
}
