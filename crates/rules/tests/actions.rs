//! What actions are read as, what they become when a rule holds, and what is refused.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is all that it is for"
)]

use chatly_rules::{LAST_MS, Rule, StoredRule, Verdict, action, check, route};
use proptest::prelude::*;
use serde_json::{Value, json};

const FACTS: &str = r#"{
  "contact": {"name": "Ana", "attributes": {"plan": "pro"}},
  "message": {"text": "Hola"}, "lead": {"score": 72}, "now": 1000000
}"#;

fn rule(actions: &Value, strategy: &str) -> StoredRule {
    StoredRule {
        id: "r".to_owned(),
        name: "a rule".to_owned(),
        condition: "true".to_owned(),
        actions: actions.to_string(),
        strategy: strategy.to_owned(),
        ..StoredRule::default()
    }
}

/// What the only action becomes.
fn decided(action: &Value, strategy: &str) -> Value {
    let rule = rule(&json!([action]), strategy);
    assert_eq!(check(std::slice::from_ref(&rule)), [], "{action}");
    let outcome = route(&[rule], FACTS);
    assert_eq!(outcome.explanations[0].verdict, Verdict::Matched);
    serde_json::from_str(&outcome.decisions[0].action).unwrap()
}

#[test]
fn actions_become_what_is_carried_out() {
    let template =
        json!({"name": "hello", "language": "es", "components": [{"text": "{{contact.name}}"}]});
    let filled = json!({"name": "hello", "language": "es", "components": [{"text": "Ana"}]});
    for (action, want) in [
        (json!({"do": "tag", "tags": ["a"]}), None),
        (json!({"do": "untag", "tags": ["a"]}), None),
        (json!({"do": "assign", "to": "ann"}), None),
        (json!({"do": "assign", "team": "sales"}), None),
        (
            json!({"do": "assign", "team": "sales", "round_robin": ["ann", "ben"]}),
            None,
        ),
        (json!({"do": "assign", "least_busy": ["ann"]}), None),
        (json!({"do": "set_status", "status": "pending"}), None),
        (json!({"do": "set_status", "status": "snoozed"}), None),
        (
            json!({"do": "set_status", "status": "snoozed", "until": 5}),
            None,
        ),
        (
            json!({"do": "set_status", "status": "snoozed", "for": "2h"}),
            Some(json!({"do": "set_status", "status": "snoozed", "until": 8_200_000})),
        ),
        (
            json!({"do": "set_status", "status": "snoozed", "until": "1970-01-01T00:00:07Z"}),
            Some(json!({"do": "set_status", "status": "snoozed", "until": 7000})),
        ),
        (json!({"do": "handover", "to": "human"}), None),
        (json!({"do": "handover", "to": "bot"}), None),
        (
            json!({"do": "set_attribute", "name": "plan", "value": 3}),
            None,
        ),
        (
            json!({"do": "set_attribute", "name": "plan", "value": null}),
            None,
        ),
        (
            json!({"do": "set_attribute", "name": "said", "value": "{{message.text}}!"}),
            Some(json!({"do": "set_attribute", "name": "said", "value": "Hola!"})),
        ),
        (json!({"do": "set_stage", "stage": "customer"}), None),
        (
            json!({"do": "mute"}),
            Some(json!({"do": "mute", "until": LAST_MS})),
        ),
        (
            json!({"do": "mute", "for": "10s"}),
            Some(json!({"do": "mute", "until": 1_010_000})),
        ),
        (json!({"do": "unmute"}), None),
        (
            json!({"do": "reply", "text": "Hi {{contact.username|{{}} {{lead.score}}"}),
            Some(json!({"do": "reply", "message": {"type": "text", "text": "Hi {{ 72"}})),
        ),
        (
            json!({"do": "reply", "text": "Hi", "fallback": template}),
            Some(json!({
                "do": "reply", "message": {"type": "text", "text": "Hi"},
                "fallback": {"type": "template", "template": filled},
            })),
        ),
        (
            json!({"do": "reply", "template": template}),
            Some(json!({"do": "reply", "message": {"type": "template", "template": filled}})),
        ),
    ] {
        assert_eq!(
            decided(&action, ""),
            want.unwrap_or_else(|| action.clone()),
            "{action}"
        );
        let read = action::read_all(&json!([action]).to_string()).unwrap();
        let again = Value::Array(read.iter().map(|action| action.to_json()).collect());
        assert_eq!(action::read_all(&again.to_string()), Ok(read), "{action}");
    }
}

