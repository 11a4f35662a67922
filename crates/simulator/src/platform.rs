//! What every platform can play: things that happen, and its send API.

use crate::{Delivery, UnknownKind};

/// One thing that shall happen on a platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// One of [`Platform::kinds`].
    pub kind: String,
    /// The text of a message, or the caption of its media; the platform's sample when absent.
    pub text: Option<String>,
    /// Who acts: a phone, or an id of the platform.
    pub from: Option<String>,
    /// The name shown with it.
    pub name: Option<String>,
    /// The account that it happens to.
    pub account: Option<String>,
    /// The message that it is about: of a status, reaction, edit, deletion or reply; the id that a
    /// person had before, of a change of it.
    pub about: Option<String>,
    /// The sender is known by an id that is no phone, where the platform has such ids.
    pub without_phone: bool,
    /// When it happens, in Unix seconds; a fixed time when absent.
    pub at_secs: Option<u64>,
    /// What its ids are made from: another seed, another message.
    pub seed: u64,
}

/// A request to a platform's send API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// All headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Sent {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter();
        let (_, value) = found.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// How a send API behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// Accepts what is of the documented form, refuses the rest.
    #[default]
    Well,
    /// Says that too much is sent.
    Throttled,
    /// Says that something went wrong on its side.
    Failing,
    /// Says that the time for free messages is over, where it has such a rule.
    WindowClosed,
    /// Says that the token is no longer good.
    TokenExpired,
    /// Says that the media cannot be had any more.
    MediaExpired,
}

/// An answer of a send API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers but those that an HTTP server sets.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer in JSON.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Answer {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    /// The same with one more header.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// One platform that can be played. Nothing is random: wishes, seeds and arguments decide all.
pub trait Platform: Sync {
    /// The channel's name.
    fn name(&self) -> &'static str;
    /// The names of all kinds of things that can happen.
    fn kinds(&self) -> Vec<&'static str>;
    /// Whether several things can come in one delivery.
    fn batches(&self) -> bool;
    /// One delivery without a signature. Where the platform does not [batch](Self::batches), only
    /// the first wish counts.
    fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind>;
    /// The id that a wish's message is sent under, as the canonical event names it.
    fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind>;
    /// Signs any delivery as the platform does. `base_url` is the public address that it posts to, `now` in
    /// Unix seconds. A blank secret signs nothing.
    fn sign(&self, delivery: Delivery, base_url: &str, secret: &str, now: u64) -> Delivery;
    /// What a channel must be configured with to accept what `secret` signs: itself, or where the
    /// platform signs with a private key, the public one.
    fn checked_with(&self, secret: &str) -> String {
        secret.to_owned()
    }
    /// What the send API answers. `seed` makes the ids.
    fn answer(&self, sent: &Sent, mood: Mood, seed: u64) -> Answer;
}

/// All platforms.
pub const ALL: [&dyn Platform; 10] = [
    &crate::whatsapp::WhatsApp,
    &crate::messaging::Messenger,
    &crate::messaging::Instagram,
    &crate::telegram::Telegram,
    &crate::line::Line,
    &crate::twilio::Twilio,
    &crate::slack::Slack,
    &crate::viber::Viber,
    &crate::discord::Discord,
    &crate::standard::Standard,
];

/// A platform by its name.
pub fn find(name: &str) -> Option<&'static dyn Platform> {
    ALL.into_iter().find(|platform| platform.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wishes of all kinds of all platforms.
    fn all() -> impl Iterator<Item = (&'static dyn Platform, Wish)> {
        ALL.into_iter().flat_map(|platform| {
            platform.kinds().into_iter().map(move |kind| {
                let kind = kind.to_owned();
                (
                    platform,
                    Wish {
                        kind,
                        ..Wish::default()
                    },
                )
            })
        })
    }

    #[test]
    fn a_seed_decides_everything() {
        for (platform, wish) in all() {
            let of = |seed| {
                platform
                    .unsigned(&[Wish {
                        seed,
                        ..wish.clone()
                    }])
                    .unwrap()
            };
            assert_eq!(of(1), of(1), "{} {}", platform.name(), wish.kind);
        }
    }

    #[test]
    fn an_unknown_kind_is_told_the_known_ones() {
        for platform in ALL {
            let wish = Wish {
                kind: "nonsense".into(),
                ..Wish::default()
            };
            let error = platform.unsigned(&[wish]).unwrap_err();
            assert_eq!(error.known, platform.kinds());
        }
    }

    #[test]
    fn a_blank_secret_signs_nothing_and_another_secret_signs_otherwise() {
        for (platform, wish) in all() {
            let unsigned = platform.unsigned(std::slice::from_ref(&wish)).unwrap();
            let sign = |secret| {
                platform.sign(unsigned.clone(), "https://a.example", secret, 1_700_000_000)
            };
            assert_eq!(
                sign(" ").headers,
                unsigned.headers,
                "{} {}",
                platform.name(),
                wish.kind
            );
            assert_eq!(sign("one"), sign("one"));
        }
    }
}
