//! Rules from a `rules.toml`: a list of `[[rule]]`, in the words of the API, and of `[[test]]`. Every
//! error says which line of the file.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::read::WrongField;
use crate::rule::{Error, Rule};
use crate::testing::Test;

/// Largest file, in bytes: a thousand rules at a kilobyte, four times over.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Where a file of rules is wrong: `rules.toml:12: rule "vip": then[1].to: is missing`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {}{reason}", rule.as_ref().map(|rule| format!("{rule}: ")).unwrap_or_default())]
pub struct Defect {
    /// The file's name, as given.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// `rule "vip"`, or `rule 3` for one without a name, tests alike; none where the file is no TOML.
    pub rule: Option<String>,
    /// What is wrong, for people.
    pub reason: String,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// In the order of the file.
    pub rules: Vec<Rule>,
    /// In the order of the file.
    pub tests: Vec<Test>,
}

/// The rules of a file; or everything that is wrong with it, one defect a rule or test.
pub fn check_file(name: &str, text: &str) -> Result<Vec<Rule>, Vec<Defect>> {
    read_file(name, text).map(|contents| contents.rules)
}

/// The rules and tests of a file; or everything that is wrong with it, one defect a rule or test.
pub fn read_file(name: &str, text: &str) -> Result<Contents, Vec<Defect>> {
    let file = File { name, text };
    let table = file.table().map_err(|defect| vec![defect])?;
    let mut defects = Vec::new();
    for (key, value) in table.get_ref() {
        let is_known = matches!(key.get_ref().as_ref(), "rule" | "test");
        if !is_known || value.get_ref().as_array().is_none() {
            let reason = format!(
                "`{}` is not known here; rules are `[[rule]]`, tests `[[test]]`",
                key.get_ref()
            );
            defects.push(file.defect(key.span().start, None, reason));
        }
    }
    let items = |name: &str| {
        table
            .get_ref()
            .get(name)
            .and_then(|it| it.get_ref().as_array())
    };
    let rules = file.rules(items("rule").into_iter().flatten(), &mut defects);
    let tests = file.tests(items("test").into_iter().flatten(), &rules, &mut defects);
    if defects.is_empty() {
        Ok(Contents { rules, tests })
    } else {
        defects.sort_by_key(|defect| defect.line);
        Err(defects)
    }
}

struct File<'a> {
    name: &'a str,
    text: &'a str,
}

/// Where each field of a rule stands, by its path.
type Places = HashMap<String, Range<usize>>;

impl<'a> File<'a> {
    fn table(&self) -> Result<Spanned<DeTable<'a>>, Defect> {
        if self.text.len() > MAX_FILE_BYTES {
            let reason = format!("larger than {MAX_FILE_BYTES} bytes");
            return Err(self.defect(0, None, reason));
        }
        DeTable::parse(self.text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            self.defect(start, None, error.message().to_owned())
        })
    }

    /// The sound ones.
    fn rules<'i>(
        &self,
        items: impl Iterator<Item = &'i Spanned<DeValue<'a>>>,
        defects: &mut Vec<Defect>,
    ) -> Vec<Rule>
    where
        'a: 'i,
    {
        let mut rules = Vec::new();
        let mut ids = HashMap::new();
        for (index, item) in items.enumerate() {
            match self.rule(index, item) {
                Ok(rule) => {
                    let first = rule.id.clone().and_then(|id| ids.insert(id, index + 1));
                    if let Some(first) = first {
                        let reason = format!("id: rule {first} has the same");
                        let named = format!("rule \"{}\"", rule.name);
                        defects.push(self.defect(item.span().start, Some(named), reason));
                    }
                    rules.push(rule);
                }
                Err(defect) => defects.push(defect),
            }
        }
        rules
    }

    /// The sound ones. A rule that a test names must be there, unless some could not be read.
    fn tests<'i>(
        &self,
        items: impl Iterator<Item = &'i Spanned<DeValue<'a>>>,
        rules: &[Rule],
        defects: &mut Vec<Defect>,
    ) -> Vec<Test>
    where
        'a: 'i,
    {
        let names = defects.is_empty().then(|| {
            let names = rules.iter().map(|rule| rule.name.as_str());
            names.collect::<Vec<_>>()
        });
        let mut tests = Vec::new();
        for (index, item) in items.enumerate() {
            let mut places = Places::new();
            let json = to_json(item, String::new(), &mut places);
            let start = item.span().start;
            let test = Test::from_json(&json, self.line(start)).and_then(|test| {
                match names.as_ref().and_then(|names| test.unknown_rule(names)) {
                    None => Ok(test),
                    Some(at) => {
                        let path = format!("rules[{at}]");
                        Err(WrongField::new(path, "no rule has this name"))
                    }
                }
            });
            match test {
                Ok(test) => tests.push(test),
                Err(error) => {
                    let error = Error::Field(error);
                    let byte = place(&places, &error).unwrap_or(start);
                    let named = named("test", &json, index);
                    defects.push(self.defect(byte, Some(named), error.to_string()));
                }
            }
        }
        tests
    }

    fn rule(&self, index: usize, item: &Spanned<DeValue<'a>>) -> Result<Rule, Defect> {
        let mut places = Places::new();
        let json = to_json(item, String::new(), &mut places);
        let named = named("rule", &json, index);
        Rule::from_json(&json).map_err(|error| {
            let byte = place(&places, &error).unwrap_or(item.span().start);
            let mut defect = self.defect(byte, Some(named), error.to_string());
            if let Error::Condition(flaw) = &error {
                // In a text of several lines the condition's own lines count on.
                let opening = self.text.get(byte..byte + 4).unwrap_or_default();
                let own_line = opening.starts_with("\"\"\"\n") || opening.starts_with("'''\n");
                defect.line += flaw.line.saturating_sub(1) as usize + usize::from(own_line);
            }
            defect
        })
    }

    fn defect(&self, byte: usize, rule: Option<String>, reason: String) -> Defect {
        Defect {
            file: self.name.to_owned(),
            line: self.line(byte),
            rule,
            reason,
        }
    }

    /// The line of a byte, from 1.
    fn line(&self, byte: usize) -> usize {
        let before = self.text.get(..byte).unwrap_or(self.text);
        before.matches('\n').count() + 1
    }
}

