//! Tests of rules: `[[test]]` beside the `[[rule]]`s of a file. Facts in, what follows out.
//!
//! 1. Facts that a test does not name are those of a customer's text message in an open
//!    conversation within business hours ([`usual`]); what nobody names is empty.
//! 2. `rules` are the names of those that match, `actions` what is carried out, both in order and
//!    both complete. A test names one of them, or both.
//! 3. Expected actions are written as rules write them; replies are compared as the customer reads
//!    them.

use serde_json::{Map, Value, json};

use crate::action::{Action, parse};
use crate::read::{Object, WrongField};
use crate::router::{Outcome, StoredRule, Verdict, route};
use crate::rule::Rule;
use crate::schema::{FACTS, Field, Kind, find, suggestion};
use crate::strategy::Strategy;

const MAX_NAME_CHARS: usize = 128;

/// A test that can be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// For people.
    pub name: String,
    /// Line in the file, from 1.
    pub line: usize,
    facts: Value,
    rules: Option<Vec<String>>,
    actions: Option<Vec<Action>>,
}

impl Test {
    /// Reads a test.
    pub(crate) fn from_json(json: &Value, line: usize) -> Result<Test, WrongField> {
        let mut fields = Object::new(json, "")?;
        let name = fields.text("name", MAX_NAME_CHARS)?;
        let mut facts = usual();
        if let Some(given) = fields.get("facts") {
            merge(&mut facts, object(FACTS, given, "facts")?);
        }
        let rules = match fields.has("rules") {
            true => Some(fields.texts("rules", MAX_NAME_CHARS)?),
            false => None,
        };
        let actions = match fields.get("actions") {
            None => None,
            Some(Value::Array(items)) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| parse::action(item, &format!("actions[{index}]")))
                    .collect::<Result<_, _>>()?,
            ),
            Some(_) => return Err(fields.wrong("actions", "must be a list of actions")),
        };
        if rules.is_none() && actions.is_none() {
            return Err(fields.wrong(
                "rules",
                "is missing; say which `rules` match, or what `actions` follow",
            ));
        }
        fields.nothing_else()?;
        Ok(Test {
            name,
            line,
            facts,
            rules,
            actions,
        })
    }

    /// The place of the first expected rule that is none of `names`.
    pub(crate) fn unknown_rule(&self, names: &[&str]) -> Option<usize> {
        let mut expected = self.rules.iter().flatten();
        expected.position(|name| !names.contains(&name.as_str()))
    }

    /// Runs `rules` over the facts. Empty: all is as it should be; else one line for each thing that
    /// is not.
    pub fn run(&self, rules: &[Rule]) -> Vec<String> {
        self.run_by(rules, route)
    }

    /// The same by another router of the same contract, a plugin for example.
    pub fn run_by(
        &self,
        rules: &[Rule],
        route: impl FnOnce(&[StoredRule], &str) -> Outcome,
    ) -> Vec<String> {
        let stored: Vec<_> = rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.enabled)
            .map(|(index, rule)| rule.stored(&index.to_string()))
            .collect();
        let outcome = route(&stored, &self.facts.to_string());
        let of = |id: &str| id.parse().ok().and_then(|index: usize| rules.get(index));
        let mut failures: Vec<String> = outcome
            .explanations
            .iter()
            .filter(|tried| tried.verdict == Verdict::Failed)
            .filter_map(|tried| Some((of(&tried.rule_id)?, &tried.reason)))
            .map(|(rule, reason)| format!("rule \"{}\" failed: {reason}", rule.name))
            .collect();
        if let Some(want) = &self.rules {
            failures.extend(wrong_rules(want, &outcome, of));
        }
        if let Some(want) = &self.actions {
            failures.extend(self.wrong_actions(want, &outcome, of));
        }
        failures
    }

    fn wrong_actions<'r>(
        &self,
        want: &[Action],
        outcome: &Outcome,
        of: impl Fn(&str) -> Option<&'r Rule>,
    ) -> Vec<String> {
        let mut failures = Vec::new();
        for index in 0..want.len().max(outcome.decisions.len()) {
            let got = outcome.decisions.get(index);
            // A strategy is the rule's, not the action's.
            let rule = got.and_then(|decision| of(&decision.rule_id));
            let strategy = rule.map_or_else(Strategy::default, |rule| rule.strategy);
            let want = want.get(index).map(|it| it.decide(&self.facts, strategy));
            let is = got.and_then(|it| serde_json::from_str::<Value>(&it.action).ok());
            if want != is {
                let said = |it: &Option<Value>| {
                    it.as_ref()
                        .map_or_else(|| "nothing".to_owned(), Value::to_string)
                };
                let by = rule.map(|it| format!(", by rule \"{}\"", it.name));
                failures.push(format!(
                    "action {}: expected {}, got {}{}",
                    index + 1,
                    said(&want),
                    said(&is),
                    by.unwrap_or_default()
                ));
            }
        }
        failures
    }
}

