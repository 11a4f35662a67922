//! The send job: a draft, and the message in the thread that it is.

use chatly_canonical::Identity;
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

/// What is sent, and for which message.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// What is sent.
    pub draft: Draft,
    /// Our id of the message in the thread; none for what is no message.
    pub message_id: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    message: Box<RawValue>,
    /// Added by the store.
    message_id: Option<String>,
}

impl Job {
    /// The kind of the jobs of a channel.
    pub fn kind(channel: &str) -> String {
        format!("send-{channel}")
    }

    /// The payload of a new job; the store adds the ids of what it is about.
    pub fn payload(draft: &Draft) -> String {
        #[derive(Serialize)]
        struct New<'a> {
            message: &'a RawValue,
        }
        let message = serde_json::from_str(draft.json()).unwrap_or(RawValue::NULL);
        serde_json::to_string(&New { message }).unwrap_or_default()
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`NotAJob`] for anything that is none.
    pub fn parse(payload: &str) -> Result<Self, NotAJob> {
        let payload: Payload = serde_json::from_str(payload).map_err(|_| NotAJob::Malformed)?;
        Ok(Job {
            draft: Draft::parse(payload.message.get())?,
            message_id: payload.message_id,
        })
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
        let draft = Draft::parse(r#"{"type": "text", "text": "Hi"}"#).unwrap();
        let payload = Job::payload(&draft);
        assert_eq!(payload, r#"{"message":{"type":"text","text":"Hi"}}"#);
        let with_ids = payload.replacen('{', r#"{"message_id":"m","contact_id":"c","#, 1);
        let job = Job::parse(&with_ids).unwrap();
        assert_eq!((job.draft, job.message_id.as_deref()), (draft, Some("m")));
    }

    #[test]
    fn what_is_no_job_is_refused() {
        for (payload, want) in [
            ("", NotAJob::Malformed),
            ("{}", NotAJob::Malformed),
            (r#"{"message":{"type":"x"}}"#, NotAJob::Draft(Error::Type)),
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
