//! What a linear model weighs: words, runs of words, pieces of words and ideas, hashed.
//!
//! 1. Pieces of words carry over what training has not seen: a typo, an ending, a compound.
//! 2. Ideas ([`crate::concepts`]) carry over what it has seen in another language or by another word.
//! 3. Each feature keeps the word that it comes from, so that a verdict can name the words behind it.

use crate::concepts::concepts;
use crate::text::{Accents, words};

/// Hash buckets, as a power of two. Training keeps only the buckets that matter.
pub const BUCKET_BITS: u32 = 20;

/// Ideas of a text that are paired with each other; more would make the work quadratic in its length.
const PAIRED_IDEAS: usize = 10;

/// A hashed property of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feature {
    /// Where its weights are.
    pub bucket: u32,
    /// How much it counts.
    pub value: f32,
    /// The word that it comes from, by its place in the text; [`WHOLE`] when it is from none.
    pub word: usize,
}

/// The place of a feature that is of the text and not of one of its words.
pub const WHOLE: usize = usize::MAX;

/// Sorted by bucket, each bucket once, of length 1 all together.
pub type Features = Vec<Feature>;

/// How a text is taken apart. A part that counts 0 is left out.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// Whether accents stay.
    pub accents: Accents,
    /// The shortest and the longest piece of a word, in characters, its ends marked.
    pub pieces: (usize, usize),
    /// How much a word counts.
    pub word: f32,
    /// How much a pair of words counts.
    pub pair: f32,
    /// How much a pair of words with another between them counts.
    pub skip: f32,
    /// How much a piece of a word counts.
    pub piece: f32,
    /// How much an idea counts.
    pub idea: f32,
    /// How much two ideas together count.
    pub ideas: f32,
    /// How much the length of the text counts.
    pub length: f32,
}

/// For intents.
pub const INTENT: Recipe = Recipe {
    accents: Accents::Fold,
    pieces: (3, 5),
    word: 1.0,
    pair: 0.7,
    skip: 0.3,
    piece: 0.35,
    idea: 1.2,
    ideas: 0.6,
    length: 0.5,
};

/// For languages.
pub const LANGUAGE: Recipe = Recipe {
    accents: Accents::Keep,
    pieces: (1, 4),
    word: 1.0,
    pair: 0.3,
    skip: 0.0,
    piece: 0.5,
    idea: 0.0,
    ideas: 0.0,
    length: 0.0,
};

/// For moods.
pub const MOOD: Recipe = Recipe {
    accents: Accents::Fold,
    pieces: (3, 5),
    word: 1.0,
    pair: 0.7,
    skip: 0.3,
    piece: 0.3,
    idea: 1.2,
    ideas: 0.6,
    length: 0.5,
};

/// For stages.
pub const STAGE: Recipe = Recipe {
    accents: Accents::Fold,
    pieces: (3, 5),
    word: 1.0,
    pair: 0.7,
    skip: 0.3,
    piece: 0.3,
    idea: 1.2,
    ideas: 0.6,
    length: 0.5,
};

/// Takes `text` apart.
#[must_use]
pub fn features(text: &str, recipe: Recipe) -> Features {
    of_words(&words(text, recipe.accents), recipe, &[])
}

/// Takes a text of these masked words apart; `more` are named properties of the whole and how much they
/// count.
#[must_use]
pub fn of_words(words: &[String], recipe: Recipe, more: &[(&str, f32)]) -> Features {
    let mut found = Found::default();
    for (name, value) in more {
        found.add(&[b"m", name.as_bytes()], *value, WHOLE);
    }
    let (mut last, mut before) = ("^", "^");
    for (at, word) in words.iter().enumerate() {
        found.add(&[b"w", word.as_bytes()], recipe.word, at);
        found.add(
            &[b"p", last.as_bytes(), b" ", word.as_bytes()],
            recipe.pair,
            at,
        );
        if at > 0 {
            found.add(
                &[b"s", before.as_bytes(), b" ", word.as_bytes()],
                recipe.skip,
                at,
            );
        }
        found.pieces(word, recipe, at);
        (before, last) = (last, word);
    }
    if !words.is_empty() {
        let length = usize::BITS - words.len().leading_zeros();
        let ends = words.last().map_or("", |word| word.as_str());
        let ends = if ends == "?" || ends == "!" { ends } else { "" };
        let length = length.to_string();
        found.add(
            &[b"l", length.as_bytes(), ends.as_bytes()],
            recipe.length,
            WHOLE,
        );
    }
    if recipe.idea > 0.0 {
        found.ideas(words, recipe);
    }
    normalised(found.0)
}

