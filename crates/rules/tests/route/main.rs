//! What rules do over facts, through the contract's two functions.

mod bounds;
mod conditions;
mod refusals;

use chatly_rules::{StoredRule, Verdict, route};

const FACTS: &str = r#"{
  "event": {"kind": "message", "channel": "whatsapp", "account": "1", "at": 5, "standby": false},
  "message": {"id": "m1", "type": "text", "text": "Hola, ¿PRECIO del Ärmel?", "media": [{}, {}], "referral": null},
  "contact": {"id": "c1", "name": "Ana", "tags": ["vip", "es"],
    "attributes": {"plan": "pro", "seats": 12, "nothing": null, "on": true, "langs": ["es", "de"]},
    "identities": [{"scheme": "phone", "id": "123"}]},
  "conversation": {"id": "v1", "status": "open", "priority": "normal", "assignee": null, "tags": [], "message_count": 3},
  "enrichment": {"present": true, "language": "es", "intent": "pricing", "confidence": 1,
    "intents": [{"name": "pricing", "confidence": 0.9}, "greeting"],
    "entities": [{"kind": "money", "value": "500 USD", "normalized": null}]},
  "lead": {"score": 72, "stage": "engaged"},
  "now": 1000,
  "unheard_of": {}
}"#;

fn rule(condition: &str) -> StoredRule {
    StoredRule {
        id: "r1".to_owned(),
        name: "a rule".to_owned(),
        priority: 100,
        condition: condition.to_owned(),
        actions: r#"[{"do":"tag","tags":["x"]},{"do":"enrich"}]"#.to_owned(),
        ..StoredRule::default()
    }
}

fn verdict(condition: &str, facts: &str) -> (Verdict, String) {
    let outcome = route(&[rule(condition)], facts);
    let entry = outcome.explanations.into_iter().next();
    entry.map_or((Verdict::Failed, "nothing was tried".to_owned()), |entry| {
        (entry.verdict, entry.reason)
    })
}

#[test]
fn rules_run_by_priority_and_one_can_stop_the_rest() {
    let with = |id: &str, priority, condition: &str, stop| StoredRule {
        id: id.to_owned(),
        priority,
        stop,
        ..rule(condition)
    };
    let outcome = route(
        &[
            with("late", 200, "true", false),
            with("second", 10, "true", true),
            with("broken", 5, "contact.attributes.no", false),
            with("first", 10, "false", true),
        ],
        FACTS,
    );
    let tried: Vec<_> = outcome
        .explanations
        .iter()
        .map(|e| (e.rule_id.as_str(), e.verdict))
        .collect();
    assert_eq!(
        tried,
        [
            ("broken", Verdict::Failed),
            ("second", Verdict::Matched),
            ("first", Verdict::Skipped),
            ("late", Verdict::Skipped),
        ]
    );
    let decided: Vec<_> = outcome
        .decisions
        .iter()
        .map(|d| (d.rule_id.as_str(), d.action.as_str()))
        .collect();
    assert_eq!(
        decided,
        [
            ("second", r#"{"do":"tag","tags":["x"]}"#),
            ("second", r#"{"do":"enrich"}"#)
        ]
    );
}
