//! A reply from the decision to the send job.
//!
//! 1. A reply of the strategy `each` becomes a message and a send job with the message that it
//!    answers. Any other waits as a job of kind `reply`, so that a crash loses none.
//! 2. One that waited is looked at again, because a person may have taken over meanwhile.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::explanation::{Explanation, Followed, Phase};
use crate::safety::{Held, Standing};

/// A debounced reply waits at most so many times its quiet, or who writes on is never answered.
const MAX_QUIETS: u64 = 10;

/// When a reply is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    /// At once.
    #[default]
    Each,
    /// When the one before it has left.
    Queue,
    /// At once, unless a newer message's takes its place first.
    Latest,
    /// Once nothing came for so many milliseconds.
    DebounceMs(u64),
}

/// What a rule answers: the payload of a job of kind `reply`, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// Which rule.
    pub rule_id: String,
    /// Its name, for people.
    pub rule_name: String,
    /// In the form of the API's messages.
    pub message: Value,
    /// A template for a window that is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Value>,
    /// When.
    pub timing: Timing,
    /// When the message that it answers arrived, Unix milliseconds.
    pub decided_at: u64,
    /// The same rule handed the conversation over, or muted it, after this.
    pub announces: bool,
}

impl Reply {
    /// A text without any words.
    pub(crate) fn is_empty(&self) -> bool {
        let text = self.message.get("text").and_then(Value::as_str);
        text.is_some_and(|text| text.trim().is_empty())
    }

    /// When a job of this reply is due that is made at `now`, and how long after the first one at most.
    pub fn due(&self, now: u64) -> (u64, Option<u64>) {
        match self.timing {
            Timing::DebounceMs(ms) => (now.saturating_add(ms), Some(ms.saturating_mul(MAX_QUIETS))),
            _ => (now, None),
        }
    }

    /// Until when a debounced reply waits longer, because a message came that asked for none;
    /// `first_at` is when the job was made.
    pub fn wait(&self, newest_at: u64, first_at: u64, now: u64) -> Option<u64> {
        let Timing::DebounceMs(ms) = self.timing else {
            return None;
        };
        let quiet = newest_at.saturating_add(ms);
        let until = quiet.min(first_at.saturating_add(ms.saturating_mul(MAX_QUIETS)));
        (now < until).then_some(until)
    }

    /// Why it is not given after all; none when it may be.
    pub fn held(&self, standing: &Standing, now: u64) -> Option<Held> {
        match self.announces {
            true => standing.held_when_announced(now, self.decided_at),
            false => standing.held(now, self.decided_at),
        }
    }

    /// The payload of its send job. `announces` tells whoever sends it that the handover that stands
    /// by then does not speak against it.
    pub fn payload(&self) -> String {
        let mut automatic = json!({ "rule": self.rule_id, "decided_at": self.decided_at });
        if let (true, Some(object)) = (self.announces, automatic.as_object_mut()) {
            object.insert("announces".to_owned(), true.into());
        }
        let mut payload = json!({ "message": self.message, "automatic": automatic });
        if let (Some(fallback), Some(object)) = (&self.fallback, payload.as_object_mut()) {
            object.insert("fallback".to_owned(), fallback.clone());
        }
        payload.to_string()
    }

    /// What came of it after it waited, a JSON object for the message's explanations.
    pub fn explained(&self, held: Option<Held>) -> String {
        let outcome = match held {
            None => "queued".to_owned(),
            Some(held) => format!("suppressed: {held}"),
        };
        let action = json!({ "do": "reply", "message": self.message }).to_string();
        let explanation = Explanation {
            phase: Phase::Reply,
            rules: &[],
            actions: vec![Followed {
                rule_id: &self.rule_id,
                action: serde_json::from_str(&action).unwrap_or(serde_json::value::RawValue::NULL),
                outcome,
            }],
        };
        explanation.json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(timing: Timing) -> Reply {
        Reply {
            rule_id: "r".into(),
            rule_name: "rule".into(),
            message: json!({"type": "text", "text": "Hi"}),
            fallback: None,
            timing,
            decided_at: 100,
            announces: false,
        }
    }

    #[test]
    fn a_job_keeps_the_reply() {
        for timing in [
            Timing::Each,
            Timing::Queue,
            Timing::Latest,
            Timing::DebounceMs(5),
        ] {
            let reply = reply(timing);
            let json = serde_json::to_string(&reply).unwrap();
            assert_eq!(serde_json::from_str::<Reply>(&json).unwrap(), reply);
        }
    }

    #[test]
    fn a_debounced_reply_waits_for_quiet_but_not_for_ever() {
        let waits = reply(Timing::DebounceMs(50));
        assert_eq!(waits.due(1_000), (1_050, Some(500)));
        assert_eq!(reply(Timing::Latest).due(1_000), (1_000, None));
        for (name, newest, now, want) in [
            ("quiet", 1_000, 1_050, None),
            ("not yet", 1_000, 1_049, Some(1_050)),
            ("somebody writes on", 1_300, 1_310, Some(1_350)),
            ("at its limit", 1_490, 1_495, Some(1_500)),
            ("past it", 1_600, 1_600, None),
        ] {
            assert_eq!(waits.wait(newest, 1_000, now), want, "{name}");
        }
        assert_eq!(reply(Timing::Queue).wait(1_000, 1_000, 1_000), None);
    }

    #[test]
    fn a_payload_says_that_it_is_automatic_and_what_it_announces() {
        let payload = |reply: &Reply| serde_json::from_str::<Value>(&reply.payload()).unwrap();
        let mut said = reply(Timing::Each);
        let message = json!({"type": "text", "text": "Hi"});
        assert_eq!(
            payload(&said),
            json!({"message": message, "automatic": {"rule": "r", "decided_at": 100}})
        );
        said.fallback = Some(json!({"type": "template"}));
        said.announces = true;
        assert_eq!(
            payload(&said),
            json!({
                "message": message, "fallback": {"type": "template"},
                "automatic": {"rule": "r", "decided_at": 100, "announces": true},
            })
        );
    }

    #[test]
    fn a_person_who_took_over_holds_a_reply_that_waited() {
        let human = Standing {
            human: true,
            ..Standing::default()
        };
        let mut waited = reply(Timing::DebounceMs(50));
        assert_eq!(waited.held(&human, 200), Some(Held::Human));
        waited.announces = true;
        assert_eq!(waited.held(&human, 200), None);
        let wrote = Standing {
            last_human_at: Some(150),
            ..Standing::default()
        };
        assert_eq!(waited.held(&wrote, 200), Some(Held::Answered));
        let json: Value = serde_json::from_str(&waited.explained(Some(Held::Answered))).unwrap();
        assert_eq!(json["phase"], "reply");
        assert_eq!(
            json["actions"][0]["outcome"],
            "suppressed: a person wrote meanwhile"
        );
    }
}
