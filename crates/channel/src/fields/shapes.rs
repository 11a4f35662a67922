//! What the members of a message hold, and what they are to a channel.

use chatly_canonical::{ContactCard, Location};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Error;
use crate::outbound::{MediaLocation, MediaSource, Menu, Row, Section, Template};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaFields {
    kind: String,
    url: Option<String>,
    id: Option<String>,
    caption: Option<String>,
    filename: Option<String>,
}

impl MediaFields {
    pub(super) fn source(self) -> Result<MediaSource, Error> {
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reaction {
    pub(super) message_id: String,
    /// Takes the reaction back when absent.
    pub(super) emoji: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ButtonFields {
    pub(super) id: String,
    pub(super) title: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Card {
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateFields {
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    button: String,
    sections: Vec<SectionFields>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SectionFields {
    title: Option<String>,
    rows: Vec<RowFields>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowFields {
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