fn wrong_rules<'r>(
    want: &[String],
    outcome: &Outcome,
    of: impl Fn(&str) -> Option<&'r Rule>,
) -> Option<String> {
    let matched = outcome
        .explanations
        .iter()
        .filter(|tried| tried.verdict == Verdict::Matched);
    let got: Vec<&str> = matched
        .filter_map(|tried| Some(of(&tried.rule_id)?.name.as_str()))
        .collect();
    (got != *want).then(|| format!("rules: expected {want:?}, got {got:?}"))
}

/// What a test begins with.
fn usual() -> Value {
    json!({
        "event": { "kind": "message", "channel": "whatsapp" },
        "message": { "type": "text" },
        "conversation": { "status": "open", "priority": "normal", "handover": "bot", "message_count": 1 },
        "time": { "zone": "UTC", "business_hours": true },
    })
}

/// Puts `over` into `under`, object by object.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                merge(under.entry(name).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

/// The facts of an object; refuses what the schema does not know.
fn object(known: &'static [Field], json: &Value, path: &str) -> Result<Value, WrongField> {
    let Some(given) = json.as_object() else {
        return Err(WrongField::new(path, "must be an object"));
    };
    let mut facts = Map::new();
    for (name, value) in given {
        let path = format!("{path}.{name}");
        let Some(field) = find(known, name) else {
            let hint = suggestion(known.iter().map(|field| field.name), name);
            return Err(WrongField::new(path, format!("unknown fact{hint}")));
        };
        facts.insert(name.clone(), fact(&field.kind, value, &path)?);
    }
    Ok(Value::Object(facts))
}

fn fact(kind: &'static Kind, json: &Value, path: &str) -> Result<Value, WrongField> {
    let wrong = |reason: &str| Err(WrongField::new(path, reason));
    match (kind, json) {
        (Kind::Bool, Value::Bool(_)) | (Kind::Text(_), Value::String(_)) => Ok(json.clone()),
        (Kind::Int, Value::Number(number)) if number.is_i64() => Ok(json.clone()),
        (Kind::Double, Value::Number(_)) => Ok(json.clone()),
        // A file's decimal numbers come as they are written.
        (Kind::Double, Value::String(text)) => match text.parse::<f64>() {
            Ok(number) => Ok(json!(number)),
            Err(_) => wrong("must be a number"),
        },
        (Kind::List(item), Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(index, json)| fact(item, json, &format!("{path}[{index}]")))
            .collect(),
        (Kind::Object(fields), _) => object(fields, json, path),
        (Kind::Attributes, Value::Object(_)) => Ok(json.clone()),
        (Kind::Bool, _) => wrong("must be true or false"),
        (Kind::Text(_), _) => wrong("must be a text"),
        (Kind::Int, _) => wrong("must be a whole number"),
        (Kind::Double, _) => wrong("must be a number"),
        (Kind::List(_), _) => wrong("must be a list"),
        (Kind::Attributes, _) => wrong("must be an object"),
    }
}

#[cfg(test)]
mod tests {
    use crate::file::read_file;

