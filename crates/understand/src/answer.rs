//! A model's form, read. Whatever it says, the result has the shape and the bounds below.
//!
//! 1. Closed: an unknown field, a name that is not on its list or a wrong type is a fault.
//! 2. `entities`, `topics`, `summary` and `suggested_reply` may be missing: they are then empty.
//! 3. Entities and topics that do not hold are left out, one by one; they are no fault.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::entity::{self, Entity};
use crate::schema::Fault;
use crate::text;

/// The most that a result can hold. Twice what the prompt asks for, so that a model that counts
/// badly is not sent back for it.
pub mod bounds {
    /// Bytes of an answer that are read.
    pub const ANSWER_BYTES: usize = 64 << 10;
    /// Intents that are kept, the likeliest.
    pub const INTENTS: usize = 5;
    /// Entities that are kept.
    pub const ENTITIES: usize = 32;
    /// Characters of an entity's value.
    pub const VALUE_CHARS: usize = 200;
    /// Topics that are kept.
    pub const TOPICS: usize = 8;
    /// Characters of a topic.
    pub const TOPIC_CHARS: usize = 40;
    /// Characters of a summary; a longer one is a fault.
    pub const SUMMARY_CHARS: usize = 600;
    /// Characters of a suggested reply; a longer one is a fault.
    pub const REPLY_CHARS: usize = 1000;
}

/// The voiced tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sentiment {
    /// Praise, delight.
    Positive,
    /// Calm.
    Neutral,
    /// Displeasure, distress.
    Negative,
}

/// How soon somebody should act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Nothing to do.
    Low,
    /// In its turn.
    Normal,
    /// At once.
    High,
}

/// One thing that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// A name of the taxonomy.
    pub name: String,
    /// 0–1.
    pub confidence: f32,
}

/// What a model understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Enriched {
    /// ISO 639-1, `und` when unknown.
    pub language: String,
    /// Likeliest first; at least one.
    pub intents: Vec<Intent>,
    /// The voiced tone.
    pub sentiment: Sentiment,
    /// How soon.
    pub urgency: Urgency,
    /// What the last turn names.
    pub entities: Vec<Entity>,
    /// Plain words in small letters: letters, digits, blanks, `-`, `'` and `&`.
    pub topics: Vec<String>,
    /// One line.
    pub summary: Option<String>,
    /// May have several lines. Is not yet cleaned: see [`crate::clean_reply`].
    pub suggested_reply: Option<String>,
}

/// Reads `answer` against the intents that were given and the text that was shown last.
pub(crate) fn read(answer: &str, intents: &[&str], last: &str) -> Result<Enriched, Fault> {
    if answer.len() > bounds::ANSWER_BYTES {
        return Err(Fault::TooLong);
    }
    let bare = unwrapped(answer);
    if bare.is_empty() {
        return Err(Fault::Empty);
    }
    let form: Value = serde_json::from_str(bare).map_err(|_| Fault::NotJson)?;
    let form = Form::new(&form, "the form", &FIELDS)?;
    Ok(Enriched {
        language: language(form.text("language")?)?,
        intents: read_intents(form.needed("intents")?, intents)?,
        sentiment: match form.text("sentiment")? {
            "positive" => Sentiment::Positive,
            "neutral" => Sentiment::Neutral,
            "negative" => Sentiment::Negative,
            _ => return Err(Fault::NotListed("sentiment")),
        },
        urgency: match form.text("urgency")? {
            "low" => Urgency::Low,
            "normal" => Urgency::Normal,
            "high" => Urgency::High,
            _ => return Err(Fault::NotListed("urgency")),
        },
        entities: entity::read(form.list("entities")?, last)?,
        topics: topics(form.list("topics")?)?,
        summary: bounded(
            form.maybe("summary")?,
            "summary",
            bounds::SUMMARY_CHARS,
            text::line,
        )?,
        suggested_reply: bounded(
            form.maybe("suggested_reply")?,
            "suggested_reply",
            bounds::REPLY_CHARS,
            |reply| text::visible(reply).trim().to_owned(),
        )?,
    })
}

const FIELDS: [&str; 8] = [
    "language",
    "intents",
    "sentiment",
    "urgency",
    "entities",
    "topics",
    "summary",
    "suggested_reply",
];

/// Servers without structured output wrap a form in a fence, and some put their thoughts first.
fn unwrapped(answer: &str) -> &str {
    let answer = match answer.rsplit_once("</think>") {
        Some((_, after)) => after,
        None => answer,
    };
    let answer = answer.trim();
    match answer.strip_prefix("```") {
        Some(fenced) => fenced
            .trim_start_matches(char::is_alphanumeric)
            .trim_end_matches("```")
            .trim(),
        None => answer,
    }
}

