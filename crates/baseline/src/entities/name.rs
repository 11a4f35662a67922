//! Names of people who introduce themselves. After "my name is" anything is a name; after "I'm" only
//! what has a capital.

use super::Found;
use super::token::Token;

/// Folded phrases, and whether a capital is needed after them.
const PHRASES: [(&[&str], bool); 17] = [
    (&["my", "name", "is"], false),
    (&["i", "'", "m"], true),
    (&["i", "am"], true),
    (&["this", "is"], true),
    (&["me", "llamo"], false),
    (&["mi", "nombre", "es"], false),
    (&["soy"], true),
    (&["meu", "nome", "e"], false),
    (&["me", "chamo"], false),
    (&["sou", "o"], true),
    (&["sou", "a"], true),
    (&["mein", "name", "ist"], false),
    (&["ich", "heisse"], false),
    (&["ich", "bin"], true),
    (&["je", "m", "'", "appelle"], false),
    (&["mon", "nom", "est"], false),
    (&["je", "suis"], true),
];

/// Words of a name at most.
const WORDS: usize = 3;

/// Capitals that are no names: places that people are from, the German polite form, days.
const NOT_NAMES: [&str; 12] = [
    "sie", "ihnen", "kunde", "kundin", "der", "die", "das", "de", "from", "not", "no", "ich",
];

pub fn find(tokens: &[Token]) -> Vec<Found> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        for (phrase, capital) in PHRASES {
            if says(tokens, at, phrase) {
                found.extend(name(
                    tokens.get(at + phrase.len()..).unwrap_or_default(),
                    capital,
                ));
            }
        }
    }
    found
}

fn says(tokens: &[Token], at: usize, phrase: &[&str]) -> bool {
    tokens.get(at..at + phrase.len()).is_some_and(|tokens| {
        tokens
            .iter()
            .zip(phrase)
            .all(|(token, word)| token.is(word))
    })
}

fn name(tokens: &[Token], capital: bool) -> Option<Found> {
    let first = tokens.first()?;
    if !first.is_word() || (capital && !first.capital) || NOT_NAMES.contains(&first.text.as_str()) {
        return None;
    }
    let more = tokens
        .iter()
        .skip(1)
        .take(WORDS - 1)
        .take_while(|token| token.is_word() && token.capital && first.capital);
    let words = tokens.get(..=more.count())?;
    let normal: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    (normal.join("").chars().count() > 1).then(|| Found::of("name", words, None))?
}
