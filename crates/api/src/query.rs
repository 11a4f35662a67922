//! Query strings, strictly.
//!
//! 1. A parameter is known, given once, not empty, UTF-8, and holds no control character; anything
//!    else is refused with the name of the parameter and what it takes. All of it comes from the
//!    sender.
//! 2. `+` is a space, as HTML forms send it (URL standard, `application/x-www-form-urlencoded`).

use std::ops::RangeInclusive;

use percent_encoding::percent_decode_str;

use crate::Error;

/// Rows on a page when the caller does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// The most rows on a page: what `chatly:store` gives at once.
pub const MAX_LIMIT: u32 = 200;
/// The longest unknown name that an answer repeats.
const MAX_ECHO_CHARS: usize = 40;

/// Which page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where it starts; none at the beginning.
    pub cursor: Option<String>,
    /// How many rows, 1–200.
    pub limit: u32,
}

/// The parameters of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads a query string, without its `?`, of an address that takes the parameters `known`.
    pub fn parse(raw: Option<&str>, known: &'static [&'static str]) -> Result<Query, Error> {
        let mut values: Vec<(&'static str, String)> = Vec::new();
        for pair in raw
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = known
                .iter()
                .copied()
                .find(|known| decode(name).is_some_and(|n| n == *known))
            else {
                return Err(Error::UnknownParameter {
                    name: plain(name),
                    known,
                });
            };
            if values.iter().any(|(seen, _)| *seen == name) {
                return Err(Error::RepeatedParameter(name));
            }
            let value = decode(value)
                .filter(|value| !value.is_empty() && !value.chars().any(char::is_control))
                .ok_or_else(|| Error::Parameter {
                    name,
                    want: "a value in percent-encoded UTF-8".into(),
                })?;
            values.push((name, value));
        }
        Ok(Query(values))
    }

    /// A parameter as it is.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// A parameter as a decimal number in a range.
    pub fn number(
        &self,
        name: &'static str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Error> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        number(text)
            .filter(|value| range.contains(value))
            .map(Some)
            .ok_or_else(|| Error::Parameter {
                name,
                want: wanted_number(&range),
            })
    }

    /// A parameter as one of some words.
    pub fn choice<T: Copy>(
        &self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Error> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                Err(Error::Parameter {
                    name,
                    want: format!("one of {}", words.join(", ")),
                })
            }
        }
    }

    /// `limit` and `cursor`.
    pub fn page(&self) -> Result<Page, Error> {
        let limit = self.number("limit", 1..=u64::from(MAX_LIMIT))?;
        Ok(Page {
            cursor: self.text("cursor").map(str::to_owned),
            limit: limit
                .and_then(|limit| u32::try_from(limit).ok())
                .unwrap_or(DEFAULT_LIMIT),
        })
    }
}

/// Reads digits, without a sign, without leading zeros.
pub(crate) fn number(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with(['0', '+']);
    canonical.then(|| text.parse().ok()).flatten()
}

fn wanted_number(range: &RangeInclusive<u64>) -> String {
    match *range.end() {
        u64::MAX => "a whole number".into(),
        end => format!("a whole number from {} to {end}", range.start()),
    }
}

fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    percent_decode_str(&text)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

/// A name that an answer may repeat: a word, nothing else.
fn plain(name: &str) -> Option<String> {
    let word = name.len() <= MAX_ECHO_CHARS
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    word.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KNOWN: &[&str] = &["status", "identity", "limit", "cursor"];

    fn unknown(name: Option<&str>) -> Error {
        Error::UnknownParameter {
            name: name.map(Into::into),
            known: KNOWN,
        }
    }

    #[test]
    fn a_parameter_is_known_and_given_once() {
        let value = |name| Error::Parameter {
            name,
            want: "a value in percent-encoded UTF-8".into(),
        };
        for (name, raw, want) in [
            ("none", None, Ok(None)),
            ("empty", Some(""), Ok(None)),
            ("plain", Some("identity=phone:1"), Ok(Some("phone:1"))),
            (
                "decoded",
                Some("identity=a%26b+c%C3%A4&"),
                Ok(Some("a&b cä")),
            ),
            ("encoded name", Some("%69dentity=x"), Ok(Some("x"))),
            ("equals in it", Some("identity=a=b"), Ok(Some("a=b"))),
            (
                "misspelt",
                Some("indentity=x"),
                Err(unknown(Some("indentity"))),
            ),
            (
                "other case",
                Some("Identity=x"),
                Err(unknown(Some("Identity"))),
            ),
            ("markup", Some("<b>=x"), Err(unknown(None))),
            ("no name", Some("=x"), Err(unknown(Some("")))),
            (
                "twice",
                Some("identity=x&identity=x"),
                Err(Error::RepeatedParameter("identity")),
            ),
            ("no value", Some("identity"), Err(value("identity"))),
            ("empty value", Some("identity="), Err(value("identity"))),
            ("not UTF-8", Some("identity=%FF"), Err(value("identity"))),
            ("control", Some("identity=a%00"), Err(value("identity"))),
        ] {
            let got =
                Query::parse(raw, KNOWN).map(|query| query.text("identity").map(str::to_owned));
            assert_eq!(got, want.map(|value| value.map(str::to_owned)), "{name}");
        }
    }

    #[test]
    fn a_limit_is_between_1_and_200() {
        let want = Error::Parameter {
            name: "limit",
            want: "a whole number from 1 to 200".into(),
        };
        for (raw, limit) in [
            ("", Ok(50)),
            ("limit=1", Ok(1)),
            ("limit=200", Ok(200)),
            ("limit=0", Err(want.clone())),
            ("limit=201", Err(want.clone())),
            ("limit=-1", Err(want.clone())),
            ("limit=%2B1", Err(want.clone())),
            ("limit=007", Err(want.clone())),
            ("limit=1e2", Err(want.clone())),
            ("limit=99999999999999999999", Err(want.clone())),
        ] {
            let got = Query::parse(Some(raw), KNOWN)
                .unwrap()
                .page()
                .map(|page| page.limit);
            assert_eq!(got, limit, "{raw}");
        }
    }

    #[test]
    fn a_choice_names_what_is_allowed() {
        let words = [("open", 1), ("resolved", 2)];
        let choose = |raw| {
            Query::parse(Some(raw), KNOWN)
                .unwrap()
                .choice("status", &words)
        };
        assert_eq!(choose(""), Ok(None));
        assert_eq!(choose("status=resolved"), Ok(Some(2)));
        let want = "one of open, resolved".to_owned();
        assert_eq!(
            choose("status=closed"),
            Err(Error::Parameter {
                name: "status",
                want
            })
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(raw in ".{0,80}") {
            let _ = Query::parse(Some(&raw), KNOWN).and_then(|query| query.page());
        }

        #[test]
        fn every_value_comes_back(value in "[^\\p{Cc}]{1,40}") {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            let query = Query::parse(Some(&format!("identity={encoded}")), KNOWN).unwrap();
            prop_assert_eq!(query.text("identity"), Some(value.as_str()));
        }
    }
}
