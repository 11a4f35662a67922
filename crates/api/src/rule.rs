//! Bodies of writes: rules as people write them, and endpoints to enable.
//!
//! What a body may hold is checked here; whether a condition and its actions are sound is the
//! router's to say.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Error;

/// The largest body of a write: far more than a rule at the router's bounds.
pub const MAX_BODY_BYTES: usize = 64 << 10;
/// The longest id and name, in characters, as the router takes them.
const MAX_NAME_CHARS: usize = 128;
/// The priority of a rule that names none, as in a `rules.toml`.
const DEFAULT_PRIORITY: i32 = 100;

/// A rule as it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleBody {
    /// Chosen by the sender, or made.
    pub id: Option<String>,
    /// Whose it is; the default tenant's.
    pub platform_client_id: Option<String>,
    /// For people.
    pub name: String,
    /// Lower runs first.
    #[serde(default = "default_priority")]
    pub priority: i32,
    /// The condition.
    pub when: String,
    /// The actions, a JSON array.
    pub then: Box<RawValue>,
    /// No later rule is tried when this one matched.
    #[serde(default)]
    pub stop: bool,
    /// Whether it is tried.
    #[serde(default = "enabled")]
    pub enabled: bool,
    /// How it answers a burst of messages; empty: each by itself.
    #[serde(default)]
    pub strategy: String,
    // What an answer holds besides may be sent back with it, and counts for nothing.
    #[serde(default, rename = "created_at")]
    _created_at: Option<u64>,
    #[serde(default, rename = "updated_at")]
    _updated_at: Option<u64>,
}

/// A rule as it is shown.
#[derive(Debug, Serialize)]
pub struct Rule {
    /// Unique for its tenant.
    pub id: String,
    /// Whose it is.
    pub platform_client_id: String,
    /// For people.
    pub name: String,
    /// Lower runs first.
    pub priority: i32,
    /// The condition.
    pub when: String,
    /// The actions.
    pub then: chatly_canonical::Raw,
    /// No later rule is tried when this one matched.
    pub stop: bool,
    /// Whether it is tried.
    pub enabled: bool,
    /// How it answers a burst of messages.
    pub strategy: String,
    /// Unix milliseconds.
    pub created_at: u64,
    /// Unix milliseconds.
    pub updated_at: u64,
}

/// An endpoint to be enabled again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enable {
    /// Its address, as it was disabled.
    pub url: String,
    /// Whose it is; the default tenant's.
    pub platform_client_id: Option<String>,
}

fn default_priority() -> i32 {
    DEFAULT_PRIORITY
}

fn enabled() -> bool {
    true
}

/// Reads a body.
pub fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    parse_body_of(body, MAX_BODY_BYTES)
}

/// Reads a body of at most so many bytes.
pub(crate) fn parse_body_of<T: DeserializeOwned>(
    body: &[u8],
    max_bytes: usize,
) -> Result<T, Error> {
    if body.len() > max_bytes {
        return Err(Error::TooLarge);
    }
    serde_json::from_slice(body).map_err(|error| {
        // What a field is missing or wrong is said by place, because the words hold values.
        Error::Body(format!(
            "The body is not the JSON that this address takes, at line {}, column {}.",
            error.line(),
            error.column()
        ))
    })
}

impl RuleBody {
    /// Checks the fields that the router does not see. `id` is the one of the address.
    pub fn check(&self, id: Option<&str>) -> Result<(), Error> {
        let refuse = |why: &str| Err(Error::Body(why.to_owned()));
        if let (Some(address), Some(own)) = (id, &self.id)
            && address != own
        {
            return refuse("The id in the body is not the one of the address.");
        }
        for (name, text) in [
            ("id", id.or(self.id.as_deref())),
            ("name", Some(&self.name)),
        ] {
            if text.is_some_and(|text| !is_name(text)) {
                return refuse(&format!(
                    "The field {name} must have 1 to {MAX_NAME_CHARS} characters, and no control character."
                ));
            }
        }
        if self
            .platform_client_id
            .as_deref()
            .is_some_and(|id| !is_name(id))
        {
            return refuse("The field platform_client_id must name a tenant.");
        }
        Ok(())
    }
}

