//! A message as it is written: `type` and the fields that this type takes.
//!
//! A field that the type needs and that is not there, and one that it does not take, are errors: a
//! message must not go out with less than what was written.

use chatly_canonical::{
    ContactCard, Identity, Location, Media as Shown, Message as Stored, MessageType, Raw,
};
use chatly_channel::outbound::{
    Button, Content, MediaLocation, MediaSource, Menu, Message, ReactionTo, Row, Section, Template,
};
use serde::Deserialize;
use serde_json::value::RawValue;

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
    /// No such type.
    #[error(
        "no such type; write one of text, media, location, contacts, reaction, template, buttons, quick_replies, list, mark_read, typing"
    )]
    Type,
    /// A field that this type needs.
    #[error("a message of this type needs {0}")]
    Needs(&'static str),
    /// A field that this type does not take.
    #[error("a message of this type takes no {0}")]
    Spare(&'static str),
    /// A field beside the message that is not what it has to be.
    #[error("{0} is not what it has to be")]
    Malformed(&'static str),
    /// What goes out when the window is closed has to be a template.
    #[error("a fallback is a message of the type template")]
    Fallback,
    /// A medium is named by its address or by the platform's id of it, not by both.
    #[error("media needs either url or id")]
    MediaLocation,
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
        let mut fields: Fields = serde_json::from_str(json).map_err(|error| Error::NotADraft {
            line: error.line(),
            column: error.column(),
        })?;
        let content = fields.content()?;
        fields.check_spare()?;
        Ok(Draft {
            content,
            reply_to: fields.reply_to,
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

/// The fields of all types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    media: Option<MediaFields>,
    location: Option<Place>,
    contacts: Option<Vec<Card>>,
    reaction: Option<Reaction>,
    template: Option<TemplateFields>,
    buttons: Option<Vec<ButtonFields>>,
    list: Option<List>,
    /// What is read, and what typing answers, too.
    message_id: Option<String>,
    reply_to: Option<String>,
}

impl Fields {
    /// Takes the fields of the type.
    fn content(&mut self) -> Result<Content, Error> {
        Ok(match self.kind.as_str() {
            "text" => Content::Text(self.text()?),
            "media" => Content::Media(need(&mut self.media, "media")?.source()?),
            "location" => Content::Location(need(&mut self.location, "location")?.into()),
            "contacts" => {
                let cards = need(&mut self.contacts, "contacts")?;
                Content::Contacts(cards.into_iter().map(Into::into).collect())
            }
            "reaction" => {
                let Reaction { message_id, emoji } = need(&mut self.reaction, "reaction")?;
                Content::Reaction(ReactionTo { message_id, emoji })
            }
            "template" => Content::Template(need(&mut self.template, "template")?.into()),
            "buttons" => Content::Buttons(self.text()?, self.buttons()?),
            "quick_replies" => Content::QuickReplies(self.text()?, self.buttons()?),
            "list" => Content::Menu(self.text()?, need(&mut self.list, "list")?.into()),
            "mark_read" => Content::MarkRead(need(&mut self.message_id, "message_id")?),
            "typing" => Content::Typing(self.message_id.take()),
            _ => return Err(Error::Type),
        })
    }

    fn text(&mut self) -> Result<String, Error> {
        need(&mut self.text, "text")
    }

    fn buttons(&mut self) -> Result<Vec<Button>, Error> {
        let buttons = need(&mut self.buttons, "buttons")?.into_iter();
        Ok(buttons
            .map(|ButtonFields { id, title }| Button { id, title })
            .collect())
    }

    /// Whatever the type did not take is too much.
    fn check_spare(&self) -> Result<(), Error> {
        let fields = [
            ("text", self.text.is_some()),
            ("media", self.media.is_some()),
            ("location", self.location.is_some()),
            ("contacts", self.contacts.is_some()),
            ("reaction", self.reaction.is_some()),
            ("template", self.template.is_some()),
            ("buttons", self.buttons.is_some()),
            ("list", self.list.is_some()),
            ("message_id", self.message_id.is_some()),
        ];
        match fields.into_iter().find(|(_, is_there)| *is_there) {
            Some((field, _)) => Err(Error::Spare(field)),
            None => Ok(()),
        }
    }
}

fn need<T>(field: &mut Option<T>, name: &'static str) -> Result<T, Error> {
    field.take().ok_or(Error::Needs(name))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaFields {
    kind: String,
    url: Option<String>,
    id: Option<String>,
    caption: Option<String>,
    filename: Option<String>,
}

impl MediaFields {
    fn source(self) -> Result<MediaSource, Error> {
        let location = match (self.url, self.id) {
            (Some(url), None) => MediaLocation::Url(url),
            (None, Some(id)) => MediaLocation::Id(id),
            _ => return Err(Error::MediaLocation),
        };
        Ok(MediaSource {
            kind: self.kind,
            location,
            caption: self.caption,
            filename: self.filename,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reaction {
    message_id: String,
    /// Takes the reaction back when absent.
    emoji: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ButtonFields {
    id: String,
    title: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    name: Option<String>,
    #[serde(default)]
    phones: Vec<String>,
    #[serde(default)]
    emails: Vec<String>,
    org: Option<String>,
}

impl From<Card> for ContactCard {
    fn from(card: Card) -> Self {
        ContactCard {
            name: card.name,
            phones: card.phones,
            emails: card.emails,
            org: card.org,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    latitude: f64,
    longitude: f64,
    name: Option<String>,
    address: Option<String>,
}

impl From<Place> for Location {
    fn from(place: Place) -> Self {
        Location {
            latitude: place.latitude,
            longitude: place.longitude,
            name: place.name,
            address: place.address,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateFields {
    name: String,
    language: String,
    /// The platform's own JSON, passed on as it is written.
    components: Option<Box<RawValue>>,
}

impl From<TemplateFields> for Template {
    fn from(fields: TemplateFields) -> Self {
        Template {
            name: fields.name,
            language: fields.language,
            components: fields.components.map(|json| json.get().to_owned()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    button: String,
    sections: Vec<SectionFields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionFields {
    title: Option<String>,
    rows: Vec<RowFields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RowFields {
    id: String,
    title: String,
    description: Option<String>,
}

impl From<List> for Menu {
    fn from(list: List) -> Self {
        let row = |row: RowFields| Row {
            id: row.id,
            title: row.title,
            description: row.description,
        };
        let section = |section: SectionFields| Section {
            title: section.title,
            rows: section.rows.into_iter().map(row).collect(),
        };
        Menu {
            button: list.button,
            sections: list.sections.into_iter().map(section).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
