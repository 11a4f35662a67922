//! A job of kind `forward`: what it holds, and the message that is made of it.
//!
//! 1. The body is a CloudEvents 1.0 event in the JSON format's structured mode: `type` says what
//!    happened (`chatly.message.received`), `source` the channel and account it came in on,
//!    `subject` the conversation, `data` the rest of the job.
//! 2. The `id` of the event and of the message is [`Forward::message_id`]: it depends on nothing
//!    that changes between attempts, so a receiver can tell a repeat.
//! 3. The job's own address is no part of the body.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::time::to_rfc3339;

/// The media type of a body.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// What a job says. Unknown fields go into the body as they are.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Forward {
    /// Where to.
    pub url: String,
    /// The event that the rule matched, in its canonical JSON.
    #[serde(default)]
    pub event: Value,
    /// The conversation it belongs to.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// Our id of the message, where the event is one.
    #[serde(default)]
    pub message_id: Option<String>,
    /// Everything else: the rule, the contact, the enrichment, the explanation.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What identifies the job, the same over all attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The job's number in the outbox.
    pub seq: u64,
    /// The tenant.
    pub platform_client_id: &'a str,
    /// The job's payload as stored.
    pub payload: &'a str,
    /// When the job was made, Unix milliseconds.
    pub created_at: u64,
}

/// Why a payload is no job of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the payload is no forward job")]
pub struct Malformed;

impl Forward {
    /// Reads a job's payload.
    ///
    /// # Errors
    /// [`Malformed`] when it is not a JSON object with a `url`.
    pub fn parse(payload: &str) -> Result<Self, Malformed> {
        serde_json::from_str(payload).map_err(|_| Malformed)
    }

    /// The `webhook-id`: the number in the outbox, and a digest so that a fresh database does not
    /// repeat the ids of an older one.
    pub fn message_id(origin: Origin<'_>) -> String {
        let mut hash = Sha256::new();
        hash.update(origin.platform_client_id);
        hash.update([0]);
        hash.update(origin.created_at.to_be_bytes());
        hash.update(origin.payload);
        let mut id = format!("msg_{}_", origin.seq);
        for byte in hash.finalize().iter().take(8) {
            // Writing into a string does not fail.
            _ = write!(id, "{byte:02x}");
        }
        id
    }

    /// The body.
    pub fn body(&self, origin: Origin<'_>) -> Vec<u8> {
        let mut data = Map::new();
        data.insert("event".to_owned(), self.event.clone());
        data.insert(
            "platform_client_id".to_owned(),
            origin.platform_client_id.into(),
        );
        data.insert("conversation_id".to_owned(), json!(self.conversation_id));
        data.insert("message_id".to_owned(), json!(self.message_id));
        data.extend(self.rest.clone());
        let mut event = Map::new();
        event.insert("specversion".to_owned(), "1.0".into());
        event.insert("id".to_owned(), Self::message_id(origin).into());
        event.insert("source".to_owned(), self.source().into());
        event.insert("type".to_owned(), self.kind().into());
        if let Some(subject) = &self.conversation_id {
            event.insert("subject".to_owned(), subject.as_str().into());
        }
        event.insert("time".to_owned(), to_rfc3339(origin.created_at).into());
        event.insert("datacontenttype".to_owned(), "application/json".into());
        event.insert("data".to_owned(), Value::Object(data));
        Value::Object(event).to_string().into_bytes()
    }

    fn name(&self, field: &str) -> Option<&str> {
        let name = self.event.get(field).and_then(Value::as_str);
        name.filter(|name| !name.is_empty())
    }

    fn kind(&self) -> String {
        match self.name("kind") {
            None => "chatly.event".to_owned(),
            Some("message") => "chatly.message.received".to_owned(),
            Some(kind) => format!("chatly.{kind}"),
        }
    }

