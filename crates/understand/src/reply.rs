//! A suggested reply before anybody sees it: what a model could have been talked into is dropped.
//!
//! A reply is dropped whole, never patched: what is left of a manipulated text is not better.
//! Addresses and numbers may stand in it only as they stand in the conversation. What this cannot
//! see: a prompt in translation, an address spelt out in words, a promise.

use crate::scan;
use crate::text;

/// Folded characters that a reply and the prompt must share to be a quotation: some five words.
const QUOTATION: usize = 28;
/// Characters of a reply whose placeholders were put back.
const MAX_CHARS: usize = 2 * crate::bounds::REPLY_CHARS;

/// Why a suggested reply was dropped. Safe to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dropped {
    /// Nothing is left to say.
    #[error("empty")]
    Empty,
    /// Longer than 2000 characters.
    #[error("too long")]
    TooLong,
    /// It repeats our instructions.
    #[error("holds a part of the prompt")]
    Prompt,
    /// Something with the look of a key.
    #[error("holds a key")]
    Key,
    /// A link that does not stand in the conversation.
    #[error("holds a link of its own")]
    Link,
    /// An e-mail address that does not stand in the conversation.
    #[error("holds an e-mail address of its own")]
    Email,
    /// Seven digits or more that do not stand in the conversation.
    #[error("holds a number of its own")]
    Phone,
    /// An `@name` that does not stand in the conversation.
    #[error("holds an account name of its own")]
    Handle,
    /// A placeholder for personal data that nothing stands behind.
    #[error("holds a placeholder")]
    Placeholder,
}

/// Cleans a suggested reply, or says why it is dropped. `prompt` is what the model was told
/// ([`crate::instructions`]); `conversation` are the texts of the window in the same state as the
/// reply: both redacted, or both with their values put back.
///
/// # Errors
/// The first reason in the order of [`Dropped`].
pub fn clean_reply(reply: &str, prompt: &str, conversation: &[&str]) -> Result<String, Dropped> {
    let reply = text::visible(reply).trim().to_owned();
    if reply.is_empty() {
        return Err(Dropped::Empty);
    }
    if text::head(&reply, MAX_CHARS) != reply {
        return Err(Dropped::TooLong);
    }
    if text::quotes(&reply, std::iter::once(prompt), QUOTATION) {
        return Err(Dropped::Prompt);
    }
    let found = scan::find(&reply);
    let known: Vec<scan::Found> = conversation.iter().map(|text| scan::find(text)).collect();
    let all = |of: fn(&scan::Found) -> &std::collections::BTreeSet<String>| {
        let stands = |value: &String| known.iter().any(|found| of(found).contains(value));
        of(&found).iter().all(stands)
    };
    let counted = |number: &String| {
        let mut numbers = known.iter().flat_map(|found| &found.numbers);
        numbers.any(|known| known.contains(number))
    };
    let rules = [
        (found.key || !all(|found| &found.tokens), Dropped::Key),
        (!all(|found| &found.links), Dropped::Link),
        (!all(|found| &found.emails), Dropped::Email),
        (!found.numbers.iter().all(counted), Dropped::Phone),
        (!all(|found| &found.handles), Dropped::Handle),
        (!all(|found| &found.placeholders), Dropped::Placeholder),
    ];
    match rules.into_iter().find(|(broken, _)| *broken) {
        Some((_, why)) => Err(why),
        None => Ok(reply),
    }
}

#[cfg(test)]
mod tests;