pub(crate) fn is_name(text: &str) -> bool {
    let count = text.chars().count();
    (1..=MAX_NAME_CHARS).contains(&count) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(body: &str) -> Result<RuleBody, Error> {
        parse_body(body.as_bytes())
    }

    #[test]
    fn a_rule_needs_a_name_a_condition_and_actions() {
        let rule = parse(r#"{"name":"n","when":"true","then":[{"do":"enrich"}]}"#).unwrap();
        assert_eq!((rule.priority, rule.stop, rule.enabled), (100, false, true));
        assert_eq!(rule.then.get(), r#"[{"do":"enrich"}]"#);
        for (name, body) in [
            ("no name", r#"{"when":"true","then":[]}"#),
            ("no condition", r#"{"name":"n","then":[]}"#),
            ("no actions", r#"{"name":"n","when":"true"}"#),
            (
                "misspelt",
                r#"{"name":"n","when":"true","then":[],"priorty":1}"#,
            ),
            (
                "priority of text",
                r#"{"name":"n","when":"true","then":[],"priority":"1"}"#,
            ),
            ("no JSON", "{"),
            ("empty", ""),
        ] {
            assert!(matches!(parse(body), Err(Error::Body(_))), "{name}");
        }
    }

    #[test]
    fn what_was_answered_can_be_sent_back() {
        let shown = Rule {
            id: "r".into(),
            platform_client_id: "default".into(),
            name: "n".into(),
            priority: -1,
            when: "true".into(),
            then: chatly_canonical::Raw::json("[]"),
            stop: true,
            enabled: false,
            strategy: "latest".into(),
            created_at: 1,
            updated_at: 2,
        };
        let body = serde_json::to_string(&shown).unwrap();
        let sent = parse(&body).unwrap();
        assert_eq!((sent.id.as_deref(), sent.priority), (Some("r"), -1));
        assert_eq!(sent.strategy, "latest");
        assert_eq!(sent.check(Some("r")), Ok(()));
    }

    #[test]
    fn an_id_and_a_name_are_short_and_agree_with_the_address() {
        let rule = |id: &str, name: &str| {
            parse(&format!(
                r#"{{"id":{id},"name":{name},"when":"true","then":[]}}"#
            ))
            .unwrap()
        };
        let long = format!("\"{}\"", "ä".repeat(128));
        let longer = format!("\"{}\"", "ä".repeat(129));
        for (name, rule, address, sound) in [
            ("made", rule("null", r#""n""#), None, true),
            ("chosen", rule(r#""a""#, r#""n""#), None, true),
            ("the same", rule(r#""a""#, r#""n""#), Some("a"), true),
            ("another", rule(r#""a""#, r#""n""#), Some("b"), false),
            ("empty id", rule(r#""""#, r#""n""#), None, false),
            ("longest name", rule("null", &long), None, true),
            ("longer name", rule("null", &longer), None, false),
            ("control", rule("null", r#""a\n""#), None, false),
        ] {
            assert_eq!(rule.check(address).is_ok(), sound, "{name}");
        }
    }

    #[test]
    fn a_body_has_64_kib_at_most() {
        let body = |bytes: usize| {
            let empty = r#"{"name":"n","when":"","then":[]}"#.len();
            format!(
                r#"{{"name":"n","when":"{}","then":[]}}"#,
                "x".repeat(bytes - empty)
            )
        };
        assert!(parse(&body(MAX_BODY_BYTES)).is_ok());
        assert_eq!(
            parse(&body(MAX_BODY_BYTES + 1)).err(),
            Some(Error::TooLarge)
        );
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in ".{0,200}") {
            let _ = parse(&body).and_then(|rule| rule.check(None));
        }
    }
}
