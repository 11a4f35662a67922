//! The message that `render` reads: [`chatly_channel::fields`] and whom it goes to, as one flat JSON
//! object. Without `account` the requests are made for one of [`ANY_ACCOUNT`], which is printed as
//! `{account}`.

use std::fmt;

use anyhow::{Result, anyhow};
use chatly_canonical::Identity as Person;
use chatly_channel::fields::{self, Fields, KINDS, once};
use chatly_channel::outbound as native;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

/// Each can stand in for an account: a platform takes letters and digits, or digits alone, or what
/// begins as its own ids do.
pub(super) const ANY_ACCOUNT: [&str; 3] = [
    "0ACCOUNT0",
    "90071992547409937",
    "AC90071992547409937a90071992547409",
];

/// What `render` reads.
#[derive(Debug)]
pub(super) struct Outbound {
    account: Option<String>,
    /// The platform's own when absent.
    pub(super) base_url: Option<String>,
    to: Identity,
    chat: Option<String>,
    reference: Option<String>,
    fields: Fields,
}

impl Outbound {
    /// The account to send from, when it is not left open.
    pub(super) fn account(&self) -> Option<String> {
        self.account.clone()
    }

    /// The message to send.
    pub(super) fn message(self) -> Result<native::Message> {
        let kind = self.fields.kind().unwrap_or_default().to_owned();
        let (content, reply_to) = self.fields.content().map_err(|error| told(error, &kind))?;
        Ok(native::Message {
            to: Person {
                scheme: self.to.scheme,
                id: self.to.id,
            },
            chat: self.chat,
            content,
            reply_to,
            reference: self.reference,
            tag: None,
        })
    }
}

/// The error with the type that was written: whoever reads it wrote that.
fn told(error: fields::Error, kind: &str) -> anyhow::Error {
    match error {
        fields::Error::Type => anyhow!("there is no type {kind:?}; write one of {KINDS}"),
        fields::Error::Needs(field) => anyhow!("a message of the type {kind:?} needs {field:?}"),
        fields::Error::Spare(field) => {
            anyhow!("a message of the type {kind:?} takes no {field:?}")
        }
        fields::Error::MediaLocation => anyhow!("\"media\" needs either \"url\" or \"id\""),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    scheme: String,
    id: String,
}

impl<'de> Deserialize<'de> for Outbound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

/// Reads the members one by one, since those of the message are in [`Fields`].
struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Outbound;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("the object of a message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outbound, A::Error> {
        let mut fields = Fields::default();
        let (mut account, mut base_url, mut to) = (None, None, None);
        let (mut chat, mut reference) = (None, None);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "account" => once(&mut account, "account", &mut map)?,
                "base_url" => once(&mut base_url, "base_url", &mut map)?,
                "to" => once(&mut to, "to", &mut map)?,
                "chat" => once(&mut chat, "chat", &mut map)?,
                "reference" => once(&mut reference, "reference", &mut map)?,
                name if fields.read(name, &mut map)? => {}
                name => return Err(unknown(name)),
            }
        }
        if fields.kind().is_none() {
            return Err(de::Error::missing_field("type"));
        }
        Ok(Outbound {
            account,
            base_url,
            to: to.ok_or_else(|| de::Error::missing_field("to"))?,
            chat,
            reference,
            fields,
        })
    }
}

fn unknown<E: de::Error>(name: &str) -> E {
    let fields = Fields::NAMES.join(", ");
    E::custom(format_args!(
        "unknown field `{name}`, expected one of account, base_url, to, chat, reference, {fields}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &str) -> Result<native::Message> {
        let json = format!(r#"{{"account":"1","to":{{"scheme":"phone","id":"2"}},{fields}}}"#);
        serde_json::from_str::<Outbound>(&json)?.message()
    }

    #[test]
    fn every_type_is_read_from_its_fields() {
        for (fields, want) in [
            (r#""type":"text","text":"Hi""#, r#"Text("Hi")"#),
            (
                r#""type":"media","media":{"kind":"image","url":"https://x","caption":"c"}"#,
                r#"Media(MediaSource { kind: "image", location: Url("https://x"), caption: Some("c"), filename: None })"#,
            ),
            (
                r#""type":"location","location":{"latitude":1.5,"longitude":-2}"#,
                r#"Location(Location { latitude: 1.5, longitude: -2.0, name: None, address: None })"#,
            ),
            (
                r#""type":"contacts","contacts":[{"name":"n","phones":["1"]}]"#,
                r#"Contacts([ContactCard { name: Some("n"), phones: ["1"], emails: [], org: None }])"#,
            ),
            (
                r#""type":"reaction","reaction":{"message_id":"m"}"#,
                r#"Reaction(ReactionTo { message_id: "m", emoji: None })"#,
            ),
            (
                r#""type":"template","template":{"name":"t","language":"en","components":[1.10]}"#,
                r#"Template(Template { name: "t", language: "en", components: Some("[1.10]") })"#,
            ),
            (
                r#""type":"buttons","text":"t","buttons":[{"id":"i","title":"b"}]"#,
                r#"Buttons("t", [Button { id: "i", title: "b" }])"#,
            ),
            (
                r#""type":"list","text":"t","list":{"button":"b","sections":[{"rows":[{"id":"i","title":"r"}]}]}"#,
                r#"Menu("t", Menu { button: "b", sections: [Section { title: None, rows: [Row { id: "i", title: "r", description: None }] }] })"#,
            ),
            (
                r#""type":"quick_replies","text":"t","buttons":[]"#,
                r#"QuickReplies("t", [])"#,
            ),
            (r#""type":"mark_read","message_id":"m""#, r#"MarkRead("m")"#),
            (r#""type":"typing""#, r#"Typing(None)"#),
        ] {
            assert_eq!(
                format!("{:?}", read(fields).unwrap().content),
                want,
                "{fields}"
            );
        }
        let reply = read(r#""type":"text","text":"Hi","reply_to":"m""#).unwrap();
        assert_eq!((&*reply.to.id, reply.reply_to.as_deref()), ("2", Some("m")));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_to_write() {
        for (fields, want) in [
            (r#""type":"txt""#, "one of text, media"),
            (r#""type":"text""#, r#""text" needs "text""#),
            (
                r#""type":"text","text":"Hi","list":{"button":"b","sections":[]}"#,
                r#"takes no "list""#,
            ),
            (
                r#""type":"media","media":{"kind":"image"}"#,
                r#"either "url" or "id""#,
            ),
            (
                r#""type":"media","media":{"kind":"image","url":"u","id":"i"}"#,
                r#"either "url" or "id""#,
            ),
            (
                r#""type":"reaction","reaction":{"message_id":"m","emojis":[]}"#,
                "unknown field `emojis`",
            ),
            (r#""text":"Hi""#, "missing field `type`"),
            (
                r#""type":"text","text":"Hi","too":1"#,
                "unknown field `too`, expected one of account, base_url, to, chat, reference, type",
            ),
            (
                r#""type":"text","text":"Hi","account":"2""#,
                "duplicate field `account`",
            ),
        ] {
            let error = format!("{:#}", read(fields).unwrap_err());
            assert!(error.contains(want), "{fields}: {error}");
        }
    }
}
