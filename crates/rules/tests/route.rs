//! What rules do over facts, through the contract's two functions.

use chatly_rules::{StoredRule, Verdict, check, route};

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
fn conditions_are_decided_over_the_facts() {
    for (condition, want) in [
        ("true", Verdict::Matched),
        ("false", Verdict::NotMatched),
        (
            r#"enrichment.intent == "pricing" && lead.score > 60"#,
            Verdict::Matched,
        ),
        (
            "lead.score > 71.5 && lead.score < 72.5 && lead.score == 72.0",
            Verdict::Matched,
        ),
        (
            r#"message.text.lower().contains("precio")"#,
            Verdict::Matched,
        ),
        (
            r#"message.text.lower().endsWith("ärmel?")"#,
            Verdict::Matched,
        ),
        (
            r#"message.text.matches("(?i)\\bprecio\\b")"#,
            Verdict::Matched,
        ),
        (r#"message.text.matches(r"(?i)ÄRMEL")"#, Verdict::Matched),
        ("message.media == 2", Verdict::Matched),
        (r#"message.referral.source == """#, Verdict::Matched),
        (
            r#""vip" in contact.tags && !("x" in contact.tags)"#,
            Verdict::Matched,
        ),
        (
            r#"contact.tags.exists(t, t.startsWith("v"))"#,
            Verdict::Matched,
        ),
        (r#"contact.tags.all(t, t.size() > 2)"#, Verdict::NotMatched),
        (r#"contact.tags.exists_one(t, t == "es")"#, Verdict::Matched),
        (
            r#"contact.tags.filter(t, t != "es").size() == 1"#,
            Verdict::Matched,
        ),
        (
            r#""vip!" in contact.tags.map(t, t + "!")"#,
            Verdict::Matched,
        ),
        (
            r#"contact.tags.map(t, t == "es", size(t)) == [2]"#,
            Verdict::Matched,
        ),
        (
            r#"contact.identities.exists(i, i.scheme == "phone")"#,
            Verdict::Matched,
        ),
        (
            r#"contact.attributes.plan == "pro" && contact.attributes.seats >= 10"#,
            Verdict::Matched,
        ),
        (
            r#"contact.attributes["plan"] in ["pro", "team"]"#,
            Verdict::Matched,
        ),
        ("contact.attributes.on", Verdict::Matched),
        ("contact.attributes.seats", Verdict::Failed),
        ("contact.attributes.missing == 1", Verdict::Failed),
        (
            "has(contact.attributes.missing) && contact.attributes.missing == 1",
            Verdict::NotMatched,
        ),
        (
            "contact.attributes.missing == 1 && false",
            Verdict::NotMatched,
        ),
        ("contact.attributes.missing == 1 || true", Verdict::Matched),
        (r#"!("nothing" in contact.attributes)"#, Verdict::Matched),
        (r#""de" in contact.attributes.langs"#, Verdict::Matched),
        (r#"conversation.assignee == """#, Verdict::Matched),
        (
            r#""pricing" in enrichment.intents && "greeting" in enrichment.intents"#,
            Verdict::Matched,
        ),
        (
            r#"enrichment.entities.exists(e, e.kind == "money" && e.normalized == "")"#,
            Verdict::Matched,
        ),
        ("enrichment.confidence >= 1.0", Verdict::Matched),
        ("lead.score > 60 ? true : false", Verdict::Matched),
        ("contact.tags[5] == \"x\"", Verdict::Failed),
        ("1 / (now - 1000) == 1", Verdict::Failed),
        (
            "now * now * now * now * now * now * now > 0",
            Verdict::Failed,
        ),
        ("int(\"x\") == 1", Verdict::Failed),
        (
            "string(lead.score) == \"72\" && double(lead.score) == 72.0",
            Verdict::Matched,
        ),
        ("true // a comment", Verdict::Matched),
    ] {
        assert_eq!(check(&[rule(condition)]), [], "{condition}");
        let (got, reason) = verdict(condition, FACTS);
        assert_eq!(got, want, "{condition}: {reason}");
    }
}

#[test]
fn facts_that_nobody_gave_are_empty() {
    for condition in [
        r#"enrichment.intent == "pricing""#,
        "lead.score > 0",
        "enrichment.present",
        r#"enrichment.entities.exists(e, e.kind == "money")"#,
        r#""vip" in contact.tags"#,
        r#"message.text != """#,
        "has(contact.attributes.plan)",
    ] {
        for facts in [
            "{}",
            r#"{"enrichment":null,"lead":7,"contact":[],"message":"x"}"#,
        ] {
            let (got, reason) = verdict(condition, facts);
            assert_eq!(got, Verdict::NotMatched, "{condition}: {reason}");
        }
    }
}

#[test]
fn an_explanation_names_the_first_part_that_is_false() {
    for (condition, want) in [
        (
            r#"lead.score > 60 &&  lead.fit > 3"#,
            "not so: lead.fit > 3",
        ),
        ("(lead.score > 99) && true", "not so: (lead.score > 99)"),
        (
            "lead.score > 99 || lead.fit > 3",
            "not so: lead.score > 99 || lead.fit > 3",
        ),
    ] {
        assert_eq!(verdict(condition, FACTS).1, want, "{condition}");
    }
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

#[test]
fn a_condition_is_refused_with_its_place() {
    for (condition, place, part) in [
        ("", (1, 1), "empty"),
        ("foo", (1, 1), "unknown fact `foo`"),
        ("mesage.text == \"\"", (1, 1), "did you mean `message`"),
        (
            "true &&\n  message.txet == \"\"",
            (2, 10),
            "did you mean `text`",
        ),
        ("\"ñ\" == \"\" && ñ", (1, 14), "syntax"),
        ("lead.score >", (1, 13), "syntax"),
        ("lead.score > 1 lead", (1, 16), "syntax"),
        (
            "lead.score",
            (1, 5),
            "true or false; this is a whole number",
        ),
        ("\"x\"", (1, 1), "this is a text"),
        ("lead.score == \"6\"", (1, 12), "compares"),
        ("lead.score > \"6\"", (1, 12), "order"),
        ("lead.score && true", (1, 5), "`&&` needs"),
        ("contact.tags.exists(t, t)", (1, 24), "condition of a loop"),
        ("contact.tags.exists(message, true)", (1, 20), "is a fact"),
        ("message.text.exists(t, true)", (1, 8), "only lists"),
        ("contact.name == null", (1, 17), "ever null"),
        (
            "message.text.mathces(\"x\")",
            (1, 21),
            "did you mean `matches`",
        ),
        ("message.text.matches(message.id)", (1, 21), "in quotes"),
        ("message.text.matches(\"(\")", (1, 21), "wrong pattern"),
        ("\"a\" in message.text", (1, 5), "contains"),
        ("1 in contact.tags", (1, 3), "never holds"),
        ("{\"a\": 1}.a == 1", (1, 1), "no use"),
        ("b\"x\" == b\"x\"", (1, 1), "without `b`"),
        ("1u == 1u", (1, 1), "without `u`"),
        ("type(1) == int", (1, 1), "unknown function `type`"),
        ("dyn(1) == 1", (1, 1), "unknown function"),
        ("contact.tags + 1 == []", (1, 14), "add"),
        ("lead.score + 1.5 > 2.0", (1, 12), "add"),
        ("contact.?tags == []", (1, 8), "syntax"),
    ] {
        let defects = check(&[rule(condition)]);
        let [defect] = defects.as_slice() else {
            panic!("{condition}: {defects:?}");
        };
        assert_eq!(
            (defect.line, defect.column),
            place,
            "{condition}: {}",
            defect.reason
        );
        assert!(
            defect.reason.contains(part),
            "{condition}: {}",
            defect.reason
        );
        assert_eq!(verdict(condition, FACTS).0, Verdict::Failed, "{condition}");
    }
}

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

#[test]
fn broken_facts_fail_each_rule_and_no_more() {
    for facts in ["", "[]", "{", "null", "\"x\""] {
        let (got, reason) = verdict("true", facts);
        assert_eq!(
            (got, reason.as_str()),
            (Verdict::Failed, "the facts are not a JSON object"),
            "{facts}"
        );
    }
}

#[test]
fn wrong_actions_are_named() {
    for (actions, want) in [
        ("x", "then: no JSON"),
        ("{}", "then: must be a list"),
        ("[]", "then: must hold 1 to 16"),
        (
            r#"[{"do":"tgag"}]"#,
            "then[0].do: must be one of tag, untag",
        ),
        (
            r#"[{"do":"enrich"},{"do":"assign"}]"#,
            "then[1].to: is missing",
        ),
        (
            r#"[{"do":"assign","to":""}]"#,
            "then[0].to: must not be empty",
        ),
        (r#"[{"do":"enrich","to":"x"}]"#, "then[0].to: unknown field"),
        (
            r#"[{"do":"tag","tags":"x"}]"#,
            "then[0].tags: must be a list",
        ),
        (
            r#"[{"do":"tag","tags":["x",1]}]"#,
            "then[0].tags[1]: must be a text",
        ),
        (
            r#"[{"do":"set_priority","priority":"hihg"}]"#,
            "did you mean `high`?",
        ),
        (
            r#"[{"do":"set_status","status":"asleep"}]"#,
            "then[0].status: must be one of open",
        ),
        (
            r#"[{"do":"forward"}]"#,
            "then[0].url: give `url` or `endpoint`",
        ),
        (
            r#"[{"do":"forward","url":"https://x.y","endpoint":"n8n"}]"#,
            "not both",
        ),
        (
            r#"[{"do":"forward","url":"ftp://x.y"}]"#,
            "then[0].url: must be an address",
        ),
        (
            r#"[{"do":"forward","url":"https:///x"}]"#,
            "then[0].url: must be an address",
        ),
    ] {
        let broken = StoredRule {
            actions: actions.to_owned(),
            ..rule("true")
        };
        let defects = check(std::slice::from_ref(&broken));
        let [defect] = defects.as_slice() else {
            panic!("{actions}: {defects:?}");
        };
        assert!(defect.reason.contains(want), "{actions}: {}", defect.reason);
        assert_eq!((defect.line, defect.column), (0, 0));
        let outcome = route(&[broken], FACTS);
        assert_eq!(
            outcome.explanations[0].verdict,
            Verdict::Failed,
            "{actions}"
        );
        assert!(outcome.decisions.is_empty());
    }
}
