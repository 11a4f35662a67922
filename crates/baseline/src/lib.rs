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

use lead::shown::Message;

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
    let mut read = match recent.last() {
        Some(last) => Reading::of(last, request),
        None => Reading::of_text("", request),
    };
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
    /// The stage that it shows by itself.
    pub stage: Stage,
    /// Whether it names what makes an interest a concrete one.
    pub is_concrete: bool,
    words: Vec<String>,
}

impl Reading {
    /// What `turn` says. The days that it names are those after it was written, whenever it is read.
    pub fn of(turn: &Turn, request: &Request) -> Self {
        let written = Request {
            now: turn.at,
            ..request.clone()
        };
        Self::of_text(&turn.text, &written)
    }

    fn of_text(text: &str, request: &Request) -> Self {
        let text = text::bounded(text);
        let words = text::words(text, text::Accents::Fold);
        let language = language::language(text, &request.languages);
        let all = intent::all(text, &request.intents);
        let intents = intent::named(all.clone());
        let entities = entities::entities(text, request);
        let message = Message::new(&words, &entities);
        let first = intents.first().map_or("", |intent| intent.name.as_str());
        Self {
            sentiment: sentiment::sentiment(&words, &language, &all),
            urgency: urgency::urgency(&words, &intents),
            stage: message.stage(&all),
            is_concrete: message.is_concrete(first),
            entities,
            language,
            intents,
            words,
        }
    }

    pub fn is_spam(&self) -> bool {
        self.intents
            .first()
            .is_some_and(|first| first.name == "spam")
    }

    pub fn seen(&self) -> lead::Seen<'_> {
        lead::Seen {
            words: &self.words,
            intents: &self.intents,
            entities: &self.entities,
            urgency: self.urgency,
            sentiment: self.sentiment,
            stage: self.stage,
        }
    }
}

#[cfg(test)]
mod tests;
