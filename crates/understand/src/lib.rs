//! Understands a conversation with a language model: what is asked, and what of the answer counts.
//!
//! 1. Pure: requests go out as [`Call`]s, answers come back as bytes; the clock is an argument.
//! 2. What people wrote is data: one JSON object a line, in a message of its own, never among the
//!    instructions. Of the tenant only checked names stand there.
//! 3. What a model says is read into a closed schema. It can name no action, no rule and no
//!    recipient; intents are the tenant's, entities stand in the last turn, texts are bounded. The
//!    lead is never a model's.
//! 4. An answer that does not fit is sent back once, as data. What was used is summed over both.
//! 5. No error holds a key or a part of a conversation.
//!
//! Sends nothing, keeps nothing, decides nothing about retries or money. Prompts:
//! `crates/understand/prompts/`, one file a version. Method and limits: `docs/llm.md`.
#![deny(missing_docs)]

mod answer;
mod anthropic;
mod call;
mod classify;
mod disguise;
mod endpoint;
mod entity;
mod error;
mod openai;
mod prompt;
mod reply;
mod scan;
mod schema;
mod session;
mod spin;
mod text;
mod usage;
mod window;
mod written;

pub use answer::{Enriched, Intent, Sentiment, Urgency, bounds};
pub use call::{Api, Call, Key, Provider, Response};
pub use classify::classify;
pub use entity::Entity;
pub use error::Error;
pub use prompt::{DEFAULT_INTENTS, PROMPT, PROMPT_VERSION, Request, instructions};
pub use reply::{Dropped, clean_reply};
pub use session::{Session, Step};
pub use usage::{Usage, estimate_tokens};
pub use window::{Role, Turn, WINDOW_TOKENS, WINDOW_TURNS};
