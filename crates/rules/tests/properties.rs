//! Whatever text a rule or the facts hold, both functions answer.

use chatly_rules::{StoredRule, check, route};
use proptest::prelude::*;

fn rule(condition: String, actions: String) -> StoredRule {
    StoredRule {
        id: "r".to_owned(),
        condition,
        actions,
        ..StoredRule::default()
    }
}

/// Words of the language in any order: near enough to sound conditions to get past the parser.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "message.text",
        "contact.tags",
        "contact.attributes",
        "lead.score",
        ".x",
        "[0]",
        "now",
        "true",
        "\"a\"",
        "1",
        "-1",
        "1.5",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        "?",
        ":",
        "!",
        "-",
        "&&",
        "||",
        "==",
        "<",
        "+",
        "*",
        "/",
        "%",
        "in",
        ".exists(t, ",
        ".map(t, ",
        ".filter(t, ",
        "t",
        "has(",
        "size(",
        "int(",
        ".size()",
        ".lower()",
        ".matches(\"a+\")",
        "ñ",
        "'",
        "`a`",
        "\\",
        "//",
        "\n",
        ".contains(",
        "enrichment.entities",
        "e",
        "9223372036854775807",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(condition in ".{0,300}", actions in ".{0,100}", facts in ".{0,100}") {
        let rules = [rule(condition, actions)];
        check(&rules);
        prop_assert_eq!(route(&rules, &facts).explanations.len(), 1);
    }

    #[test]
    fn any_words_get_an_answer(condition in words()) {
        let rules = [rule(condition, "[{\"do\":\"enrich\"}]".to_owned())];
        let defects = check(&rules);
        prop_assert!(defects.iter().all(|defect| defect.line > 0 && defect.column > 0));
        let facts = "{\"contact\":{\"tags\":[\"a\"],\"attributes\":{\"x\":1}}}";
        prop_assert_eq!(route(&rules, facts).explanations.len(), 1);
    }
}
