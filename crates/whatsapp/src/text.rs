//! Splits a text that is too long for one message.

use unicode_segmentation::UnicodeSegmentation;

/// Most characters of a text message, by Meta's documentation.
pub(crate) const MAX_CHARS: u32 = 4096;

/// The pieces of a text, each of at most `max` characters, in order and with nothing left out.
/// A piece ends after white space where its second half has any, and never inside a grapheme
/// unless one alone is longer than `max`.
pub(crate) fn split(text: &str, max: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(cut(rest, max));
        pieces.push(piece);
        rest = left;
    }
    pieces
}

/// Where the first piece of a text ends, in bytes; more than none for a text that is not empty.
fn cut(text: &str, max: usize) -> usize {
    let (mut chars, mut end, mut after_space) = (0, 0, None);
    for (start, grapheme) in text.grapheme_indices(true) {
        chars += grapheme.chars().count();
        if chars > max {
            let whole = if end == 0 { text.char_indices().nth(max.max(1)).map_or(text.len(), |(at, _)| at) } else { end };
            return after_space.unwrap_or(whole);
        }
        end = start + grapheme.len();
        if chars > max / 2 && grapheme.chars().all(char::is_whitespace) {
            after_space = Some(end);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_piece_ends_between_graphemes_and_after_a_space_if_it_can() {
        let family = "👨\u{200d}👩\u{200d}👧";
        for (name, text, max, want) in [
            ("empty", "", 5, vec![]),
            ("exactly as long", "abcde", 5, vec!["abcde"]),
            ("one more", "abcdef", 5, vec!["abcde", "f"]),
            ("a space in the second half", "abc def", 5, vec!["abc ", "def"]),
            ("a space in the first half", "a bcdef", 5, vec!["a bcd", "ef"]),
            ("a grapheme of five characters", &format!("ab{family}c"), 6, vec!["ab", &format!("{family}c")]),
            ("a grapheme that is too long", family, 4, vec!["👨\u{200d}👩\u{200d}", "👧"]),
        ] {
            assert_eq!(split(text, max), want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_piece_is_too_long(text in "(\\PC|e\u{301}|👨\u{200d}👩\u{200d}👧| |\n){0,80}", max in 1usize..40) {
            let pieces = split(&text, max);
            prop_assert_eq!(&pieces.concat(), &text);
            for piece in pieces {
                prop_assert!((1..=max).contains(&piece.chars().count()));
            }
        }
    }
}
