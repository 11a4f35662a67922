//! Runs the router and turns what follows into effects.

use chatly_canonical::Event;
use chatly_routing::{Changes, Decision, Facts, Forward, Phase, Plan, Tried, Verdict};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::bindings::chatly::router::router;
use crate::bindings::chatly::store::effects::{self as wit, Effect};
use crate::bindings::chatly::store::rows;
use crate::rules::Rules;

/// One run over one message.
pub struct Run {
    /// What follows.
    pub plan: Plan,
    tried: Vec<Tried>,
}

/// What a job of kind `forward` carries besides the ids, which the store adds.
#[derive(Serialize)]
struct Forwarded<'a> {
    url: &'a str,
    rule_id: &'a str,
    rule_name: &'a str,
    event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    enrichment: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Tried>,
}

/// What a `route` job carries.
#[derive(Serialize, serde::Deserialize)]
pub struct Again {
    /// Which run it is.
    pub phase: Phase,
}

impl Run {
    /// Routes a message; `earlier` holds the explanations that it has.
    pub fn new(phase: Phase, rules: &Rules, facts: Option<&Facts>, earlier: Option<&str>) -> Run {
        let outcome = match facts {
            Some(facts) => router::route(&rules.rules, &facts.to_json()),
            None => router::Outcome {
                decisions: vec![],
                explanations: vec![],
            },
        };
        let name_of = |id: &str| {
            let rule = rules.rules.iter().find(|rule| rule.id == id);
            rule.map(|rule| rule.name.clone()).unwrap_or_default()
        };
        let tried: Vec<Tried> = outcome
            .explanations
            .into_iter()
            .map(|entry| Tried {
                name: name_of(&entry.rule_id),
                rule_id: entry.rule_id,
                verdict: verdict(entry.verdict),
                reason: entry.reason,
            })
            .collect();
        let decisions: Vec<Decision> = outcome
            .decisions
            .into_iter()
            .map(|decision| Decision {
                rule_id: decision.rule_id,
                action: decision.action,
            })
            .collect();
        Run {
            plan: Plan::new(phase, &tried, &decisions, earlier, &rules.endpoints),
            tried,
        }
    }

    /// The effects of the plan on the bound conversation and message.
    pub fn effects(&self, event: &Event, enrichment: Option<&str>, make: &Jobs) -> Vec<Effect> {
        let changes = self.plan.changes.iter().map(change);
        let forwards = self
            .plan
            .forwards
            .iter()
            .filter_map(|forward| self.forward(forward, event, enrichment, make));
        changes.chain(forwards).collect()
    }

    /// One rule forwards a message to one address once, whichever run it matched in.
    fn forward(
        &self,
        forward: &Forward,
        event: &Event,
        enrichment: Option<&str>,
        make: &Jobs,
    ) -> Option<Effect> {
        let explanation = self
            .tried
            .iter()
            .find(|tried| tried.rule_id == forward.rule_id);
        let payload = serde_json::to_string(&Forwarded {
            url: &forward.url,
            rule_id: &forward.rule_id,
            rule_name: &forward.rule_name,
            event,
            enrichment: enrichment.and_then(|json| serde_json::from_str(json).ok()),
            explanation,
        });
        let dedupe_key = format!("{}:{}", forward.rule_id, forward.url);
        payload
            .ok()
            .map(|payload| make.job("forward", payload, &dedupe_key, Some(forward.url.clone())))
    }
}

/// What all jobs of one commit share.
pub struct Jobs {
    /// Unix milliseconds; they are due at once.
    pub now: u64,
    /// Of the job that they follow from.
    pub traceparent: Option<String>,
}

impl Jobs {
    /// The one enrichment of a message.
    pub fn enrich(&self) -> Effect {
        self.job("enrich", "{}".to_owned(), "", None)
    }

    /// Another run of the rules, on its own.
    pub fn route(&self, phase: Phase) -> Effect {
        let payload = serde_json::to_string(&Again { phase }).unwrap_or_else(|_| "{}".to_owned());
        self.job("route", payload, "received", None)
    }

    fn job(
        &self,
        kind: &str,
        payload: String,
        dedupe_key: &str,
        ordering_key: Option<String>,
    ) -> Effect {
        Effect::Enqueue(wit::NewJob {
            kind: kind.to_owned(),
            payload,
            due_at: self.now,
            ordering_key,
            dedupe_key: Some(dedupe_key.to_owned()),
            traceparent: self.traceparent.clone(),
            about_message: true,
        })
    }
}

fn change(changes: &Changes) -> Effect {
    let status = match changes.status.as_deref() {
        Some("open") => Some(rows::ConversationStatus::Open),
        Some("pending") => Some(rows::ConversationStatus::Pending),
        Some("resolved") => Some(rows::ConversationStatus::Resolved),
        _ => None,
    };
    let priority = match changes.priority.as_deref() {
        Some("low") => Some(rows::Priority::Low),
        Some("normal") => Some(rows::Priority::Normal),
        Some("high") => Some(rows::Priority::High),
        Some("urgent") => Some(rows::Priority::Urgent),
        _ => None,
    };
    Effect::ChangeConversation(wit::ConversationChange {
        status,
        snoozed_until: None,
        priority,
        assignee: changes.assignee.clone(),
        add_tags: changes.add_tags.clone(),
        remove_tags: changes.remove_tags.clone(),
    })
}

fn verdict(verdict: router::Verdict) -> Verdict {
    match verdict {
        router::Verdict::Matched => Verdict::Matched,
        router::Verdict::NotMatched => Verdict::NotMatched,
        router::Verdict::Failed => Verdict::Failed,
        router::Verdict::Skipped => Verdict::Skipped,
    }
}
