//! Finds addresses, numbers and keys in a text, also where they are dressed up.

use std::collections::BTreeSet;

use linkify::{LinkFinder, LinkKind};

use crate::text;

/// Fewest digits of what is taken for a phone or account number.
const NUMBER_DIGITS: usize = 7;
/// Fewest characters of what is taken for a key.
const KEY_CHARS: usize = 20;
/// How well-known services begin their keys.
const KEY_PREFIXES: [&str; 14] = [
    "sk-",
    "sk_",
    "pk_",
    "rk_",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "hf_",
    "AKIA",
    "AIza",
    "eyJ",
];

/// What a text names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub links: BTreeSet<String>,
    pub emails: BTreeSet<String>,
    /// Digits only.
    pub numbers: BTreeSet<String>,
    pub handles: BTreeSet<String>,
    /// `[EMAIL_1]`: places where personal data was taken out.
    pub placeholders: BTreeSet<String>,
    /// Long tokens of letters and digits.
    pub tokens: BTreeSet<String>,
    /// Whether one of them has the look of a known service's key.
    pub key: bool,
}

pub(crate) fn find(text: &str) -> Found {
    let plain = undressed(text);
    let mut found = Found {
        placeholders: placeholders(text),
        ..Found::default()
    };
    let mut finder = LinkFinder::new();
    finder
        .url_must_have_scheme(false)
        .kinds(&[LinkKind::Url, LinkKind::Email]);
    for link in finder.links(&plain) {
        let address = link.as_str().trim_end_matches('/').to_owned();
        match link.kind() {
            LinkKind::Email => found.emails.insert(address),
            _ => found.links.insert(address),
        };
    }
    // Schemes that the finder does not know, `tel:` and `mailto:` in front of nothing it finds.
    for word in plain.split_whitespace() {
        let scheme = |name: &str| word.contains(name);
        if found.links.is_empty()
            && ["://", "javascript:", "tel:", "mailto:", "sms:"]
                .into_iter()
                .any(scheme)
        {
            found.links.insert(word.to_owned());
        }
        if let Some(handle) = handle(word) {
            found.handles.insert(handle);
        }
    }
    found.numbers = numbers(&plain);
    for word in text.split(|c: char| c.is_whitespace() || "\"'`,;()[]{}<>".contains(c)) {
        let word = word.trim_end_matches(['.', ':']);
        let digits = word.contains(|c: char| c.is_ascii_digit());
        let letters = word.contains(|c: char| c.is_ascii_alphabetic());
        let all = word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-+/=.:".contains(c));
        if digits && letters && all && word.len() >= KEY_CHARS && !word.contains("://") {
            found.tokens.insert(word.to_owned());
        }
        let known = KEY_PREFIXES.iter().any(|prefix| word.starts_with(prefix));
        found.key |= known && digits && word.len() >= 12;
    }
    found.key |= text.contains("-----BEGIN ");
    found
}

/// Small letters, full-width forms and other digits made plain, invisible characters and the usual
/// disguises of dots and at-signs taken off.
fn undressed(text: &str) -> String {
    let plain: String = text::visible(text)
        .chars()
        .filter(|c| {
            !matches!(
                c,
                '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{20e3}'
            )
        })
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => shifted(c, '\u{ff01}', '!'),
            '\u{660}'..='\u{669}' => shifted(c, '\u{660}', '0'),
            '\u{6f0}'..='\u{6f9}' => shifted(c, '\u{6f0}', '0'),
            '\u{966}'..='\u{96f}' => shifted(c, '\u{966}', '0'),
            '\u{3002}' | '\u{ff61}' | '\u{2024}' => '.',
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            _ if c.is_whitespace() && c != '\n' => ' ',
            _ => c,
        })
        .flat_map(char::to_lowercase)
        .collect();
    let disguises = [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        (" dot ", "."),
        (" punto com", ".com"),
        (" ponto com", ".com"),
        (" point com", ".com"),
        (" punkt com", ".com"),
        ("[at]", "@"),
        ("(at)", "@"),
        (" arroba ", "@"),
        ("hxxp", "http"),
    ];
    disguises
        .into_iter()
        .fold(plain, |text, (dressed, bare)| text.replace(dressed, bare))
}

fn shifted(c: char, from: char, to: char) -> char {
    char::from_u32(u32::from(c) - u32::from(from) + u32::from(to)).unwrap_or(c)
}

fn handle(word: &str) -> Option<String> {
    let (_, after) = word.split_once('@')?;
    let name: String = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || "_.".contains(*c))
        .collect();
    // The end of a sentence is no part of a name.
    let name = name.trim_end_matches('.').to_owned();
    (name.chars().count() >= 3).then_some(name)
}

fn placeholders(text: &str) -> BTreeSet<String> {
    let bracketed = text
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(']'));
    bracketed
        .map(|(name, _)| name)
        .filter(|name| {
            name.split_once('_').is_some_and(|(kind, number)| {
                let upper = |b: u8| b.is_ascii_uppercase() || b == b'_';
                let number = number.rsplit('_').next().unwrap_or_default();
                !kind.is_empty()
                    && kind.bytes().all(upper)
                    && !number.is_empty()
                    && number.bytes().all(|b| b.is_ascii_digit())
            })
        })
        .map(str::to_owned)
        .collect()
}

/// Runs of at least seven digits, with blanks and the usual marks between them. Dates are none.
fn numbers(plain: &str) -> BTreeSet<String> {
    let dateless: Vec<&str> = plain
        .split_whitespace()
        .map(|word| if is_date(word) { "|" } else { word })
        .collect();
    let mut numbers = BTreeSet::new();
    let mut run = String::new();
    let mut gap = 0;
    for c in dateless.join(" ").chars().chain(['|']) {
        if c.is_ascii_digit() {
            run.push(c);
            gap = 0;
        } else if !run.is_empty() && gap < 3 && " .-()/+".contains(c) {
            gap += 1;
        } else {
            if run.len() >= NUMBER_DIGITS {
                numbers.insert(run.clone());
            }
            run.clear();
            gap = 0;
        }
    }
    numbers
}

fn is_date(word: &str) -> bool {
    let parts: Vec<&str> = word
        .trim_matches(|c: char| !c.is_ascii_digit())
        .split(['-', '.', '/'])
        .collect();
    let number = |text: &&str| text.parse::<u32>().ok();
    let Some(&[first, second, third]) = parts
        .iter()
        .map(number)
        .collect::<Option<Vec<u32>>>()
        .as_deref()
        .and_then(|p| p.first_chunk::<3>())
    else {
        return false;
    };
    let year = |n: u32| (1900..=2100).contains(&n);
    let day_month =
        |a: u32, b: u32| (1..=31).contains(&a) && (1..=31).contains(&b) && a.min(b) <= 12;
    parts.len() == 3
        && ((year(first) && day_month(second, third))
            || ((year(third) || third <= 99) && day_month(first, second)))
}
