//! Measures a text in a platform's own unit, and splits one that is too long for one message.

use unicode_segmentation::UnicodeSegmentation;

use crate::TextUnit;

impl TextUnit {
    /// The length of a text.
    pub fn measure(self, text: &str) -> usize {
        match self {
            TextUnit::Characters => text.chars().count(),
            TextUnit::Bytes => text.len(),
            TextUnit::Utf16Units => text.encode_utf16().count(),
        }
    }
}

/// The pieces of a text, each of at most `max` units, in order and with nothing left out.
/// A piece ends after white space where its second half has any, and never inside a grapheme
/// unless one alone is longer than `max`, and never inside a character.
pub fn split(text: &str, max: usize, unit: TextUnit) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, left) = rest.split_at(cut(rest, max, unit));
        pieces.push(piece);
        rest = left;
    }
    pieces
}

/// The pieces that may be sent: those of [`split`] without the ones of nothing but white space,
/// which platforms refuse.
pub fn pieces(text: &str, max: u32, unit: TextUnit) -> impl Iterator<Item = &str> {
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let pieces = split(text, max, unit).into_iter();
    pieces.filter(|piece| !piece.trim().is_empty())
}

/// Where the first piece of a text ends, in bytes; more than none for a text that is not empty.
fn cut(text: &str, max: usize, unit: TextUnit) -> usize {
    let (mut length, mut end, mut after_space) = (0, 0, None);
    for (start, grapheme) in text.grapheme_indices(true) {
        length += unit.measure(grapheme);
        if length > max {
            let whole = if end == 0 {
                inside(text, max, unit)
            } else {
                end
            };
            return after_space.unwrap_or(whole);
        }
        end = start + grapheme.len();
        if length > max / 2 && grapheme.chars().all(char::is_whitespace) {
            after_space = Some(end);
        }
    }
    text.len()
}

/// Where a grapheme that is too long is cut: before the first character that does not fit, but
/// after the first.
fn inside(text: &str, max: usize, unit: TextUnit) -> usize {
    let mut length = 0;
    for (at, character) in text.char_indices() {
        length += unit.measure(character.encode_utf8(&mut [0; 4]));
        if length > max && at > 0 {
            return at;
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
        for (name, text, max, unit, want) in [
            ("empty", "", 5, TextUnit::Characters, vec![]),
            ("as long", "abcde", 5, TextUnit::Characters, vec!["abcde"]),
            (
                "one more",
                "abcdef",
                5,
                TextUnit::Characters,
                vec!["abcde", "f"],
            ),
            (
                "a space in the second half",
                "abc def",
                5,
                TextUnit::Characters,
                vec!["abc ", "def"],
            ),
            (
                "a space in the first half",
                "a bcdef",
                5,
                TextUnit::Characters,
                vec!["a bcd", "ef"],
            ),
            (
                "a grapheme of five characters",
                &format!("ab{family}c"),
                6,
                TextUnit::Characters,
                vec!["ab", &format!("{family}c")],
            ),
            (
                "a grapheme that is too long",
                family,
                4,
                TextUnit::Characters,
                vec!["👨\u{200d}👩\u{200d}", "👧"],
            ),
            ("bytes", "aäb", 3, TextUnit::Bytes, vec!["aä", "b"]),
            (
                "a character that is too long",
                "ä",
                1,
                TextUnit::Bytes,
                vec!["ä"],
            ),
            (
                "a family in bytes",
                &format!("a{family}"),
                18,
                TextUnit::Bytes,
                vec!["a", family],
            ),
            (
                "surrogate pairs",
                "a😀b",
                2,
                TextUnit::Utf16Units,
                vec!["a", "😀", "b"],
            ),
        ] {
            assert_eq!(split(text, max, unit), want, "{name}");
        }
        let kept: Vec<_> = pieces("abcde     \n", 5, TextUnit::Characters).collect();
        assert_eq!(kept, ["abcde"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_piece_is_too_long(
            text in "(\\PC|e\u{301}|👨\u{200d}👩\u{200d}👧| |\n){0,80}",
            max in 4usize..40,
            unit in prop_oneof![Just(TextUnit::Characters), Just(TextUnit::Bytes), Just(TextUnit::Utf16Units)],
        ) {
            let pieces = split(&text, max, unit);
            prop_assert_eq!(&pieces.concat(), &text);
            for piece in pieces {
                prop_assert!((1..=max).contains(&unit.measure(piece)));
            }
        }
    }
}
