//! Actions as a router gives them, and what they change in conversation and contact.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::reply::Timing;

/// How one of several agents is picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pick {
    /// In turn.
    RoundRobin(Vec<String>),
    /// Whoever has the fewest open conversations.
    LeastBusy(Vec<String>),
}

/// What changes in the conversation. Words are those of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The new status.
    pub status: Option<String>,
    /// When the new status `snoozed` ends, Unix milliseconds.
    pub snoozed_until: Option<u64>,
    /// The new priority.
    pub priority: Option<String>,
    /// The new assignee.
    pub assignee: Option<String>,
    /// Whom to pick instead.
    pub pick: Option<Pick>,
    /// The new team.
    pub team: Option<String>,
    /// Whether it is a person's turn from here on.
    pub human: Option<bool>,
    /// Until when no rule answers; 0 ends that.
    pub muted_until: Option<u64>,
    /// Tags to add.
    pub add_tags: Vec<String>,
    /// Tags to remove.
    pub remove_tags: Vec<String>,
}

/// What changes in the contact.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContactChanges {
    /// Attributes by name; null removes one.
    pub attributes: Map<String, Value>,
    /// The new stage.
    pub stage: Option<String>,
}

/// An action: `{"do": …}`.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Action {
    Tag {
        tags: Vec<String>,
    },
    Untag {
        tags: Vec<String>,
    },
    Assign {
        to: Option<String>,
        team: Option<String>,
        round_robin: Option<Vec<String>>,
        least_busy: Option<Vec<String>>,
    },
    SetPriority {
        priority: String,
    },
    SetStatus {
        status: String,
        until: Option<u64>,
    },
    Reply {
        message: Value,
        fallback: Option<Value>,
        #[serde(default)]
        strategy: Timing,
    },
    Handover {
        to: String,
    },
    SetAttribute {
        name: String,
        #[serde(default)]
        value: Value,
    },
    SetStage {
        stage: String,
    },
    Mute {
        until: u64,
    },
    Unmute,
    Forward {
        url: Option<String>,
        endpoint: Option<String>,
    },
    Enrich,
}

impl Changes {
    /// Notes an action; those that change no conversation change nothing.
    pub(crate) fn note(&mut self, action: Action) {
        let changes = self;
        match action {
            Action::Tag { tags } => {
                changes.remove_tags.retain(|tag| !tags.contains(tag));
                changes.add_tags.extend(tags);
            }
            Action::Untag { tags } => {
                changes.add_tags.retain(|tag| !tags.contains(tag));
                changes.remove_tags.extend(tags);
            }
            Action::Assign {
                to,
                team,
                round_robin,
                least_busy,
            } => {
                changes.team = team.or(changes.team.take());
                let turn = round_robin.map(Pick::RoundRobin);
                let pick = turn.or(least_busy.map(Pick::LeastBusy));
                // The newest of both counts.
                if to.is_some() || pick.is_some() {
                    (changes.assignee, changes.pick) = (to, pick);
                }
            }
            Action::SetPriority { priority } => changes.priority = Some(priority),
            Action::SetStatus { status, until } => {
                changes.status = Some(status);
                changes.snoozed_until = until;
            }
            Action::Handover { to } => changes.human = Some(to == "human"),
            Action::Mute { until } => changes.muted_until = Some(until),
            Action::Unmute => changes.muted_until = Some(0),
            Action::Reply { .. }
            | Action::SetAttribute { .. }
            | Action::SetStage { .. }
            | Action::Forward { .. }
            | Action::Enrich => {}
        }
    }
}
