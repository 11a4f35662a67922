//! Conversations of a Facebook page or an Instagram account: what Messenger and Instagram share.
//!
//! 1. [`parse()`] loses nothing: an item of `messaging[]` or `standby[]` becomes an event for each thing
//!    that it holds, a change one for its value; what has no place in the model is `unknown` with its
//!    raw JSON, a message of an attachment that nobody knows `unsupported`.
//! 2. A value of `changes[]` that looks like an item of `messaging[]` is read as one.
//! 3. What the account itself sent or did is told by `is_echo` or by its own id as the sender.
//! 4. [`render()`] refuses what the platform would refuse and names the limit.
//!
//! Source of payloads, limits and codes: Meta's Messenger Platform and Instagram messaging
//! documentation. The tests are those of the two channels.
#![deny(missing_docs)]

mod attachment;
mod change;
mod classify;
mod item;
mod message;
mod parse;
mod render;

pub use classify::classify;
pub use parse::parse;
pub use render::{
    MAX_BUTTONS, MAX_ELEMENT_CHARS, MAX_ELEMENTS, MAX_QUICK_REPLIES, MAX_TITLE_CHARS, render,
};

use chatly_channel::{MediaHost, TextUnit};

/// Where Meta keeps what people send: its content networks. An address holds its own signature, asks
/// for no token and ends after days.
pub fn media_hosts() -> Vec<MediaHost> {
    ["fbcdn.net", "fbsbx.com", "cdninstagram.com"]
        .map(|domain| MediaHost::open(&format!("https://*.{domain}")))
        .to_vec()
}

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// A Facebook page.
    Messenger,
    /// An Instagram professional account.
    Instagram,
}

impl Platform {
    /// Name of the channel in routes, variables and keys.
    pub const fn name(self) -> &'static str {
        match self {
            Platform::Messenger => "messenger",
            Platform::Instagram => "instagram",
        }
    }

    /// The scheme of a person's id.
    pub const fn person(self) -> &'static str {
        match self {
            Platform::Messenger => "psid",
            Platform::Instagram => "igsid",
        }
    }

    /// The scheme of the account's own id.
    pub const fn business(self) -> &'static str {
        match self {
            Platform::Messenger => "page",
            Platform::Instagram => "instagram",
        }
    }

    /// The longest text of one message, and its unit.
    pub const fn longest_text(self) -> (u32, TextUnit) {
        match self {
            Platform::Messenger => (2_000, TextUnit::Characters),
            Platform::Instagram => (1_000, TextUnit::Bytes),
        }
    }
}
