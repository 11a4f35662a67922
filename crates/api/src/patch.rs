//! What a person changes in a conversation: `PATCH /v1/conversations/{id}`.
//!
//! Fields that are left out stay; null takes away what can be absent. A body that is no such object
//! is 400, a value that a field cannot have 422.

use serde::{Deserialize, Deserializer};

use crate::rule::{is_name, parse_body};
use crate::{ConversationStatus, Error, Handover, Priority};

/// Tags of one change, each way, as in a rule's action.
const MAX_TAGS: usize = 20;
/// The end of the year 9999, as for rules.
const LAST_MS: u64 = 253_402_300_799_999;

/// Changes, checked. None stays as it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ConversationPatch {
    /// The new status.
    pub status: Option<ConversationStatus>,
    /// When the new status `snoozed` ends, Unix milliseconds; none: when the customer writes.
    pub snoozed_until: Option<u64>,
    /// The new priority.
    pub priority: Option<Priority>,
    /// Who has it; empty for nobody.
    pub assignee: Option<String>,
    /// The team that has it; empty for none.
    pub team: Option<String>,
    /// Tags to add.
    pub add_tags: Vec<String>,
    /// Tags to take off.
    pub remove_tags: Vec<String>,
    /// Whose turn it is.
    pub handover: Option<Handover>,
    /// Until when no rule answers; 0 ends that.
    pub muted_until: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    status: Option<String>,
    snoozed_until: Option<u64>,
    priority: Option<String>,
    #[serde(default, deserialize_with = "given")]
    assignee: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    team: Option<Option<String>>,
    #[serde(default)]
    add_tags: Vec<String>,
    #[serde(default)]
    remove_tags: Vec<String>,
    handover: Option<String>,
    #[serde(default, deserialize_with = "given")]
    muted_until: Option<Option<u64>>,
}

/// Tells null from absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl ConversationPatch {
    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<ConversationPatch, Error> {
        let body: Body = parse_body(body)?;
        let patch = ConversationPatch {
            status: word(
                body.status,
                ConversationStatus::WORDS,
                "The field status must be open, pending, snoozed or resolved.",
            )?,
            snoozed_until: body.snoozed_until,
            priority: word(
                body.priority,
                Priority::WORDS,
                "The field priority must be low, normal, high or urgent.",
            )?,
            assignee: body.assignee.map(Option::unwrap_or_default),
            team: body.team.map(Option::unwrap_or_default),
            add_tags: body.add_tags,
            remove_tags: body.remove_tags,
            handover: word(
                body.handover,
                Handover::WORDS,
                "The field handover must be bot or human.",
            )?,
            muted_until: body.muted_until.map(Option::unwrap_or_default),
        };
        patch.check().map_err(Error::Unprocessable)?;
        Ok(patch)
    }

    fn check(&self) -> Result<(), &'static str> {
        if *self == ConversationPatch::default() {
            return Err("The body changes nothing.");
        }
        if self.snoozed_until.is_some() && self.status != Some(ConversationStatus::Snoozed) {
            return Err("The field snoozed_until needs the status snoozed.");
        }
        let times = [self.snoozed_until, self.muted_until];
        if times.into_iter().flatten().any(|at| at > LAST_MS) {
            return Err("A time must be Unix milliseconds before the year 10000.");
        }
        let people = [&self.assignee, &self.team].into_iter().flatten();
        if people
            .filter(|name| !name.is_empty())
            .any(|name| !is_name(name))
        {
            return Err(
                "An assignee or team must have 1 to 128 characters, and no control character.",
            );
        }
        for tags in [&self.add_tags, &self.remove_tags] {
            if tags.len() > MAX_TAGS || tags.iter().any(|tag| !is_name(tag)) {
                return Err(
                    "Tags must be at most 20 texts of 1 to 128 characters, without control characters.",
                );
            }
        }
        if self
            .add_tags
            .iter()
            .any(|tag| self.remove_tags.contains(tag))
        {
            return Err("A tag cannot be both added and removed.");
        }
        Ok(())
    }
}

fn word<T: Copy>(
    text: Option<String>,
    words: &[(&str, T)],
    why: &'static str,
) -> Result<Option<T>, Error> {
    let Some(text) = text else {
        return Ok(None);
    };
    let found = words.iter().find(|(word, _)| *word == text);
    found
        .map(|(_, value)| Some(*value))
        .ok_or(Error::Unprocessable(why))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(body: &str) -> Result<ConversationPatch, Error> {
        ConversationPatch::parse(body.as_bytes())
    }

    #[test]
    fn what_is_left_out_stays_and_null_takes_away() {
        let none = ConversationPatch::default;
        for (body, want) in [
            (
                r#"{"assignee":"ann"}"#,
                ConversationPatch {
                    assignee: Some("ann".into()),
                    ..none()
                },
            ),
            (
                r#"{"assignee":null,"team":null}"#,
                ConversationPatch {
                    assignee: Some(String::new()),
                    team: Some(String::new()),
                    ..none()
                },
            ),
            (
                r#"{"muted_until":null}"#,
                ConversationPatch {
                    muted_until: Some(0),
                    ..none()
                },
            ),
            (
                r#"{"handover":"human"}"#,
                ConversationPatch {
                    handover: Some(Handover::Human),
                    ..none()
                },
            ),
            (
                r#"{"status":"snoozed","snoozed_until":9,"priority":"urgent","add_tags":["a"],"remove_tags":["b"]}"#,
                ConversationPatch {
                    status: Some(ConversationStatus::Snoozed),
                    snoozed_until: Some(9),
                    priority: Some(Priority::Urgent),
                    add_tags: vec!["a".into()],
                    remove_tags: vec!["b".into()],
                    ..none()
                },
            ),
        ] {
            assert_eq!(parse(body), Ok(want), "{body}");
        }
    }

    #[test]
    fn a_value_that_a_field_cannot_have_is_422_and_another_shape_400() {
        let long = "x".repeat(129);
        let many = format!("{:?}", vec!["x"; 21]);
        for body in [
            "{}".to_owned(),
            r#"{"add_tags":[]}"#.to_owned(),
            r#"{"status":"closed"}"#.to_owned(),
            r#"{"snoozed_until":9}"#.to_owned(),
            r#"{"status":"open","snoozed_until":9}"#.to_owned(),
            r#"{"muted_until":253402300800000}"#.to_owned(),
            format!(r#"{{"team":"{long}"}}"#),
            r#"{"assignee":"a\nb"}"#.to_owned(),
            format!(r#"{{"add_tags":{many}}}"#),
            r#"{"add_tags":[""]}"#.to_owned(),
            r#"{"add_tags":["a"],"remove_tags":["a"]}"#.to_owned(),
        ] {
            assert!(
                matches!(parse(&body), Err(Error::Unprocessable(_))),
                "{body}"
            );
        }
        for body in [
            "",
            "[]",
            r#"{"assigne":"ann"}"#,
            r#"{"assignee":7}"#,
            r#"{"muted_until":-1}"#,
        ] {
            assert!(matches!(parse(body), Err(Error::Body(_))), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in ".{0,80}") {
            let _ = parse(&body);
        }
    }
}
