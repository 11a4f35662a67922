//! The training texts: one file a language, sections `= intent`, one template a line.
//!
//! In a template `(a|b|)` is one of its parts and `{slot}` one value of that slot (`= slots`, lines
//! `slot: a|b`). `= prefix` and `= suffix` hold what people put before and after a request; a request
//! stays what it is with them. `= words` holds frequent words for the language model. `other.txt` has
//! lines `code: text` in further languages, without an intent.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use chatly_baseline::text::fold;

use crate::random::Random;

/// Plain expansions of a template at most, and changed copies of each.
const EXPANSIONS: usize = 8;
const COPIES: usize = 3;

pub struct Sample {
    pub text: String,
    pub intent: String,
    pub language: String,
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
    pub templates: Vec<Template>,
    languages: HashMap<String, Language>,
}

impl Corpus {
    pub fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let mut corpus = Self::default();
        for code in ["de", "en", "es", "fr", "pt"] {
            corpus.read_language(
                code,
                &fs::read_to_string(folder.join(format!("{code}.txt")))?,
            );
        }
        for line in fs::read_to_string(folder.join("other.txt"))?.lines() {
            if let Some((_, text)) = line.split_once(": ") {
                corpus.add(text, "", "other");
            }
        }
        Ok(corpus)
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

    /// Different expansions of each wanted template.
    pub fn plain(&self, random: &mut Random, wanted: impl Fn(usize) -> bool) -> Vec<Sample> {
        let mut samples = Vec::new();
        for (index, template) in self.templates.iter().enumerate() {
            let mut texts: Vec<String> = Vec::new();
            for _ in 0..EXPANSIONS {
                let text = self.expand(template, random);
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            if wanted(index) {
                samples.extend(texts.into_iter().map(|text| template.sample(text)));
            }
        }
        samples
    }

    /// Expansions, and copies as people type them: greeted, thanked, without accents, misspelt.
    pub fn samples(&self, random: &mut Random, wanted: impl Fn(usize) -> bool) -> Vec<Sample> {
        let plain = self.plain(random, wanted);
        let mut samples = Vec::with_capacity(plain.len() * (COPIES + 1));
        for sample in plain {
            for _ in 0..COPIES {
                let text = self.changed(&sample, random);
                samples.push(Sample {
                    text,
                    intent: sample.intent.clone(),
                    language: sample.language.clone(),
                });
            }
            samples.push(sample);
        }
        samples
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

    fn changed(&self, sample: &Sample, random: &mut Random) -> String {
        let mut text = sample.text.clone();
        let request = !matches!(sample.intent.as_str(), "" | "greeting" | "thanks" | "other");
        if let (true, Some(language)) = (request, self.languages.get(&sample.language)) {
            if let (true, Some(prefix)) = (random.chance(45), random.pick(&language.prefixes)) {
                let join = random
                    .pick(&[", ", " ", "! ", ". "])
                    .copied()
                    .unwrap_or(" ");
                text = format!("{}{join}{text}", choose(prefix, random));
            }
            if let (true, Some(suffix)) = (random.chance(30), random.pick(&language.suffixes)) {
                let join = random.pick(&[", ", " ", ". "]).copied().unwrap_or(" ");
                text = format!("{text}{join}{}", choose(suffix, random));
            }
        }
        if random.chance(35) {
            text = fold(&text);
        }
        if random.chance(30) {
            text = text.replace(['?', '!', '.', ',', '¿', '¡'], "");
        }
        if random.chance(10) {
            text = text.to_uppercase();
        }
        if random.chance(30) {
            text = mistyped(&text, random);
        }
        text
    }
}

impl Template {
    fn sample(&self, text: String) -> Sample {
        Sample {
            text,
            intent: self.intent.clone(),
            language: self.language.clone(),
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
