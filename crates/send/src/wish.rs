//! What a caller asks to be sent: a draft, and beside its fields to whom and under which conditions.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::job::template;
use crate::{Automatic, Draft, Error, Job};

/// A message and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The conversation, where the caller names it beside the message.
    pub conversation_id: Option<String>,
    /// What is sent.
    pub job: Job,
}

impl Wish {
    /// Reads the flat object: the fields of a draft, and `conversation_id`, `automatic` and `fallback`.
    ///
    /// # Errors
    /// [`Error`] for anything that does not say one message.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let not_a_draft = |error: serde_json::Error| Error::NotADraft {
            line: error.line(),
            column: error.column(),
        };
        let Fields(mut fields) = serde_json::from_str(json).map_err(not_a_draft)?;
        let mut take = |name: &'static str| -> Result<Option<Box<RawValue>>, Error> {
            let Some(at) = fields.iter().position(|(key, _)| key == name) else {
                return Ok(None);
            };
            let (_, value) = fields.remove(at);
            if fields.iter().any(|(key, _)| key == name) {
                return Err(Error::Twice(name));
            }
            Ok(Some(value).filter(|value| value.get() != "null"))
        };
        let conversation_id = take("conversation_id")?;
        let automatic = take("automatic")?;
        let fallback = take("fallback")?;
        let read = |value: Option<Box<RawValue>>| {
            let text = value.as_deref().map(RawValue::get);
            text.map(serde_json::from_str::<Automatic>).transpose()
        };
        let id = conversation_id.as_deref().map(RawValue::get);
        Ok(Wish {
            conversation_id: id
                .map(serde_json::from_str::<String>)
                .transpose()
                .map_err(|_| Error::Malformed("conversation_id"))?,
            job: Job {
                draft: Draft::parse(&rest(&fields))?,
                message_id: None,
                automatic: read(automatic).map_err(|_| Error::Malformed("automatic"))?,
                fallback: fallback
                    .as_deref()
                    .map(|value| template(value.get()))
                    .transpose()?,
            },
        })
    }
}

/// The object again, its values as they were written.
fn rest(fields: &[(String, Box<RawValue>)]) -> String {
    let member = |(key, value): &(String, Box<RawValue>)| {
        let key = serde_json::to_string(key).unwrap_or_default();
        format!("{key}:{}", value.get())
    };
    let members: Vec<String> = fields.iter().map(member).collect();
    format!("{{{}}}", members.join(","))
}

/// The members of an object in their order, doubled ones too.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(member) = map.next_entry()? {
                    fields.push(member);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#""type":"text","text":"Hi""#;

    #[test]
    fn the_fields_beside_the_draft_are_taken_out_of_it() {
        let template = r#"{"type":"template","template":{"name":"n","language":"en"}}"#;
        let wish = Wish::parse(&format!(
            r#"{{ "conversation_id": "c", {TEXT}, "fallback": {template},
                "automatic": {{"decided_at": 7}} }}"#
        ))
        .unwrap();
        assert_eq!(wish.conversation_id.as_deref(), Some("c"));
        assert_eq!(wish.job.draft.json(), format!("{{{TEXT}}}"));
        assert_eq!(wish.job.fallback.unwrap().json(), template);
        assert_eq!(wish.job.automatic.unwrap().decided_at, 7);
        let plain = Wish::parse(&format!(r#"{{{TEXT},"fallback":null}}"#)).unwrap();
        assert_eq!((plain.conversation_id, plain.job.fallback), (None, None));
    }

    #[test]
    fn what_is_no_wish_is_refused() {
        for (name, body, want) in [
            (
                "a list",
                "[]".to_owned(),
                Error::NotADraft { line: 1, column: 0 },
            ),
            (
                "no type",
                r#"{"conversation_id":"c"}"#.into(),
                Error::NotADraft { line: 1, column: 2 },
            ),
            (
                "an id that is a number",
                format!(r#"{{{TEXT},"conversation_id":7}}"#),
                Error::Malformed("conversation_id"),
            ),
            (
                "twice",
                format!(r#"{{"conversation_id":"a",{TEXT},"conversation_id":"b"}}"#),
                Error::Twice("conversation_id"),
            ),
            (
                "no time",
                format!(r#"{{{TEXT},"automatic":{{}}}}"#),
                Error::Malformed("automatic"),
            ),
            (
                "no template",
                format!(r#"{{{TEXT},"fallback":{{{TEXT}}}}}"#),
                Error::Fallback,
            ),
            (
                "a doubled field",
                format!(r#"{{{TEXT},"text":"x"}}"#),
                Error::NotADraft {
                    line: 1,
                    column: 33,
                },
            ),
        ] {
            assert_eq!(Wish::parse(&body), Err(want), "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(body in "\\PC*") {
            let _ = Wish::parse(&body);
        }

        /// A draft alone means what it means to [`Draft`].
        #[test]
        fn a_draft_is_a_wish(text in "\\PC*") {
            let body = serde_json::json!({ "type": "text", "text": text }).to_string();
            prop_assert_eq!(Wish::parse(&body).unwrap().job.draft, Draft::parse(&body).unwrap());
        }
    }
}
