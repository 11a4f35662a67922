//! A text as the detectors read it, and the way back to the bytes of the original.

/// The folded text. Every character of it stands for exactly one of the original; characters that
/// nobody sees are left out.
pub(crate) struct Folded {
    pub(crate) text: String,
    /// For each byte of `text`, where its character starts and ends in the original.
    origins: Vec<(usize, usize)>,
}

impl Folded {
    pub(crate) fn of(original: &str) -> Self {
        let mut text = String::with_capacity(original.len());
        let mut origins = Vec::with_capacity(original.len());
        for (start, character) in original.char_indices() {
            if is_invisible(character) {
                continue;
            }
            let folded = fold(character);
            text.push(folded);
            let end = start + character.len_utf8();
            origins.extend(std::iter::repeat_n((start, end), folded.len_utf8()));
        }
        Self { text, origins }
    }

    /// The bytes of the original that a range of the folded text stands for.
    pub(crate) fn origin(&self, start: usize, end: usize) -> (usize, usize) {
        let first = self.origins.get(start).map_or(0, |(start, _)| *start);
        let last = end
            .checked_sub(1)
            .and_then(|last| self.origins.get(last))
            .map_or(first, |(_, end)| *end);
        (first, last.max(first))
    }
}

/// Soft hyphen, zero-width spaces and joiners, marks of direction, byte order mark, word joiner.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{180e}' | '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}'
    )
}

fn fold(character: char) -> char {
    match character {
        // Full-width forms of ASCII.
        '\u{ff01}'..='\u{ff5e}' => shifted(character, 0xff01, '!'),
        '\u{660}'..='\u{669}' => shifted(character, 0x660, '0'),
        '\u{6f0}'..='\u{6f9}' => shifted(character, 0x6f0, '0'),
        '\u{966}'..='\u{96f}' => shifted(character, 0x966, '0'),
        '\u{9e6}'..='\u{9ef}' => shifted(character, 0x9e6, '0'),
        '\u{e50}'..='\u{e59}' => shifted(character, 0xe50, '0'),
        // Mathematical digits: five alphabets of ten.
        '\u{1d7ce}'..='\u{1d7ff}' => {
            let digit = (u32::from(character) - 0x1d7ce) % 10;
            char::from_digit(digit, 10).unwrap_or(character)
        }
        '\u{2460}'..='\u{2468}' => shifted(character, 0x2460, '1'),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        '\u{2024}' | '\u{3002}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        other => other,
    }
}

/// The character as far after `to` as this one is after `from`.
fn shifted(character: char, from: u32, to: char) -> char {
    u32::from(character)
        .checked_sub(from)
        .and_then(|distance| char::from_u32(u32::from(to) + distance))
        .unwrap_or(character)
}
