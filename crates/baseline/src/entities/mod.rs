//! What a text names: addresses, amounts, dates, numbers of things, people.
//!
//! 1. Conservative: what is doubtful is not named. A wrong phone number is worse than none.
//! 2. Entities never overlap; what is more specific comes first (a link before a number in it).
//! 3. `start` and `end` count bytes of the text as given.

mod date;
mod money;
mod phone;
mod quantity;
mod token;

mod name;

use linkify::{LinkFinder, LinkKind};
use serde::Serialize;

use crate::Request;
use token::{Token, tokens};

/// Entities named at most; a list longer than this is not a chat message.
const MOST: usize = 64;

/// Top-level domains of links without `https://`; "ok.thanks" is not a link.
const DOMAINS: [&str; 16] = [
    "com", "net", "org", "io", "de", "es", "fr", "pt", "br", "mx", "ar", "co", "uk", "eu", "shop",
    "example",
];

/// Something that a text names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// `email`, `phone`, `url`, `money`, `date`, `quantity`, `product`, `name`.
    pub kind: &'static str,
    /// As written.
    pub value: String,
    /// E-mail in lower case, phone as E.164, money as `500 USD`, date as ISO 8601, quantity as a
    /// number; none when what is written does not say enough.
    pub normalized: Option<String>,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// What is found before it is an [`Entity`]: a kind, its bytes, its normal form.
struct Found {
    kind: &'static str,
    start: usize,
    end: usize,
    normalized: Option<String>,
}

/// What `text` names, by place.
#[must_use]
pub fn entities(text: &str, request: &Request) -> Vec<Entity> {
    let tokens = tokens(text);
    let mut taken: Vec<Found> = Vec::new();
    let groups = [
        links(text),
        money::find(&tokens),
        date::find(&tokens, request),
        phone::find(text, &tokens),
        quantity::find(text, &tokens),
        name::find(&tokens),
    ];
    for found in groups.into_iter().flatten() {
        let free = taken
            .iter()
            .all(|other| found.end <= other.start || found.start >= other.end);
        if free && taken.len() < MOST {
            taken.push(found);
        }
    }
    taken.sort_by_key(|found| found.start);
    taken
        .into_iter()
        .filter_map(|found| found.entity(text))
        .collect()
}

impl Found {
    fn entity(self, text: &str) -> Option<Entity> {
        Some(Entity {
            kind: self.kind,
            value: text.get(self.start..self.end)?.to_owned(),
            normalized: self.normalized,
            start: u32::try_from(self.start).ok()?,
            end: u32::try_from(self.end).ok()?,
        })
    }

    /// From the first to the last of `tokens`.
    fn of(kind: &'static str, tokens: &[Token], normalized: Option<String>) -> Option<Self> {
        let (first, last) = (tokens.first()?, tokens.last()?);
        Some(Self {
            kind,
            start: first.start,
            end: last.end,
            normalized,
        })
    }
}

fn links(text: &str) -> Vec<Found> {
    let mut finder = LinkFinder::new();
    finder.url_must_have_scheme(false);
    finder
        .links(text)
        .take(MOST)
        .filter_map(|link| {
            let written = link.as_str();
            let (kind, normalized) = match link.kind() {
                LinkKind::Email => ("email", written.to_lowercase()),
                _ if written.contains("://") => ("url", written.to_owned()),
                _ if is_host(written) => ("url", format!("https://{written}")),
                _ => return None,
            };
            Some(Found {
                kind,
                start: link.start(),
                end: link.end(),
                normalized: Some(normalized),
            })
        })
        .collect()
}

fn is_host(written: &str) -> bool {
    let host = written
        .split(['/', '?', '#', ':'])
        .next()
        .unwrap_or_default();
    let domain = host
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    DOMAINS.contains(&domain.as_str())
}

#[cfg(test)]
mod tests;
