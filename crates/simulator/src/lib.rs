//! A fake platform: builds webhook deliveries as the real one does, and signs them.
//!
//! 1. Bodies are byte for byte of the platform's kind: Meta escapes all that is not ASCII, and `/`.
//! 2. Everything is decided by the arguments and a seed, so that a test can be run again.
//! 3. [`Platform`] is what all platforms have in common: things that happen, and a send API that
//!    answers as documented.
//! 4. Nothing is sent: a [`Delivery`] is what a caller may send by whatever client it has.
#![deny(missing_docs)]

pub mod discord;
mod escape;
pub mod line;
pub mod messaging;
pub mod platform;
mod sample;
pub mod slack;
pub mod standard;
pub mod telegram;
pub mod twilio;
pub mod viber;
pub mod whatsapp;

pub use escape::escaped;
pub use platform::{ALL, Answer, Mood, Platform, Sent, Wish, find};

/// One webhook request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The HTTP method.
    pub method: String,
    /// The path below the server's own address.
    pub path: String,
    /// All headers but those that an HTTP client sets.
    pub headers: Vec<(String, String)>,
    /// The body as signed.
    pub body: Vec<u8>,
}

impl Delivery {
    /// The same request as a channel sees it that is served at `base_url`.
    pub fn received_at(&self, base_url: &str) -> chatly_channel::Delivery {
        chatly_channel::Delivery {
            method: self.method.clone(),
            url: format!("{base_url}{}", self.path),
            headers: self
                .headers
                .iter()
                .map(|(name, value)| chatly_channel::Header::new(name, value))
                .collect(),
            body: self.body.clone(),
        }
    }
}

/// A name of a kind that a simulator does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind {given:?}; known are: {}", .known.join(", "))]
pub struct UnknownKind {
    /// The name that was given.
    pub given: String,
    /// All names that are known.
    pub known: Vec<&'static str>,
}
