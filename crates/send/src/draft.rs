//! A message as it is written, and as the thread shows it. What it says, and that nothing of it may
//! be lost, is read by [`chatly_channel::fields`].

use chatly_canonical::{Identity, Media as Shown, Message as Stored, MessageType, Raw};
use chatly_channel::fields::{self, Fields};
use chatly_channel::outbound::{Content, MediaLocation, MediaSource, Message};

/// Why a draft cannot be used. Holds no value of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not the JSON of a draft, from this place on.
    #[error("not the JSON of a message, at line {line}, column {column}")]
    NotADraft {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// The fields are no message.
    #[error(transparent)]
    Fields(#[from] fields::Error),
    /// A member that is there twice.
    #[error("a message of this type takes no {0}")]
    Twice(&'static str),
    /// A field beside the message that is not what it has to be.
    #[error("{0} is not what it has to be")]
    Malformed(&'static str),
    /// What goes out when the window is closed has to be a template.
    #[error("a fallback is a message of the type template")]
    Fallback,
}

/// What is to be sent, without its recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The content.
    pub content: Content,
    /// The platform's id of the message replied to.
    pub reply_to: Option<String>,
    /// What was written.
    json: String,
}

impl Draft {
    /// Reads a draft.
    ///
    /// # Errors
    /// [`Error`] for anything that does not say one message.
    pub fn parse(json: &str) -> Result<Self, Error> {
        // A list of the fields' values would be read, too.
        if !json.trim_start().starts_with('{') {
            return Err(Error::NotADraft { line: 1, column: 1 });
        }
        let fields: Fields = serde_json::from_str(json).map_err(|error| Error::NotADraft {
            line: error.line(),
            column: error.column(),
        })?;
        let (content, reply_to) = fields.content()?;
        Ok(Draft {
            content,
            reply_to,
            json: Raw::ours(json).get().to_owned(),
        })
    }

    /// What was written, without needless space.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The message as the channel renders it. `reference` comes back in status callbacks.
    pub fn to(&self, to: Identity, chat: Option<String>, reference: Option<String>) -> Message {
        Message {
            to,
            chat,
            content: self.content.clone(),
            reply_to: self.reply_to.clone(),
            reference,
            tag: None,
        }
    }

    /// The message as the thread shows it, without a platform's id yet; none for what is no message
    /// (a reaction, a read marker, typing). What the canonical model has no field for is kept as it
    /// was written.
    pub fn stored(&self) -> Option<Stored> {
        let mut stored = Stored {
            reply_to: self.reply_to.clone(),
            kind: MessageType::Text,
            ..Stored::default()
        };
        match &self.content {
            Content::Text(text) => stored.text = Some(text.clone()),
            Content::Media(source) => {
                stored.kind = kind_of(&source.kind);
                stored.media = vec![media(source)];
            }
            Content::Location(location) => {
                stored.kind = MessageType::Location;
                stored.location = Some(location.clone());
            }
            Content::Contacts(cards) => {
                stored.kind = MessageType::Contacts;
                stored.contacts = cards.clone();
            }
            Content::Template(_) => {
                stored.kind = MessageType::Unsupported;
                stored.raw = Some(Raw::json(&self.json));
            }
            Content::Buttons(text, _) | Content::Menu(text, _) | Content::QuickReplies(text, _) => {
                stored.text = Some(text.clone());
                stored.raw = Some(Raw::json(&self.json));
            }
            Content::Reaction(_) | Content::MarkRead(_) | Content::Typing(_) => return None,
        }
        Some(stored)
    }
}

fn kind_of(kind: &str) -> MessageType {
    match kind {
        "image" => MessageType::Image,
        "audio" | "voice" => MessageType::Audio,
        "video" => MessageType::Video,
        "document" => MessageType::Document,
        "sticker" => MessageType::Sticker,
        _ => MessageType::Unsupported,
    }
}

fn media(source: &MediaSource) -> Shown {
    let (url, id) = match &source.location {
        MediaLocation::Url(url) => (Some(url.clone()), None),
        MediaLocation::Id(id) => (None, Some(id.clone())),
    };
    Shown {
        kind: source.kind.clone(),
        id,
        url,
        caption: source.caption.clone(),
        filename: source.filename.clone(),
        ..Shown::default()
    }
}

#[cfg(test)]
mod tests;
