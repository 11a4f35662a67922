//! What a rule does when it holds.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::read::{Object, WrongField};

/// Most actions of a rule.
pub const MAX_ACTIONS: usize = 16;

/// Most tags of one action.
pub const MAX_TAGS: usize = 20;

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
    /// Hands it to an agent or a team.
    Assign(String),
    /// Sets its priority.
    SetPriority(Priority),
    /// Sets its status.
    SetStatus(Status),
    /// Posts the message to a webhook.
    Forward(Target),
    /// Asks for an enrichment.
    Enrich,
}

const KINDS: [&str; 7] = [
    "tag",
    "untag",
    "assign",
    "set_priority",
    "set_status",
    "forward",
    "enrich",
];

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
        .map(|(index, item)| Action::from_json(item, &format!("{path}[{index}]")))
        .collect()
}

impl Action {
    fn from_json(json: &Value, path: &str) -> Result<Action, WrongField> {
        let mut fields = Object::new(json, path)?;
        let kind = fields.choice("do", &KINDS)?;
        let action = match kind {
            "tag" => Action::Tag(tags(&mut fields)?),
            "untag" => Action::Untag(tags(&mut fields)?),
            "assign" => Action::Assign(fields.text("to", MAX_NAME_CHARS)?),
            "set_priority" => Action::SetPriority(priority(&mut fields)?),
            "set_status" => Action::SetStatus(status(&mut fields)?),
            "forward" => Action::Forward(target(&mut fields)?),
            _ => Action::Enrich,
        };
        fields.nothing_else()?;
        Ok(action)
    }

    /// The name that `do` has.
    pub fn kind(&self) -> &'static str {
        match self {
            Action::Tag(_) => "tag",
            Action::Untag(_) => "untag",
            Action::Assign(_) => "assign",
            Action::SetPriority(_) => "set_priority",
            Action::SetStatus(_) => "set_status",
            Action::Forward(_) => "forward",
            Action::Enrich => "enrich",
        }
    }

    /// As it is read.
    pub fn to_json(&self) -> Value {
        let mut json = Map::new();
        json.insert("do".to_owned(), json!(self.kind()));
        let (name, value) = match self {
            Action::Tag(tags) | Action::Untag(tags) => ("tags", json!(tags)),
            Action::Assign(to) => ("to", json!(to)),
            Action::SetPriority(priority) => ("priority", json!(priority.to_string())),
            Action::SetStatus(status) => ("status", json!(status.to_string())),
            Action::Forward(Target::Url(url)) => ("url", json!(url)),
            Action::Forward(Target::Endpoint(name)) => ("endpoint", json!(name)),
            Action::Enrich => return Value::Object(json),
        };
        json.insert(name.to_owned(), value);
        Value::Object(json)
    }
}

fn tags(fields: &mut Object<'_>) -> Result<Vec<String>, WrongField> {
    let tags = fields.texts("tags", MAX_NAME_CHARS)?;
    if tags.is_empty() || tags.len() > MAX_TAGS {
        return Err(fields.wrong("tags", format!("must hold 1 to {MAX_TAGS} tags")));
    }
    Ok(tags)
}

fn priority(fields: &mut Object<'_>) -> Result<Priority, WrongField> {
    Ok(
        match fields.choice("priority", &["low", "normal", "high", "urgent"])? {
            "low" => Priority::Low,
            "normal" => Priority::Normal,
            "high" => Priority::High,
            _ => Priority::Urgent,
        },
    )
}

fn status(fields: &mut Object<'_>) -> Result<Status, WrongField> {
    Ok(
        match fields.choice("status", &["open", "pending", "resolved"])? {
            "open" => Status::Open,
            "pending" => Status::Pending,
            _ => Status::Resolved,
        },
    )
}

fn target(fields: &mut Object<'_>) -> Result<Target, WrongField> {
    match (fields.has("url"), fields.has("endpoint")) {
        (true, false) => {
            let url = fields.text("url", MAX_URL_BYTES)?;
            let host = url
                .strip_prefix("https://")
                .or_else(|| url.strip_prefix("http://"));
            let sound = host.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']));
            if !sound || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
                let reason = "must be an address like https://example.com/hook".to_owned();
                return Err(fields.wrong("url", reason));
            }
            Ok(Target::Url(url))
        }
        (false, true) => Ok(Target::Endpoint(fields.text("endpoint", MAX_NAME_CHARS)?)),
        (true, true) => {
            Err(fields.wrong("endpoint", "give `url` or `endpoint`, not both".to_owned()))
        }
        (false, false) => Err(fields.wrong("url", "give `url` or `endpoint`".to_owned())),
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
        })
    }
}
