//! Why there is no answer. Texts are ours, or the platform's own message made safe.

use crate::text;

/// Characters of a platform's message that are kept.
const MAX_MESSAGE: usize = 200;
/// A run of so many letters and digits that also stands in a conversation or a key is a quotation.
const QUOTATION: usize = 12;

/// Why there is no enrichment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The address is not granted.
    #[error("the address is not granted")]
    Denied,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// Too fast, or over a quota.
    #[error("rate limited")]
    RateLimited {
        /// Milliseconds after which the service wants to be asked again, if it says so.
        retry_after_ms: Option<u64>,
    },
    /// The service failed; it may be there again later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The answer does not fit, also after one repair.
    #[error("invalid answer: {0}")]
    InvalidAnswer(String),
    /// The service, or its model, will not do it.
    #[error("refused: {0}")]
    Refused(String),
    /// A setting is wrong, or something that has no name here.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// The same without what must not be logged: a platform may repeat the key or the request in
    /// its message, which is then dropped whole.
    pub(crate) fn without<'a>(self, key: &str, texts: impl Iterator<Item = &'a str>) -> Self {
        let safe = |message: String| {
            let key_length = key.chars().filter(|c| c.is_alphanumeric()).count();
            let quoted = text::quotes(&message, texts, QUOTATION)
                || (key_length > 0
                    && text::quotes(&message, std::iter::once(key), key_length.min(8)));
            // The status, which may stand before the message, is ours; nothing else is.
            let status = message.split_once(": ").map(|(status, _)| status);
            match status.filter(|status| is_status(status)) {
                Some(status) if quoted => format!("{status}: message withheld"),
                None if quoted => "message withheld".to_owned(),
                _ => message,
            }
        };
        match self {
            Self::Unavailable(message) => Self::Unavailable(safe(message)),
            Self::Refused(message) => Self::Refused(safe(message)),
            other => other,
        }
    }
}

/// `status 404`, as it is written here.
fn is_status(text: &str) -> bool {
    let code = text.strip_prefix("status ").unwrap_or_default();
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// A platform's words on one line, without control characters and bounded.
pub(crate) fn message(words: &str) -> String {
    // A body may be long: no more of it is looked at than can count.
    text::head(&text::line(text::head(words, 4 * MAX_MESSAGE)), MAX_MESSAGE).to_owned()
}
