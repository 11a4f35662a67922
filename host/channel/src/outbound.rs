//! The message that `render` reads: `chatly:types/outbound` in `wit/`, as one flat JSON object.
//!
//! 1. `type` says which fields hold the content; one that it needs and is not there, and one that it
//!    does not take, are errors: a message must not go out with less than what was written.
//! 2. Without `account` the requests are made for one of [`ANY_ACCOUNT`], which is printed as `{account}`.

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::value::RawValue;

use chatly_canonical::{ContactCard, Identity as Person, Location};
use chatly_channel::outbound as native;

/// Each can stand in for an account: a platform takes letters and digits, or digits alone, or what
/// begins as its own ids do.
pub(super) const ANY_ACCOUNT: [&str; 3] = [
    "0ACCOUNT0",
    "90071992547409937",
    "AC90071992547409937a90071992547409",
];

/// What `render` reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outbound {
    account: Option<String>,
    /// The platform's own when absent.
    pub(super) base_url: Option<String>,
    to: Identity,
    chat: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    media: Option<Media>,
    location: Option<Place>,
    contacts: Option<Vec<Card>>,
    reaction: Option<Reaction>,
    template: Option<Template>,
    buttons: Option<Vec<Button>>,
    list: Option<List>,
    /// What is read, and what typing answers, too.
    message_id: Option<String>,
    reply_to: Option<String>,
    reference: Option<String>,
}

impl Outbound {
    /// The account to send from, when it is not left open.
    pub(super) fn account(&self) -> Option<String> {
        self.account.clone()
    }

    /// The message to send.
    pub(super) fn message(mut self) -> Result<native::Message> {
        let content = self.content()?;
        let spare = [
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
        if let Some((field, _)) = spare.iter().find(|(_, is_there)| *is_there) {
            bail!("a message of the type {:?} takes no {field:?}", self.kind);
        }
        Ok(native::Message {
            to: Person {
                scheme: self.to.scheme,
                id: self.to.id,
            },
            chat: self.chat,
            content,
            reply_to: self.reply_to,
            reference: self.reference,
            tag: None,
        })
    }

    fn content(&mut self) -> Result<native::Content> {
        let kind = self.kind.as_str();
        let needs = |field| format!("a message of the type {kind:?} needs {field:?}");
        Ok(match kind {
            "text" => native::Content::Text(self.text.take().with_context(|| needs("text"))?),
            "media" => {
                let media = self.media.take().with_context(|| needs("media"))?;
                native::Content::Media(media.inbuttons()?)
            }
            "location" => {
                let place = self.location.take().with_context(|| needs("location"))?;
                native::Content::Location(place.into())
            }
            "contacts" => {
                let cards = self.contacts.take().with_context(|| needs("contacts"))?;
                native::Content::Contacts(cards.into_iter().map(card).collect())
            }
            "reaction" => {
                let Reaction { message_id, emoji } =
                    self.reaction.take().with_context(|| needs("reaction"))?;
                native::Content::Reaction(native::ReactionTo { message_id, emoji })
            }
            "template" => {
                let template = self.template.take().with_context(|| needs("template"))?;
                native::Content::Template(template.into())
            }
            "buttons" | "quick_replies" => {
                let text = self.text.take().with_context(|| needs("text"))?;
                let buttons = buttons(self.buttons.take().with_context(|| needs("buttons"))?);
                if kind == "buttons" {
                    native::Content::Buttons(text, buttons)
                } else {
                    native::Content::QuickReplies(text, buttons)
                }
            }
            "list" => {
                let text = self.text.take().with_context(|| needs("text"))?;
                let List { button, sections } = self.list.take().with_context(|| needs("list"))?;
                let sections = sections.into_iter().map(section).collect();
                native::Content::Menu(text, native::Menu { button, sections })
            }
            "mark_read" => {
                let id = self.message_id.take();
                native::Content::MarkRead(id.with_context(|| needs("message_id"))?)
            }
            "typing" => native::Content::Typing(self.message_id.take()),
            _ => bail!("there is no type {kind:?}; write one of {KINDS}"),
        })
    }
}

/// The types of [`Outbound`].
const KINDS: &str = "text, media, location, contacts, reaction, template, buttons, quick_replies, \
    list, mark_read, typing";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    scheme: String,
    id: String,
}

/// A medium is named by its address or by the id that the platform gave it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Media {
    kind: String,
    url: Option<String>,
    id: Option<String>,
    caption: Option<String>,
    filename: Option<String>,
}