#[test]
fn a_reply_says_how_bursts_are_answered() {
    let reply = json!({"do": "reply", "text": "Hi"});
    for (strategy, want) in [
        ("", Value::Null),
        ("each", Value::Null),
        ("queue", json!("queue")),
        ("latest", json!("latest")),
        ("debounce 5s", json!({"debounce_ms": 5000})),
    ] {
        assert_eq!(decided(&reply, strategy)["strategy"], want, "{strategy}");
    }
    let tag = json!({"do": "tag", "tags": ["a"]});
    assert_eq!(decided(&tag, "latest"), tag, "only replies wait");
    let wrong = rule(&json!([reply]), "sometimes");
    let defects = check(std::slice::from_ref(&wrong));
    assert!(
        defects[0].reason.starts_with("strategy: must be each"),
        "{defects:?}"
    );
    let outcome = route(&[wrong], FACTS);
    assert_eq!(outcome.explanations[0].verdict, Verdict::Failed);
    assert!(outcome.decisions.is_empty());
    let written = |strategy: &str| {
        Rule::from_json(
            &json!({"name": "n", "when": "true", "then": [reply], "strategy": strategy}),
        )
    };
    assert_eq!(
        written("debounce 60s").unwrap().stored("r").strategy,
        "debounce 1m"
    );
    let error = written("debounce").unwrap_err().to_string();
    assert!(error.starts_with("strategy: must be each"), "{error}");
}

#[test]
fn a_wrong_action_is_named() {
    for (action, want) in [
        (json!({"do": "assign"}), "then[0].to: is missing"),
        (
            json!({"do": "assign", "to": "a", "least_busy": ["b"]}),
            "give one of",
        ),
        (json!({"do": "assign", "round_robin": []}), "1 to 50 agents"),
        (
            json!({"do": "assign", "round_robin": vec!["a"; 51]}),
            "1 to 50 agents",
        ),
        (
            json!({"do": "assign", "round_robin": ["a", "a"]}),
            "names \"a\" twice",
        ),
        (json!({"do": "assign", "least_busy": "a"}), "must be a list"),
        (
            json!({"do": "set_status", "status": "open", "for": "2h"}),
            "for: unknown field",
        ),
        (
            json!({"do": "set_status", "status": "snoozed", "for": "2 h"}),
            "for: must be a time",
        ),
        (
            json!({"do": "set_status", "status": "snoozed", "until": "tomorrow"}),
            "until: must be a time",
        ),
        (json!({"do": "mute", "for": "2h", "until": 5}), "not both"),
        (
            json!({"do": "handover", "to": "ann"}),
            "to: must be one of human, bot",
        ),
        (
            json!({"do": "set_stage", "stage": "costumer"}),
            "did you mean `customer`?",
        ),
        (
            json!({"do": "set_attribute", "name": "x", "value": [1]}),
            "must be a text, a number",
        ),
        (
            json!({"do": "set_attribute", "name": "x", "value": "{{x}}"}),
            "value: unknown fact",
        ),
        (
            json!({"do": "set_attribute", "name": "x", "value": "v".repeat(513)}),
            "longer than 512",
        ),
        (
            json!({"do": "reply"}),
            "then[0].text: give `text` or `template`",
        ),
        (
            json!({"do": "reply", "text": " "}),
            "text: must not be empty",
        ),
        (
            json!({"do": "reply", "text": "x".repeat(4097)}),
            "longer than 4096",
        ),
        (
            json!({"do": "reply", "text": "{{contact.nam}}"}),
            "did you mean `name`?",
        ),
        (
            json!({"do": "reply", "text": "x", "template": {"name": "a", "language": "en"}}),
            "not both",
        ),
        (
            json!({"do": "reply", "template": {"name": "a", "language": "en"}, "fallback": {"name": "a", "language": "en"}}),
            "fallback: a template needs none",
        ),
        (
            json!({"do": "reply", "template": {"name": "a"}}),
            "then[0].template.language: is missing",
        ),
        (
            json!({"do": "reply", "text": "x", "fallback": "hello"}),
            "then[0].fallback: must be an object",
        ),
        (
            json!({"do": "reply", "template": {"name": "a", "language": "en", "components": {}}}),
            "template.components: must be a list",
        ),
    ] {
        let broken = rule(&json!([action]), "");
        let defects = check(std::slice::from_ref(&broken));
        let [defect] = defects.as_slice() else {
            panic!("{action}: {defects:?}");
        };
        assert!(defect.reason.contains(want), "{action}: {}", defect.reason);
    }
}

