use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::action::Pick;
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
            "before it is given to a bot",
            Standing::default(),
            vec![reply("a"), to("bot"), json!({"do": "unmute"})],
            vec!["queued", "done", "done"],
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
fn what_a_rule_stopped_stays_stopped() {
    let tag = [decision("a", r#"{"do":"tag","tags":["hot"]}"#)];
    let first = plan(&tag, None);
    let skipped = first.explanation.replace("\"matched\"", "\"skipped\"");
    let again = plan(&tag, Some(&format!("[{skipped}]")));
    assert_eq!(again.changes, None);
    assert!(outcomes(&again)[0].starts_with("not done: an earlier rule"));
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
