//! What a message holds. Field meanings: `chatly:types/types` in `wit/`.
#![expect(
    missing_docs,
    reason = "every field is documented in wit/deps/types/event.wit"
)]

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Declares a struct whose JSON has every field, null or empty ones included, and that has a weight.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl $crate::weight::Weight for $name {
            fn weight(&self) -> usize {
                [$($crate::weight::Weight::weight(&self.$field)),*].into_iter().sum()
            }
        }
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
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
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

/// The deepest JSON of a stranger that stays JSON. Readers have bounds of their own, and one message
/// must not make a whole page or stream unreadable for them: .NET stops at 64 levels, `serde_json` at
/// 128, SQLite's JSON functions at 1000. What we wrap around it has fewer than 16 levels.
const MAX_DEPTH: usize = 48;

/// A platform's own JSON: its text as received, without the white space between tokens, so that it
/// fits on one line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Raw(Box<RawValue>);

impl Raw {
    /// Keeps `text` as it is when it is JSON of at most 48 levels, else as a JSON string of it.
    pub fn json(text: &str) -> Self {
        if depth(text) > MAX_DEPTH {
            return Self::text(text);
        }
        Self::ours(text)
    }

    /// Like [`Raw::json`], of any depth: for JSON that we wrote around what was bounded already.
    pub fn ours(text: &str) -> Self {
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

/// The most brackets that are open at once in valid JSON; at least that many where it is not valid
/// JSON, so that a text which only looks deep stays a string either way.
fn depth(json: &str) -> usize {
    let (mut in_string, mut escaped, mut open, mut most) = (false, false, 0_usize, 0);
    for byte in json.bytes() {
        if in_string {
            (in_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_is_too_deep_for_its_readers_is_kept_as_text() {
        let nested = |levels| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let objects = |levels| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        let side_by_side = format!("[{}]", vec![nested(47); 3].join(","));
        let in_a_string = format!(r#"["{}\"{}"]"#, "[".repeat(900), "{".repeat(900));
        for (name, text, stays_json) in [
            ("48 lists", nested(48), true),
            ("49 lists", nested(49), false),
            ("48 objects", objects(48), true),
            ("49 objects", objects(49), false),
            ("700 000 lists", nested(700_000), false),
            ("siblings", side_by_side, true),
            ("brackets in a string", in_a_string, true),
        ] {
            let raw = Raw::json(&text);
            if stays_json {
                assert_eq!(raw.get(), text, "{name}");
            } else {
                let kept: String = serde_json::from_str(raw.get()).unwrap();
                assert_eq!(kept, text, "{name}");
            }
            assert_eq!(Raw::json(raw.get()), raw, "{name}: a second time");
            assert_eq!(Raw::ours(&text).get(), text, "{name}: ours");
        }
    }

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

    proptest::proptest! {
        #[test]
        fn a_place_is_read_as_it_was_written(latitude in -90f64..90.0, longitude in -180f64..180.0) {
            let place = Location { latitude, longitude, ..Location::default() };
            let text = serde_json::to_string(&place).unwrap();
            proptest::prop_assert_eq!(serde_json::from_str::<Location>(&text).unwrap(), place);
        }
    }
}
