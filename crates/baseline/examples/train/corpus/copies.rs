//! The texts to learn from: the corpus, and copies of it as people type them.

use chatly_baseline::text::fold;
use chatly_random::Random;

use super::{Corpus, Message, Sample, Template, stage_of};

/// Plain expansions of a template at most, and changed copies of each.
const EXPANSIONS: usize = 5;
const EXPANSION_COPIES: usize = 1;
/// Changed copies of a message.
const MESSAGE_COPIES: usize = 4;
/// Copies of a neutral request that are put in a mood.
const TONED_PERCENT: usize = 15;
/// How much an expansion counts beside a message.
const EXPANSION_WEIGHT: f32 = 0.5;
/// How much a changed copy counts beside its original.
const COPY_WEIGHT: f32 = 0.6;

impl Corpus {
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
            let toned = self.toned(sample, random);
            samples.push(Sample {
                text: self.changed(&toned, courtesies, random),
                weight: sample.weight * COPY_WEIGHT,
                ..toned
            });
        }
    }

    /// Now and then in a mood: a request stays what it is when praise or anger is put beside it.
    fn toned(&self, sample: &Sample, random: &mut Random) -> Sample {
        let mut toned = sample.clone();
        let Some(language) = self.languages.get(&sample.language) else {
            return toned;
        };
        let (phrases, mood) = match sample.intent.as_str() {
            "order_status" | "support" | "cancel_refund" | "human" => (&language.anger, "negative"),
            "availability" | "pricing" | "purchase" | "booking" | "greeting" => {
                (&language.praise, "positive")
            }
            _ => return toned,
        };
        if sample.sentiment != "neutral" || !chance(TONED_PERCENT, random) {
            return toned;
        }
        if let Some(phrase) = random.pick(phrases) {
            let phrase = choose(phrase, random);
            let join = random
                .pick(&[", ", " ", "! ", ". "])
                .copied()
                .unwrap_or(" ");
            toned.text = if chance(60, random) {
                format!("{phrase}{join}{}", sample.text)
            } else {
                format!("{}{join}{phrase}", sample.text)
            };
            mood.clone_into(&mut toned.sentiment);
        }
        toned
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
            if let (true, Some(prefix)) = (chance(35, random), random.pick(&language.prefixes)) {
                let join = random
                    .pick(&[", ", " ", "! ", ". "])
                    .copied()
                    .unwrap_or(" ");
                text = format!("{}{join}{text}", choose(prefix, random));
            }
            if let (true, Some(suffix)) = (chance(25, random), random.pick(&language.suffixes)) {
                let join = random.pick(&[", ", " ", ". "]).copied().unwrap_or(" ");
                text = format!("{text}{join}{}", choose(suffix, random));
            }
            let before = random.pick(courtesies).filter(|other| {
                other.language == sample.language
                    && (other.sentiment == sample.sentiment || other.sentiment == "neutral")
            });
            if let (true, Some(before)) = (chance(30, random), before) {
                text = format!("{}. {text}", before.text);
            }
        }
        if chance(20, random) {
            text = without_a_word(&text, random);
        }
        if chance(35, random) {
            text = fold(&text);
        }
        if chance(35, random) {
            text = text.replace(['?', '!', '.', ',', '¿', '¡'], "");
        }
        if chance(8, random) {
            text = text.to_uppercase();
        }
        if chance(35, random) {
            text = mistyped(&text, random);
        }
        text
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
            intent: self.intent.clone(),
            language: self.language.clone(),
            sentiment: self.sentiment.clone(),
            stage: stage_of(&text, &self.intent),
            text,
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

fn chance(percent: usize, random: &mut Random) -> bool {
    random.below(100) < percent
}
