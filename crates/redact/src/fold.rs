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
            // A mark over a digit hides it from a detector, not from a reader.
            let is_dressing = text.ends_with(|it: char| it.is_ascii_digit())
                && matches!(character, '\u{300}'..='\u{36f}' | '\u{20d0}'..='\u{20f0}');
            if is_dressing || is_invisible(character) {
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

/// Zeros of other scripts' digits, each followed by nine more (Unicode's general category Nd).
const ZEROS: [u32; 21] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50,
    0xed0, 0xf20, 0x1040, 0x17e0, 0x1810, 0x19d0, 0x1b50, 0x2080,
];
/// Ones of digits that are dressed up: circled, in brackets, with a full stop, on black.
const ONES: [u32; 8] = [
    0x2460, 0x2474, 0x2488, 0x24f5, 0x2776, 0x2780, 0x278a, 0x1f102,
];

/// Soft hyphen, zero-width spaces and joiners, marks of direction, byte order mark, word joiner, fillers.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{180e}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}'
            | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
    )
}

fn fold(character: char) -> char {
    match character {
        // Full-width forms of ASCII.
        '\u{ff01}'..='\u{ff5e}' => shifted(character, 0xff01, '!'),
        '\u{2070}' | '\u{24ea}' | '\u{24ff}' | '\u{1f10b}' | '\u{1f10c}' => '0',
        '\u{b9}' => '1',
        '\u{b2}' => '2',
        '\u{b3}' => '3',
        '\u{2074}'..='\u{2079}' => shifted(character, 0x2074, '4'),
        '\u{2018}' | '\u{2019}' | '\u{2bc}' => '\'',
        // Mathematical digits: five alphabets of ten.
        '\u{1d7ce}'..='\u{1d7ff}' => {
            let digit = (u32::from(character) - 0x1d7ce) % 10;
            char::from_digit(digit, 10).unwrap_or(character)
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        '\u{2024}' | '\u{3002}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        other => digit(other).unwrap_or(other),
    }
}

/// The ASCII digit that a digit of another script or dress stands for.
fn digit(character: char) -> Option<char> {
    let after = |first: &u32, digits: u32| {
        let distance = u32::from(character).checked_sub(*first)?;
        (distance < digits).then_some(distance)
    };
    let plain = ZEROS.iter().find_map(|zero| after(zero, 10));
    let dressed = || ONES.iter().find_map(|one| after(one, 9)).map(|it| it + 1);
    char::from_digit(plain.or_else(dressed)?, 10)
}

/// The character as far after `to` as this one is after `from`.
fn shifted(character: char, from: u32, to: char) -> char {
    u32::from(character)
        .checked_sub(from)
        .and_then(|distance| char::from_u32(u32::from(to) + distance))
        .unwrap_or(character)
}
