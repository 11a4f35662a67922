//! The facts of one message, as JSON. Their names and types are those that routers document.

use chatly_canonical::{Identity, Message};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::calendar::LocalTime;
use crate::safety::Standing;

/// What is known when a message is routed. Empty texts and lists stand for what is not known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The channel.
    pub channel: String,
    /// The account that it came to.
    pub account: String,
    /// When it was sent, Unix milliseconds.
    pub at: u64,
    /// Stored, and not to be answered.
    pub standby: bool,
    /// The content.
    pub message: Message,
    /// Our id of the contact; empty for one that is not stored yet.
    pub contact_id: String,
    /// The contact's name.
    pub name: Option<String>,
    /// The contact's handle.
    pub username: Option<String>,
    /// The contact's tags.
    pub contact_tags: Vec<String>,
    /// The contact's attributes, a JSON object.
    pub attributes: Option<String>,
    /// The contact's identities.
    pub identities: Vec<Identity>,
    /// Our id of the conversation; empty for one that is not stored yet.
    pub conversation_id: String,
    /// The conversation's status, this message included.
    pub status: String,
    /// The conversation's priority.
    pub priority: String,
    /// Who has the conversation.
    pub assignee: Option<String>,
    /// The conversation's tags.
    pub tags: Vec<String>,
    /// What the contact consented to last.
    pub opt: Option<String>,
    /// The team that has the conversation.
    pub team: Option<String>,
    /// What an automatic answer depends on.
    pub standing: Standing,
    /// The tenant's local time.
    pub time: LocalTime,
    /// Messages in the conversation, this one included.
    pub message_count: u64,
    /// The canonical enrichment of this message, JSON.
    pub enrichment: Option<String>,
    /// The contact's lead, JSON.
    pub lead: Option<String>,
    /// Unix milliseconds.
    pub now: u64,
}

impl Facts {
    /// The facts as one JSON object.
    pub fn to_json(&self) -> String {
        json!({
            "event": {
                "kind": "message", "channel": self.channel, "account": self.account, "at": self.at,
                "standby": self.standby,
            },
            "message": message(&self.message),
            "contact": {
                "id": self.contact_id, "name": self.name, "username": self.username,
                "tags": self.contact_tags, "attributes": object(self.attributes.as_deref()),
                "identities": self.identities, "opt": self.opt,
            },
            "conversation": {
                "id": self.conversation_id, "status": self.status, "priority": self.priority,
                "assignee": self.assignee, "tags": self.tags, "message_count": self.message_count,
                "team": self.team, "handover": if self.standing.human { "human" } else { "bot" },
                "muted": self.standing.is_muted(self.now),
                "last_human_reply_at": self.standing.last_human_at,
                "last_bot_reply_at": self.standing.last_bot_at,
            },
            "enrichment": enrichment(self.enrichment.as_deref()),
            "lead": lead(self.lead.as_deref()),
            "time": self.time,
            "now": self.now,
        })
        .to_string()
    }
}

/// What a message says in words: its text, else the first caption. None when it has neither.
pub fn text_of(message: &Message) -> Option<&str> {
    let captions = message
        .media
        .iter()
        .filter_map(|media| media.caption.as_deref());
    let mut texts = message.text.as_deref().into_iter().chain(captions);
    texts.find(|text| !text.trim().is_empty())
}

fn message(message: &Message) -> Value {
    let reply = message.reply.as_ref();
    json!({
        "id": message.id, "type": value(&message.kind), "text": text_of(message),
        "reply_id": reply.and_then(|reply| reply.id.as_deref()),
        "reply_title": reply.and_then(|reply| reply.title.as_deref()),
        "reply_to": message.reply_to, "media": message.media.len(),
        "forwarded": message.forwarded, "echo": message.echo, "referral": value(&message.referral),
    })
}

