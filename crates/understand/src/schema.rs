//! The form: the JSON Schema that services are sent, and what a value that breaks it is called.
//!
//! Only what strict modes understand: every property required, `additionalProperties` false, `null`
//! for what may be missing, no lengths and no patterns. Those are checked when the answer is read.

use serde_json::{Value, json};

/// The name of the form, and of the tool by which Anthropic's models hand it in.
pub(crate) const NAME: &str = "understanding";

/// Kinds of entities.
pub(crate) const KINDS: [&str; 8] = [
    "email", "phone", "url", "money", "date", "quantity", "product", "name",
];

pub(crate) fn schema(intents: &[&str]) -> Value {
    let nullable = json!({"type": ["string", "null"]});
    object(json!({
        "language": {"type": "string"},
        "intents": list(object(json!({
            "name": {"type": "string", "enum": intents},
            "confidence": {"type": "number"},
        }))),
        "sentiment": {"type": "string", "enum": ["positive", "neutral", "negative"]},
        "urgency": {"type": "string", "enum": ["low", "normal", "high"]},
        "entities": list(object(json!({
            "kind": {"type": "string", "enum": KINDS},
            "value": {"type": "string"},
            "normalized": nullable,
        }))),
        "topics": list(json!({"type": "string"})),
        "summary": nullable,
        "suggested_reply": nullable,
    }))
}

fn object(properties: Value) -> Value {
    let required: Vec<String> = properties
        .as_object()
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// What is wrong about an answer: a place of the form and a phrase, nothing that the model wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the answer is empty")]
    Empty,
    #[error("the answer was cut off at the limit of tokens; answer shorter")]
    CutOff,
    #[error("the answer is longer than 64 KiB")]
    TooLong,
    #[error("the answer is not JSON, or ends too early")]
    NotJson,
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` has a value of the wrong type")]
    Type(&'static str),
    #[error("`{0}` has a value that is not on the list")]
    NotListed(&'static str),
    #[error("`{0}` lies outside its range or is too long")]
    Range(&'static str),
    #[error("`{0}` has a field that the form does not have")]
    UnknownField(&'static str),
}
