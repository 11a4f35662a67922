//! What a `reply` says: a text, or a template that the platform knows, and a template to fall back to.

use serde_json::{Map, Value, json};

use crate::fill::Text;
use crate::read::{Object, WrongField};

/// Longest text of a reply, in characters: what WhatsApp takes.
pub const MAX_REPLY_CHARS: usize = 4096;

/// Longest name of a template, in characters: what WhatsApp takes.
const MAX_TEMPLATE_CHARS: usize = 512;

/// Longest language tag, in characters (RFC 5646 section 4.4.1).
const MAX_LANGUAGE_CHARS: usize = 35;

/// Largest JSON of a template's components, in bytes: ten parameters of a text's length each.
const MAX_COMPONENTS_BYTES: usize = 8192;

/// Deepest components: component, parameters, parameter, media, and as much again.
const MAX_COMPONENTS_DEPTH: usize = 8;

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    say: Say,
    fallback: Option<Template>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Say {
    Text(Text),
    Template(Template),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Template {
    name: String,
    language: String,
    /// The platform's own JSON; its texts may have places for facts.
    components: Option<Value>,
}

impl Reply {
    pub(crate) fn read(fields: &mut Object<'_>) -> Result<Reply, WrongField> {
        let fallback = template(fields, "fallback")?;
        match (fields.has("text"), template(fields, "template")?) {
            (true, None) => Ok(Reply {
                say: Say::Text(text(fields, "text")?),
                fallback,
            }),
            (false, Some(template)) if fallback.is_none() => Ok(Reply {
                say: Say::Template(template),
                fallback,
            }),
            (false, Some(_)) => {
                Err(fields.wrong("fallback", "a template needs none: no window closes for it"))
            }
            (true, Some(_)) => Err(fields.wrong("template", "give `text` or `template`, not both")),
            (false, None) => Err(fields.wrong("text", "give `text` or `template`")),
        }
    }

    /// As it is read.
    pub(crate) fn write(&self, json: &mut Map<String, Value>) {
        let (name, value) = match &self.say {
            Say::Text(text) => ("text", json!(text.source())),
            Say::Template(template) => ("template", template.to_json(None)),
        };
        json.insert(name.to_owned(), value);
        if let Some(fallback) = &self.fallback {
            json.insert("fallback".to_owned(), fallback.to_json(None));
        }
    }

    /// Whether nothing is left to say: all that its text consists of are facts that are empty.
    pub(crate) fn is_empty(&self, facts: &Value) -> bool {
        match &self.say {
            Say::Text(text) => text.fill(facts, MAX_REPLY_CHARS).trim().is_empty(),
            Say::Template(_) => false,
        }
    }

    /// As it is sent: `message` and `fallback` in the form of the API's messages.
    pub(crate) fn decide(&self, facts: &Value, json: &mut Map<String, Value>) {
        let draft =
            |it: &Template| json!({ "type": "template", "template": it.to_json(Some(facts)) });
        let message = match &self.say {
            Say::Text(text) => {
                json!({ "type": "text", "text": text.fill(facts, MAX_REPLY_CHARS).trim() })
            }
            Say::Template(template) => draft(template),
        };
        json.insert("message".to_owned(), message);
        if let Some(fallback) = &self.fallback {
            json.insert("fallback".to_owned(), draft(fallback));
        }
    }
}

/// A text of the field, with places for facts.
pub(crate) fn text(fields: &mut Object<'_>, name: &'static str) -> Result<Text, WrongField> {
    let source = fields.text(name, MAX_REPLY_CHARS)?;
    Text::parse(&source).map_err(|reason| fields.wrong(name, reason))
}

fn template(fields: &mut Object<'_>, name: &'static str) -> Result<Option<Template>, WrongField> {
    let Some(json) = fields.get(name) else {
        return Ok(None);
    };
    let path = fields.wrong(name, "").path;
    let mut own = Object::new(json, &path)?;
    let template = Template {
        name: own.text("name", MAX_TEMPLATE_CHARS)?,
        language: own.text("language", MAX_LANGUAGE_CHARS)?,
        components: own.get("components").cloned(),
    };
    own.nothing_else()?;
    if let Some(components) = &template.components {
        check(components).map_err(|reason| own.wrong("components", reason))?;
    }
    Ok(Some(template))
}

fn check(components: &Value) -> Result<(), String> {
    if !components.is_array() {
        return Err("must be a list".to_owned());
    }
    let size = components.to_string().len();
    if size > MAX_COMPONENTS_BYTES {
        return Err(format!(
            "{size} bytes of JSON; {MAX_COMPONENTS_BYTES} are allowed"
        ));
    }
    let mut open = vec![(components, 1)];
    while let Some((value, depth)) = open.pop() {
        if depth > MAX_COMPONENTS_DEPTH {
            return Err("nested too deeply".to_owned());
        }
        match value {
            Value::String(text) => drop(Text::parse(text)?),
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => open.extend(fields.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    Ok(())
}

impl Template {
    fn to_json(&self, facts: Option<&Value>) -> Value {
        let mut json = json!({ "name": self.name, "language": self.language });
        if let (Some(components), Some(object)) = (&self.components, json.as_object_mut()) {
            let components = match facts {
                Some(facts) => filled(components, facts),
                None => components.clone(),
            };
            object.insert("components".to_owned(), components);
        }
        json
    }
}

/// Its depth was checked when it was read.
fn filled(value: &Value, facts: &Value) -> Value {
    match value {
        Value::String(source) => match Text::parse(source) {
            Ok(text) => Value::from(text.fill(facts, MAX_REPLY_CHARS)),
            Err(_) => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, facts)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, facts)))
            .collect(),
        _ => value.clone(),
    }
}
