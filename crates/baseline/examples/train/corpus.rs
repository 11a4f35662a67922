//! The training texts.
//!
//! `<language>.jsonl` holds messages, each written by itself as people write:
//! `{"text", "intent", "topic", "sentiment"?, "stage"?}`. The topic is the line of business, and a cross-validation
//! leaves out whole topics. Without a sentiment a complaint is negative, thanks are positive, and
//! all else is neutral; without a stage, it is what the intent and what is named say.
//!
//! `<language>.txt` holds templates in sections `= intent` or `= intent sentiment`, one a line, for breadth of wording.
//!
//! In a template `(a|b|)` is one of its parts and `{slot}` one value of that slot (`= slots`, lines
//! `slot: a|b`). `= prefix` and `= suffix` hold what people put before and after a request; a request
//! stays what it is with them; with `= praise` and `= anger` it also gets that mood. `= words` holds frequent words for the language model. `other.txt` has
//! lines `code: text` in further languages, without an intent.

mod copies;

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use chatly_baseline::evaluate::NOW;
use chatly_baseline::lead::shown;
use chatly_baseline::model::digest;
use chatly_baseline::text::{Accents, words};
use chatly_baseline::{Request, entities};
use serde::Deserialize;

const LANGUAGES: [&str; 5] = ["de", "en", "es", "fr", "pt"];

#[derive(Clone)]
pub struct Sample {
    pub text: String,
    pub intent: String,
    pub language: String,
    /// Empty when unknown.
    pub sentiment: String,
    /// Empty when unknown.
    pub stage: String,
    pub weight: f32,
}

pub struct Message {
    pub sample: Sample,
    pub topic: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    text: String,
    intent: String,
    topic: String,
    sentiment: Option<String>,
    stage: Option<String>,
}

pub struct Template {
    pub text: String,
    pub intent: String,
    pub language: String,
    /// Empty when unknown.
    pub sentiment: String,
}

#[derive(Default)]
struct Language {
    slots: HashMap<String, Vec<String>>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    praise: Vec<String>,
    anger: Vec<String>,
}

#[derive(Default)]
pub struct Corpus {
    pub messages: Vec<Message>,
    pub templates: Vec<Template>,
    /// Of all files that were read.
    pub digest: u64,
    languages: HashMap<String, Language>,
}

impl Corpus {
    pub fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut corpus = Self::default();
        let mut files = Vec::new();
        for code in LANGUAGES {
            let templates = fs::read_to_string(folder.join(format!("{code}.txt")))?;
            corpus.read_language(code, &templates);
            files.push(templates);
            let messages = fs::read_to_string(folder.join(format!("{code}.jsonl")))?;
            corpus.read_messages(code, &messages)?;
            files.push(messages);
        }
        let others = fs::read_to_string(folder.join("other.txt"))?;
        for line in others.lines() {
            if let Some((_, text)) = line.split_once(": ") {
                corpus.add(text, "", "other");
            }
        }
        files.push(others);
        files.push(fs::read_to_string(folder.join("../src/concepts.txt"))?);
        corpus.digest = digest(files.iter().map(String::as_str));
        Ok(corpus)
    }

    fn read_messages(&mut self, code: &str, file: &str) -> Result<(), Box<dyn Error>> {
        for line in file.lines().filter(|line| !line.is_empty()) {
            let line: Line =
                serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
            let mood = line.sentiment.as_deref().unwrap_or(mood_of(&line.intent));
            self.messages.push(Message {
                sample: Sample {
                    sentiment: mood.to_owned(),
                    stage: line
                        .stage
                        .unwrap_or_else(|| stage_of(&line.text, &line.intent)),
                    text: line.text,
                    intent: line.intent,
                    language: code.to_owned(),
                    weight: 1.0,
                },
                topic: line.topic,
            });
        }
        Ok(())
    }

    /// A template of `section`: an intent, and a mood where it is not the intent's own.
    fn add(&mut self, text: &str, section: &str, language: &str) {
        let (intent, mood) = section
            .split_once(' ')
            .unwrap_or_else(|| (section, mood_of(section)));
        self.templates.push(Template {
            text: text.to_owned(),
            intent: intent.to_owned(),
            language: language.to_owned(),
            sentiment: mood.to_owned(),
        });
    }

    fn read_language(&mut self, code: &str, file: &str) {
        let mut language = Language::default();
        let mut section = "";
        for line in file
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("//"))
        {
            if let Some(name) = line.strip_prefix("= ") {
                section = name;
                continue;
            }
            match section {
                "slots" => {
                    if let Some((slot, values)) = line.split_once(": ") {
                        language.slots.insert(
                            slot.to_owned(),
                            values.split('|').map(str::to_owned).collect(),
                        );
                    }
                }
                "prefix" => language.prefixes.push(line.to_owned()),
                "suffix" => language.suffixes.push(line.to_owned()),
                "praise" => language.praise.push(line.to_owned()),
                "anger" => language.anger.push(line.to_owned()),
                "words" => line
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .chunks(4)
                    .for_each(|words| {
                        self.add(&words.join(" "), "", code);
                    }),
                intent => self.add(line, intent, code),
            }
        }
        self.languages.insert(code.to_owned(), language);
    }
}

/// The stage of most messages of an intent that name what this one names; empty for a text without one.
pub fn stage_of(text: &str, intent: &str) -> String {
    if intent.is_empty() {
        return String::new();
    }
    message(text).stage_of(intent).name().to_owned()
}

/// `text` as the stage model sees it.
pub fn message(text: &str) -> shown::Message {
    let request = Request {
        now: NOW,
        ..Request::default()
    };
    let entities = entities::entities(text, &request);
    shown::Message::new(&words(text, Accents::Fold), &entities)
}

/// The mood of most messages of an intent; empty for a text without one.
fn mood_of(intent: &str) -> &'static str {
    match intent {
        "" => "",
        "complaint" => "negative",
        "thanks" => "positive",
        _ => "neutral",
    }
}
