//! Texts with places for facts: `Hello {{contact.name|there}}`.
//!
//! 1. A place names one fact that is a text, a number or true/false; anything else is refused when
//!    the rule is read. A fact that is empty, or not there, gives the default after `|`.
//! 2. What comes from a fact is cut at [`MAX_TEXT_CHARS`] (a suggested reply, which is a whole text, at
//!    [`MAX_SUGGESTION_CHARS`]), loses its control characters, and is not
//!    looked at for places again: a customer's name cannot ask for other facts.

use serde_json::Value;

use crate::facts::cut;
use crate::schema::{self, FACTS, Kind, MAX_SUGGESTION_CHARS, MAX_TEXT_CHARS};

/// Most places of one text.
const MAX_PLACES: usize = 32;

/// A text that was read and can be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    source: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Place {
        path: Vec<String>,
        default: String,
        max_chars: usize,
    },
}

impl Text {
    /// Reads a text; the error says what is wrong, for people.
    pub fn parse(source: &str) -> Result<Text, String> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((words, opened)) = rest.split_once("{{") {
            let Some((place, after)) = opened.split_once("}}") else {
                return Err("`{{` is never closed".to_owned());
            };
            if parts.len() >= 2 * MAX_PLACES {
                return Err(format!("more than {MAX_PLACES} places for facts"));
            }
            parts.push(Part::Words(words.to_owned()));
            parts.push(place_of(place)?);
            rest = after;
        }
        parts.push(Part::Words(rest.to_owned()));
        let source = source.to_owned();
        Ok(Text { source, parts })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// With its facts, cut at `max_chars`.
    pub fn fill(&self, facts: &Value, max_chars: usize) -> String {
        let mut filled = String::with_capacity(self.source.len());
        for part in &self.parts {
            match part {
                Part::Words(words) => filled.push_str(words),
                Part::Place {
                    path,
                    default,
                    max_chars,
                } => {
                    let value = path.iter().try_fold(facts, |at, name| at.get(name));
                    match value
                        .map(|value| shown(value, *max_chars))
                        .filter(|text| !text.is_empty())
                    {
                        Some(text) => filled.push_str(&text),
                        None => filled.push_str(default),
                    }
                }
            }
        }
        cut(&filled, max_chars).to_owned()
    }
}

fn place_of(place: &str) -> Result<Part, String> {
    let (path, default) = place.split_once('|').unwrap_or((place, ""));
    let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
    let max_chars = check(&path)?;
    let default = default.trim().to_owned();
    Ok(Part::Place {
        path,
        default,
        max_chars,
    })
}

/// How many characters of the value at the path are shown; an error when it leads to none.
fn check(path: &[String]) -> Result<usize, String> {
    let whole = path.join(".");
    let whole = cut(&whole, 64);
    let mut fields = FACTS;
    for (index, name) in path.iter().enumerate() {
        let Some(field) = schema::find(fields, name) else {
            let hint = schema::suggestion(fields.iter().map(|field| field.name), name);
            return Err(format!("unknown fact `{whole}`{hint}"));
        };
        match (&field.kind, path.len() - index - 1) {
            (Kind::Object(inner), 1..) => fields = inner,
            (Kind::Text(MAX_SUGGESTION_CHARS), 0) => return Ok(MAX_SUGGESTION_CHARS),
            (Kind::Attributes, 1) | (Kind::Bool | Kind::Int | Kind::Double | Kind::Text(_), 0) => {
                return Ok(MAX_TEXT_CHARS);
            }
            _ => break,
        }
    }
    Err(format!("`{whole}` is not one value"))
}

fn shown(value: &Value, max_chars: usize) -> String {
    match value {
        Value::String(text) => {
            let plain = |c: &char| !c.is_control() || *c == '\n';
            text.chars().filter(plain).take(max_chars).collect()
        }
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_filled_and_missing_ones_use_their_default() {
        let facts = json!({
            "contact": {"name": "Ana {{now}}", "username": "", "attributes": {"plan": "pro", "list": [1]}},
            "lead": {"score": 72}, "enrichment": {"present": true, "confidence": 0.5},
            "message": {"text": "a\u{7}\u{0}b\nc"},
        });
        for (source, want) in [
            ("plain", "plain"),
            ("", ""),
            ("Hi {{contact.name}}!", "Hi Ana {{now}}!"),
            ("Hi {{ contact.username | you there }}!", "Hi you there!"),
            ("{{contact.id}}", ""),
            (
                "{{contact.attributes.plan}}-{{contact.attributes.none|free}}",
                "pro-free",
            ),
            ("{{contact.attributes.list|no}}", "no"),
            (
                "{{lead.score}} {{enrichment.present}} {{enrichment.confidence}}",
                "72 true 0.5",
            ),
            ("{{message.text}}", "ab\nc"),
            ("}} {", "}} {"),
        ] {
            let text = Text::parse(source).unwrap();
            assert_eq!(text.fill(&facts, 4096), want, "{source}");
            assert_eq!(text.source(), source);
        }
        assert_eq!(Text::parse("äöü").unwrap().fill(&facts, 2), "äö");
    }

    #[test]
    fn what_is_no_fact_is_refused() {
        for (source, want) in [
            ("{{contact.nam}}", "did you mean `name`?"),
            ("{{}}", "unknown fact ``"),
            ("{{contact}}", "`contact` is not one value"),
            ("{{contact.tags}}", "is not one value"),
            ("{{contact.name.first}}", "is not one value"),
            ("{{contact.attributes}}", "is not one value"),
            ("{{contact.attributes.a.b}}", "is not one value"),
            ("Hi {{contact.name", "never closed"),
            (&"{{now}}".repeat(33), "more than 32 places"),
        ] {
            let error = Text::parse(source).unwrap_err();
            assert!(error.contains(want), "{source}: {error}");
        }
        assert!(Text::parse(&"{{now}}".repeat(32)).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_filled_within_its_bound(source in ".{0,60}", name in ".{0,700}", max in 0usize..900) {
            let source = format!("{source}{{{{contact.name|x}}}}");
            if let Ok(text) = Text::parse(&source) {
                let filled = text.fill(&json!({"contact": {"name": name}}), max);
                prop_assert!(filled.chars().count() <= max);
            }
        }
    }
}
