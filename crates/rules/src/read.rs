//! Reads JSON objects field by field: each error names its place, and a field that nobody asked
//! for is one.

use serde_json::{Map, Value};

use crate::facts::cut;
use crate::schema;

/// Which field is wrong, and why.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{path}: {reason}")]
pub struct WrongField {
    /// `then[1].to`.
    pub path: String,
    /// For people.
    pub reason: String,
}

impl WrongField {
    /// At `path`.
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> WrongField {
        WrongField {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

/// An object being read.
pub struct Object<'a> {
    fields: &'a Map<String, Value>,
    path: &'a str,
    asked: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// The object at `path`; empty for the outermost.
    pub fn new(json: &'a Value, path: &'a str) -> Result<Object<'a>, WrongField> {
        match json.as_object() {
            Some(fields) => Ok(Object {
                fields,
                path,
                asked: Vec::new(),
            }),
            None => Err(WrongField::new(path, "must be an object")),
        }
    }

    pub fn wrong(&self, name: &str, reason: impl Into<String>) -> WrongField {
        let path = match self.path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        WrongField::new(path, reason)
    }

    /// The field, unless it is absent or null.
    pub fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.asked.push(name);
        self.fields.get(name).filter(|value| !value.is_null())
    }

    pub fn has(&mut self, name: &'static str) -> bool {
        self.get(name).is_some()
    }

    pub fn required(&mut self, name: &'static str) -> Result<&'a Value, WrongField> {
        self.get(name).ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// A text of 1 to `max_chars` characters, with more than blanks.
    pub fn text(&mut self, name: &'static str, max_chars: usize) -> Result<String, WrongField> {
        let value = self.required(name)?;
        sound_text(value, max_chars).map_err(|reason| self.wrong(name, reason))
    }

    pub fn texts(
        &mut self,
        name: &'static str,
        max_chars: usize,
    ) -> Result<Vec<String>, WrongField> {
        let Some(items) = self.required(name)?.as_array() else {
            return Err(self.wrong(name, "must be a list of texts"));
        };
        let texts = items.iter().enumerate().map(|(index, item)| {
            sound_text(item, max_chars)
                .map_err(|reason| self.wrong(&format!("{name}[{index}]"), reason))
        });
        texts.collect()
    }

    /// One of `choices`.
    pub fn choice<'c>(
        &mut self,
        name: &'static str,
        choices: &[&'c str],
    ) -> Result<&'c str, WrongField> {
        let value = self.required(name)?;
        let given = value.as_str().unwrap_or_default();
        match choices.iter().find(|choice| **choice == given) {
            Some(choice) => Ok(choice),
            None => {
                let hint = schema::suggestion(choices.iter().copied(), given);
                let reason = format!("must be one of {}{hint}", choices.join(", "));
                Err(self.wrong(name, reason))
            }
        }
    }

    pub fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, WrongField> {
        match self.get(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.wrong(name, "must be true or false")),
        }
    }

    /// Refuses every field that was not asked for.
    pub fn nothing_else(&self) -> Result<(), WrongField> {
        let unknown = |name: &&String| !self.asked.contains(&name.as_str());
        match self.fields.keys().find(unknown) {
            None => Ok(()),
            Some(name) => {
                let hint = schema::suggestion(self.asked.iter().copied(), name);
                let name = cut(name, 64);
                Err(self.wrong(name, format!("unknown field{hint}")))
            }
        }
    }
}

fn sound_text(value: &Value, max_chars: usize) -> Result<String, String> {
    let Some(text) = value.as_str() else {
        return Err("must be a text".to_owned());
    };
    if text.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.chars().nth(max_chars).is_some() {
        return Err(format!("must not be longer than {max_chars} characters"));
    }
    Ok(text.to_owned())
}
