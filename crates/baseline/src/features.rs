//! What a linear model weighs: words, pairs of words, and pieces of words, hashed.
//!
//! Pieces of words carry over what training has not seen: a typo, an ending, a compound.

use crate::text::{Accents, words};

/// Hash buckets, as a power of two. Training keeps only the buckets that matter.
const BUCKET_BITS: u32 = 20;

/// A bucket and how much it counts; sorted by bucket, each bucket once, of length 1 all together.
pub type Features = Vec<(u32, f32)>;

/// How a text is taken apart.
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
    /// How much a piece of a word counts.
    pub piece: f32,
}

/// For intents.
pub const INTENT: Recipe = Recipe {
    accents: Accents::Fold,
    pieces: (3, 5),
    word: 1.0,
    pair: 0.7,
    piece: 0.35,
};

/// For languages.
pub const LANGUAGE: Recipe = Recipe {
    accents: Accents::Keep,
    pieces: (1, 4),
    word: 1.0,
    pair: 0.3,
    piece: 0.5,
};

/// Takes `text` apart.
#[must_use]
pub fn features(text: &str, recipe: Recipe) -> Features {
    let words = words(text, recipe.accents);
    let mut found = Vec::new();
    let mut before = "^";
    for word in &words {
        found.push((bucket(&[b"w", word.as_bytes()]), recipe.word));
        found.push((
            bucket(&[b"p", before.as_bytes(), b" ", word.as_bytes()]),
            recipe.pair,
        ));
        pieces(word, recipe, &mut found);
        before = word;
    }
    normalised(found)
}

fn pieces(word: &str, recipe: Recipe, found: &mut Features) {
    if !word.starts_with(char::is_alphabetic) {
        return;
    }
    let marked = format!("_{word}_");
    let starts: Vec<usize> = marked.char_indices().map(|(at, _)| at).collect();
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
                found.push((bucket(&[b"c", piece.as_bytes()]), recipe.piece));
            }
        }
    }
}

/// A feature that is there twice counts once: a message is not more of a purchase for repeating it.
fn normalised(mut found: Features) -> Features {
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    found.dedup_by_key(|feature| feature.0);
    let length = found
        .iter()
        .map(|(_, value)| value * value)
        .sum::<f32>()
        .sqrt();
    if length > 0.0 {
        for feature in &mut found {
            feature.1 /= length;
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
            .map(|f| f.1 * f.1)
            .sum();
        assert!((squares - 1.0).abs() < 1e-4, "{squares}");
    }

    #[test]
    fn repeating_a_text_changes_little() {
        let once = features("refund refund", INTENT);
        let often = features(&"refund ".repeat(500), INTENT);
        assert_eq!(once, often);
    }
}
