//! A rule as people write it: over the API as JSON, and in a `rules.toml`.

use serde_json::{Value, json};

use crate::action::{self, Action};
use crate::condition::{Condition, Flaw};
use crate::read::{Object, WrongField};
use crate::router::StoredRule;
use crate::strategy::{NoStrategy, Strategy};

/// The priority of a rule that names none.
pub const DEFAULT_PRIORITY: i32 = 100;

/// Longest name and id, in characters.
const MAX_NAME_CHARS: usize = 128;

/// A sound rule: its condition has passed the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Chosen by its author or by the store.
    pub id: Option<String>,
    /// For people.
    pub name: String,
    /// Lower runs first.
    pub priority: i32,
    /// CEL.
    pub when: String,
    /// At least one.
    pub then: Vec<Action>,
    /// No later rule is tried when this one matched.
    pub stop: bool,
    /// Whether it is tried at all.
    pub enabled: bool,
    /// How it answers a burst of messages.
    pub strategy: Strategy,
}

/// Why something is no rule.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The text is no JSON.
    #[error("no JSON: {0}")]
    Json(String),
    /// A field is missing, wrong or unknown.
    #[error("{0}")]
    Field(#[from] WrongField),
    /// The condition is refused.
    #[error("when: {0}")]
    Condition(#[from] Flaw),
}

impl Rule {
    /// Reads and checks a rule.
    pub fn parse(text: &str) -> Result<Rule, Error> {
        let json: Value =
            serde_json::from_str(text).map_err(|error| Error::Json(error.to_string()))?;
        Rule::from_json(&json)
    }

    /// Reads and checks a rule.
    pub fn from_json(json: &Value) -> Result<Rule, Error> {
        let mut fields = Object::new(json, "")?;
        let id = match fields.has("id") {
            true => Some(fields.text("id", MAX_NAME_CHARS)?),
            false => None,
        };
        let name = fields.text("name", MAX_NAME_CHARS)?;
        let priority = match fields.get("priority") {
            None => DEFAULT_PRIORITY,
            Some(number) => number
                .as_i64()
                .and_then(|number| i32::try_from(number).ok())
                .ok_or_else(|| fields.wrong("priority", "must be a whole number of 32 bits"))?,
        };
        let when = fields.required("when")?.as_str().map(str::to_owned);
        let when = when.ok_or_else(|| fields.wrong("when", "must be a text"))?;
        let then = action::from_json(fields.required("then")?, "then")?;
        let stop = fields.flag("stop", false)?;
        let enabled = fields.flag("enabled", true)?;
        let strategy = match fields.get("strategy") {
            None => Strategy::default(),
            Some(text) => text
                .as_str()
                .ok_or(NoStrategy)
                .and_then(str::parse)
                .map_err(|error: NoStrategy| fields.wrong("strategy", error.to_string()))?,
        };
        fields.nothing_else()?;
        Condition::new(&when)?;
        Ok(Rule {
            id,
            name,
            priority,
            when,
            then,
            stop,
            enabled,
            strategy,
        })
    }

    /// As it is read.
    pub fn to_json(&self) -> Value {
        let then: Vec<Value> = self.then.iter().map(Action::to_json).collect();
        json!({
            "id": self.id, "name": self.name, "priority": self.priority, "when": self.when,
            "then": then, "stop": self.stop, "enabled": self.enabled,
            "strategy": self.strategy.to_string(),
        })
    }

    /// As the router takes it.
    pub fn stored(&self, id: &str) -> StoredRule {
        let actions: Vec<Value> = self.then.iter().map(Action::to_json).collect();
        StoredRule {
            id: id.to_owned(),
            name: self.name.clone(),
            priority: self.priority,
            condition: self.when.clone(),
            actions: Value::Array(actions).to_string(),
            stop: self.stop,
            strategy: self.strategy.to_string(),
        }
    }
}
