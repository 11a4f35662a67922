//! What a message is about: a linear model over the whole message and over each of its sentences.
//!
//! The whole decides; a sentence that says something clearly lifts that intent, so that the second
//! wish of a message is named too. A greeting, thanks or small talk lifts nothing: in "hello, where is
//! my parcel" they are not what is asked for.

use std::sync::LazyLock;

use serde::Serialize;

use crate::features::{INTENT, features, of_words};
use crate::model::{Model, softmax};
use crate::text::words;

/// The intent of a text that is about none of the others.
pub const OTHER: &str = "other";

/// Intents that a message may have beside what it is about.
const COURTESIES: [&str; 3] = ["greeting", "thanks", OTHER];

/// How much the sentences count against the whole.
const SENTENCE_SHARE: f32 = 0.35;

/// How much a courtesy's sentence counts.
const COURTESY_SHARE: f32 = 0.2;

/// Sentences that are looked at: a text of thousands of them says no more than its start.
const SENTENCES: usize = 32;

/// Intents below this are not named.
const LEAST_CONFIDENCE: f32 = 0.1;

/// Intents named at most.
const MOST: usize = 4;

/// Words named as the reason of an intent, at most.
const WORDS: usize = 3;

/// The share of all evidence for an intent from which a word is named.
const LEAST_EVIDENCE: f32 = 0.08;

static MODEL: LazyLock<Option<Model>> =
    LazyLock::new(|| Model::decode(include_bytes!("../model/intent.bin")).ok());

/// An intent and how sure it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Intent {
    /// One of the model's: `greeting`, `availability`, `pricing`, `purchase`, `booking`,
    /// `order_status`, `support`, `complaint`, `cancel_refund`, `human`, `thanks`, `spam`, `other`.
    pub name: String,
    /// Between 0 and 1.
    pub confidence: f32,
}

/// The intents of `text`, most likely first, out of `wanted` (all when empty). A text without a word,
/// and a tenant that wants none of what the model knows, give [`OTHER`].
#[must_use]
pub fn intents(text: &str, wanted: &[String]) -> Vec<Intent> {
    named(all(text, wanted))
}

/// Those of `found` that are likely enough to be told, one at least.
pub(crate) fn named(mut found: Vec<Intent>) -> Vec<Intent> {
    let named = found
        .iter()
        .filter(|intent| intent.confidence >= LEAST_CONFIDENCE)
        .count();
    found.truncate(named.clamp(1, MOST));
    found
}

/// Like [`intents`], with those that are unlikely.
pub(crate) fn all(text: &str, wanted: &[String]) -> Vec<Intent> {
    MODEL
        .as_ref()
        .and_then(|model| judge(model, text, wanted))
        .unwrap_or_else(other)
}

/// What `model` makes of `text`, most likely first; none when there is nothing to go by.
#[must_use]
pub fn judge(model: &Model, text: &str, wanted: &[String]) -> Option<Vec<Intent>> {
    let allowed: Vec<bool> = model
        .classes
        .iter()
        .map(|class| wanted.is_empty() || wanted.contains(&class.name))
        .collect();
    let whole = shares(model, text, &allowed)?;
    let mut found: Vec<Intent> = model
        .classes
        .iter()
        .zip(lifted(model, text, &allowed, whole))
        .map(|(class, confidence)| Intent {
            name: class.name.clone(),
            confidence,
        })
        .collect();
    found.sort_by(|a, b| {
        b.confidence
            .total_cmp(&a.confidence)
            .then_with(|| a.name.cmp(&b.name))
    });
    Some(found)
}

