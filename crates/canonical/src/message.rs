//! What a message holds. Field meanings: `chatly:types/types` in `wit/`.
#![expect(
    missing_docs,
    reason = "every field is documented in wit/deps/types/event.wit"
)]

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Declares a struct whose JSON has every field, null or empty ones included.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
    };
}
pub(crate) use record;

/// The kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    Text,
    Image,
    Audio,
    Video,
    Document,
    Sticker,
    Location,
    Contacts,
    Reply,
    Order,
    Share,
    StoryMention,
    StoryReply,
    System,
    #[default]
    Unsupported,
}

record! {
    /// One message's content.
    Message {
        id: String,
        #[serde(rename = "type")]
        kind: MessageType,
        text: Option<String>,
        media: Vec<Media>,
        reply_to: Option<String>,
        forwarded: bool,
        echo: bool,
        referral: Option<Referral>,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply: Option<InteractiveReply>,
        #[serde(skip_serializing_if = "Option::is_none")]
        location: Option<Location>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        contacts: Vec<ContactCard>,
        #[serde(skip_serializing_if = "Option::is_none")]
        order: Option<Order>,
        #[serde(skip_serializing_if = "Option::is_none")]
        share: Option<Share>,
        #[serde(skip_serializing_if = "Option::is_none")]
        story: Option<Story>,
        #[serde(skip_serializing_if = "Option::is_none")]
        raw: Option<Raw>,
    }
}
record! {
    /// A file, by id or by a link that may expire.
    Media {
        kind: String,
        id: Option<String>,
        url: Option<String>,
        mime_type: Option<String>,
        sha256: Option<String>,
        filename: Option<String>,
        caption: Option<String>,
        bytes: Option<u64>,
    }
}
record! {
    /// The choice of a button, row or quick reply.
    InteractiveReply { id: Option<String>, title: Option<String>, }
}
record! {
    /// A place.
    Location { latitude: f64, longitude: f64, name: Option<String>, address: Option<String>, }
}
record! {
    /// A contact that was shared.
    ContactCard { name: Option<String>, phones: Vec<String>, emails: Vec<String>, org: Option<String>, }
}
record! {
    /// One line of an order.
    OrderItem { product_id: String, quantity: Option<f64>, price: Option<String>, currency: Option<String>, }
}
record! {
    /// An order from a catalogue.
    Order { catalog_id: Option<String>, text: Option<String>, items: Vec<OrderItem>, }
}
record! {
    /// A post, reel, story or link that was shared.
    Share { kind: String, url: Option<String>, title: Option<String>, }
}
record! {
    /// A story that was mentioned or answered.
    Story { id: Option<String>, url: Option<String>, }
}
record! {
    /// How the person came to us.
    Referral {
        source: Option<String>,
        id: Option<String>,
        #[serde(rename = "ref")]
        reference: Option<String>,
        url: Option<String>,
        headline: Option<String>,
        body: Option<String>,
        media_url: Option<String>,
        click_id: Option<String>,
    }
}

/// A platform's own JSON: its text as received, without the white space between tokens, so that it
/// fits on one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(Box<RawValue>);

impl Raw {
    /// Keeps `text` as it is when it is JSON, else as a JSON string of it.
    pub fn json(text: &str) -> Self {
        match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => RawValue::from_string(compact(text)).map_or_else(|_| Self::text(text), Raw),
            Err(_) => Self::text(text),
        }
    }

    /// Keeps `text` as a JSON string.
    pub fn text(text: &str) -> Self {
        Raw(serde_json::value::to_raw_value(text).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// The JSON.
    pub fn get(&self) -> &str {
        self.0.get()
    }
}

impl Default for Raw {
    fn default() -> Self {
        Raw(RawValue::NULL.to_owned())
    }
}

impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

/// Drops the white space between the tokens of valid JSON.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    json.chars()
        .filter(|&c| {
            if in_string {
                (in_string, escaped) = (escaped || c != '"', !escaped && c == '\\');
                return true;
            }
            in_string = c == '"';
            !c.is_ascii_whitespace()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_json_keeps_its_text_and_fits_on_one_line() {
        for (name, text, want) in [
            (
                "numbers",
                "{\"id\": 12345678901234567890.10}",
                "{\"id\":12345678901234567890.10}",
            ),
            ("lines", "[1,\n\t2 ]", "[1,2]"),
            (
                "space in a string",
                r#"{"a b": "c \" d"}"#,
                r#"{"a b":"c \" d"}"#,
            ),
            ("escaped backslash", r#"["\\" , "x y"]"#, r#"["\\","x y"]"#),
            ("lone surrogate", r#""\ud800""#, r#""\ud800""#),
            ("no JSON", "hello \"you\"", r#""hello \"you\"""#),
        ] {
            assert_eq!(Raw::json(text).get(), want, "{name}");
        }
    }
}