    const FILE: &str = r#"
[[rule]]
name = "greet"
when = 'conversation.message_count == 1 && !conversation.muted'
then = [{ do = "reply", text = "Hello {{contact.name|there}}!" }, { do = "tag", tags = ["new"] }]

[[rule]]
name = "sure price question"
when = 'enrichment.intent == "pricing" && enrichment.confidence > 0.5'
then = [{ do = "assign", to = "sales" }]

[[rule]]
name = "off"
enabled = false
when = 'true'
then = [{ do = "enrich" }]
"#;

    /// What fails of a file with this test behind its rules.
    fn failures(test: &str) -> Vec<String> {
        let text = format!("{FILE}\n[[test]]\nname = \"t\"\n{test}\n");
        let file = read_file("rules.toml", &text).unwrap();
        file.tests[0].run(&file.rules)
    }

    #[test]
    fn a_test_says_what_is_not_as_expected() {
        for (test, want) in [
            ("rules = [\"greet\"]", vec![]),
            (
                "facts = { contact = { name = \"Ana\" } }\nactions = [{ do = \"reply\", text = \"Hello Ana!\" }, { do = \"tag\", tags = [\"new\"] }]",
                vec![],
            ),
            (
                "facts = { conversation = { message_count = 2 } }\nrules = []\nactions = []",
                vec![],
            ),
            (
                "facts = { conversation = { message_count = 2 }, enrichment = { intent = \"pricing\", confidence = 0.75 } }\nrules = [\"sure price question\"]",
                vec![],
            ),
            (
                "facts = { enrichment = { intent = \"pricing\", confidence = 0.5 } }\nrules = [\"greet\", \"sure price question\"]",
                vec![r#"rules: expected ["greet", "sure price question"], got ["greet"]"#],
            ),
            (
                "actions = [{ do = \"reply\", text = \"Hello there!\" }]",
                vec![
                    r#"action 2: expected nothing, got {"do":"tag","tags":["new"]}, by rule "greet""#,
                ],
            ),
            (
                "facts = { conversation = { muted = true } }\nactions = [{ do = \"enrich\" }]",
                vec![r#"action 1: expected {"do":"enrich"}, got nothing"#],
            ),
        ] {
            assert_eq!(failures(test), want, "{test}");
        }
    }

    #[test]
    fn a_test_that_cannot_be_meant_is_a_defect_of_its_line() {
        for (test, want) in [
            (
                "",
                "rules: is missing; say which `rules` match, or what `actions` follow",
            ),
            (
                "rules = []\nfacts = { contact = { nam = \"Ana\" } }",
                "facts.contact.nam: unknown fact; did you mean `name`?",
            ),
            (
                "rules = []\nfacts = { contact = { tags = \"vip\" } }",
                "facts.contact.tags: must be a list",
            ),
            (
                "rules = []\nfacts = { lead = { score = \"high\" } }",
                "facts.lead.score: must be a whole number",
            ),
            (
                "actions = [{ do = \"tagg\", tags = [\"x\"] }]",
                "actions[0].do: must be one of",
            ),
            ("rules = []\nwhen = \"true\"", "when: unknown field"),
        ] {
            let text = format!("{FILE}\n[[test]]\nname = \"t\"\n{test}\n");
            let defects = read_file("rules.toml", &text).unwrap_err();
            let said = defects[0].to_string();
            let (place, reason) = said.split_once(": test \"t\": ").unwrap();
            assert!(reason.starts_with(want), "{said}");
            let line: usize = place.rsplit(':').next().unwrap().parse().unwrap();
            assert!((18..22).contains(&line), "{said}");
        }
        let twice = format!("{FILE}\n[[test]]\nname = \"t\"\nrules = [\"nobody\"]\n");
        let defects = read_file("rules.toml", &twice).unwrap_err();
        assert!(
            defects[0]
                .to_string()
                .ends_with("rules[0]: no rule has this name"),
            "{}",
            defects[0]
        );
    }
}
