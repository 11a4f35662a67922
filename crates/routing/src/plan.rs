//! What follows from a router's answer: changes, forwards, and the explanation for people.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Addresses by the names that rules use for them.
pub type Endpoints = BTreeMap<String, String>;

/// When a message is routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has just come in.
    Received,
    /// It was enriched.
    Enriched,
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

/// An action that a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which rule.
    pub rule_id: String,
    /// JSON, `{"do": …}`.
    pub action: String,
}

/// What changes in the conversation. Words are those of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// The new status.
    pub status: Option<String>,
    /// The new priority.
    pub priority: Option<String>,
    /// The new assignee.
    pub assignee: Option<String>,
    /// Tags to add.
    pub add_tags: Vec<String>,
    /// Tags to remove.
    pub remove_tags: Vec<String>,
}

/// A message to be posted to an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Where to.
    pub url: String,
    /// The rule that wants it.
    pub rule_id: String,
    /// Its name.
    pub rule_name: String,
}

/// All that follows from one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// None when nothing changes.
    pub changes: Option<Changes>,
    /// In the order of the rules.
    pub forwards: Vec<Forward>,
    /// Whether an enrichment was asked for.
    pub enrich: bool,
    /// The explanation, a JSON object.
    pub explanation: String,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Action {
    Tag {
        tags: Vec<String>,
    },
    Untag {
        tags: Vec<String>,
    },
    Assign {
        to: String,
    },
    SetPriority {
        priority: String,
    },
    SetStatus {
        status: String,
    },
    Forward {
        url: Option<String>,
        endpoint: Option<String>,
    },
    Enrich,
}

#[derive(Serialize)]
struct Explanation<'a> {
    phase: Phase,
    rules: &'a [Tried],
    actions: Vec<Followed<'a>>,
}

#[derive(Serialize)]
struct Followed<'a> {
    rule_id: &'a str,
    action: &'a RawValue,
    outcome: String,
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

impl Plan {
    /// What follows from `decisions`. `earlier` is the JSON array of the explanations that the
    /// message has; rules that matched there do not act again.
    pub fn new(
        phase: Phase,
        tried: &[Tried],
        decisions: &[Decision],
        earlier: Option<&str>,
        endpoints: &Endpoints,
    ) -> Plan {
        let (acted, mut plan) = (matched(earlier), Plan::default());
        let mut actions = Vec::with_capacity(decisions.len());
        for decision in decisions {
            let outcome = if acted.contains(&decision.rule_id) {
                "not again: this rule has acted on this message".to_owned()
            } else {
                let name = tried.iter().find(|tried| tried.rule_id == decision.rule_id);
                let name = name.map(|tried| tried.name.as_str()).unwrap_or_default();
                plan.follow(decision, name, endpoints)
            };
            let action = serde_json::from_str(&decision.action).unwrap_or(RawValue::NULL);
            actions.push(Followed {
                rule_id: &decision.rule_id,
                action,
                outcome,
            });
        }
        let explanation = Explanation {
            phase,
            rules: tried,
            actions,
        };
        plan.explanation = serde_json::to_string(&explanation).unwrap_or_else(|_| "{}".to_owned());
        plan
    }

    /// Notes one action, and says what comes of it.
    fn follow(&mut self, decision: &Decision, rule_name: &str, endpoints: &Endpoints) -> String {
        let Ok(action) = serde_json::from_str(&decision.action) else {
            return "not done: this worker does not know the action".to_owned();
        };
        match action {
            Action::Tag { tags } => self.change(|changes| {
                changes.remove_tags.retain(|tag| !tags.contains(tag));
                changes.add_tags.extend(tags);
            }),
            Action::Untag { tags } => self.change(|changes| {
                changes.add_tags.retain(|tag| !tags.contains(tag));
                changes.remove_tags.extend(tags);
            }),
            Action::Assign { to } => self.change(|changes| changes.assignee = Some(to)),
            Action::SetPriority { priority } => {
                self.change(|changes| changes.priority = Some(priority))
            }
            Action::SetStatus { status } => self.change(|changes| changes.status = Some(status)),
            Action::Forward { url, endpoint } => {
                let named = endpoint
                    .as_ref()
                    .and_then(|name| endpoints.get(name))
                    .cloned();
                let Some(url) = url.or(named) else {
                    return "not done: no endpoint of that name is configured".to_owned();
                };
                self.forwards.push(Forward {
                    url,
                    rule_id: decision.rule_id.clone(),
                    rule_name: rule_name.to_owned(),
                });
                "queued".to_owned()
            }
            Action::Enrich => {
                self.enrich = true;
                "queued, unless it is done already".to_owned()
            }
        }
    }

    fn change(&mut self, note: impl FnOnce(&mut Changes)) -> String {
        note(self.changes.get_or_insert_default());
        "done".to_owned()
    }
}

