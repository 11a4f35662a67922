//! A message as it is written in JSON: `type` and the fields that this type takes, in one flat object.
//!
//! 1. A field that the type needs and that is not there, and one that it does not take, are errors: a
//!    message must not go out with less than what was written.
//! 2. [`Fields`] is such an object. One that has more members than the message's own keeps [`Fields`]
//!    beside them and has each member read by [`Fields::read`].
//! 3. Errors name fields, never what was written in them.

mod shapes;

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use self::shapes::{ButtonFields, Card, List, MediaFields, Place, Reaction, TemplateFields};
use crate::outbound::{Button, Content, ReactionTo};

/// The types, for whoever wrote another.
pub const KINDS: &str = "text, media, location, contacts, reaction, template, buttons, \
    quick_replies, list, mark_read, typing";

/// Why the fields are no message. Holds no value of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such type.
    #[error("no such type; write one of {}", KINDS)]
    Type,
    /// A field that this type needs.
    #[error("a message of this type needs {0}")]
    Needs(&'static str),
    /// A field that this type does not take.
    #[error("a message of this type takes no {0}")]
    Spare(&'static str),
    /// A medium is named by its address or by the platform's id of it, not by both.
    #[error("media needs either url or id")]
    MediaLocation,
}

/// The fields of all types.
#[derive(Debug, Default)]
pub struct Fields {
    kind: Option<String>,
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
    /// The members, for an error about another one.
    pub const NAMES: &'static [&'static str] = &[
        "type",
        "text",
        "media",
        "location",
        "contacts",
        "reaction",
        "template",
        "buttons",
        "list",
        "message_id",
        "reply_to",
    ];

    /// Reads the value of the member `name`; false when it is none of these, and nothing was read.
    ///
    /// # Errors
    /// The reader's, for a value that does not fit and a member that is there twice.
    pub fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match name {
            "type" => once(&mut self.kind, "type", map)?,
            "text" => once(&mut self.text, "text", map)?,
            "media" => once(&mut self.media, "media", map)?,
            "location" => once(&mut self.location, "location", map)?,
            "contacts" => once(&mut self.contacts, "contacts", map)?,
            "reaction" => once(&mut self.reaction, "reaction", map)?,
            "template" => once(&mut self.template, "template", map)?,
            "buttons" => once(&mut self.buttons, "buttons", map)?,
            "list" => once(&mut self.list, "list", map)?,
            "message_id" => once(&mut self.message_id, "message_id", map)?,
            "reply_to" => once(&mut self.reply_to, "reply_to", map)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The type as it was written, once it was.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// What the fields say, and the platform's id of the message replied to.
    ///
    /// # Errors
    /// [`Error`] when they are more or less than their type takes.
    pub fn content(mut self) -> Result<(Content, Option<String>), Error> {
        let content = self.take()?;
        self.check_spare()?;
        Ok((content, self.reply_to))
    }

    /// Takes the fields of the type.
    fn take(&mut self) -> Result<Content, Error> {
        Ok(match self.kind().unwrap_or_default() {
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

/// Reads the value of the member `name`, which may be there once; `null` is as good as absent.
///
/// # Errors
/// The reader's, for a value that does not fit and a second one.
pub fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    field: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if field.is_some() {
        return Err(de::Error::duplicate_field(name));
    }
    *field = map.next_value()?;
    Ok(())
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Fields;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("the object of a message")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Fields::default();
                while let Some(name) = map.next_key::<String>()? {
                    if !fields.read(&name, &mut map)? {
                        return Err(de::Error::unknown_field(&name, Fields::NAMES));
                    }
                }
                match fields.kind {
                    Some(_) => Ok(fields),
                    None => Err(de::Error::missing_field("type")),
                }
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests;
