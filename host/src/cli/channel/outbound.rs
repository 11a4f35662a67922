//! The message that `render` reads: `chatly:types/outbound` in `wit/`, as JSON.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::plugin::bindings::chatly::types::{outbound as wit, types};

/// What `render` reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Outbound {
    account: String,
    /// The platform's own when absent.
    pub(super) base_url: Option<String>,
    pub(super) message: Message,
}

impl Outbound {
    pub(super) fn sender(&self, base_url: String) -> wit::Sender {
        wit::Sender {
            account: self.account.clone(),
            base_url,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    to: Identity,
    chat: Option<String>,
    content: Content,
    reply_to: Option<String>,
    reference: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    scheme: String,
    id: String,
}

/// One content, under its name: `{"text": "Hi"}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Content {
    Text(String),
    Media {
        kind: String,
        location: MediaLocation,
        caption: Option<String>,
        filename: Option<String>,
    },
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    },
    Contacts(Vec<Card>),
    Reaction {
        message_id: String,
        emoji: Option<String>,
    },
    Template {
        name: String,
        language: String,
        /// The platform's own JSON, passed on as it is written.
        components: Option<Box<RawValue>>,
    },
    Buttons {
        text: String,
        buttons: Vec<Button>,
    },
    Menu {
        text: String,
        button: String,
        sections: Vec<Section>,
    },
    QuickReplies {
        text: String,
        buttons: Vec<Button>,
    },
    MarkRead(String),
    Typing(Option<String>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MediaLocation {
    Url(String),
    Id(String),
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

impl From<Message> for wit::Message {
    fn from(message: Message) -> Self {
        Self {
            to: types::Identity {
                scheme: message.to.scheme,
                id: message.to.id,
            },
            chat: message.chat,
            content: message.content.into(),
            reply_to: message.reply_to,
            reference: message.reference,
        }
    }
}

impl From<Content> for wit::Content {
    fn from(content: Content) -> Self {
        match content {
            Content::Text(text) => Self::Text(text),
            Content::Media {
                kind,
                location,
                caption,
                filename,
            } => {
                let location = match location {
                    MediaLocation::Url(url) => wit::MediaLocation::Url(url),
                    MediaLocation::Id(id) => wit::MediaLocation::Id(id),
                };
                Self::Media(wit::MediaSource {
                    kind,
                    location,
                    caption,
                    filename,
                })
            }
            Content::Location {
                latitude,
                longitude,
                name,
                address,
            } => Self::Location(types::Location {
                latitude,
                longitude,
                name,
                address,
            }),
            Content::Contacts(cards) => Self::Contacts(cards.into_iter().map(card).collect()),
            Content::Reaction { message_id, emoji } => {
                Self::Reaction(wit::ReactionTo { message_id, emoji })
            }
            Content::Template {
                name,
                language,
                components,
            } => {
                let components = components.map(|json| json.get().to_owned());
                Self::Template(wit::Template {
                    name,
                    language,
                    components,
                })
            }
            Content::Buttons { text, buttons } => Self::Buttons((text, to_wit(buttons))),
            Content::Menu {
                text,
                button,
                sections,
            } => {
                let sections = sections.into_iter().map(section).collect();
                Self::Menu((text, wit::Menu { button, sections }))
            }
            Content::QuickReplies { text, buttons } => Self::QuickReplies((text, to_wit(buttons))),
            Content::MarkRead(id) => Self::MarkRead(id),
            Content::Typing(id) => Self::Typing(id),
        }
    }
}

fn card(card: Card) -> types::ContactCard {
    let Card {
        name,
        phones,
        emails,
        org,
    } = card;
    types::ContactCard {
        name,
        phones,
        emails,
        org,
    }
}

fn to_wit(buttons: Vec<Button>) -> Vec<wit::Button> {
    buttons
        .into_iter()
        .map(|Button { id, title }| wit::Button { id, title })
        .collect()
}

fn section(section: Section) -> wit::Section {
    let row = |Row {
                   id,
                   title,
                   description,
               }| wit::Row {
        id,
        title,
        description,
    };
    let rows = section.rows.into_iter().map(row).collect();
    wit::Section {
        title: section.title,
        rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(json: &str) -> Result<wit::Content, serde_json::Error> {
        let message = format!(
            r#"{{"account":"1","message":{{"to":{{"scheme":"phone","id":"2"}},"content":{json}}}}}"#
        );
        let outbound: Outbound = serde_json::from_str(&message)?;
        Ok(wit::Message::from(outbound.message).content)
    }

    #[test]
    fn every_content_is_read_under_its_name() {
        for (json, want) in [
            (r#"{"text":"Hi"}"#, r#"Content::Text("Hi")"#),
            (
                r#"{"media":{"kind":"image","location":{"url":"https://x"},"caption":"c"}}"#,
                r#"Content::Media(MediaSource { kind: "image", location: MediaLocation::Url("https://x"), caption: Some("c"), filename: None })"#,
            ),
            (
                r#"{"location":{"latitude":1.5,"longitude":-2}}"#,
                r#"Content::Location(Location { latitude: 1.5, longitude: -2.0, name: None, address: None })"#,
            ),
            (
                r#"{"contacts":[{"name":"n","phones":["1"]}]}"#,
                r#"Content::Contacts([ContactCard { name: Some("n"), phones: ["1"], emails: [], org: None }])"#,
            ),
            (
                r#"{"reaction":{"message_id":"m"}}"#,
                r#"Content::Reaction(ReactionTo { message-id: "m", emoji: None })"#,
            ),
            (
                r#"{"template":{"name":"t","language":"en","components":[1.10]}}"#,
                r#"Content::Template(Template { name: "t", language: "en", components: Some("[1.10]") })"#,
            ),
            (
                r#"{"buttons":{"text":"t","buttons":[{"id":"i","title":"b"}]}}"#,
                r#"Content::Buttons(("t", [Button { id: "i", title: "b" }]))"#,
            ),
            (
                r#"{"menu":{"text":"t","button":"b","sections":[{"rows":[{"id":"i","title":"r"}]}]}}"#,
                r#"Content::Menu(("t", Menu { button: "b", sections: [Section { title: None, rows: [Row { id: "i", title: "r", description: None }] }] }))"#,
            ),
            (
                r#"{"quick_replies":{"text":"t","buttons":[]}}"#,
                r#"Content::QuickReplies(("t", []))"#,
            ),
            (r#"{"mark_read":"m"}"#, r#"Content::MarkRead("m")"#),
            (r#"{"typing":null}"#, r#"Content::Typing(None)"#),
        ] {
            assert_eq!(format!("{:?}", content(json).unwrap()), want, "{json}");
        }
    }

    #[test]
    fn what_is_no_content_is_refused() {
        for json in [
            r#"{"txt":"Hi"}"#,
            r#"{"text":"Hi","typing":null}"#,
            r#"{"media":{"kind":"image"}}"#,
            r#"{"reaction":{"message_id":"m","emojis":[]}}"#,
            r#""text""#,
        ] {
            assert!(content(json).is_err(), "{json}");
        }
    }
}
