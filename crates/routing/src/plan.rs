//! What follows from a router's answer: changes, forwards, replies, and the explanation for people.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::explanation::{Explanation, Followed, Phase, Tried, matched};
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

impl Plan {
    /// What follows from `decisions`.
    pub fn new(phase: Phase, tried: &[Tried], decisions: &[Decision], ground: Ground) -> Plan {
        let acted = matched(ground.earlier);
        let mut making = Making {
            plan: Plan::default(),
            ground,
        };
        let mut actions = Vec::with_capacity(decisions.len());
        for decision in decisions {
            let outcome = if acted.contains(&decision.rule_id) {
                "not again: this rule has acted on this message".to_owned()
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
                change(self.plan.changes.get_or_insert_default(), of_conversation);
                "done".to_owned()
            }
        }
    }

    /// Later replies find what has changed; earlier ones announce it.
    fn note(&mut self, action: &Action) {
        let standing = &mut self.ground.standing;
        match action {
            Action::Handover { to } => standing.human = to == "human",
            Action::Mute { until } => standing.muted_until = Some(*until),
            Action::Unmute => standing.muted_until = None,
            _ => return,
        }
        for reply in &mut self.plan.replies {
            reply.announces = true;
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

fn change(changes: &mut Changes, action: Action) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::explanation::{Verdict, put_off};

    const NOW: u64 = 1_000_000;

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
        let ground = Ground {
            earlier,
            endpoints: &endpoints,
            standing: Standing::default(),
            known: true,
            arrived_at: NOW - 10,
            now: NOW,
        };
        Plan::new(Phase::Received, &tried, decisions, ground)
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
                ..Changes::default()
            })
        );
        assert!(plan.enrich && plan.forwards.is_empty());
    }

    fn with(standing: Standing, known: bool, actions: &[Value]) -> Plan {
        let decisions: Vec<Decision> = actions
            .iter()
            .map(|action| decision("a", &action.to_string()))
            .collect();
        let ground = Ground {
            earlier: None,
            endpoints: &Endpoints::new(),
            standing,
            known,
            arrived_at: NOW - 10,
            now: NOW,
        };
        Plan::new(Phase::Received, &[], &decisions, ground)
    }

    fn reply(text: &str) -> Value {
        json!({"do": "reply", "message": {"type": "text", "text": text}})
    }

    #[test]
    fn the_newest_assignment_counts_and_a_team_stays() {
        let robin = json!({"do": "assign", "round_robin": ["ann", "ben"]});
        let pick = Some(Pick::RoundRobin(vec!["ann".into(), "ben".into()]));
        let to = json!({"do": "assign", "to": "eve", "team": "sales"});
        for (name, actions, assignee, pick, team) in [
            (
                "pick last",
                vec![to.clone(), robin.clone()],
                None,
                pick,
                Some("sales"),
            ),
            (
                "agent last",
                vec![robin, to],
                Some("eve"),
                None,
                Some("sales"),
            ),
            (
                "team only",
                vec![json!({"do": "assign", "team": "x"})],
                None,
                None,
                Some("x"),
            ),
        ] {
            let changes = with(Standing::default(), true, &actions).changes.unwrap();
            assert_eq!(changes.assignee.as_deref(), assignee, "{name}");
            assert_eq!(changes.pick, pick, "{name}");
            assert_eq!(changes.team.as_deref(), team, "{name}");
        }
    }

    #[test]
    fn a_snooze_a_handover_and_a_mute_become_changes() {
        for (action, want) in [
            (
                json!({"do": "set_status", "status": "snoozed", "until": 7}),
                Changes {
                    status: Some("snoozed".into()),
                    snoozed_until: Some(7),
                    ..Changes::default()
                },
            ),
            (
                json!({"do": "handover", "to": "human"}),
                Changes {
                    human: Some(true),
                    ..Changes::default()
                },
            ),
            (
                json!({"do": "handover", "to": "bot"}),
                Changes {
                    human: Some(false),
                    ..Changes::default()
                },
            ),
            (
                json!({"do": "mute", "until": 9}),
                Changes {
                    muted_until: Some(9),
                    ..Changes::default()
                },
            ),
            (
                json!({"do": "unmute"}),
                Changes {
                    muted_until: Some(0),
                    ..Changes::default()
                },
            ),
        ] {
            let plan = with(Standing::default(), true, std::slice::from_ref(&action));
            assert_eq!(plan.changes, Some(want), "{action}");
            assert_eq!(outcomes(&plan), ["done"], "{action}");
        }
    }

    #[test]
    fn a_contact_is_changed_only_when_it_is_known() {
        let actions = [
            json!({"do": "set_attribute", "name": "plan", "value": "pro"}),
            json!({"do": "set_attribute", "name": "old", "value": null}),
            json!({"do": "set_stage", "stage": "customer"}),
        ];
        let contact = with(Standing::default(), true, &actions).contact.unwrap();
        assert_eq!(
            Value::from(contact.attributes),
            json!({"plan": "pro", "old": null})
        );
        assert_eq!(contact.stage.as_deref(), Some("customer"));
        let unknown = with(Standing::default(), false, &actions);
        assert_eq!(unknown.contact, None);
        assert!(outcomes(&unknown)[0].starts_with("not done: nobody"));
    }

    #[test]
    fn a_reply_waits_as_its_strategy_says() {
        for (strategy, want, outcome) in [
            (Value::Null, Timing::Each, "queued"),
            (
                json!("queue"),
                Timing::Queue,
                "queued, after the reply before it has left",
            ),
            (
                json!("latest"),
                Timing::Latest,
                "queued, unless a newer message is answered instead",
            ),
            (
                json!({"debounce_ms": 5}),
                Timing::DebounceMs(5),
                "queued, once nothing came for 5 ms",
            ),
        ] {
            let mut action = reply("Hi");
            if !strategy.is_null() {
                action["strategy"] = strategy;
            }
            let plan = with(Standing::default(), true, &[action]);
            assert_eq!(plan.replies[0].timing, want);
            assert_eq!(plan.replies[0].decided_at, NOW - 10);
            assert_eq!(outcomes(&plan), [outcome]);
        }
        assert_eq!(
            outcomes(&with(Standing::default(), true, &[reply(" ")])),
            ["not done: the reply is empty"]
        );
    }

    #[test]
    fn replies_before_a_handover_announce_it_and_those_after_it_are_suppressed() {
        let person = "suppressed: the conversation is handed over to a person";
        let muted = "suppressed: the conversation is muted";
        let to = |to: &str| json!({"do": "handover", "to": to});
        let human = Standing {
            human: true,
            ..Standing::default()
        };
        for (name, standing, actions, want) in [
            (
                "before",
                Standing::default(),
                vec![reply("a"), to("human")],
                vec!["queued", "done"],
            ),
            (
                "after",
                Standing::default(),
                vec![to("human"), reply("a")],
                vec!["done", person],
            ),
            (
                "handed over already",
                human.clone(),
                vec![reply("a")],
                vec![person],
            ),
            (
                "given back",
                human,
                vec![to("bot"), reply("a")],
                vec!["done", "queued"],
            ),
            (
                "muted",
                Standing::default(),
                vec![json!({"do": "mute", "until": NOW + 1}), reply("a")],
                vec!["done", muted],
            ),
        ] {
            let plan = with(standing, true, &actions);
            assert_eq!(outcomes(&plan), want, "{name}");
            let announces: Vec<bool> = plan.replies.iter().map(|reply| reply.announces).collect();
            let given = want.iter().filter(|outcome| **outcome == "queued").count();
            assert_eq!(announces, vec![name == "before"; given], "{name}");
        }
    }

    #[test]
    fn one_run_answers_five_times_at_most() {
        let plan = with(Standing::default(), true, &vec![reply("a"); 7]);
        assert_eq!(plan.replies.len(), 5);
        assert!(
            outcomes(&plan)[5].starts_with("suppressed: 5 automatic replies"),
            "{:?}",
            outcomes(&plan)
        );
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