impl Media {
    fn inbuttons(self) -> Result<native::MediaSource> {
        let location = match (self.url, self.id) {
            (Some(url), None) => native::MediaLocation::Url(url),
            (None, Some(id)) => native::MediaLocation::Id(id),
            _ => bail!("\"media\" needs either \"url\" or \"id\""),
        };
        Ok(native::MediaSource {
            kind: self.kind,
            location,
            caption: self.caption,
            filename: self.filename,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    latitude: f64,
    longitude: f64,
    name: Option<String>,
    address: Option<String>,
}

impl From<Place> for Location {
    fn from(place: Place) -> Self {
        let Place {
            latitude,
            longitude,
            name,
            address,
        } = place;
        Self {
            latitude,
            longitude,
            name,
            address,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reaction {
    message_id: String,
    /// Takes the reaction back when absent.
    emoji: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    name: String,
    language: String,
    /// The platform's own JSON, passed on as it is written.
    components: Option<Box<RawValue>>,
}

impl From<Template> for native::Template {
    fn from(template: Template) -> Self {
        Self {
            name: template.name,
            language: template.language,
            components: template.components.map(|json| json.get().to_owned()),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    button: String,
    sections: Vec<Section>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    name: Option<String>,
    #[serde(default)]
    phones: Vec<String>,
    #[serde(default)]
    emails: Vec<String>,
    org: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Button {
    id: String,
    title: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    title: Option<String>,
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    title: String,
    description: Option<String>,
}

fn card(card: Card) -> ContactCard {
    let Card {
        name,
        phones,
        emails,
        org,
    } = card;
    ContactCard {
        name,
        phones,
        emails,
        org,
    }
}

fn buttons(buttons: Vec<Button>) -> Vec<native::Button> {
    buttons
        .into_iter()
        .map(|Button { id, title }| native::Button { id, title })
        .collect()
}

fn section(section: Section) -> native::Section {
    let row = |Row {
                   id,
                   title,
                   description,
               }| native::Row {
        id,
        title,
        description,
    };
    let rows = section.rows.into_iter().map(row).collect();
    native::Section {
        title: section.title,
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Result<native::Message> {
        let json = format!(r#"{{"account":"1","to":{{"scheme":"phone","id":"2"}},{fields}}}"#);
        serde_json::from_str::<Outbound>(&json)?.message()
    }

    #[test]
    fn every_type_is_read_from_its_fields() {
        for (fields, want) in [
            (r#""type":"text","text":"Hi""#, r#"Text("Hi")"#),
            (
                r#""type":"media","media":{"kind":"image","url":"https://x","caption":"c"}"#,
                r#"Media(MediaSource { kind: "image", location: Url("https://x"), caption: Some("c"), filename: None })"#,
            ),
            (
                r#""type":"location","location":{"latitude":1.5,"longitude":-2}"#,
                r#"Location(Location { latitude: 1.5, longitude: -2.0, name: None, address: None })"#,
            ),
            (
                r#""type":"contacts","contacts":[{"name":"n","phones":["1"]}]"#,
                r#"Contacts([ContactCard { name: Some("n"), phones: ["1"], emails: [], org: None }])"#,
            ),
            (
                r#""type":"reaction","reaction":{"message_id":"m"}"#,
                r#"Reaction(ReactionTo { message_id: "m", emoji: None })"#,
            ),
            (
                r#""type":"template","template":{"name":"t","language":"en","components":[1.10]}"#,
                r#"Template(Template { name: "t", language: "en", components: Some("[1.10]") })"#,
            ),
            (
                r#""type":"buttons","text":"t","buttons":[{"id":"i","title":"b"}]"#,
                r#"Buttons("t", [Button { id: "i", title: "b" }])"#,
            ),
            (
                r#""type":"list","text":"t","list":{"button":"b","sections":[{"rows":[{"id":"i","title":"r"}]}]}"#,
                r#"Menu("t", Menu { button: "b", sections: [Section { title: None, rows: [Row { id: "i", title: "r", description: None }] }] })"#,
            ),
            (
                r#""type":"quick_replies","text":"t","buttons":[]"#,
                r#"QuickReplies("t", [])"#,
            ),
            (r#""type":"mark_read","message_id":"m""#, r#"MarkRead("m")"#),
            (r#""type":"typing""#, r#"Typing(None)"#),
        ] {
            assert_eq!(
                format!("{:?}", read(fields).unwrap().content),
                want,
                "{fields}"
            );
        }
        let reply = read(r#""type":"text","text":"Hi","reply_to":"m""#).unwrap();
        assert_eq!((&*reply.to.id, reply.reply_to.as_deref()), ("2", Some("m")));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_to_write() {
        for (fields, want) in [
            (r#""type":"txt""#, "one of text, media"),
            (r#""type":"text""#, r#""text" needs "text""#),
            (
                r#""type":"text","text":"Hi","list":{"button":"b","sections":[]}"#,
                r#"takes no "list""#,
            ),
            (
                r#""type":"media","media":{"kind":"image"}"#,
                r#"either "url" or "id""#,
            ),
            (
                r#""type":"media","media":{"kind":"image","url":"u","id":"i"}"#,
                r#"either "url" or "id""#,
            ),
            (
                r#""type":"reaction","reaction":{"message_id":"m","emojis":[]}"#,
                "unknown field `emojis`",
            ),
            (r#""text":"Hi""#, "missing field `type`"),
        ] {
            let error = format!("{:#}", read(fields).unwrap_err());
            assert!(error.contains(want), "{fields}: {error}");
        }
    }
}