/// The words of `text` that speak most for `intent`, strongest first, as the model reads them.
#[must_use]
pub fn because(text: &str, intent: &str) -> Vec<String> {
    let Some((model, class)) = MODEL.as_ref().and_then(|model| {
        let class = model
            .classes
            .iter()
            .position(|class| class.name == intent)?;
        Some((model, class))
    }) else {
        return Vec::new();
    };
    let words = words(text, INTENT.accents);
    let features = of_words(&words, INTENT, &[]);
    let mut weights = vec![0.0_f32; words.len()];
    for (feature, weight) in features.iter().zip(model.evidence(&features, class)) {
        if let Some(sum) = weights.get_mut(feature.word) {
            *sum += weight;
        }
    }
    let total: f32 = weights.iter().filter(|weight| **weight > 0.0).sum();
    let mut ranked: Vec<(&String, f32)> = words
        .iter()
        .zip(weights)
        .filter(|(word, weight)| {
            *weight > LEAST_EVIDENCE * total && word.chars().any(char::is_alphanumeric)
        })
        .collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut named: Vec<String> = Vec::new();
    for (word, _) in ranked {
        if !named.contains(word) && named.len() < WORDS {
            named.push(word.clone());
        }
    }
    named
}

fn other() -> Vec<Intent> {
    vec![Intent {
        name: OTHER.to_owned(),
        confidence: 1.0,
    }]
}

/// None when there is nothing to go by.
fn shares(model: &Model, text: &str, allowed: &[bool]) -> Option<Vec<f32>> {
    let features = features(text, INTENT);
    if features.is_empty() || !allowed.contains(&true) {
        return None;
    }
    let mut scores = model.scores(&features);
    for (score, allowed) in scores.iter_mut().zip(allowed) {
        if !allowed {
            *score = f32::NEG_INFINITY;
        }
    }
    Some(softmax(&scores))
}

fn lifted(model: &Model, text: &str, allowed: &[bool], whole: Vec<f32>) -> Vec<f32> {
    let sentences: Vec<&str> = text
        .split(['.', '!', '?', ';', '\n', ',', '…'])
        .filter(|sentence| sentence.split_whitespace().nth(1).is_some())
        .take(SENTENCES)
        .collect();
    if sentences.len() < 2 {
        return whole;
    }
    let mut best = vec![0.0_f32; whole.len()];
    for shares in sentences
        .iter()
        .filter_map(|sentence| shares(model, sentence, allowed))
    {
        for ((best, share), class) in best.iter_mut().zip(shares).zip(&model.classes) {
            let courtesy = COURTESIES.contains(&class.name.as_str());
            *best = best.max(if courtesy {
                share * COURTESY_SHARE
            } else {
                share
            });
        }
    }
    let sum = best.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    whole
        .iter()
        .zip(best)
        .map(|(whole, best)| whole * (1.0 - SENTENCE_SHARE) + best / sum * SENTENCE_SHARE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_outweighs_its_greeting() {
        for (text, want) in [
            (
                "Hola, quiero 20 unidades azules, presupuesto 500 USD, mi correo es ana@example.com",
                "purchase",
            ),
            ("Good morning! Where is my parcel?", "order_status"),
            ("Oi, tudo bem? Quanto custa o frete?", "pricing"),
            (
                "Guten Tag, ich möchte meine Bestellung stornieren",
                "cancel_refund",
            ),
            ("Bonjour, je voudrais parler à un conseiller", "human"),
            ("hola", "greeting"),
        ] {
            assert_eq!(intents(text, &[])[0].name, want, "{text}");
        }
    }

    #[test]
    fn two_wishes_are_both_named() {
        let names: Vec<String> = intents(
            "How much is the sofa? Can I book a table for tomorrow?",
            &[],
        )
        .into_iter()
        .map(|intent| intent.name)
        .collect();
        assert!(
            names.contains(&"pricing".to_owned()) && names.contains(&"booking".to_owned()),
            "{names:?}"
        );
    }

    #[test]
    fn only_wanted_intents_are_named() {
        let wanted = ["support".to_owned(), "thanks".to_owned()];
        assert!(
            intents("how much is it?", &wanted)
                .iter()
                .all(|intent| wanted.contains(&intent.name))
        );
        assert_eq!(intents("how much is it?", &["weather".to_owned()]), other());
        assert_eq!(intents("", &[]), other());
    }

    #[test]
    fn confidences_fall_and_sum_to_one_at_most() {
        let found = intents("where is my order? i want a refund", &[]);
        assert!(found.is_sorted_by(|a, b| a.confidence >= b.confidence));
        assert!(found.iter().map(|intent| intent.confidence).sum::<f32>() <= 1.001);
    }
}
