//! Words, numbers and signs of a text, each with its place.

use crate::text::fold;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Word,
    /// Digits, with `.` and `,` between them.
    Number,
    Sign,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
    /// Folded.
    pub text: String,
    /// Begins with a capital.
    pub capital: bool,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    /// Stands directly after `before`.
    pub fn touches(&self, before: &Token) -> bool {
        self.start == before.end
    }

    pub fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }

    /// What a number is worth: `1.500` and `1,500` are 1500, `1,5` and `1.50` are not.
    pub fn number(&self) -> Option<f64> {
        if self.kind != Kind::Number {
            return None;
        }
        let (whole, part) = match self.text.rfind(['.', ',']) {
            Some(at) if self.text.len() - at != 4 => {
                (self.text.get(..at)?, self.text.get(at + 1..)?)
            }
            _ => (self.text.as_str(), ""),
        };
        format!("{}.{part}0", whole.replace(['.', ','], ""))
            .parse()
            .ok()
    }

    /// A number without `.` and `,`.
    pub fn integer(&self) -> Option<u32> {
        if self.kind == Kind::Number {
            self.text.parse().ok()
        } else {
            None
        }
    }
}

/// The tokens of `text`, in order.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = text.char_indices().peekable();
    while let Some((start, first)) = letters.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut end = start + first.len_utf8();
        let kind = kind(first);
        while let Some((at, next)) = letters.peek().copied() {
            if !belongs(
                kind,
                next,
                text.get(at + next.len_utf8()..).unwrap_or_default(),
            ) {
                break;
            }
            end = at + next.len_utf8();
            letters.next();
        }
        tokens.push(Token {
            kind,
            start,
            end,
            text: fold(text.get(start..end).unwrap_or_default()),
            capital: first.is_uppercase(),
        });
    }
    tokens
}

fn kind(c: char) -> Kind {
    if c.is_ascii_digit() {
        Kind::Number
    } else if c.is_alphabetic() {
        Kind::Word
    } else {
        Kind::Sign
    }
}

fn belongs(kind: Kind, next: char, rest: &str) -> bool {
    match kind {
        Kind::Word => next.is_alphabetic() || ('\u{300}'..='\u{36f}').contains(&next),
        Kind::Number => {
            next.is_ascii_digit()
                || (matches!(next, '.' | ',') && rest.starts_with(|c: char| c.is_ascii_digit()))
        }
        Kind::Sign => false,
    }
}

/// Two to twelve in the five languages; "one" is an article in four of them.
pub fn number_word(word: &str) -> Option<u32> {
    const WORDS: [(&str, u32); 58] = [
        ("two", 2),
        ("three", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("eight", 8),
        ("nine", 9),
        ("ten", 10),
        ("twelve", 12),
        ("dozen", 12),
        ("dos", 2),
        ("tres", 3),
        ("cuatro", 4),
        ("cinco", 5),
        ("seis", 6),
        ("siete", 7),
        ("ocho", 8),
        ("nueve", 9),
        ("diez", 10),
        ("doce", 12),
        ("veinte", 20),
        ("dois", 2),
        ("duas", 2),
        ("quatro", 4),
        ("sete", 7),
        ("oito", 8),
        ("nove", 9),
        ("dez", 10),
        ("doze", 12),
        ("vinte", 20),
        ("meia", 6),
        ("zwei", 2),
        ("drei", 3),
        ("vier", 4),
        ("funf", 5),
        ("sechs", 6),
        ("sieben", 7),
        ("acht", 8),
        ("neun", 9),
        ("zehn", 10),
        ("elf", 11),
        ("zwolf", 12),
        ("zwanzig", 20),
        ("deux", 2),
        ("trois", 3),
        ("quatre", 4),
        ("cinq", 5),
        ("sept", 7),
        ("huit", 8),
        ("neuf", 9),
        ("dix", 10),
        ("onze", 11),
        ("douze", 12),
        ("vingt", 20),
        ("twenty", 20),
        ("cien", 100),
        ("cem", 100),
    ];
    WORDS
        .iter()
        .find(|(text, _)| *text == word)
        .map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_five_languages_write_them() {
        for (text, want) in [
            ("500", 500.0),
            ("1.500", 1500.0),
            ("1,500", 1500.0),
            ("1.500,00", 1500.0),
            ("1,500.50", 1500.5),
            ("2,5", 2.5),
            ("19.99", 19.99),
            ("1.234.567", 1_234_567.0),
        ] {
            assert_eq!(tokens(text)[0].number(), Some(want), "{text}");
        }
    }

    #[test]
    fn tokens_know_their_place() {
        let found: Vec<(usize, usize, String)> = tokens("¿Ñu 3x?")
            .into_iter()
            .map(|t| (t.start, t.end, t.text))
            .collect();
        let want = [
            (0, 2, "¿"),
            (2, 5, "nu"),
            (6, 7, "3"),
            (7, 8, "x"),
            (8, 9, "?"),
        ];
        assert_eq!(
            found,
            want.map(|(start, end, text)| (start, end, text.to_owned()))
        );
    }
}
