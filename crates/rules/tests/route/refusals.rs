//! What is refused before it runs, with its place and in words.

use chatly_rules::{StoredRule, Verdict, check, route};

use crate::{FACTS, rule, verdict};

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
