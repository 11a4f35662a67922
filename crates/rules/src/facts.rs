//! Facts as the evaluator sees them: exactly those of the schema, of the schema's types, within
//! its bounds. What the caller left out is there with an empty value; what the schema does not
//! know is dropped.

use std::collections::HashMap;

use cel::Value;
use cel::objects::Key;
use serde_json::Value as Json;

use crate::schema::{FACTS, Kind, MAX_ITEMS, MAX_TEXT_CHARS};

/// Largest JSON of facts that is read at all: all lists and texts at their bounds are below it.
pub const MAX_FACTS_BYTES: usize = 4 * 1024 * 1024;

/// How deep an attribute may hold lists and objects.
const MAX_ATTRIBUTE_DEPTH: usize = 2;

/// Longest name of an attribute, in bytes; longer ones are dropped.
const MAX_NAME_BYTES: usize = 128;

/// Why no rule could be tried.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The text is no JSON, or no JSON object.
    #[error("the facts are not a JSON object")]
    NotAnObject,
    /// More than [`MAX_FACTS_BYTES`].
    #[error("the facts have {0} bytes; {MAX_FACTS_BYTES} are allowed")]
    TooLarge(usize),
}

/// The facts of `text`, by name.
pub fn read(text: &str) -> Result<Vec<(&'static str, Value)>, Error> {
    if text.len() > MAX_FACTS_BYTES {
        return Err(Error::TooLarge(text.len()));
    }
    let json: Json = serde_json::from_str(text).map_err(|_| Error::NotAnObject)?;
    let object = json.as_object().ok_or(Error::NotAnObject)?;
    let fact = |name: &str| object.get(name).unwrap_or(&Json::Null);
    Ok(FACTS
        .iter()
        .map(|field| (field.name, value(&field.kind, fact(field.name))))
        .collect())
}

fn value(kind: &Kind, json: &Json) -> Value {
    match kind {
        Kind::Bool => Value::Bool(json.as_bool().unwrap_or(false)),
        Kind::Int => Value::Int(int(json)),
        Kind::Double => Value::Float(json.as_f64().unwrap_or(0.0)),
        Kind::Text(max) => Value::from(text(json, *max)),
        Kind::List(item) => {
            let items = json.as_array().map(Vec::as_slice).unwrap_or_default();
            Value::from(
                items
                    .iter()
                    .take(MAX_ITEMS)
                    .map(|json| value(item, json))
                    .collect::<Vec<_>>(),
            )
        }
        Kind::Object(fields) => {
            let fact = |name: &str| json.get(name).unwrap_or(&Json::Null);
            map(fields
                .iter()
                .map(|field| (field.name.to_owned(), value(&field.kind, fact(field.name)))))
        }
        Kind::Attributes => attribute(json, 0)
            .filter(|value| matches!(value, Value::Map(_)))
            .unwrap_or_else(|| map(std::iter::empty())),
    }
}

/// A whole number; a list counts as the number of its items (`message.media`).
fn int(json: &Json) -> i64 {
    match json {
        Json::Array(items) => i64::try_from(items.len()).unwrap_or(i64::MAX),
        // A cast from floating point saturates.
        Json::Number(number) => number
            .as_i64()
            .unwrap_or_else(|| number.as_f64().unwrap_or(0.0) as i64),
        _ => 0,
    }
}

/// A text; of an object its `name` (an intent of an enrichment).
fn text(json: &Json, max_chars: usize) -> String {
    let text = json.as_str().or_else(|| json.get("name")?.as_str());
    cut(text.unwrap_or_default(), max_chars).to_owned()
}

/// The first `max_chars` characters.
pub fn cut(text: &str, max_chars: usize) -> &str {
    let end = text.char_indices().nth(max_chars).map(|(at, _)| at);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

fn attribute(json: &Json, depth: usize) -> Option<Value> {
    match json {
        Json::Null => None,
        Json::Bool(value) => Some(Value::Bool(*value)),
        Json::Number(number) => Some(match number.as_i64() {
            Some(int) => Value::Int(int),
            None => Value::Float(number.as_f64().unwrap_or(0.0)),
        }),
        Json::String(text) => Some(Value::from(cut(text, MAX_TEXT_CHARS).to_owned())),
        Json::Array(_) | Json::Object(_) if depth >= MAX_ATTRIBUTE_DEPTH => None,
        Json::Array(items) => Some(Value::from(
            items
                .iter()
                .filter_map(|item| attribute(item, depth + 1))
                .take(MAX_ITEMS)
                .collect::<Vec<_>>(),
        )),
        Json::Object(entries) => Some(map(entries
            .iter()
            .filter(|(name, _)| name.len() <= MAX_NAME_BYTES)
            .filter_map(|(name, json)| Some((name.clone(), attribute(json, depth + 1)?)))
            .take(MAX_ITEMS))),
    }
}

fn map(entries: impl Iterator<Item = (String, Value)>) -> Value {
    Value::from(
        entries
            .map(|(name, value)| (Key::from(name), value))
            .collect::<HashMap<Key, Value>>(),
    )
}
