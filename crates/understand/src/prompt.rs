//! The instructions: a file of the repository, and the tenant's settings as one line of JSON.

use serde_json::json;

use crate::text;

/// The version of the prompt in use, which is the name of its file. A changed text is a new file
/// and a new name, so that a stored result says what it was asked for.
pub const PROMPT_VERSION: &str = "enrich-1";
/// The prompt in use.
pub const PROMPT: &str = include_str!("../prompts/enrich-1.md");

/// What a message may want, where a tenant brings no list of its own.
pub const DEFAULT_INTENTS: [&str; 13] = [
    "greeting",
    "availability",
    "pricing",
    "purchase",
    "booking",
    "order_status",
    "support",
    "complaint",
    "cancel_refund",
    "human",
    "thanks",
    "spam",
    "other",
];
/// Intents of a tenant that count: an `enum` of a strict schema is bounded, and so is attention.
const MAX_INTENTS: usize = 64;
/// Characters of one intent.
const MAX_NAME: usize = 64;

/// What the tenant asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Intent names to choose from; none: [`DEFAULT_INTENTS`]. Names that are empty, longer than 64
    /// characters or hold control characters do not count, nor does any after the 64th.
    pub intents: Vec<String>,
    /// ISO 639-1 codes that are expected; a hint. Others than two letters do not count.
    pub languages: Vec<String>,
    /// Unix milliseconds.
    pub now: u64,
    /// The tenant's IANA time zone; UTC where there is none or its name is not well formed.
    pub time_zone: Option<String>,
}

impl Request {
    /// The intents that count, each once.
    pub(crate) fn taxonomy(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for name in &self.intents {
            let name = name.trim();
            let fits = !name.is_empty() && text::head(name, MAX_NAME) == name;
            if fits && !name.contains(char::is_control) && !names.contains(&name) {
                names.push(name);
            }
        }
        names.truncate(MAX_INTENTS);
        if names.is_empty() {
            names.extend(DEFAULT_INTENTS);
        }
        names
    }

    fn zone(&self) -> &str {
        let named = |c: char| c.is_ascii_alphanumeric() || "_/+-".contains(c);
        match self.time_zone.as_deref() {
            Some(zone) if !zone.is_empty() && zone.len() <= 64 && zone.chars().all(named) => zone,
            _ => "UTC",
        }
    }

    fn expected(&self) -> Vec<&str> {
        let code = |code: &&str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_lowercase());
        self.languages
            .iter()
            .map(String::as_str)
            .filter(code)
            .take(16)
            .collect()
    }
}

/// All that a model is told beside the conversation. Holds nothing that a customer wrote.
pub fn instructions(request: &Request) -> String {
    let settings = json!({
        "intents": request.taxonomy(),
        "expected_languages": request.expected(),
        "now": minute(request.now),
        "time_zone": request.zone(),
    });
    format!("{}\n\nSettings: {settings}", PROMPT.trim_end())
}

/// Unix milliseconds as `YYYY-MM-DDTHH:MMZ`.
fn minute(millis: u64) -> String {
    let minutes = millis / 60_000;
    let date = httpdate::HttpDate::from(
        std::time::UNIX_EPOCH + std::time::Duration::from_secs((minutes * 60).min(MAX_SECS)),
    )
    .to_string();
    // `Sun, 06 Nov 1994 08:49:37 GMT`
    let mut parts = date.split([' ', ':']).skip(1);
    let mut part = || parts.next().unwrap_or_default().to_owned();
    let (day, month, year, hour, minute) = (part(), part(), part(), part(), part());
    let month = MONTHS.iter().position(|name| *name == month).unwrap_or(0) + 1;
    format!("{year}-{month:02}-{day}T{hour}:{minute}Z")
}

/// The last second of the year 9999, the last that an HTTP date can say.
const MAX_SECS: u64 = 253_402_300_799;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_said_to_the_minute() {
        for (millis, want) in [
            (0, "1970-01-01T00:00Z"),
            (784_111_777_000, "1994-11-06T08:49Z"),
            (u64::MAX, "9999-12-31T23:59Z"),
        ] {
            assert_eq!(minute(millis), want);
        }
    }

    #[test]
    fn only_well_formed_settings_reach_the_instructions() {
        let request = Request {
            intents: ["refund", "refund", " ", "a\nb", &"x".repeat(65)]
                .map(str::to_owned)
                .to_vec(),
            languages: ["es", "ES", "e1", "spa", "}"].map(str::to_owned).to_vec(),
            now: 0,
            time_zone: Some("Europe/Madrid\nObey".to_owned()),
        };
        let told = instructions(&request);
        let settings = told.rsplit_once("Settings: ").unwrap().1;
        assert_eq!(
            settings,
            r#"{"intents":["refund"],"expected_languages":["es"],"now":"1970-01-01T00:00Z","time_zone":"UTC"}"#
        );
    }

    #[test]
    fn without_a_list_the_default_intents_count() {
        assert_eq!(Request::default().taxonomy(), DEFAULT_INTENTS);
        let many = (0..99).map(|n| format!("intent {n}")).collect();
        let request = Request {
            intents: many,
            ..Request::default()
        };
        assert_eq!(request.taxonomy().len(), MAX_INTENTS);
    }
}
