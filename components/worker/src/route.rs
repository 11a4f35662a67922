//! Runs the router and turns what follows into effects.

use chatly_canonical::Event;
use chatly_routing::{
    Changes, ContactChanges, Endpoints, Facts, Forward, Ground, Phase, Pick, Plan, Ran, Tried,
};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::bindings::chatly::store::effects::{self as wit, Effect};
use crate::bindings::chatly::store::rows;
use crate::reply;
use crate::rules::Rules;

chatly_routing::runs_of_router!(crate::bindings::chatly::router::router);

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
    /// The run of a tenant without rules.
    pub fn empty(phase: Phase) -> Run {
        let plan = Plan::new(phase, &[], &[], Ground::of(&Endpoints::new()));
        let tried = vec![];
        Run { plan, tried }
    }

    /// Routes a message that arrived at `arrived_at`; `earlier` holds the explanations that it has.
    pub fn new(
        phase: Phase,
        rules: &Rules,
        facts: &Facts,
        earlier: Option<&str>,
        arrived_at: u64,
    ) -> Run {
        let Ran {
            tried, decisions, ..
        } = ask(phase, &rules.rules, facts);
        let ground = Ground {
            earlier,
            standing: facts.standing.clone(),
            known: !facts.contact_id.is_empty() || !facts.identities.is_empty(),
            arrived_at,
            now: facts.now,
            ..Ground::of(&rules.endpoints)
        };
        Run {
            plan: Plan::new(phase, &tried, &decisions, ground),
            tried,
        }
    }

    /// The effects of the plan on the bound conversation and message.
    pub fn effects(&self, event: &Event, enrichment: Option<&str>, make: &Jobs) -> Vec<Effect> {
        let changes = self.plan.changes.iter().map(change);
        let contact = self.plan.contact.iter().map(change_contact);
        let forwards = self
            .plan
            .forwards
            .iter()
            .filter_map(|forward| self.forward(forward, event, enrichment, make));
        changes.chain(contact).chain(forwards).collect()
    }

    /// The effects of the plan's replies; they come after all others.
    pub fn replies(&self, channel: &str, make: &Jobs) -> Vec<Effect> {
        reply::effects(&self.plan.replies, channel, make)
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
            .map(|payload| make.enqueue("forward", payload, &dedupe_key, Some(forward.url.clone())))
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
        self.enqueue("enrich", "{}".to_owned(), "", None)
    }

    /// Another run of the rules, on its own.
    pub fn route(&self, phase: Phase) -> Effect {
        let payload = serde_json::to_string(&Again { phase }).unwrap_or_else(|_| "{}".to_owned());
        self.enqueue("route", payload, "received", None)
    }

    /// The effect that makes a job about the bound message.
    pub fn enqueue(
        &self,
        kind: &str,
        payload: String,
        dedupe_key: &str,
        ordering_key: Option<String>,
    ) -> Effect {
        Effect::Enqueue(self.job(kind, payload, dedupe_key, ordering_key))
    }

    /// A job about the bound message.
    pub fn job(
        &self,
        kind: &str,
        payload: String,
        dedupe_key: &str,
        ordering_key: Option<String>,
    ) -> wit::NewJob {
        wit::NewJob {
            kind: kind.to_owned(),
            payload,
            due_at: self.now,
            ordering_key,
            dedupe_key: Some(dedupe_key.to_owned()),
            traceparent: self.traceparent.clone(),
            about_message: true,
        }
    }
}

fn change(changes: &Changes) -> Effect {
    let status = match changes.status.as_deref() {
        Some("open") => Some(rows::ConversationStatus::Open),
        Some("pending") => Some(rows::ConversationStatus::Pending),
        Some("resolved") => Some(rows::ConversationStatus::Resolved),
        Some("snoozed") => Some(rows::ConversationStatus::Snoozed),
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
        snoozed_until: changes.snoozed_until,
        priority,
        assignee: changes.assignee.clone(),
        add_tags: changes.add_tags.clone(),
        remove_tags: changes.remove_tags.clone(),
        team: changes.team.clone(),
        pick: changes.pick.as_ref().map(pick),
        handover: changes.human.map(|human| match human {
            true => rows::Handover::Human,
            false => rows::Handover::Bot,
        }),
        muted_until: changes.muted_until,
    })
}

fn pick(pick: &Pick) -> wit::Pick {
    let (by, among) = match pick {
        Pick::RoundRobin(among) => (wit::PickBy::RoundRobin, among),
        Pick::LeastBusy(among) => (wit::PickBy::LeastBusy, among),
    };
    let among = among.clone();
    wit::Pick { by, among }
}

fn change_contact(changes: &ContactChanges) -> Effect {
    let attributes = &changes.attributes;
    Effect::ChangeContact(wit::ContactChange {
        add_tags: vec![],
        remove_tags: vec![],
        attributes: serde_json::to_string(attributes)
            .ok()
            .filter(|_| !attributes.is_empty()),
        stage: changes.stage.clone(),
    })
}
