//! The send job: a draft, and the message in the thread that it is.

use chatly_canonical::{Identity, Raw};
use chatly_channel::outbound::Content;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Draft, Error};

/// A payload that is no send job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAJob {
    /// Not the JSON of a job.
    #[error("the payload is no send job")]
    Malformed,
    /// Its draft cannot be used.
    #[error("the payload's message: {0}")]
    Draft(#[from] Error),
}

/// An answer that nobody wrote: it is worth less than what a person says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Automatic {
    /// Whose it is: a rule's id, or what an integration calls itself.
    #[serde(default)]
    pub rule: String,
    /// When it was decided, in Unix milliseconds.
    pub decided_at: u64,
    /// It announces that a person takes over, so that this is no reason to keep it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub announces: bool,
}

/// What is sent, and for which message.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What is sent.
    pub draft: Draft,
    /// Our id of the message in the thread; none for what is no message.
    pub message_id: Option<String>,
    /// Of an automatic message.
    pub automatic: Option<Automatic>,
    /// The template that is sent instead when the platform's window is closed.
    pub fallback: Option<Draft>,
}

#[derive(Deserialize)]
struct Payload {
    message: Box<RawValue>,
    /// Added by the store.
    message_id: Option<String>,
    automatic: Option<Automatic>,
    fallback: Option<Box<RawValue>>,
}

impl Job {
    /// The kind of the jobs of a channel.
    pub fn kind(channel: &str) -> String {
        format!("send-{channel}")
    }

    /// The payload of a new job; the store adds the ids of what it is about.
    pub fn payload(&self) -> String {
        #[derive(Serialize)]
        struct New<'a> {
            message: Raw,
            #[serde(skip_serializing_if = "Option::is_none")]
            automatic: Option<&'a Automatic>,
            #[serde(skip_serializing_if = "Option::is_none")]
            fallback: Option<Raw>,
        }
        let raw = |draft: &Draft| Raw::ours(draft.json());
        serde_json::to_string(&New {
            message: raw(&self.draft),
            automatic: self.automatic.as_ref(),
            fallback: self.fallback.as_ref().map(raw),
        })
        .unwrap_or_default()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`NotAJob`] for anything that is none.
    pub fn parse(payload: &str) -> Result<Self, NotAJob> {
        let payload: Payload = serde_json::from_str(payload).map_err(|_| NotAJob::Malformed)?;
        let fallback = payload.fallback.as_deref().map(RawValue::get);
        Ok(Job {
            draft: Draft::parse(payload.message.get())?,
            message_id: payload.message_id,
            automatic: payload.automatic,
            fallback: fallback.map(template).transpose()?,
        })
    }
}

/// A draft that goes out when nothing else may.
///
/// # Errors
/// As [`Draft::parse`], and [`Error::Fallback`] for any other type.
pub(crate) fn template(json: &str) -> Result<Draft, Error> {
    let draft = Draft::parse(json)?;
    match draft.content {
        Content::Template(_) => Ok(draft),
        _ => Err(Error::Fallback),
    }
}

/// The identities that a message may be addressed to, in the order to try them: the channel knows
/// which of them it can write to. A phone goes first: it stays when an id rotates. In a group
/// nobody need have spoken yet; then the group itself stands for them.
pub fn recipients(mut identities: Vec<Identity>, chat: Option<&str>) -> Vec<Identity> {
    identities.sort_by_key(|identity| identity.scheme != "phone");
    if let (true, Some(chat)) = (identities.is_empty(), chat) {
        identities.push(Identity::new("chat", chat));
    }
    identities
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_read_as_it_was_made() {
        let text = r#"{"type":"text","text":"Hi"}"#;
        let template =
            r#"{"type":"template","template":{"name":"n","language":"en","components":[1.50]}}"#;
        let draft = |json: &str| Draft::parse(json).unwrap();
        for (automatic, fallback, want) in [
            (None, None, format!(r#"{{"message":{text}}}"#)),
            (
                Some(Automatic {
                    rule: "r".into(),
                    decided_at: 7,
                    announces: true,
                }),
                Some(draft(template)),
                format!(
                    r#"{{"message":{text},"automatic":{{"rule":"r","decided_at":7,"announces":true}},"fallback":{template}}}"#
                ),
            ),
        ] {
            let mut job = Job {
                draft: draft(text),
                message_id: None,
                automatic,
                fallback,
            };
            assert_eq!(job.payload(), want);
            let with_ids = want.replacen('{', r#"{"message_id":"m","contact_id":"c","#, 1);
            job.message_id = Some("m".to_owned());
            assert_eq!(Job::parse(&with_ids), Ok(job));
        }
    }

    #[test]
    fn what_is_no_job_is_refused() {
        for (payload, want) in [
            ("", NotAJob::Malformed),
            ("{}", NotAJob::Malformed),
            (
                r#"{"message":{"type":"x"}}"#,
                NotAJob::Draft(chatly_channel::fields::Error::Type.into()),
            ),
            (
                r#"{"message":{"type":"text","text":"x"},"fallback":{"type":"text","text":"x"}}"#,
                NotAJob::Draft(Error::Fallback),
            ),
            (
                r#"{"message":{"type":"text","text":"x"},"automatic":{}}"#,
                NotAJob::Malformed,
            ),
        ] {
            assert_eq!(Job::parse(payload), Err(want), "{payload}");
        }
    }

    #[test]
    fn a_phone_is_tried_first_and_a_group_stands_for_itself() {
        let ids = |list: Vec<Identity>| {
            list.into_iter()
                .map(|it| it.scheme + ":" + &it.id)
                .collect::<Vec<_>>()
        };
        let known = vec![
            Identity::new("bsuid", "US.1"),
            Identity::new("phone", "1"),
            Identity::new("x", "2"),
        ];
        assert_eq!(
            ids(recipients(known, None)),
            ["phone:1", "bsuid:US.1", "x:2"]
        );
        assert_eq!(ids(recipients(vec![], Some("g"))), ["chat:g"]);
        assert!(recipients(vec![], None).is_empty());
    }
}
