//! A dry run of rules: what is asked, and what is answered.
//!
//! What the candidate would do is for the router to say; here is only the shape of it.

use serde::{Deserialize, Serialize};

use crate::{Error, RuleBody};

/// The largest body: a thousand rules of a kilobyte.
pub const MAX_CANDIDATE_BYTES: usize = 1 << 20;
/// Messages of one call when the caller does not say.
pub const DEFAULT_EVALUATED: u32 = 200;
/// The most messages of one call.
pub const MAX_EVALUATED: u32 = 1000;

/// What is tried: `rules` as the API knows them, or `file`, the text of a `rules.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    rules: Option<Vec<RuleBody>>,
    file: Option<String>,
}

/// One of the two.
#[derive(Debug)]
pub enum Offer {
    /// As the API knows them, in the order in which they would be tried were they stored.
    Rules(Vec<RuleBody>),
    /// The text of a file.
    File(String),
}

impl Candidate {
    /// Reads a body. `tenant` is who it is tried for.
    pub fn parse(body: &[u8], tenant: &str) -> Result<Offer, Error> {
        let candidate: Candidate = crate::rule::parse_body_of(body, MAX_CANDIDATE_BYTES)?;
        let refuse = |why: &str| Err(Error::Body(why.to_owned()));
        match (candidate.rules, candidate.file) {
            (None, Some(file)) => Ok(Offer::File(file)),
            (Some(mut rules), None) => {
                for rule in &rules {
                    rule.check(None)?;
                    let other = rule.platform_client_id.as_deref();
                    if other.is_some_and(|other| other != tenant) {
                        return refuse("A rule is of another tenant than the dry run.");
                    }
                }
                // Rules of one priority are stored by id; those without one come as they came.
                if rules.iter().all(|rule| rule.id.is_some()) {
                    rules.sort_by(|a, b| a.id.cmp(&b.id));
                    if rules
                        .windows(2)
                        .any(|pair| matches!(pair, [a, b] if a.id == b.id))
                    {
                        return refuse("Two rules have the same id.");
                    }
                }
                rules.sort_by_key(|rule| rule.priority);
                Ok(Offer::Rules(rules))
            }
            _ => refuse("The body holds either rules or file."),
        }
    }
}

/// What came of a dry run.
#[derive(Debug, Serialize)]
pub struct DryRun<A> {
    /// Messages that both sets were tried for.
    pub evaluated: usize,
    /// How many of them would be routed differently.
    pub differing: usize,
    /// Those, newest first.
    pub data: Vec<Difference<A>>,
    /// What the candidate's own tests say.
    pub tests: Tests,
    /// Where to go on; none when there is no message left.
    pub next_cursor: Option<String>,
}

/// A message that would be routed differently.
#[derive(Debug, Serialize)]
pub struct Difference<A> {
    /// Our id.
    pub message_id: String,
    /// Where it stands.
    pub conversation_id: String,
    /// When it was stored, Unix milliseconds.
    pub created_at: u64,
    /// The actions that follow by the rules as they are stored.
    pub before: Vec<A>,
    /// The actions that would follow.
    pub after: Vec<A>,
}

/// The header that a dry run puts on each of its answers, so that they differ from those of a host that
/// ended it.
pub const ANSWERED: &str = "x-chatly-dry-run";

/// What the tests of a file say.
#[derive(Debug, Default, Serialize)]
pub struct Tests {
    /// How many say that all is as it should be.
    pub passed: usize,
    /// How many do not.
    pub failed: usize,
    /// How many there was no time for.
    pub not_run: usize,
    /// Those that do not.
    pub failures: Vec<Failure>,
}

/// A test that says that something is not as it should be.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// Its name.
    pub name: String,
    /// Its line in the file.
    pub line: usize,
    /// What is not, one line each.
    pub failures: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(body: &str) -> Result<Vec<String>, Error> {
        match Candidate::parse(body.as_bytes(), "default")? {
            Offer::File(text) => Ok(vec![text]),
            Offer::Rules(rules) => Ok(rules.into_iter().map(|rule| rule.name).collect()),
        }
    }

    fn rule(fields: &str) -> String {
        format!(r#"{{"when":"true","then":[],{fields}}}"#)
    }

    #[test]
    fn rules_are_tried_in_the_order_in_which_they_would_be_stored() {
        let rules = |rules: &[String]| format!(r#"{{"rules":[{}]}}"#, rules.join(","));
        let all = [
            rule(r#""id":"b","name":"1""#),
            rule(r#""id":"a","name":"2""#),
            rule(r#""id":"c","name":"3","priority":1"#),
        ];
        assert_eq!(names(&rules(&all)).unwrap(), ["3", "2", "1"]);
        let unnamed = [rule(r#""name":"1""#), rule(r#""id":"a","name":"2""#)];
        assert_eq!(names(&rules(&unnamed)).unwrap(), ["1", "2"]);
        assert_eq!(names(&rules(&[])).unwrap(), [""; 0]);
        assert_eq!(names(r#"{"file":"text"}"#).unwrap(), ["text"]);
    }

    #[test]
    fn what_is_no_candidate_is_refused() {
        let same = rule(r#""id":"a","name":"n""#);
        for (name, body) in [
            ("neither", "{}".to_owned()),
            ("both", r#"{"rules":[],"file":""}"#.to_owned()),
            ("no JSON", "[".to_owned()),
            ("a word more", r#"{"rules":[],"dry":true}"#.to_owned()),
            ("one id twice", format!(r#"{{"rules":[{same},{same}]}}"#)),
            (
                "no name",
                format!(r#"{{"rules":[{}]}}"#, rule(r#""name":"""#)),
            ),
            (
                "another tenant",
                format!(
                    r#"{{"rules":[{}]}}"#,
                    rule(r#""name":"n","platform_client_id":"x""#)
                ),
            ),
        ] {
            assert!(matches!(names(&body), Err(Error::Body(_))), "{name}");
        }
        let large = |bytes: usize| format!(r#"{{"file":"{}"}}"#, "x".repeat(bytes - 11));
        assert!(names(&large(MAX_CANDIDATE_BYTES)).is_ok());
        assert_eq!(names(&large(MAX_CANDIDATE_BYTES + 1)), Err(Error::TooLarge));
    }
}
