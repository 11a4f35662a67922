//! What we send, and what became of it. Field meanings: `chatly:types/outbound` in `wit/`.
#![expect(
    missing_docs,
    reason = "every field is documented in wit/deps/types/outbound.wit"
)]

use chatly_canonical::{ContactCard, Identity, Location};

use crate::Header;

/// The account a send goes out from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub account: String,
    pub base_url: String,
}

/// A file to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaSource {
    pub kind: String,
    pub location: MediaLocation,
    pub caption: Option<String>,
    pub filename: Option<String>,
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaLocation {
    Url(String),
    Id(String),
}

/// A message that the platform approved before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub name: String,
    pub language: String,
    pub components: Option<String>,
}

/// A button or quick reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Button {
    pub id: String,
    pub title: String,
}

/// A line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub title: String,
    pub description: Option<String>,
}

/// Lines under one title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub title: Option<String>,
    pub rows: Vec<Row>,
}

/// A list to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    pub button: String,
    pub sections: Vec<Section>,
}

/// A reaction to set or take back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionTo {
    pub message_id: String,
    pub emoji: Option<String>,
}

/// What is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    Text(String),
    Media(MediaSource),
    Location(Location),
    Contacts(Vec<ContactCard>),
    Reaction(ReactionTo),
    Template(Template),
    Buttons(String, Vec<Button>),
    Menu(String, Menu),
    QuickReplies(String, Vec<Button>),
    MarkRead(String),
    Typing(Option<String>),
}

/// A message to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub to: Identity,
    pub chat: Option<String>,
    pub content: Content,
    pub reply_to: Option<String>,
    pub reference: Option<String>,
    pub tag: Option<String>,
}

/// Where the caller puts the access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    None,
    Bearer,
    Basic(String),
    Header(String),
    Path,
}

/// An HTTP request that sends a message, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub url: String,
    pub headers: Vec<Header>,
    pub body: Vec<u8>,
    pub auth: Auth,
}

/// Why a message cannot be sent on a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The platform has no such content.
    #[error("{0} cannot be sent here")]
    Unsupported(String),
    /// A limit of the platform.
    #[error("{} takes at most {}, not {}", .0.limit, .0.max, .0.given)]
    TooLong(LimitBreach),
    /// A field is missing or wrong, in words.
    #[error("{0}")]
    Invalid(String),
}

/// A limit, the most it takes, and what was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitBreach {
    pub limit: String,
    pub max: u64,
    pub given: u64,
}

/// The platform's answer to a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<Header>,
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter();
        let header = found.find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(&header.value).ok().map(str::trim)
    }

    /// `Retry-After` in seconds, with or without a fraction.
    pub fn retry_after_ms(&self) -> Option<u64> {
        let seconds: f64 = self.header("retry-after")?.parse().ok()?;
        // A cast to an integer stops at its bounds; a wait is not cut short by rounding.
        (seconds.is_finite() && seconds >= 0.0).then_some((seconds * 1000.0).ceil() as u64)
    }
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    pub message_id: Option<String>,
    pub retry_after_ms: Option<u64>,
    pub code: Option<String>,
    pub reason: String,
}

impl Verdict {
    /// The platform says that it has it, under this id where it gives one.
    pub fn sent(message_id: Option<String>) -> Self {
        Verdict {
            outcome: Outcome::Sent,
            message_id,
            retry_after_ms: None,
            code: None,
            reason: "accepted".to_owned(),
        }
    }

    /// A 2xx that is not what the platform documents: an empty body, a proxy's or a captive portal's
    /// page. It may have arrived or not. It is refused, since a second try might send it twice, and
    /// has no code, by which the caller tells it from a refusal in the platform's own words.
    pub fn unrecognised(status: u16) -> Self {
        Verdict {
            outcome: Outcome::Refused,
            message_id: None,
            retry_after_ms: None,
            code: None,
            reason: format!("HTTP {status} without the platform's word that it was accepted"),
        }
    }
}

/// What to do after a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The platform says so in its own words, not by a 2xx alone.
    Sent,
    /// Not this time; the same request may succeed later.
    Retry,
    /// Too fast; wait before anything else goes out of the account.
    RateLimited,
    /// Too fast for this one recipient or chat: others are not concerned.
    PairLimited,
    /// This message can never be sent.
    Refused,
    /// Outside the time in which the platform lets us write freely.
    WindowClosed,
    /// Nothing goes out of this account until a person acts.
    AccountStopped,
    /// Nobody knows whether the platform has it.
    Uncertain,
}

impl Outcome {
    /// What a server's failure means that says nothing else (RFC 9110, 15.6): 502 and 504 are a
    /// gateway's, which may have passed the request on; with 503 nothing was done. What 500 and all
    /// others mean, `of_500` says: [`Outcome::Retry`] only where the platform documents that a second try
    /// is right, else [`Outcome::Uncertain`].
    pub fn of_server_failure(status: u16, of_500: Outcome) -> Self {
        match status {
            502 | 504 => Outcome::Uncertain,
            503 => Outcome::Retry,
            _ => of_500,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateways_failure_leaves_the_outcome_open() {
        use Outcome::{Retry, Uncertain};
        for (status, of_500, want) in [
            (500, Retry, Retry),
            (500, Uncertain, Uncertain),
            (501, Uncertain, Uncertain),
            (502, Retry, Uncertain),
            (503, Uncertain, Retry),
            (504, Retry, Uncertain),
            (505, Retry, Retry),
        ] {
            assert_eq!(Outcome::of_server_failure(status, of_500), want, "{status}");
        }
    }

    #[test]
    fn a_wait_is_read_in_seconds() {
        for (value, want) in [
            ("30", Some(30_000)),
            (" 1.337 ", Some(1_337)),
            ("0", Some(0)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("-1", None),
            ("NaN", None),
            ("inf", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            let response = Response {
                status: 429,
                headers: vec![Header::new("RETRY-after", value)],
                body: vec![],
            };
            assert_eq!(response.retry_after_ms(), want, "{value}");
        }
    }
}