#[test]
fn hostile_actions_are_refused_and_other_rules_still_run() {
    let nested = (0..60).fold(json!("x"), |inner, _| json!([inner]));
    let template = |components: Value| json!([{"do": "reply", "template": {"name": "a", "language": "en", "components": components}}]);
    for (name, actions) in [
        ("deep components", template(nested).to_string()),
        (
            "huge components",
            template(json!(["x".repeat(9000)])).to_string(),
        ),
        (
            "places in components",
            template(json!(["{{now}}".repeat(40)])).to_string(),
        ),
        (
            "a thousand places",
            json!([{"do": "reply", "text": "{{now}}".repeat(500)}]).to_string(),
        ),
        (
            "a huge text",
            json!([{"do": "reply", "text": "x".repeat(1_000_000)}]).to_string(),
        ),
        (
            "a huge name",
            json!([{"do": "set_attribute", "name": "n".repeat(100_000)}]).to_string(),
        ),
        (
            "deep JSON",
            format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        ),
        (
            "a place in a place",
            json!([{"do": "reply", "text": "{{contact.{{now}}}}"}]).to_string(),
        ),
        (
            "many actions",
            json!(vec![json!({"do": "enrich"}); 17]).to_string(),
        ),
    ] {
        let hostile = StoredRule {
            actions,
            ..rule(&json!([]), "")
        };
        let sound = StoredRule {
            id: "sound".to_owned(),
            ..rule(&json!([{"do": "reply", "text": "Hi {{contact.name}}"}]), "")
        };
        assert_eq!(check(std::slice::from_ref(&hostile)).len(), 1, "{name}");
        let outcome = route(&[hostile, sound], FACTS);
        let verdicts: Vec<_> = outcome.explanations.iter().map(|it| it.verdict).collect();
        assert_eq!(verdicts, [Verdict::Failed, Verdict::Matched], "{name}");
        assert_eq!(outcome.decisions.len(), 1, "{name}");
    }
}

#[test]
fn a_filled_reply_is_bounded() {
    let text = "{{contact.name}}".repeat(30);
    let name = "ñ".repeat(600);
    let facts = json!({"contact": {"name": name}, "now": 1}).to_string();
    let outcome = route(&[rule(&json!([{"do": "reply", "text": text}]), "")], &facts);
    let action: Value = serde_json::from_str(&outcome.decisions[0].action).unwrap();
    let said = action["message"]["text"].as_str().unwrap();
    assert_eq!(said.chars().count(), 4096);
}

/// Every fact and every action stands in the documentation.
#[test]
fn the_documentation_names_all_facts_and_actions() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md");
    let text = std::fs::read_to_string(path).unwrap();
    for name in chatly_rules::fact_names() {
        let object = name.split('.').next().unwrap();
        let field = name.rsplit('.').next().unwrap();
        let row = |line: &&str| {
            line.starts_with(&format!("| `{object}"))
                && (line.contains(&format!("`{name}`")) || line.contains(&format!("`.{field}`")))
        };
        assert!(text.lines().any(|line| row(&line)), "{name}");
    }
    for kind in action::KINDS {
        assert!(text.contains(&format!("`{kind}`")), "{kind}");
    }
}

