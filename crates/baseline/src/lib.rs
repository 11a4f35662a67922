//! Understands a conversation without a network or a model server: what a message is about, in which
//! language and mood, what it names, and how good a lead its sender is.
//!
//! 1. Pure and deterministic: the clock is an argument, the models are part of the crate.
//! 2. Linear in the text; of a text the first 8 KiB count, of a window the last 50 turns.
//! 3. Every point of a lead's score has a reason and the message that shows it.
//! 4. Texts are a stranger's: nothing in them can make this panic or name an action.
//!
//! Writes no summary and no reply: those need a language model. Method and figures:
//! `docs/enrichment.md`.
#![deny(missing_docs)]

pub mod concepts;
pub mod entities;
pub mod evaluate;
pub mod features;
pub mod intent;
pub mod language;
pub mod lead;
pub mod model;
pub mod sentiment;
pub mod text;
pub mod urgency;

use serde::Serialize;

pub use entities::Entity;
pub use intent::Intent;
pub use lead::{Bant, Factor, Lead, Reason, Settings as LeadSettings, Stage};
pub use sentiment::Sentiment;
pub use urgency::Urgency;

/// What `source` says of a result of this crate.
pub const SOURCE: &str = "baseline:offline";

/// Turns of a window that are looked at, the last ones. Each is read once, so this bounds the time
/// of one enrichment.
pub const WINDOW_TURNS: usize = 50;

/// Who wrote a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The contact.
    Customer,
    /// A person of the tenant's.
    Agent,
    /// A program of the tenant's.
    Bot,
}

/// One line of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The message's id, which reasons refer to.
    pub message_id: String,
    /// Who wrote it.
    pub role: Role,
    /// Unix milliseconds.
    pub at: u64,
    /// What was written.
    pub text: String,
}

/// What the tenant asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Intents to choose from; all when empty. A name that the model does not know is never chosen.
    pub intents: Vec<String>,
    /// ISO 639-1 codes that are expected; a hint.
    pub languages: Vec<String>,
    /// Unix milliseconds.
    pub now: u64,
    /// IANA time zone, for "tomorrow"; UTC when absent or unknown.
    pub time_zone: Option<String>,
    /// How leads are judged; the defaults when absent.
    pub lead: Option<LeadSettings>,
}

/// What was understood.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Enriched {
    /// [`SOURCE`].
    pub source: String,
    /// ISO 639-1; `und` when unknown.
    pub language: String,
    /// Most likely first; at least one.
    pub intents: Vec<Intent>,
    /// The mood of the last turn.
    pub sentiment: Sentiment,
    /// How soon its writer wants something done.
    pub urgency: Urgency,
    /// What it names, by place.
    pub entities: Vec<Entity>,
    /// None for a window without a customer's turn.
    pub lead: Option<Lead>,
}

/// Enriches the last turn of `window`, oldest first. An empty window gives language `und`, intent
/// `other` and no lead.
#[must_use]
pub fn enrich(window: &[Turn], request: &Request) -> Enriched {
    let recent = window
        .get(window.len().saturating_sub(WINDOW_TURNS)..)
        .unwrap_or_default();
    let last = recent.last().map_or("", |turn| turn.text.as_str());
    let mut read = Reading::of(last, request);
    let lead = lead::lead(recent, request, &read);
    if read.intents.is_empty() {
        read.intents.push(Intent {
            name: intent::OTHER.to_owned(),
            confidence: 1.0,
        });
    }
    Enriched {
        source: SOURCE.to_owned(),
        language: read.language,
        intents: read.intents,
        sentiment: read.sentiment,
        urgency: read.urgency,
        entities: read.entities,
        lead,
    }
}

/// What one text alone says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reading {
    pub language: String,
    pub intents: Vec<Intent>,
    pub sentiment: Sentiment,
    pub urgency: Urgency,
    pub entities: Vec<Entity>,
    /// Whether it is the text of one who has bought.
    pub has_bought: bool,
    /// Whether its writer does not want to be a customer.
    pub has_left: bool,
    /// Whether it says for how many people or nights.
    pub names_party: bool,
}

impl Reading {
    pub fn of(text: &str, request: &Request) -> Self {
        let text = text::bounded(text);
        let words = text::words(text, text::Accents::Fold);
        let language = language::language(text, &request.languages);
        let all = intent::all(text, &request.intents);
        let intents = intent::named(all.clone());
        Self {
            sentiment: sentiment::sentiment(&words, &language, &all),
            urgency: urgency::urgency(&words, &intents),
            entities: entities::entities(text, request),
            has_bought: lead::has_bought(&words, &all),
            names_party: lead::names_party(&words),
            has_left: lead::has_left(&words, &all),
            language,
            intents,
        }
    }

    pub fn confidence(&self, intent: &str) -> f32 {
        self.intents
            .iter()
            .find(|found| found.name == intent)
            .map_or(0.0, |found| found.confidence)
    }
}

#[cfg(test)]
mod tests;