/// The rules that matched according to earlier explanations.
fn matched(earlier: Option<&str>) -> BTreeSet<String> {
    let runs: Vec<Value> = earlier
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let rules = runs
        .iter()
        .filter_map(|run| run.get("rules")?.as_array())
        .flatten();
    rules
        .filter(|rule| rule.get("verdict").and_then(Value::as_str) == Some("matched"))
        .filter_map(|rule| Some(rule.get("rule_id")?.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tried(id: &str, verdict: Verdict) -> Tried {
        Tried {
            rule_id: id.into(),
            name: format!("rule {id}"),
            verdict,
            reason: "because".into(),
        }
    }

    fn decision(id: &str, action: &str) -> Decision {
        Decision {
            rule_id: id.into(),
            action: action.into(),
        }
    }

    fn plan(decisions: &[Decision], earlier: Option<&str>) -> Plan {
        let tried = [
            tried("a", Verdict::Matched),
            tried("b", Verdict::NotMatched),
        ];
        let endpoints = Endpoints::from([("n8n".into(), "https://n8n.example/hook".into())]);
        Plan::new(Phase::Received, &tried, decisions, earlier, &endpoints)
    }

    fn outcomes(plan: &Plan) -> Vec<String> {
        let json: Value = serde_json::from_str(&plan.explanation).unwrap();
        let actions = json["actions"].as_array().unwrap().iter();
        actions
            .map(|action| action["outcome"].as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn actions_become_one_change_in_their_order() {
        let plan = plan(
            &[
                decision("a", r#"{"do":"tag","tags":["hot","new"]}"#),
                decision("a", r#"{"do":"untag","tags":["new","old"]}"#),
                decision("a", r#"{"do":"tag","tags":["old"]}"#),
                decision("a", r#"{"do":"assign","to":"sales"}"#),
                decision("a", r#"{"do":"set_priority","priority":"high"}"#),
                decision("a", r#"{"do":"set_priority","priority":"urgent"}"#),
                decision("a", r#"{"do":"set_status","status":"pending"}"#),
                decision("a", r#"{"do":"enrich"}"#),
            ],
            None,
        );
        assert_eq!(
            plan.changes,
            Some(Changes {
                status: Some("pending".into()),
                priority: Some("urgent".into()),
                assignee: Some("sales".into()),
                add_tags: vec!["hot".into(), "old".into()],
                remove_tags: vec!["new".into()],
            })
        );
        assert!(plan.enrich && plan.forwards.is_empty());
    }

    #[test]
    fn a_forward_goes_to_an_address_or_to_a_name_that_is_configured() {
        let forward = |url: &str| Forward {
            url: url.into(),
            rule_id: "a".into(),
            rule_name: "rule a".into(),
        };
        for (name, action, want, outcome) in [
            (
                "address",
                r#"{"do":"forward","url":"https://a.example"}"#,
                Some("https://a.example"),
                "queued",
            ),
            (
                "name",
                r#"{"do":"forward","endpoint":"n8n"}"#,
                Some("https://n8n.example/hook"),
                "queued",
            ),
            (
                "unknown name",
                r#"{"do":"forward","endpoint":"x"}"#,
                None,
                "not done: no endpoint of that name is configured",
            ),
        ] {
            let plan = plan(&[decision("a", action)], None);
            assert_eq!(
                plan.forwards,
                want.map(forward).into_iter().collect::<Vec<_>>(),
                "{name}"
            );
            assert_eq!(outcomes(&plan), [outcome], "{name}");
            assert_eq!(plan.changes, None, "{name}");
        }
    }

    #[test]
    fn a_rule_acts_once_for_a_message() {
        let tag = [decision("a", r#"{"do":"tag","tags":["hot"]}"#)];
        let first = plan(&tag, None);
        assert!(first.changes.is_some());
        let again = plan(&tag, Some(&format!("[{}]", first.explanation)));
        assert_eq!((again.changes.clone(), again.forwards.len()), (None, 0));
        assert!(outcomes(&again)[0].starts_with("not again"));
        let unmatched = first.explanation.replace("\"matched\"", "\"not_matched\"");
        assert!(
            plan(&tag, Some(&format!("[{unmatched}]")))
                .changes
                .is_some()
        );
        let put_off = format!("[{}]", put_off(Phase::Received));
        assert!(plan(&tag, Some(&put_off)).changes.is_some());
    }

    #[test]
    fn the_explanation_says_what_was_tried_and_what_followed() {
        let plan = plan(&[decision("a", r#"{"do":"launch"}"#)], None);
        let json: Value = serde_json::from_str(&plan.explanation).unwrap();
        assert_eq!(
            json,
            json!({
                "phase": "received",
                "rules": [
                    {"rule_id": "a", "name": "rule a", "verdict": "matched", "reason": "because"},
                    {"rule_id": "b", "name": "rule b", "verdict": "not_matched", "reason": "because"},
                ],
                "actions": [{
                    "rule_id": "a", "action": {"do": "launch"},
                    "outcome": "not done: this worker does not know the action",
                }],
            })
        );
    }

    proptest! {
        #[test]
        fn whatever_a_router_says_is_explained(action in ".*", earlier in ".*") {
            let plan = plan(&[decision("a", &action)], Some(&earlier));
            prop_assert!(serde_json::from_str::<Value>(&plan.explanation).is_ok());
        }
    }
}