#[derive(Default)]
struct Found(Features);

impl Found {
    fn add(&mut self, parts: &[&[u8]], value: f32, word: usize) {
        if value > 0.0 {
            self.0.push(Feature {
                bucket: bucket(parts),
                value,
                word,
            });
        }
    }

    fn ideas(&mut self, words: &[String], recipe: Recipe) {
        let ideas = concepts(words);
        for (at, idea) in &ideas {
            self.add(&[b"i", idea.as_bytes()], recipe.idea, *at);
        }
        let mut known: Vec<&str> = Vec::new();
        for (at, idea) in &ideas {
            if known.contains(idea) {
                continue;
            }
            for earlier in &known {
                let (a, b) = if earlier < idea {
                    (*earlier, *idea)
                } else {
                    (*idea, *earlier)
                };
                self.add(&[b"j", a.as_bytes(), b" ", b.as_bytes()], recipe.ideas, *at);
            }
            known.push(idea);
            if known.len() == PAIRED_IDEAS {
                break;
            }
        }
    }

    fn pieces(&mut self, word: &str, recipe: Recipe, at: usize) {
        if !word.starts_with(char::is_alphabetic) {
            return;
        }
        let marked = format!("_{word}_");
        let starts: Vec<usize> = marked.char_indices().map(|(start, _)| start).collect();
        let (shortest, longest) = recipe.pieces;
        for length in shortest..=longest {
            for (index, start) in starts.iter().enumerate() {
                let Some(end) = starts
                    .get(index + length)
                    .copied()
                    .or_else(|| (index + length == starts.len()).then_some(marked.len()))
                else {
                    break;
                };
                let piece = marked.get(*start..end).unwrap_or_default();
                if piece != "_" {
                    self.add(&[b"c", piece.as_bytes()], recipe.piece, at);
                }
            }
        }
    }
}

/// A feature that is there twice counts once: a message is not more of a purchase for repeating it.
fn normalised(mut found: Features) -> Features {
    found.sort_by(|a, b| {
        a.bucket
            .cmp(&b.bucket)
            .then(b.value.total_cmp(&a.value))
            .then(a.word.cmp(&b.word))
    });
    found.dedup_by_key(|feature| feature.bucket);
    let length = found
        .iter()
        .map(|feature| feature.value * feature.value)
        .sum::<f32>()
        .sqrt();
    if length > 0.0 {
        for feature in &mut found {
            feature.value /= length;
        }
    }
    found
}

/// FNV-1a (64 bits), folded.
fn bucket(parts: &[&[u8]]) -> u32 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().copied().flatten() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let folded = hash ^ (hash >> 32);
    u32::try_from(folded & ((1 << BUCKET_BITS) - 1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_and_accents_do_not_matter_where_they_are_folded() {
        assert_eq!(
            features("¿Cuánto CUESTA?", INTENT),
            features("cuanto cuesta?", INTENT)
        );
        assert_ne!(features("não", LANGUAGE), features("nao", LANGUAGE));
    }

    #[test]
    fn features_have_length_one_or_are_none() {
        assert!(features(" .,; ", INTENT).is_empty());
        let squares: f32 = features("two boxes please", INTENT)
            .iter()
            .map(|f| f.value * f.value)
            .sum();
        assert!((squares - 1.0).abs() < 1e-4, "{squares}");
    }

    #[test]
    fn repeating_a_text_changes_little() {
        let plain = Recipe {
            length: 0.0,
            ..INTENT
        };
        let once = features("refund refund refund", plain);
        let often = features(&"refund ".repeat(500), plain);
        assert_eq!(once, often);
    }
}
