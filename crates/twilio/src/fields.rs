//! The fields of a form, by name.

use std::collections::HashMap;

use chatly_canonical::Raw;
use chatly_channel::form;
use serde_json::{Map, Value};

/// A form. Of a name that stands more than once the last value counts.
pub(crate) struct Fields {
    all: Vec<(String, String)>,
    by_name: HashMap<String, usize>,
}

impl Fields {
    /// The form in a body; none when it is no form in UTF-8: a part without a name, or with none of
    /// an equals sign.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        std::str::from_utf8(body).ok()?;
        if !body.contains(&b'=') {
            return None;
        }
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        };
        let all: Vec<_> = form::pairs(body)
            .into_iter()
            .map(|(name, value)| (text(name), text(value)))
            .collect();
        if all.iter().any(|(name, _)| name.is_empty()) {
            return None;
        }
        let by_name = all
            .iter()
            .enumerate()
            .map(|(at, (name, _))| (name.clone(), at))
            .collect();
        Some(Fields { all, by_name })
    }

    /// A field's value, empty or not.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.all.get(*self.by_name.get(name)?)?;
        Some(value)
    }

    /// A field's value, unless it is empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The same as text of its own.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.filled(name).map(str::to_owned)
    }

    /// Whether a field is `true`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }

    /// All names and values, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The form as a JSON object; values of one name become a list.
    pub(crate) fn raw(&self) -> Raw {
        let mut members = Map::new();
        for (name, value) in self.all() {
            match members.get_mut(name) {
                None => {
                    members.insert(name.to_owned(), value.into());
                }
                Some(Value::Array(values)) => values.push(value.into()),
                Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
            }
        }
        Raw::json(&Value::Object(members).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_names_and_equals_signs() {
        for (name, body, is_form) in [
            ("a form", &b"a=1&b="[..], true),
            ("escaped bytes", b"a=%ff", true),
            ("a word", b"hello", false),
            ("nothing", b"", false),
            ("no name", b"a=1&=2", false),
            ("raw bytes", b"a=\xff", false),
        ] {
            assert_eq!(Fields::read(body).is_some(), is_form, "{name}");
        }
        let fields = Fields::read(b"a=1&b=%C3%A4&a=2&a=3").unwrap();
        assert_eq!(fields.get("a"), Some("3"));
        assert_eq!(fields.raw().get(), r#"{"a":["1","2","3"],"b":"ä"}"#);
    }
}
