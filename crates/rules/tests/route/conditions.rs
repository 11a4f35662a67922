//! What conditions and facts give, and why.

use chatly_rules::{Verdict, check};

use crate::{FACTS, rule, verdict};

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
