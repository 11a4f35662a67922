//! The explanation that stays with a message: what was tried, what followed, what did not and why.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// When a message is routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has just come in.
    Received,
    /// It was enriched.
    Enriched,
    /// A reply that waited was looked at again.
    Reply,
}

/// What came of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds.
    Matched,
    /// It does not.
    NotMatched,
    /// It could not be evaluated.
    Failed,
    /// An earlier one stopped the run.
    Skipped,
}

/// A rule that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Its id.
    pub rule_id: String,
    /// Its name, for people.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// An explanation, as it is kept.
#[derive(Serialize)]
pub(crate) struct Explanation<'a> {
    pub(crate) phase: Phase,
    pub(crate) rules: &'a [Tried],
    pub(crate) actions: Vec<Followed<'a>>,
}

/// One action, and what came of it.
#[derive(Serialize)]
pub(crate) struct Followed<'a> {
    pub(crate) rule_id: &'a str,
    pub(crate) action: &'a RawValue,
    pub(crate) outcome: String,
}

impl Explanation<'_> {
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// The explanation of a run that gave none: the router ended the worker twice, so the message is
/// stored without it, and a job of its own tries once more.
pub fn put_off(phase: Phase) -> String {
    json!({
        "phase": phase, "rules": [], "actions": [],
        "error": "the router gave no answer; routing is tried once more on its own",
    })
    .to_string()
}

/// The rules that had this verdict according to earlier explanations.
pub(crate) fn judged(earlier: Option<&str>, verdict: &str) -> BTreeSet<String> {
    let runs: Vec<Value> = earlier
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let rules = runs
        .iter()
        .filter_map(|run| run.get("rules")?.as_array())
        .flatten();
    rules
        .filter(|rule| rule.get("verdict").and_then(Value::as_str) == Some(verdict))
        .filter_map(|rule| Some(rule.get("rule_id")?.as_str()?.to_owned()))
        .collect()
}