    /// A URI reference; a platform controls both names.
    fn source(&self) -> String {
        let mut source = String::from("/channels");
        for part in [self.name("channel"), self.name("account")]
            .into_iter()
            .flatten()
        {
            source.push('/');
            for byte in part.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                        source.push(char::from(byte));
                    }
                    _ => _ = write!(source, "%{byte:02X}"),
                }
            }
        }
        source
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin(payload: &str) -> Origin<'_> {
        Origin {
            seq: 7,
            platform_client_id: "default",
            payload,
            created_at: 1_749_416_383_042,
        }
    }

    fn body(payload: &Value) -> Value {
        let payload = payload.to_string();
        let forward = Forward::parse(&payload).unwrap();
        serde_json::from_slice(&forward.body(origin(&payload))).unwrap()
    }

    #[test]
    fn a_message_becomes_a_cloud_event() {
        let event = json!({"kind": "message", "channel": "whatsapp", "account": "106540352242922"});
        let got = body(&json!({
            "url": "https://a.com/hook?token=secret", "rule_id": "r1", "rule_name": "All", "event": event,
            "conversation_id": "c1", "contact_id": "p1", "message_id": "m1", "enrichment": {"language": "es"},
        }));
        let id = got["id"].as_str().unwrap();
        assert!(id.starts_with("msg_7_") && id.len() == 22, "{id}");
        assert_eq!(
            got,
            json!({
                "specversion": "1.0", "id": id, "source": "/channels/whatsapp/106540352242922",
                "type": "chatly.message.received", "subject": "c1", "time": "2025-06-08T20:59:43.042Z",
                "datacontenttype": "application/json",
                "data": {"event": event, "platform_client_id": "default", "conversation_id": "c1", "message_id": "m1",
                    "rule_id": "r1", "rule_name": "All", "contact_id": "p1", "enrichment": {"language": "es"}},
            })
        );
        assert!(
            !got.to_string().contains("secret"),
            "the address is not shown"
        );
    }

    #[test]
    fn type_and_source_follow_the_event() {
        for (event, kind, source) in [
            (
                json!({"kind": "message.edited", "channel": "a"}),
                "chatly.message.edited",
                "/channels/a",
            ),
            (
                json!({"kind": "status", "channel": "a", "account": "b c/d"}),
                "chatly.status",
                "/channels/a/b%20c%2Fd",
            ),
            (json!({"kind": ""}), "chatly.event", "/channels"),
            (json!("message"), "chatly.event", "/channels"),
            (Value::Null, "chatly.event", "/channels"),
        ] {
            let got = body(&json!({"url": "https://a.com", "event": event}));
            assert_eq!(
                (&got["type"], &got["source"]),
                (&json!(kind), &json!(source)),
                "{event}"
            );
            assert!(
                got.get("subject").is_none(),
                "an empty subject is not allowed"
            );
        }
    }

    #[test]
    fn what_is_no_job_is_refused() {
        for payload in ["", "null", "[]", "{}", r#"{"url": 1}"#, r#"{"url": null}"#] {
            assert_eq!(Forward::parse(payload), Err(Malformed), "{payload}");
        }
    }

    #[test]
    fn the_id_differs_between_jobs_and_databases() {
        let first = origin("{}");
        for (name, other) in [
            ("another job", Origin { seq: 8, ..first }),
            (
                "a later database",
                Origin {
                    created_at: 1,
                    ..first
                },
            ),
            (
                "another tenant",
                Origin {
                    platform_client_id: "b",
                    ..first
                },
            ),
            (
                "another payload",
                Origin {
                    payload: "[]",
                    ..first
                },
            ),
        ] {
            assert_ne!(
                Forward::message_id(first),
                Forward::message_id(other),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn attempts_of_one_job_are_equal_to_the_byte(text in "\\PC*", seq: u64, created_at: u64) {
            let payload = json!({"url": "https://a.com", "event": {"kind": "message", "text": text}}).to_string();
            let origin = Origin { seq, platform_client_id: "t", payload: &payload, created_at };
            let once = Forward::parse(&payload).unwrap().body(origin);
            let again = Forward::parse(&payload).unwrap().body(origin);
            prop_assert_eq!(once, again);
        }

        #[test]
        fn parsing_never_panics(payload in "\\PC*") {
            if let Ok(forward) = Forward::parse(&payload) {
                forward.body(origin(&payload));
            }
        }
    }
}
