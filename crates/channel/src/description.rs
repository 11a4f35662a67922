//! A platform's facts as data. Field meanings: `chatly:channel/channel` in `wit/`.
#![expect(missing_docs, reason = "every field is documented in wit/deps/channel/channel.wit")]

/// What a channel is and can do.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    pub name: String,
    pub label: String,
    pub account_in_route: bool,
    pub kinds: Vec<String>,
    pub sends: Vec<String>,
    pub limits: Limits,
    pub window: Option<Window>,
    pub rates: Vec<Rate>,
    pub base_url: String,
}

/// In what a text's length is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextUnit {
    Characters,
    Bytes,
    Utf16Units,
}

/// The most that the platform takes; none where it has no such thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub text: Option<u32>,
    pub text_unit: TextUnit,
    pub caption: Option<u32>,
    pub buttons: Option<u32>,
    pub button_title: Option<u32>,
    pub list_rows: Option<u32>,
    pub row_title: Option<u32>,
    pub row_description: Option<u32>,
    pub quick_replies: Option<u32>,
    pub webhook_body_bytes: u32,
}

/// What may be sent freely after the customer's last message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub secs: u64,
    pub after: AfterWindow,
}

/// What is left when the window has closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterWindow {
    Refuse,
    Template,
    /// With this tag, for so many seconds more.
    Tag(String, u64),
}

/// What a rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateScope {
    Account,
    Pair,
    Chat,
}

/// `count` requests in `per_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub scope: RateScope,
    pub count: u32,
    pub per_ms: u64,
}