/// An object of which all fields are known.
pub(crate) struct Form<'a>(&'a Map<String, Value>);

impl<'a> Form<'a> {
    pub(crate) fn new(
        value: &'a Value,
        place: &'static str,
        known: &[&str],
    ) -> Result<Self, Fault> {
        let form = value.as_object().ok_or(Fault::Type(place))?;
        if form.keys().any(|field| !known.contains(&field.as_str())) {
            return Err(Fault::UnknownField(place));
        }
        Ok(Self(form))
    }

    pub(crate) fn needed(&self, field: &'static str) -> Result<&'a Value, Fault> {
        self.0.get(field).ok_or(Fault::Missing(field))
    }

    pub(crate) fn text(&self, field: &'static str) -> Result<&'a str, Fault> {
        self.needed(field)?.as_str().ok_or(Fault::Type(field))
    }

    pub(crate) fn maybe(&self, field: &'static str) -> Result<Option<&'a str>, Fault> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(Fault::Type(field)),
        }
    }

    fn list(&self, field: &'static str) -> Result<&'a [Value], Fault> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(&[]),
            Some(value) => value
                .as_array()
                .map(Vec::as_slice)
                .ok_or(Fault::Type(field)),
        }
    }
}

/// `pt-BR` is Portuguese; three letters are a language that ISO 639-1 does not have.
fn language(code: &str) -> Result<String, Fault> {
    let primary = code
        .trim()
        .split(['-', '_'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    match primary.len() {
        _ if !primary.bytes().all(|letter| letter.is_ascii_lowercase()) => {
            Err(Fault::NotListed("language"))
        }
        2 => Ok(primary),
        3 => Ok("und".to_owned()),
        _ => Err(Fault::NotListed("language")),
    }
}

fn read_intents(value: &Value, known: &[&str]) -> Result<Vec<Intent>, Fault> {
    let given = value.as_array().ok_or(Fault::Type("intents"))?;
    let mut intents: Vec<Intent> = Vec::new();
    for intent in given {
        let intent = Form::new(intent, "intents", &["name", "confidence"])?;
        let name = intent.text("name")?;
        let confidence = intent
            .needed("confidence")?
            .as_f64()
            .ok_or(Fault::Type("confidence"))?;
        if !known.contains(&name) {
            return Err(Fault::NotListed("intents.name"));
        }
        if !(0.0..=1.0).contains(&confidence) {
            return Err(Fault::Range("confidence"));
        }
        let confidence = confidence as f32;
        match intents.iter_mut().find(|read| read.name == name) {
            Some(read) => read.confidence = read.confidence.max(confidence),
            None => intents.push(Intent {
                name: name.to_owned(),
                confidence,
            }),
        }
    }
    if intents.is_empty() {
        return Err(Fault::Missing("intents"));
    }
    let falling = |a: &Intent, b: &Intent| b.confidence.partial_cmp(&a.confidence);
    intents.sort_by(|a, b| falling(a, b).unwrap_or(Ordering::Equal));
    intents.truncate(bounds::INTENTS);
    Ok(intents)
}

/// Topics of plain words: what could be an address has `@`, `:`, `/` or `.` and is left out.
fn topics(given: &[Value]) -> Result<Vec<String>, Fault> {
    let mut topics: Vec<String> = Vec::new();
    for topic in given {
        let topic = text::line(topic.as_str().ok_or(Fault::Type("topics"))?).to_lowercase();
        let plain = |c: char| {
            c.is_alphanumeric() || matches!(c, ' ' | '-' | '\'' | '’' | '&') || is_mark(c)
        };
        let digits = topic.chars().filter(char::is_ascii_digit).count();
        let fits = !topic.is_empty() && text::head(&topic, bounds::TOPIC_CHARS) == topic;
        if fits && digits < 7 && topic.chars().all(plain) && !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    topics.truncate(bounds::TOPICS);
    Ok(topics)
}

/// Combining marks of scripts that need them, and the joiners between letters.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e30}'..='\u{e4e}' | '\u{64b}'..='\u{65f}' | '\u{200c}' | '\u{200d}')
}

fn bounded(
    given: Option<&str>,
    field: &'static str,
    most: usize,
    clean: impl Fn(&str) -> String,
) -> Result<Option<String>, Fault> {
    let Some(given) = given else { return Ok(None) };
    let clean = clean(given);
    if text::head(&clean, most) != clean {
        return Err(Fault::Range(field));
    }
    Ok(Some(clean).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests;
