//! Texts without their disguise.

use unicode_normalization::UnicodeNormalization;

use crate::text;

/// Zeros of digits that compatibility forms leave as they are, each followed by nine more.
const ZEROS: [char; 20] = [
    '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}',
    '\u{be6}', '\u{c66}', '\u{ce6}', '\u{d66}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}',
    '\u{17e0}', '\u{1810}', '\u{19d0}', '\u{1b50}',
];
/// Ends of names that stand behind a dot with blanks around it, and are no words.
const ENDS: [&str; 6] = ["com", "net", "org", "xyz", "ru", "cn"];

/// Small letters, with all letters and digits in their plain forms, invisible characters and the usual
/// disguises of dots and at-signs taken off.
pub(crate) fn undressed(text: &str) -> String {
    let plain: String = text::visible(text)
        .chars()
        .filter(|c| !is_invisible(*c))
        .nfkc()
        .filter(|c| !is_invisible(*c))
        .map(|c| match c {
            '\u{3002}' | '\u{ff61}' => '.',
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            _ if c.is_whitespace() && c != '\n' => ' ',
            _ => digit(c).unwrap_or(c),
        })
        .flat_map(char::to_lowercase)
        .collect();
    let mut bare = DISGUISES
        .into_iter()
        .fold(plain, |text, (dressed, bare)| text.replace(dressed, bare));
    for end in ENDS {
        for dressed in [format!(" . {end}"), format!(" .{end}"), format!(". {end}")] {
            bare = closed_up(&bare, &dressed, &format!(".{end}"));
        }
    }
    bare
}

/// `dressed` as `bare`, where no word goes on behind it.
fn closed_up(text: &str, dressed: &str, bare: &str) -> String {
    let mut parts = text.split(dressed);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let goes_on = part.starts_with(char::is_alphanumeric);
        whole.push_str(if goes_on { dressed } else { bare });
        whole.push_str(part);
    }
    whole
}

const DISGUISES: [(&str, &str); 30] = [
    ("[.]", "."),
    ("(.)", "."),
    ("{.}", "."),
    ("[dot]", "."),
    ("(dot)", "."),
    ("{dot}", "."),
    (" dot ", "."),
    ("[punto]", "."),
    ("(punto)", "."),
    ("[ponto]", "."),
    ("(ponto)", "."),
    ("[point]", "."),
    ("(point)", "."),
    ("[punkt]", "."),
    ("(punkt)", "."),
    (" punto com", ".com"),
    (" ponto com", ".com"),
    (" point com", ".com"),
    (" punkt com", ".com"),
    (" punto es", ".es"),
    (" point fr", ".fr"),
    (" punkt de", ".de"),
    ("[at]", "@"),
    ("(at)", "@"),
    ("{at}", "@"),
    ("[arroba]", "@"),
    ("(arroba)", "@"),
    (" arroba ", "@"),
    ("hxxp", "http"),
    ("[:]", ":"),
];

fn digit(c: char) -> Option<char> {
    let value = |zero: &char| u32::from(c).checked_sub(u32::from(*zero));
    let value = ZEROS.iter().filter_map(value).find(|value| *value < 10)?;
    char::from_digit(value, 10)
}

/// Marks within which a reader sees one word or number.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}'
        | '\u{200c}' | '\u{200d}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{20e3}' | '\u{ffa0}')
}
