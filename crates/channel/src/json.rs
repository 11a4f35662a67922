//! Reads JSON that a sender controls, one level at a time.
//!
//! 1. A value stays text until somebody asks for it, so a broken item costs nothing but itself,
//!    no number passes through floating point on its way to an id, and the platform's own text can
//!    be kept.
//! 2. Values are skipped without recursion: nesting is bounded by the body's size alone.
//! 3. A lone surrogate becomes one U+FFFD in a string and stays as it was in the kept text.
//! 4. Of a name that occurs twice the last value counts, as in `JSON.parse`. `null` counts as absent.

use std::fmt;

use chatly_canonical::{Raw, to_millis};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The longest JSON of an id. Platforms' own have up to some hundred bytes, and what we had set on a
/// button up to 1000 characters.
pub const MAX_ID_BYTES: usize = 6 * 1024;

/// The text of one valid JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<'a>(&'a str);

/// The members of a JSON object, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    json: Json<'a>,
    members: Vec<(String, Json<'a>)>,
}

impl<'a> Json<'a> {
    /// The value in a body; none when it is no JSON in UTF-8.
    pub fn parse(body: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        serde_json::from_str::<&RawValue>(text).ok().map(Json::of)
    }

    fn of(raw: &'a RawValue) -> Self {
        Json(raw.get())
    }

    /// The text as received.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// The text, to be kept in an event.
    pub fn raw(self) -> Raw {
        Raw::json(self.0)
    }

    /// Its members, when it is an object.
    pub fn object(self) -> Option<Object<'a>> {
        let Members(members) = serde_json::from_str(self.0).ok()?;
        Some(Object {
            json: self,
            members,
        })
    }

    /// Its items, when it is a list.
    pub fn list(self) -> Option<Vec<Json<'a>>> {
        let items: Vec<&RawValue> = serde_json::from_str(self.0).ok()?;
        Some(items.into_iter().map(Json::of).collect())
    }

    /// Its text, when it is a string.
    pub fn string(self) -> Option<String> {
        serde_json::from_str(self.0).ok().map(|Lossy(text)| text)
    }

    /// A string that is not empty, or the digits of an integer as they stand. Nothing longer than
    /// [`MAX_ID_BYTES`]: an id is copied into every event of its list.
    pub fn id(self) -> Option<String> {
        if self.0.len() > MAX_ID_BYTES {
            return None;
        }
        match self.string() {
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => {
                let digits = self.0.strip_prefix('-').unwrap_or(self.0);
                digits
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
                    .then(|| self.0.to_owned())
            }
        }
    }

    /// A string, or any other scalar as it stands.
    pub fn scalar(self) -> Option<String> {
        self.string()
            .or_else(|| (!self.0.starts_with(['{', '['])).then(|| self.0.to_owned()))
    }

    /// A finite number, or a string that holds one.
    pub fn number(self) -> Option<f64> {
        self.scalar()?
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }

    /// A whole number, or a string that holds one.
    pub fn integer(self) -> Option<u64> {
        self.scalar()?.trim().parse().ok()
    }

    /// Unix milliseconds of a timestamp in any of the usual forms.
    pub fn millis(self) -> Option<u64> {
        self.scalar().and_then(|text| to_millis(&text.into()))
    }

    /// Whether it is `true`.
    pub fn is_true(self) -> bool {
        self.0 == "true"
    }

    /// Whether it is `false`.
    pub fn is_false(self) -> bool {
        self.0 == "false"
    }
}

impl<'a> Object<'a> {
    /// The whole object.
    pub fn json(&self) -> Json<'a> {
        self.json
    }

    /// A member, unless it is absent or null.
    pub fn get(&self, name: &str) -> Option<Json<'a>> {
        let (_, value) = self.members.iter().rev().find(|(key, _)| key == name)?;
        (value.0 != "null").then_some(*value)
    }

    /// A member that is an object.
    pub fn object(&self, name: &str) -> Option<Object<'a>> {
        self.get(name)?.object()
    }

    /// The items of a member that is a list; none when it is absent or no list.
    pub fn list(&self, name: &str) -> Vec<Json<'a>> {
        self.get(name).and_then(Json::list).unwrap_or_default()
    }

    /// A member that is a string and not empty.
    pub fn string(&self, name: &str) -> Option<String> {
        self.get(name)?.string().filter(|text| !text.is_empty())
    }

    /// A member that is an id.
    pub fn id(&self, name: &str) -> Option<String> {
        self.get(name)?.id()
    }

    /// A member that is a timestamp, in Unix milliseconds.
    pub fn millis(&self, name: &str) -> Option<u64> {
        self.get(name)?.millis()
    }

    /// Whether a member is `true`.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(Json::is_true)
    }

    /// Whether a member is there and `false`.
    pub fn is_false(&self, name: &str) -> bool {
        self.get(name).is_some_and(Json::is_false)
    }

    /// All members, in order.
    pub fn members(&self) -> impl Iterator<Item = (&str, Json<'a>)> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
    }

    /// The whole object to be kept in an event, but for these members: what opens something must not
    /// be kept.
    pub fn raw_without(&self, names: &[&str]) -> Raw {
        let kept: Vec<String> = self
            .members()
            .filter(|(name, _)| !names.contains(name))
            .map(|(name, value)| format!("{}:{}", serde_json::Value::from(name), value.text()))
            .collect();
        Raw::json(&format!("{{{}}}", kept.join(",")))
    }

    /// The values of all members, in order.
    pub fn values(&self) -> impl Iterator<Item = Json<'a>> {
        self.members.iter().map(|(_, value)| *value)
    }

    /// Whether it has no members but these.
    pub fn has_only(&self, names: &[&str]) -> bool {
        self.members
            .iter()
            .all(|(key, _)| names.contains(&key.as_str()))
    }
}

