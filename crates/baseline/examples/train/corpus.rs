//! The training texts.
//!
//! `<language>.jsonl` holds messages, each written by itself as people write:
//! `{"text", "intent", "topic", "sentiment"?}`. The topic is the line of business, and a cross-validation
//! leaves out whole topics. Without a sentiment a complaint is negative, thanks are positive, and
//! all else is neutral.
//!
//! `<language>.txt` holds templates in sections `= intent`, one a line, for breadth of wording.
//!
//! In a template `(a|b|)` is one of its parts and `{slot}` one value of that slot (`= slots`, lines
//! `slot: a|b`). `= prefix` and `= suffix` hold what people put before and after a request; a request
//! stays what it is with them. `= words` holds frequent words for the language model. `other.txt` has
//! lines `code: text` in further languages, without an intent.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use chatly_baseline::model::digest;
use chatly_baseline::text::fold;
use serde::Deserialize;

use crate::random::Random;

const LANGUAGES: [&str; 5] = ["de", "en", "es", "fr", "pt"];

/// Plain expansions of a template at most, and changed copies of each.
const EXPANSIONS: usize = 5;
const EXPANSION_COPIES: usize = 1;
/// Changed copies of a message.
const MESSAGE_COPIES: usize = 4;
/// How much an expansion counts beside a message.
const EXPANSION_WEIGHT: f32 = 0.5;
/// How much a changed copy counts beside its original.
const COPY_WEIGHT: f32 = 0.6;

#[derive(Clone)]
pub struct Sample {
    pub text: String,
    pub intent: String,
    pub language: String,
    /// Empty when unknown.
    pub sentiment: String,
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
}

pub struct Template {
    pub text: String,
    pub intent: String,
    pub language: String,
}

#[derive(Default)]
struct Language {
    slots: HashMap<String, Vec<String>>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
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

    fn add(&mut self, text: &str, intent: &str, language: &str) {
        self.templates.push(Template {
            text: text.to_owned(),
            intent: intent.to_owned(),
            language: language.to_owned(),
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

    /// The messages of the wanted topics and all templates, and copies of both as people type them:
    /// greeted, thanked, after other words, without accents, misspelt.
    pub fn samples(&self, random: &mut Random, wanted: impl Fn(&Message) -> bool) -> Vec<Sample> {
        let mut samples = Vec::new();
        let courtesies: Vec<&Sample> = self
            .messages
            .iter()
            .filter(|message| wanted(message))
            .map(|message| &message.sample)
            .filter(|sample| matches!(sample.intent.as_str(), "greeting" | "thanks" | "other"))
            .collect();
        for message in self.messages.iter().filter(|message| wanted(message)) {
            self.copies(
                &message.sample,
                MESSAGE_COPIES,
                &courtesies,
                random,
                &mut samples,
            );
        }
        for template in &self.templates {
            let mut texts: Vec<String> = Vec::new();
            for _ in 0..EXPANSIONS {
                let text = self.expand(template, random);
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            for text in texts {
                let sample = template.sample(text);
                self.copies(&sample, EXPANSION_COPIES, &courtesies, random, &mut samples);
            }
        }
        samples
    }

    fn copies(
        &self,
        sample: &Sample,
        copies: usize,
        courtesies: &[&Sample],
        random: &mut Random,
        samples: &mut Vec<Sample>,
    ) {
        samples.push(sample.clone());
        for _ in 0..copies {
            samples.push(Sample {
                text: self.changed(sample, courtesies, random),
                weight: sample.weight * COPY_WEIGHT,
                ..sample.clone()
            });
        }
    }

    fn expand(&self, template: &Template, random: &mut Random) -> String {
        let mut text = choose(&template.text, random);
        let Some(language) = self.languages.get(&template.language) else {
            return text;
        };
        while let Some((before, rest)) = text.split_once('{') {
            let Some((slot, after)) = rest.split_once('}') else {
                break;
            };
            let value = match slot {
                "n" => (2 + random.below(98)).to_string(),
                "order" => format!("{}", 1000 + random.below(98_999)),
                _ => language
                    .slots
                    .get(slot)
                    .and_then(|all| random.pick(all))
                    .cloned()
                    .unwrap_or_default(),
            };
            text = format!("{before}{value}{after}");
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn changed(&self, sample: &Sample, courtesies: &[&Sample], random: &mut Random) -> String {
        let mut text = sample.text.clone();
        let request = !matches!(sample.intent.as_str(), "" | "greeting" | "thanks" | "other");
        if let (true, Some(language)) = (request, self.languages.get(&sample.language)) {
            if let (true, Some(prefix)) = (random.chance(35), random.pick(&language.prefixes)) {
                let join = random
                    .pick(&[", ", " ", "! ", ". "])
                    .copied()
                    .unwrap_or(" ");
                text = format!("{}{join}{text}", choose(prefix, random));
            }
            if let (true, Some(suffix)) = (random.chance(25), random.pick(&language.suffixes)) {
                let join = random.pick(&[", ", " ", ". "]).copied().unwrap_or(" ");
                text = format!("{text}{join}{}", choose(suffix, random));
            }
            let before = random.pick(courtesies).filter(|other| {
                other.language == sample.language
                    && (other.sentiment == sample.sentiment || other.sentiment == "neutral")
            });
            if let (true, Some(before)) = (random.chance(30), before) {
                text = format!("{}. {text}", before.text);
            }
        }
        if random.chance(20) {
            text = without_a_word(&text, random);
        }
        if random.chance(35) {
            text = fold(&text);
        }
        if random.chance(35) {
            text = text.replace(['?', '!', '.', ',', '¿', '¡'], "");
        }
        if random.chance(8) {
            text = text.to_uppercase();
        }
        if random.chance(35) {
            text = mistyped(&text, random);
        }
        text
    }
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

/// A word is left out of a text of five or more: what it says hangs on no single word.
fn without_a_word(text: &str, random: &mut Random) -> String {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    if words.len() >= 5 {
        words.remove(random.below(words.len()));
    }
    words.join(" ")
}

impl Template {
    fn sample(&self, text: String) -> Sample {
        Sample {
            text,
            intent: self.intent.clone(),
            language: self.language.clone(),
            sentiment: mood_of(&self.intent).to_owned(),
            weight: EXPANSION_WEIGHT,
        }
    }
}

/// One part of each `(a|b)`, innermost first.
fn choose(template: &str, random: &mut Random) -> String {
    let mut text = template.to_owned();
    while let Some(close) = text.find(')') {
        let Some(open) = text.get(..close).and_then(|before| before.rfind('(')) else {
            break;
        };
        let parts: Vec<&str> = text
            .get(open + 1..close)
            .unwrap_or_default()
            .split('|')
            .collect();
        let part = random.pick(&parts).copied().unwrap_or_default().to_owned();
        text.replace_range(open..=close, &part);
    }
    text
}

/// One letter lost, doubled or swapped with the next.
fn mistyped(text: &str, random: &mut Random) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = random.below(letters.len());
    if letters.get(at).is_some_and(|c| c.is_alphabetic()) {
        match random.below(3) {
            0 => {
                letters.remove(at);
            }
            1 => letters.insert(at, letters.get(at).copied().unwrap_or_default()),
            _ if at + 1 < letters.len() => letters.swap(at, at + 1),
            _ => {}
        }
    }
    letters.into_iter().collect()
}
