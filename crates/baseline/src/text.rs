//! Text as the model and the lexicons see it.
//!
//! 1. Folded: lower case, no accents, `ß` is `ss`, a letter drawn out ("holaaaa") is one letter.
//! 2. Masked: a number is `0`, an address is `@email`, a link is `@url`. What a customer orders must
//!    not look different from what another one orders.
//! 3. Punctuation is dropped except `?` and `!`; an emoji or a currency sign is a word of its own.
//!
//! Everything here is linear in the text.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Bytes of one text that are looked at. A chat message is far shorter (WhatsApp allows 4096
/// characters); what a sender appends beyond this does not change what is understood.
pub const TEXT_BYTES: usize = 8 * 1024;

/// The longest word, in characters; a longer run of letters is cut, for its n-grams say no more.
const WORD_CHARS: usize = 32;

/// The start of `text` that is looked at: at most [`TEXT_BYTES`], ended at a character.
#[must_use]
pub fn bounded(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Whether accents stay. The language is told by them, an intent is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accents {
    /// `ã` stays `ã`.
    Keep,
    /// `ã` becomes `a`.
    Fold,
}

/// The masked words of `text`, in order.
#[must_use]
pub fn words(text: &str, accents: Accents) -> Vec<String> {
    let mut words = Vec::new();
    for chunk in bounded(text).split_whitespace() {
        if let Some(mask) = mask(chunk) {
            words.push(mask.to_owned());
        } else {
            split(chunk, accents, &mut words);
        }
    }
    words
}

/// `text` in lower case and without accents.
#[must_use]
pub fn fold(text: &str) -> String {
    text.nfd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .fold(String::with_capacity(text.len()), |mut folded, c| {
            match c {
                'ß' => folded.push_str("ss"),
                'œ' => folded.push_str("oe"),
                'æ' => folded.push_str("ae"),
                '’' | '`' | '´' => folded.push('\''),
                c => folded.push(c),
            }
            folded
        })
}

fn mask(chunk: &str) -> Option<&'static str> {
    let lower = chunk
        .get(..chunk.len().min(8))
        .unwrap_or(chunk)
        .to_ascii_lowercase();
    if lower.starts_with("http:") || lower.starts_with("https:") || lower.starts_with("www.") {
        return Some("@url");
    }
    let (name, domain) = chunk.split_once('@')?;
    (!name.is_empty() && domain.contains('.')).then_some("@email")
}

fn split(chunk: &str, accents: Accents, words: &mut Vec<String>) {
    let text = match accents {
        Accents::Fold => fold(chunk),
        Accents::Keep => chunk.nfc().flat_map(char::to_lowercase).collect(),
    };
    let mut word = Word::default();
    for c in text.chars() {
        if c.is_alphabetic() {
            word.letter(c, words);
        } else if c.is_numeric() {
            word.digit(words);
        } else {
            word.finish(words);
            if c == '?' || c == '!' || is_sign(c) {
                push_once(words, c);
            }
        }
    }
    word.finish(words);
}

/// Currency signs and whatever is drawn: emoji, hearts, arrows. Not the parts of composed emoji.
fn is_sign(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '%')
        || (c >= '\u{2190}' && !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'))
}

/// "!!!" and a row of hearts count as one.
fn push_once(words: &mut Vec<String>, c: char) {
    let mut buffer = [0; 4];
    let sign: &str = c.encode_utf8(&mut buffer);
    if words.last().is_none_or(|last| last != sign) {
        words.push(sign.to_owned());
    }
}

#[derive(Default)]
struct Word {
    text: String,
    chars: usize,
    last: Option<char>,
    run: usize,
}

impl Word {
    fn letter(&mut self, c: char, words: &mut Vec<String>) {
        if self.text == "0" {
            self.finish(words);
        }
        self.run = if self.last == Some(c) {
            self.run + 1
        } else {
            1
        };
        self.last = Some(c);
        match self.run {
            // The third of a kind shows that the second was not spelling either.
            3 => {
                self.text.pop();
                self.chars -= 1;
            }
            1 | 2 if self.chars < WORD_CHARS => {
                self.text.push(c);
                self.chars += 1;
            }
            _ => {}
        }
    }

    fn digit(&mut self, words: &mut Vec<String>) {
        if self.text != "0" {
            self.finish(words);
            self.text.push('0');
            self.chars = 1;
        }
    }

    fn finish(&mut self, words: &mut Vec<String>) {
        if !self.text.is_empty() {
            words.push(std::mem::take(&mut self.text));
        }
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_masked() {
        for (text, want) in [
            ("¡Holaaaa! ¿Qué tal?", "hola ! que tal ?"),
            ("20 unidades, 3x", "0 unidades 0 x"),
            ("R$ 1.500,00", "r $ 0 0 0"),
            ("mail ana@example.com ok", "mail @email ok"),
            ("see https://a.example/b", "see @url"),
            ("gracias!!! 🙏🙏🏽", "gracias ! 🙏"),
            ("Straße l'été", "strasse l ete"),
            ("@ana", "ana"),
            ("", ""),
        ] {
            assert_eq!(words(text, Accents::Fold).join(" "), want, "{text}");
        }
    }

    #[test]
    fn accents_stay_where_they_are_asked_for() {
        assert_eq!(words("NÃO", Accents::Keep), ["não"]);
        assert_eq!(words("na\u{303}o", Accents::Keep), ["não"]);
    }

    #[test]
    fn only_the_start_of_a_long_text_is_looked_at() {
        let text = "é".repeat(TEXT_BYTES);
        assert_eq!(bounded(&text).len(), TEXT_BYTES);
        assert_eq!(bounded(&format!("a{text}")).len(), TEXT_BYTES - 1);
    }
}
