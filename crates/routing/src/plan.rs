//! What follows from a router's answer: changes, forwards, replies, and the explanation for people.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::action::{Action, Changes, ContactChanges};
use crate::explanation::{Explanation, Followed, Phase, Tried, judged};
use crate::reply::{Reply, Timing};
use crate::safety::Standing;

/// Addresses by the names that rules use for them.
pub type Endpoints = BTreeMap<String, String>;

/// An action that a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which rule.
    pub rule_id: String,
    /// JSON, `{"do": …}`.
    pub action: String,
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

/// What a plan is made on.
#[derive(Debug, Clone)]
pub struct Ground<'a> {
    /// The JSON array of the explanations that the message has; rules that matched there do not act
    /// again.
    pub earlier: Option<&'a str>,
    /// The endpoints that are configured.
    pub endpoints: &'a Endpoints,
    /// What an automatic answer depends on.
    pub standing: Standing,
    /// Whether the message's contact is known.
    pub known: bool,
    /// When the message arrived, Unix milliseconds: who answered it since was quicker.
    pub arrived_at: u64,
    /// Unix milliseconds.
    pub now: u64,
}

impl<'a> Ground<'a> {
    /// A message of nobody who is known, in a conversation where nothing was said.
    pub fn of(endpoints: &'a Endpoints) -> Ground<'a> {
        Ground {
            earlier: None,
            endpoints,
            standing: Standing::default(),
            known: false,
            arrived_at: 0,
            now: 0,
        }
    }
}

/// All that follows from one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// None when nothing changes.
    pub changes: Option<Changes>,
    /// None when nothing changes.
    pub contact: Option<ContactChanges>,
    /// In the order of the rules.
    pub forwards: Vec<Forward>,
    /// In the order of the rules.
    pub replies: Vec<Reply>,
    /// Whether an enrichment was asked for.
    pub enrich: bool,
    /// The explanation, a JSON object.
    pub explanation: String,
}

impl Plan {
    /// What follows from `decisions`.
    pub fn new(phase: Phase, tried: &[Tried], decisions: &[Decision], ground: Ground) -> Plan {
        let acted = judged(ground.earlier, "matched");
        // What a rule stopped stays stopped, though its own condition may hold no more.
        let stopped = judged(ground.earlier, "skipped");
        let mut making = Making {
            plan: Plan::default(),
            ground,
        };
        let mut actions = Vec::with_capacity(decisions.len());
        for decision in decisions {
            let outcome = if acted.contains(&decision.rule_id) {
                "not again: this rule has acted on this message".to_owned()
            } else if stopped.contains(&decision.rule_id) {
                "not done: an earlier rule stopped the run for this message".to_owned()
            } else {
                let name = tried.iter().find(|tried| tried.rule_id == decision.rule_id);
                let name = name.map(|tried| tried.name.as_str()).unwrap_or_default();
                making.follow(decision, name)
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
        let mut plan = making.plan;
        plan.explanation = explanation.json();
        plan
    }
}

/// A plan, and what the next action finds.
struct Making<'a> {
    plan: Plan,
    ground: Ground<'a>,
}

impl Making<'_> {
    /// Notes one action, and says what comes of it.
    fn follow(&mut self, decision: &Decision, rule_name: &str) -> String {
        let Ok(action) = serde_json::from_str(&decision.action) else {
            return "not done: this worker does not know the action".to_owned();
        };
        match action {
            Action::Forward { url, endpoint } => self.forward(decision, rule_name, url, endpoint),
            Action::Enrich => {
                self.plan.enrich = true;
                "queued, unless it is done already".to_owned()
            }
            Action::Reply {
                message,
                fallback,
                strategy,
            } => self.reply(Reply {
                rule_id: decision.rule_id.clone(),
                rule_name: rule_name.to_owned(),
                message,
                fallback,
                timing: strategy,
                decided_at: self.ground.arrived_at,
                announces: false,
            }),
            Action::SetAttribute { name, value } => self.contact(|contact| {
                contact.attributes.insert(name, value);
            }),
            Action::SetStage { stage } => self.contact(|contact| contact.stage = Some(stage)),
            of_conversation => {
                self.note(&of_conversation);
                let changes = self.plan.changes.get_or_insert_default();
                changes.note(of_conversation);
                "done".to_owned()
            }
        }
    }

    /// Later replies find what has changed; earlier ones announce what would keep them back. A
    /// handover to a bot keeps nothing back, so whoever takes over after it still does.
    fn note(&mut self, action: &Action) {
        let now = self.ground.now;
        let standing = &mut self.ground.standing;
        let keeps_back = match action {
            Action::Handover { to } => {
                standing.human = to == "human";
                standing.human
            }
            Action::Mute { until } => {
                standing.muted_until = Some(*until);
                standing.is_muted(now)
            }
            Action::Unmute => {
                standing.muted_until = None;
                false
            }
            _ => false,
        };
        if keeps_back {
            for reply in &mut self.plan.replies {
                reply.announces = true;
            }
        }
    }

    fn reply(&mut self, reply: Reply) -> String {
        if reply.is_empty() {
            return "not done: the reply is empty".to_owned();
        }
        let now = self.ground.now;
        if let Some(held) = self.ground.standing.held(now, self.ground.arrived_at) {
            return format!("suppressed: {held}");
        }
        let outcome = match reply.timing {
            Timing::Each => {
                self.ground.standing.answered(now);
                "queued".to_owned()
            }
            Timing::Queue => "queued, after the reply before it has left".to_owned(),
            Timing::Latest => "queued, unless a newer message is answered instead".to_owned(),
            Timing::DebounceMs(ms) => format!("queued, once nothing came for {ms} ms"),
        };
        self.plan.replies.push(reply);
        outcome
    }

    fn forward(
        &mut self,
        decision: &Decision,
        rule_name: &str,
        url: Option<String>,
        endpoint: Option<String>,
    ) -> String {
        let named = endpoint.and_then(|name| self.ground.endpoints.get(&name).cloned());
        let Some(url) = url.or(named) else {
            return "not done: no endpoint of that name is configured".to_owned();
        };
        self.plan.forwards.push(Forward {
            url,
            rule_id: decision.rule_id.clone(),
            rule_name: rule_name.to_owned(),
        });
        "queued".to_owned()
    }

    fn contact(&mut self, note: impl FnOnce(&mut ContactChanges)) -> String {
        if !self.ground.known {
            return "not done: nobody is known who wrote it".to_owned();
        }
        note(self.plan.contact.get_or_insert_default());
        "done".to_owned()
    }
}

#[cfg(test)]
mod tests;