struct Members<'a>(Vec<(String, Json<'a>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Vec<(String, Json<'de>)>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Lossy(name), value)) = map.next_entry::<Lossy, &'de RawValue>()? {
                    members.push((name, Json::of(value)));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Collect).map(Members)
    }
}

/// A string in which a lone surrogate is U+FFFD. As bytes, serde_json gives one in its three bytes
/// of generalised UTF-8 where as text it gives an error.
struct Lossy(String);

impl<'de> Deserialize<'de> for Lossy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl Visitor<'_> for Bytes {
            type Value = String;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<String, E> {
                Ok(lossy(bytes))
            }
        }
        deserializer.deserialize_bytes(Bytes).map(Lossy)
    }
}

fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        // The lead byte of a surrogate stands for all three; its tail bytes come as chunks of their own.
        if chunk
            .invalid()
            .first()
            .is_some_and(|byte| !(0x80..=0xbf).contains(byte))
        {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> Json<'_> {
        Json::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn an_id_has_an_end() {
        let of = |length: usize| format!("\"{}\"", "x".repeat(length));
        assert!(json(&of(MAX_ID_BYTES - 2)).id().is_some());
        assert_eq!(json(&of(MAX_ID_BYTES - 1)).id(), None);
    }

    #[test]
    fn a_kept_object_lacks_what_is_left_out() {
        let object = json(r#"{"token": "t", "a\"b": [1, 2], "c": "t"}"#);
        let raw = object.object().unwrap().raw_without(&["token"]);
        assert_eq!(raw.get(), r#"{"a\"b":[1,2],"c":"t"}"#);
    }

    #[test]
    fn strings_keep_what_can_be_kept() {
        for (name, text, want) in [
            ("plain", r#""a""#, Some("a")),
            ("escapes", r#""\u00e4\/\ud83d\ude00""#, Some("ä/😀")),
            ("lone high surrogate", r#""a\ud800b""#, Some("a\u{fffd}b")),
            ("lone low surrogate", r#""\udc00""#, Some("\u{fffd}")),
            (
                "two high surrogates",
                r#""\ud800\ud800""#,
                Some("\u{fffd}\u{fffd}"),
            ),
            ("number", "1", None),
            ("list", "[1]", None),
        ] {
            assert_eq!(json(text).string().as_deref(), want, "{name}");
        }
    }

    #[test]
    fn ids_never_become_floating_point() {
        for (text, want) in [
            ("4987381189870374000", Some("4987381189870374000")),
            ("-1001234567890123456789", Some("-1001234567890123456789")),
            (r#""wamid.A""#, Some("wamid.A")),
            (r#""""#, None),
            ("1.5", None),
            ("true", None),
            ("{}", None),
        ] {
            assert_eq!(json(text).id().as_deref(), want, "{text}");
        }
    }

    #[test]
    fn the_last_of_two_members_counts_and_null_is_absent() {
        let object = json(r#"{"a":1,"b":null,"a":2,"\ud800":3}"#)
            .object()
            .unwrap();
        assert_eq!(object.id("a").as_deref(), Some("2"));
        assert_eq!(object.get("b"), None);
        assert_eq!(object.id("\u{fffd}").as_deref(), Some("3"));
    }

    #[test]
    fn nesting_is_no_danger() {
        let deep = format!(
            "{{\"a\":{}{}}}",
            "[".repeat(1_000_000),
            "]".repeat(1_000_000)
        );
        let object = json(&deep).object().unwrap();
        assert_eq!(object.list("a").len(), 1);
        assert!(Json::parse("[".repeat(3_000_000).as_bytes()).is_none());
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC*") {
            if let Some(json) = Json::parse(text.as_bytes()) {
                let _ = (json.object(), json.list(), json.string(), json.id(), json.millis(), json.number());
            }
        }
    }
}