/// `rule "vip"`, or `rule 3` for one without a name.
fn named(what: &str, json: &Value, index: usize) -> String {
    match json.get("name").and_then(Value::as_str) {
        Some(name) => format!("{what} \"{name}\""),
        None => format!("{what} {}", index + 1),
    }
}

/// Where the error's field stands, or the nearest that is there and holds it.
fn place(places: &Places, error: &Error) -> Option<usize> {
    let mut path = match error {
        Error::Field(field) => field.path.as_str(),
        Error::Condition(_) => "when",
        Error::Json(_) => "",
    };
    loop {
        if let Some(span) = places.get(path) {
            return Some(span.start);
        }
        let (outer, _) = path.rsplit_once(['.', '['])?;
        path = outer;
    }
}

fn to_json(value: &Spanned<DeValue<'_>>, path: String, places: &mut Places) -> Value {
    let json = match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        // What is no decimal number of 64 bits stays a text, and is refused where one is needed.
        DeValue::Integer(number) => match number.to_string().parse::<i64>() {
            Ok(number) => Value::from(number),
            Err(_) => Value::from(number.to_string()),
        },
        DeValue::Float(number) => Value::from(number.to_string()),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(time) => Value::from(time.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(index, item)| to_json(item, format!("{path}[{index}]"), places))
                .collect()
        }
        DeValue::Table(table) => {
            let mut fields = Map::new();
            for (key, field) in table {
                let name = key.get_ref().as_ref();
                let inner = match path.as_str() {
                    "" => name.to_owned(),
                    path => format!("{path}.{name}"),
                };
                fields.insert(name.to_owned(), to_json(field, inner, places));
            }
            Value::Object(fields)
        }
    };
    places.insert(path, value.span());
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
[[rule]]
name = "vip"
priority = 10
when = '"vip" in contact.tags'
stop = true
[[rule.then]]
do = "assign"
to = "team-a"
[[rule.then]]
do = "set_priority"
priority = "high"

[[rule]]
id = "price"
name = "price questions"
when = '''
enrichment.intent == "pricing" &&
lead.score > 60'''
then = [{ do = "forward", endpoint = "n8n" }]
"#;

    #[test]
    fn a_sound_file_gives_its_rules() {
        let rules = check_file("rules.toml", SOUND).unwrap();
        let seen: Vec<_> = rules
            .iter()
            .map(|rule| {
                (
                    rule.name.as_str(),
                    rule.priority,
                    rule.then.len(),
                    rule.stop,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [("vip", 10, 2, true), ("price questions", 100, 1, false)]
        );
        for rule in rules {
            assert_eq!(Rule::from_json(&rule.to_json()), Ok(rule));
        }
    }

    #[test]
    fn each_defect_names_line_rule_and_field() {
        for (from, to, want) in [
            (
                "to = \"team-a\"\n",
                "\n",
                "rules.toml:7: rule \"vip\": then[0].to: is missing",
            ),
            (
                "to = \"team-a\"",
                "to = 7",
                "rules.toml:9: rule \"vip\": then[0].to: must be a text",
            ),
            (
                "priority = 10",
                "prioriti = 10",
                "rules.toml:4: rule \"vip\": prioriti: unknown field; did you mean `priority`?",
            ),
            (
                "priority = 10",
                "priority = 1.5",
                "rules.toml:4: rule \"vip\": priority: must be a whole number of 32 bits",
            ),
            (
                "name = \"vip\"",
                "",
                "rules.toml:2: rule 1: name: is missing",
            ),
            (
                "contact.tags'",
                "contact.tgs'",
                "rules.toml:5: rule \"vip\": when: line 1, column 17: unknown fact `tgs`; did you mean `tags`?",
            ),
            (
                "lead.score",
                "lead.scor",
                "rules.toml:19: rule \"price questions\": when: line 2, column 5: unknown fact `scor`; did you mean `score`?",
            ),
            (
                "endpoint = \"n8n\"",
                "endpoint = \"\"",
                "rules.toml:20: rule \"price questions\": then[0].endpoint: must not be empty",
            ),
            (
                "[[rule]]\nid",
                "[[rules]]\nid",
                "rules.toml:14: `rules` is not known here; rules are `[[rule]]`, tests `[[test]]`",
            ),
            (
                "name = \"vip\"",
                "id = \"price\"\nname = \"vip\"",
                "rules.toml:15: rule \"price questions\": id: rule 1 has the same",
            ),
        ] {
            let text = SOUND.replacen(from, to, 1);
            let defects = check_file("rules.toml", &text).unwrap_err();
            assert_eq!(defects[0].to_string(), want);
        }
        let broken = check_file("rules.toml", "\n[[rule]\n").unwrap_err();
        assert!(
            broken[0].to_string().starts_with("rules.toml:2: "),
            "{}",
            broken[0]
        );
    }

    #[test]
    fn all_defects_are_told_at_once() {
        let text = SOUND.replace("when", "whem");
        assert_eq!(check_file("rules.toml", &text).unwrap_err().len(), 2);
    }
}
