//! What a rule does when it holds.

pub(crate) mod parse;

use std::fmt;

use serde_json::{Map, Value, json};

use crate::fill::Text;
use crate::read::WrongField;
use crate::reply::Reply;
use crate::schema::MAX_TEXT_CHARS;
use crate::strategy::Strategy;
use crate::time::{LAST_MS, Until};

/// Most actions of a rule.
pub const MAX_ACTIONS: usize = 16;

/// Most tags of one action.
pub const MAX_TAGS: usize = 20;

/// Most agents that one is picked from.
pub const MAX_AGENTS: usize = 50;

/// Longest tag, agent, team or endpoint name, in characters.
pub const MAX_NAME_CHARS: usize = 128;

/// Longest address, in bytes, as most servers take it.
pub const MAX_URL_BYTES: usize = 2048;

/// How soon a conversation wants an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// `low`
    Low,
    /// `normal`
    Normal,
    /// `high`
    High,
    /// `urgent`
    Urgent,
}

/// Where a conversation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `open`
    Open,
    /// `pending`
    Pending,
    /// `resolved`
    Resolved,
    /// `snoozed`: closed until a time, or until the customer writes.
    Snoozed(Option<Until>),
}

/// Who gets a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// This agent.
    Agent(String),
    /// The next of these.
    RoundRobin(Vec<String>),
    /// Whoever of these has the fewest open conversations.
    LeastBusy(Vec<String>),
}

/// The value of a contact's attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A text with places for facts.
    Text(Text),
    /// A number or true/false; null removes the attribute.
    Plain(Value),
}

/// Where a forward goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An address: `http://` or `https://`.
    Url(String),
    /// The name of a configured endpoint.
    Endpoint(String),
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Adds tags to the conversation.
    Tag(Vec<String>),
    /// Takes tags off it.
    Untag(Vec<String>),
    /// Hands it to a team, to an agent, or both.
    Assign {
        /// Which team.
        team: Option<String>,
        /// Who of it, or of all.
        who: Option<Who>,
    },
    /// Sets its priority.
    SetPriority(Priority),
    /// Sets its status.
    SetStatus(Status),
    /// Answers the customer.
    Reply(Box<Reply>),
    /// Says whose turn it is to answer: a person's, or the rules'.
    Handover {
        /// A person's.
        human: bool,
    },
    /// Sets an attribute of the contact.
    SetAttribute {
        /// Which.
        name: String,
        /// To what.
        value: Attribute,
    },
    /// Sets the stage of the contact's lead.
    SetStage(&'static str),
    /// Keeps rules from answering in this conversation; without an end, for good.
    Mute(Option<Until>),
    /// Lets them again.
    Unmute,
    /// Posts the message to a webhook.
    Forward(Target),
    /// Asks for an enrichment.
    Enrich,
}

/// What `do` can be.
pub const KINDS: [&str; 13] = [
    "tag",
    "untag",
    "assign",
    "set_priority",
    "set_status",
    "reply",
    "handover",
    "set_attribute",
    "set_stage",
    "mute",
    "unmute",
    "forward",
    "enrich",
];

const STAGES: [&str; 5] = ["new", "engaged", "qualified", "disqualified", "customer"];

/// Why actions cannot be read, with the place: `then[1].to: …`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct Error(pub(crate) WrongField);

/// Reads a JSON array of actions.
pub fn read_all(text: &str) -> Result<Vec<Action>, Error> {
    let json: Value = serde_json::from_str(text)
        .map_err(|error| Error(WrongField::new("then", format!("no JSON: {error}"))))?;
    from_json(&json, "then").map_err(Error)
}

/// Reads a list of actions that stands at `path`.
pub(crate) fn from_json(json: &Value, path: &str) -> Result<Vec<Action>, WrongField> {
    let wrong = |reason: String| Err(WrongField::new(path, reason));
    let Some(items) = json.as_array() else {
        return wrong("must be a list of actions".to_owned());
    };
    if items.is_empty() || items.len() > MAX_ACTIONS {
        return wrong(format!("must hold 1 to {MAX_ACTIONS} actions"));
    }
    let actions = items.iter().enumerate();
    actions
        .map(|(index, item)| parse::action(item, &format!("{path}[{index}]")))
        .collect()
}

