//! Reads an action: its kind, and the fields that this kind takes.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    Action, Attribute, KINDS, MAX_AGENTS, MAX_NAME_CHARS, MAX_TAGS, MAX_URL_BYTES, Priority,
    STAGES, Status, Target, Who,
};
use crate::fill::Text;
use crate::read::{Object, WrongField};
use crate::reply::Reply;
use crate::schema::MAX_TEXT_CHARS;
use crate::time::Until;

/// The action that stands at `path`.
pub(crate) fn action(json: &Value, path: &str) -> Result<Action, WrongField> {
    let mut fields = Object::new(json, path)?;
    let kind = fields.choice("do", &KINDS)?;
    let action = match kind {
        "tag" => Action::Tag(tags(&mut fields)?),
        "untag" => Action::Untag(tags(&mut fields)?),
        "assign" => assign(&mut fields)?,
        "set_priority" => Action::SetPriority(priority(&mut fields)?),
        "set_status" => Action::SetStatus(status(&mut fields)?),
        "reply" => Action::Reply(Box::new(Reply::read(&mut fields)?)),
        "handover" => Action::Handover {
            human: fields.choice("to", &["human", "bot"])? == "human",
        },
        "set_attribute" => attribute(&mut fields)?,
        "set_stage" => Action::SetStage(fields.choice("stage", &STAGES)?),
        "mute" => Action::Mute(Until::read(&mut fields)?),
        "unmute" => Action::Unmute,
        "forward" => Action::Forward(target(&mut fields)?),
        _ => Action::Enrich,
    };
    fields.nothing_else()?;
    Ok(action)
}

fn assign(fields: &mut Object<'_>) -> Result<Action, WrongField> {
    let team = match fields.has("team") {
        true => Some(fields.text("team", MAX_NAME_CHARS)?),
        false => None,
    };
    let mut found = Vec::new();
    if fields.has("to") {
        found.push(Who::Agent(fields.text("to", MAX_NAME_CHARS)?));
    }
    if fields.has("round_robin") {
        found.push(Who::RoundRobin(agents(fields, "round_robin")?));
    }
    if fields.has("least_busy") {
        found.push(Who::LeastBusy(agents(fields, "least_busy")?));
    }
    if found.len() > 1 {
        return Err(fields.wrong("to", "give one of `to`, `round_robin` and `least_busy`"));
    }
    match (team, found.pop()) {
        (None, None) => Err(fields.wrong("to", "is missing")),
        (team, who) => Ok(Action::Assign { team, who }),
    }
}

fn agents(fields: &mut Object<'_>, name: &'static str) -> Result<Vec<String>, WrongField> {
    let agents = fields.texts(name, MAX_NAME_CHARS)?;
    let mut seen = HashSet::new();
    if agents.is_empty() || agents.len() > MAX_AGENTS {
        return Err(fields.wrong(name, format!("must hold 1 to {MAX_AGENTS} agents")));
    }
    match agents.iter().find(|agent| !seen.insert(agent.as_str())) {
        Some(twice) => Err(fields.wrong(name, format!("names {twice:?} twice"))),
        None => Ok(agents),
    }
}

fn attribute(fields: &mut Object<'_>) -> Result<Action, WrongField> {
    let name = fields.text("name", MAX_NAME_CHARS)?;
    let value = match fields.get("value") {
        Some(Value::String(source)) => {
            if source.chars().nth(MAX_TEXT_CHARS).is_some() {
                let reason = format!("must not be longer than {MAX_TEXT_CHARS} characters");
                return Err(fields.wrong("value", reason));
            }
            let text = Text::parse(source).map_err(|reason| fields.wrong("value", reason))?;
            Attribute::Text(text)
        }
        Some(plain @ (Value::Bool(_) | Value::Number(_))) => Attribute::Plain(plain.clone()),
        Some(_) => {
            return Err(fields.wrong("value", "must be a text, a number, true, false or null"));
        }
        None => Attribute::Plain(Value::Null),
    };
    Ok(Action::SetAttribute { name, value })
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
        match fields.choice("status", &["open", "pending", "resolved", "snoozed"])? {
            "open" => Status::Open,
            "pending" => Status::Pending,
            "resolved" => Status::Resolved,
            _ => Status::Snoozed(Until::read(fields)?),
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
