//! Ideas that a message can hold, whichever of the five languages says them: "where is", "refund".
//!
//! 1. `concepts.txt` lists the words and phrases of each idea. It was written from knowledge of the
//!    languages, not from messages, and only says which words mean much the same: what an idea speaks
//!    for is learnt.
//! 2. So what training has seen of a refund in one language counts in the others, and for words of the
//!    list that no training text has.
//! 3. A word that means something else in another language stands in both lines; the model weighs it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Words of the longest phrase.
const PHRASE: usize = 4;

/// The shortest beginning of a word that a line may list as `begin*`, in bytes.
const STEM_BYTES: usize = 2;

static CONCEPTS: LazyLock<Concepts> = LazyLock::new(|| Concepts::of(include_str!("concepts.txt")));

#[derive(Default)]
struct Concepts {
    names: Vec<&'static str>,
    /// Words and phrases, the latter joined by `_`.
    whole: BTreeMap<&'static str, Vec<usize>>,
    begin: BTreeMap<&'static str, Vec<usize>>,
}

impl Concepts {
    fn of(file: &'static str) -> Self {
        let mut all = Self::default();
        for (name, words) in file
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(": "))
        {
            let id = all.names.len();
            all.names.push(name);
            for word in words.split_ascii_whitespace() {
                match word.strip_suffix('*') {
                    Some(begin) => all.begin.entry(begin),
                    None => all.whole.entry(word),
                }
                .or_default()
                .push(id);
            }
        }
        all
    }
}

/// The ideas in these folded words, each with the place of the word that it begins with.
#[must_use]
pub fn concepts(words: &[String]) -> Vec<(usize, &'static str)> {
    let all = &*CONCEPTS;
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let mut ids: Vec<usize> = Vec::new();
        let mut phrase = String::new();
        for next in words.iter().skip(at).take(PHRASE) {
            if !phrase.is_empty() {
                phrase.push('_');
            }
            phrase.push_str(next);
            ids.extend(all.whole.get(phrase.as_str()).into_iter().flatten());
        }
        for end in STEM_BYTES..=word.len() {
            let begin = word.get(..end).and_then(|begin| all.begin.get(begin));
            ids.extend(begin.into_iter().flatten());
        }
        ids.sort_unstable();
        ids.dedup();
        found.extend(ids.iter().filter_map(|id| Some((at, *all.names.get(*id)?))));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Accents, fold, words};

    fn named(text: &str) -> Vec<&'static str> {
        concepts(&words(text, Accents::Fold))
            .into_iter()
            .map(|(_, name)| name)
            .collect()
    }

    #[test]
    fn one_idea_in_five_languages() {
        for text in [
            "I want my money back",
            "quiero un reembolso",
            "quero o estorno",
            "ich will eine Rückerstattung",
            "je veux être remboursé",
        ] {
            let named = named(text);
            assert!(
                named.contains(&"refund") && named.contains(&"want"),
                "{text}: {named:?}"
            );
        }
    }

    #[test]
    fn every_entry_is_as_words_are_read() {
        for line in include_str!("concepts.txt").lines() {
            let Some((_, entries)) = line.split_once(": ").filter(|_| !line.starts_with('#'))
            else {
                continue;
            };
            for entry in entries.split_whitespace() {
                assert_eq!(fold(entry), entry);
                assert!(entry.split('_').count() <= PHRASE, "{entry}");
                assert!(entry.trim_end_matches('*').len() >= STEM_BYTES, "{entry}");
            }
        }
    }
}