proptest! {
    #[test]
    fn any_action_gets_an_answer(
        kind in prop::sample::select(action::KINDS.to_vec()), value in ".{0,40}", number in any::<u64>(),
    ) {
        for field in ["text", "until", "for", "to", "value", "name", "stage", "status", "template"] {
            for value in [json!(value), json!(number), json!([value]), json!({"name": value, "language": value})] {
                let mut action = json!({"do": kind, "name": "n", "status": "snoozed"});
                action[field] = value;
                let rules = [rule(&json!([action]), "latest")];
                let sound = check(&rules).is_empty();
                let outcome = route(&rules, FACTS);
                prop_assert_eq!(outcome.explanations.len(), 1);
                prop_assert_eq!(sound, outcome.explanations[0].verdict == Verdict::Matched);
            }
        }
    }
}

/// A conversation with a lead of `fit`, an urgent message, and what a model would answer.
fn enriched(fit: u8, urgency: &str, suggested: &str) -> String {
    json!({
        "lead": {"fit": fit, "score": 80, "bant": {"budget": 60, "authority": 0, "need": 50, "timing": 90}},
        "enrichment": {"present": true, "urgency": urgency, "topics": ["sofas"],
            "summary": "Asks for a sofa.", "suggested_reply": suggested},
    })
    .to_string()
}

#[test]
fn a_fitting_lead_in_a_hurry_is_assigned() {
    let fits = r#"lead.fit > 70 && enrichment.urgency == "high""#;
    let sides = r#"lead.bant.budget + lead.bant.timing >= 150 && lead.bant.authority == 0
        && "sofas" in enrichment.topics && enrichment.summary.contains("sofa")"#;
    for (condition, fit, urgency, want) in [
        (fits, 71, "high", Verdict::Matched),
        (fits, 70, "high", Verdict::NotMatched),
        (fits, 71, "normal", Verdict::NotMatched),
        (sides, 0, "low", Verdict::Matched),
    ] {
        let rule = StoredRule {
            condition: condition.to_owned(),
            ..rule(&json!([{"do": "assign", "to": "sales"}]), "")
        };
        assert_eq!(check(std::slice::from_ref(&rule)), []);
        let outcome = route(&[rule], &enriched(fit, urgency, ""));
        let tried = &outcome.explanations[0];
        assert_eq!(
            tried.verdict, want,
            "{condition} {fit} {urgency}: {}",
            tried.reason
        );
        let assigned: Vec<&str> = outcome
            .decisions
            .iter()
            .map(|it| it.action.as_str())
            .collect();
        let all = [r#"{"do":"assign","to":"sales"}"#];
        assert_eq!(
            assigned,
            if want == Verdict::Matched {
                &all[..]
            } else {
                &[]
            }
        );
    }
}

#[test]
fn a_suggested_reply_is_given_whole_and_none_is_not_given() {
    let suggest = json!({"do": "reply", "text": "{{enrichment.suggested_reply}}"});
    let greet =
        json!({"do": "reply", "text": "{{enrichment.suggested_reply|One moment, please.}}"});
    let tag = json!({"do": "tag", "tags": ["a"]});
    let long = "word ".repeat(300);
    for (name, actions, suggested, want, verdict) in [
        (
            "whole",
            json!([suggest]),
            long.as_str(),
            vec![long.trim()],
            Verdict::Matched,
        ),
        ("none", json!([suggest]), "", vec![], Verdict::NotMatched),
        (
            "blank",
            json!([suggest]),
            " \n ",
            vec![],
            Verdict::NotMatched,
        ),
        (
            "default",
            json!([greet]),
            "",
            vec!["One moment, please."],
            Verdict::Matched,
        ),
        (
            "beside another",
            json!([suggest, tag]),
            "",
            vec![""],
            Verdict::Matched,
        ),
    ] {
        let outcome = route(&[rule(&actions, "")], &enriched(0, "low", suggested));
        let said: Vec<String> = outcome
            .decisions
            .iter()
            .map(|it| {
                let action: Value = serde_json::from_str(&it.action).unwrap();
                action["message"]["text"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect();
        assert_eq!(said, want, "{name}");
        let tried = &outcome.explanations[0];
        assert_eq!(tried.verdict, verdict, "{name}");
        let told = tried.reason.contains("its reply has no text");
        assert_eq!(
            told,
            suggested.trim().is_empty() && name != "default",
            "{name}"
        );
    }
}