/// `intent` and `confidence` are the likeliest intent's, because most rules ask for that one.
fn enrichment(json: Option<&str>) -> Value {
    let mut facts = object(json);
    let first = facts
        .get("intents")
        .and_then(|intents| intents.get(0))
        .cloned();
    let names: Vec<Value> = facts
        .get("intents")
        .and_then(Value::as_array)
        .map(|intents| {
            intents
                .iter()
                .filter_map(|intent| intent.get("name").cloned())
                .collect()
        })
        .unwrap_or_default();
    facts.insert("present".to_owned(), json.is_some().into());
    if let Some(first) = first {
        for (fact, field) in [("intent", "name"), ("confidence", "confidence")] {
            let value = first.get(field).cloned().unwrap_or_default();
            facts.insert(fact.to_owned(), value);
        }
    }
    facts.insert("intents".to_owned(), names.into());
    // The lead is a fact of its own: the contact's.
    facts.remove("lead");
    facts.into()
}

/// Of each of the four sides its score; why is not for rules.
fn lead(json: Option<&str>) -> Value {
    let mut facts = object(json);
    if let Some(sides) = facts.get_mut("bant").and_then(Value::as_object_mut) {
        for side in sides.values_mut() {
            *side = side.get("score").cloned().unwrap_or_default();
        }
    }
    facts.into()
}

fn object(json: Option<&str>) -> Map<String, Value> {
    json.and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default()
}

fn value<T: Serialize>(of: &T) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use chatly_canonical::{Media, MessageType};
    use proptest::prelude::*;

    use super::*;

    fn parsed(facts: &Facts) -> Value {
        serde_json::from_str(&facts.to_json()).unwrap()
    }

    #[test]
    fn an_enrichment_becomes_its_likeliest_intent_and_all_names() {
        let facts = Facts {
            enrichment: Some(
                r#"{"language":"es","intents":[{"name":"pricing","confidence":0.75},{"name":"greeting","confidence":0.1}],
                    "entities":[{"kind":"email","value":"a@b.c"}],"lead":{"score":1}}"#
                    .into(),
            ),
            lead: Some(
                r#"{"score":72,"stage":"qualified","bant":{"budget":{"score":60,"reasons":[]}}}"#
                    .into(),
            ),
            ..Facts::default()
        };
        let json = parsed(&facts);
        assert_eq!(
            json["enrichment"],
            json!({
                "language": "es", "intents": ["pricing", "greeting"],
                "entities": [{"kind": "email", "value": "a@b.c"}],
                "present": true, "intent": "pricing", "confidence": 0.75,
            })
        );
        assert_eq!(
            json["lead"],
            json!({"score": 72, "stage": "qualified", "bant": {"budget": 60}})
        );
    }

    #[test]
    fn before_an_enrichment_its_facts_are_there_and_empty() {
        let json = parsed(&Facts::default());
        assert_eq!(json["enrichment"], json!({"present": false, "intents": []}));
        assert_eq!(json["lead"], json!({}));
    }

    #[test]
    fn a_caption_is_what_a_picture_says() {
        let picture = |text: Option<&str>, caption: Option<&str>| Message {
            kind: MessageType::Image,
            text: text.map(Into::into),
            media: vec![Media {
                caption: caption.map(Into::into),
                ..Media::default()
            }],
            ..Message::default()
        };
        for (name, message, want) in [
            ("neither", picture(None, None), None),
            ("blank", picture(Some(" "), Some("\n")), None),
            ("caption", picture(None, Some("price?")), Some("price?")),
            ("both", picture(Some("text"), Some("price?")), Some("text")),
        ] {
            assert_eq!(text_of(&message), want, "{name}");
            let facts = Facts {
                message,
                ..Facts::default()
            };
            let json = parsed(&facts);
            assert_eq!(json["message"]["text"].as_str(), want, "{name}");
            assert_eq!(
                (&json["message"]["type"], &json["message"]["media"]),
                (&json!("image"), &json!(1))
            );
        }
    }

    proptest! {
        #[test]
        fn any_stored_text_gives_an_object(a in ".*", b in ".*", c in ".*") {
            let facts = Facts { attributes: Some(a), enrichment: Some(b), lead: Some(c), ..Facts::default() };
            prop_assert!(parsed(&facts).is_object());
        }
    }
}