impl Action {
    /// The name that `do` has.
    pub fn kind(&self) -> &'static str {
        match self {
            Action::Tag(_) => "tag",
            Action::Untag(_) => "untag",
            Action::Assign { .. } => "assign",
            Action::SetPriority(_) => "set_priority",
            Action::SetStatus(_) => "set_status",
            Action::Reply(_) => "reply",
            Action::Handover { .. } => "handover",
            Action::SetAttribute { .. } => "set_attribute",
            Action::SetStage(_) => "set_stage",
            Action::Mute(_) => "mute",
            Action::Unmute => "unmute",
            Action::Forward(_) => "forward",
            Action::Enrich => "enrich",
        }
    }

    /// As it is read.
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("do".to_owned(), json!(self.kind()));
        let mut set = |name: &str, value: Value| drop(json.insert(name.to_owned(), value));
        match self {
            Action::Tag(tags) | Action::Untag(tags) => set("tags", json!(tags)),
            Action::Assign { team, who } => {
                if let Some(team) = team {
                    set("team", json!(team));
                }
                match who {
                    Some(Who::Agent(to)) => set("to", json!(to)),
                    Some(Who::RoundRobin(among)) => set("round_robin", json!(among)),
                    Some(Who::LeastBusy(among)) => set("least_busy", json!(among)),
                    None => {}
                }
            }
            Action::SetPriority(priority) => set("priority", json!(priority.to_string())),
            Action::SetStatus(status) => {
                set("status", json!(status.to_string()));
                if let Status::Snoozed(Some(until)) = status {
                    until.write(&mut json);
                }
            }
            Action::Reply(reply) => reply.write(&mut json),
            Action::Handover { human } => set("to", json!(if *human { "human" } else { "bot" })),
            Action::SetAttribute { name, value } => {
                set("name", json!(name));
                match value {
                    Attribute::Text(text) => set("value", json!(text.source())),
                    Attribute::Plain(value) => set("value", value.clone()),
                }
            }
            Action::SetStage(stage) => set("stage", json!(stage)),
            Action::Mute(Some(until)) => until.write(&mut json),
            Action::Forward(Target::Url(url)) => set("url", json!(url)),
            Action::Forward(Target::Endpoint(name)) => set("endpoint", json!(name)),
            Action::Mute(None) | Action::Unmute | Action::Enrich => {}
        }
        Value::Object(json)
    }

    /// Whether it is a reply that has no text with these facts. Nothing is sent then.
    pub(crate) fn is_empty_reply(&self, facts: &Value) -> bool {
        matches!(self, Action::Reply(reply) if reply.is_empty(facts))
    }

    /// As it is carried out: texts filled from the facts, times in Unix milliseconds.
    pub fn decide(&self, facts: &Value, strategy: Strategy) -> Value {
        let now = facts.get("now").and_then(Value::as_u64).unwrap_or(0);
        let mut json = Map::new();
        json.insert("do".to_owned(), json!(self.kind()));
        let mut until = |until: Until| json.insert("until".to_owned(), json!(until.at(now)));
        match self {
            Action::SetStatus(Status::Snoozed(Some(end))) => {
                until(*end);
                json.insert("status".to_owned(), json!("snoozed"));
            }
            Action::Mute(end) => drop(until(end.unwrap_or(Until::At(LAST_MS)))),
            Action::Reply(reply) => {
                reply.decide(facts, &mut json);
                if let Some(strategy) = strategy.decided() {
                    json.insert("strategy".to_owned(), strategy);
                }
            }
            Action::SetAttribute {
                name,
                value: Attribute::Text(text),
            } => {
                json.insert("name".to_owned(), json!(name));
                let value = text.fill(facts, MAX_TEXT_CHARS);
                json.insert("value".to_owned(), json!(value));
            }
            plain => return plain.to_json(),
        }
        Value::Object(json)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Urgent => "urgent",
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Open => "open",
            Status::Pending => "pending",
            Status::Resolved => "resolved",
            Status::Snoozed(_) => "snoozed",
        })
    }
}
