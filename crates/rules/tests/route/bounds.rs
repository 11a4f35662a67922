//! What a hostile rule, a costly one and long facts can do.

use chatly_rules::{StoredRule, Verdict, check, route};

use crate::{FACTS, rule, verdict};

#[test]
fn hostile_rules_are_refused_or_fail_alone() {
    let loops = |depth: usize| {
        let open: String = (0..depth)
            .map(|i| format!("contact.tags.exists(t{i}, "))
            .collect();
        format!("{open}true{}", ")".repeat(depth))
    };
    let hostile = [
        (
            "brackets",
            format!("{}true{}", "(".repeat(10_000), ")".repeat(10_000)),
        ),
        (
            "brackets within the size",
            format!("{}true{}", "(".repeat(2000), ")".repeat(2000)),
        ),
        ("open brackets", "[".repeat(4000)),
        (
            "ternaries",
            format!("{}true", "true ? false : ".repeat(250)),
        ),
        ("signs", format!("{}true", "!".repeat(4000))),
        ("minus", format!("0 < {}1", "- ".repeat(1500))),
        ("a sum", format!("0 < {}", vec!["1"; 1000].join("+"))),
        (
            "fields",
            format!("contact.attributes{} == 1", ".a".repeat(1000)),
        ),
        (
            "huge text",
            format!("\"{}\" == message.text", "x".repeat(3000)),
        ),
        (
            "a repetition",
            "message.text.matches(\"[ -~]{0,2000}[^ -~]\")".to_owned(),
        ),
        (
            "repetitions of repetitions",
            "message.text.matches(\"(([a-z]{9}){9}){9}\")".to_owned(),
        ),
        ("three loops", loops(3)),
        ("twenty loops", loops(20)),
        (
            "loops in a row",
            format!(
                "size(contact.tags{}) > 0",
                ".map(a, contact.tags.map(b, a + b)[0])".repeat(20)
            ),
        ),
        (
            "growing texts",
            "size(contact.tags.map(a, contact.tags.map(b, message.text + message.text))) > 0"
                .to_owned(),
        ),
        (
            "heavy body",
            "contact.tags.exists(a, contact.tags.exists(b, message.text.lower().contains(a + b)))"
                .to_owned(),
        ),
        (
            "huge pattern",
            "message.text.matches(\"(\\\\w{99}){99}\")".to_owned(),
        ),
        (
            "nested pattern",
            format!(
                "message.text.matches(\"{}a{}\")",
                "(".repeat(99),
                ")".repeat(99)
            ),
        ),
        ("terms", format!("[{}] == [1]", vec!["1"; 400].join(","))),
    ];
    for (name, condition) in &hostile {
        let defects = check(&[rule(condition)]);
        assert_eq!(defects.len(), 1, "{name}");
        let rules = [
            rule(condition),
            StoredRule {
                id: "next".to_owned(),
                ..rule("true")
            },
        ];
        let outcome = route(&rules, FACTS);
        let verdicts: Vec<_> = outcome.explanations.iter().map(|e| e.verdict).collect();
        assert_eq!(verdicts, [Verdict::Failed, Verdict::Matched], "{name}");
    }
}

#[test]
fn a_loop_in_a_loop_over_tags_is_within_the_cost() {
    let condition = "contact.tags.exists(a, conversation.tags.exists(b, a == b))";
    assert_eq!(check(&[rule(condition)]), []);
}

#[test]
fn a_run_of_many_heavy_rules_ends_at_its_budget() {
    let heavy = rule("contact.tags.exists(a, conversation.tags.exists(b, a == b))");
    let outcome = route(&vec![heavy; 400], "{}");
    let last = outcome.explanations.last().unwrap();
    assert_eq!(last.verdict, Verdict::Failed);
    assert!(last.reason.contains("one run"), "{}", last.reason);
    assert_eq!(outcome.explanations[0].verdict, Verdict::NotMatched);
}

#[test]
fn long_facts_are_cut_before_a_rule_sees_them() {
    let facts = serde_json::json!({
        "message": {"text": "ñ".repeat(100_000)},
        "contact": {"name": "x".repeat(9999), "tags": vec!["t"; 5000]},
    });
    let condition =
        "size(message.text) == 8192 && size(contact.tags) == 100 && size(contact.name) == 512";
    let (got, reason) = verdict(condition, &facts.to_string());
    assert_eq!(got, Verdict::Matched, "{reason}");
}
