//! Finds addresses, numbers and keys in a text, also where they are dressed up.

use std::collections::BTreeSet;

use linkify::{LinkFinder, LinkKind};

use crate::disguise::undressed;
use crate::written::{is_amount, is_date, is_time};

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

/// What makes a word a link, whatever stands behind it.
const SCHEMES: [&str; 14] = [
    "javascript:",
    "vbscript:",
    "data:",
    "tel:",
    "callto:",
    "mailto:",
    "sms:",
    "smsto:",
    "geo:",
    "blob:",
    "file:",
    "intent:",
    "whatsapp:",
    "tg:",
];
/// What stands around a word and is no part of it.
const MARKS: [char; 16] = [
    '.', ',', ';', ':', '!', '?', '(', ')', '[', ']', '"', '\'', '<', '>', '/', '*',
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
    for word in plain.split_whitespace() {
        let known = found.links.iter().any(|link| word.contains(link.as_str()));
        let scheme = SCHEMES.iter().any(|name| word.contains(name));
        if scheme || word.contains("://") && !known || is_host(word) {
            found.links.insert(word.trim_matches(MARKS).to_owned());
        }
        found.handles.extend(handles(word));
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

/// Addresses that the finder does not know: a host of this machine, four numbers, and a name whose last
/// part is of another script than Latin.
fn is_host(word: &str) -> bool {
    let word = word.trim_matches(MARKS);
    let host = word.split(['/', '?', '#']).next().unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let foreign = name.rsplit_once('.').is_some_and(|(before, last)| {
        before.ends_with(char::is_alphanumeric)
            && last.chars().count() >= 2
            && last.chars().all(char::is_alphabetic)
            && last.chars().any(|c| c > '\u{36f}')
    });
    name == "localhost"
        || port && !is_time(host) && name.contains(char::is_alphanumeric)
        || name.parse::<std::net::Ipv4Addr>().is_ok()
        || foreign
}

/// What stands behind each `@`.
fn handles(word: &str) -> impl Iterator<Item = String> {
    word.split('@').skip(1).filter_map(|after| {
        let name: String = after
            .chars()
            .take_while(|c| c.is_alphanumeric() || "_.".contains(*c))
            .collect();
        // The end of a sentence is no part of a name.
        let name = name.trim_end_matches('.').to_owned();
        (name.chars().count() >= 3).then_some(name)
    })
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

/// Runs of at least seven digits, with blanks and the usual marks between them. Dates, times and amounts
/// are none.
fn numbers(plain: &str) -> BTreeSet<String> {
    let dateless: Vec<&str> = plain
        .split_whitespace()
        .map(|word| {
            let ordinary = is_date(word) || is_time(word) || is_amount(word);
            if ordinary { "/|/" } else { word }
        })
        .collect();
    let mut numbers = BTreeSet::new();
    let mut run = String::new();
    let mut gap = 0;
    for c in dateless.join(" ").chars().chain(['|']) {
        if c.is_ascii_digit() {
            run.push(c);
            gap = 0;
        } else if !run.is_empty() && gap < 3 && " .-()/+,_:*·•~'’".contains(c) {
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
