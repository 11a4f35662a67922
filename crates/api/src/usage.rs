//! What models cost and how leads changed, as JSON; and which days a list of costs is about.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Error, Query};

/// What a tenant used of a model on one day. Calls under way count among `calls`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/api.md")]
pub struct Usage {
    pub platform_client_id: String,
    pub day: String,
    pub provider: String,
    pub model: String,
    pub calls: u64,
    pub failed: u64,
    pub cached: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cost_usd: f64,
}

/// What counts towards today's budget, with what is set aside for calls under way. Budgets are null where
/// there is none, or where the list is about all tenants.
#[derive(Debug, Default, Serialize)]
#[expect(missing_docs, reason = "docs/api.md")]
pub struct Today {
    pub tokens: u64,
    pub cost_usd: f64,
    pub budget_tokens: Option<u64>,
    pub budget_cost_usd: Option<f64>,
}

/// `GET /v1/usage`.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/api.md")]
pub struct UsageList {
    pub data: Vec<Usage>,
    pub today: Today,
    pub next_cursor: Option<String>,
}

/// A lead that differed from the one before.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "docs/api.md")]
pub struct LeadEntry {
    pub at: u64,
    /// Null for the one that was there before a history was kept.
    pub message_id: Option<String>,
    #[serde(flatten)]
    pub lead: Map<String, Value>,
}

/// The days of a list: `from` and `to`, both `YYYY-MM-DD` and both today where they are left out.
pub fn span(query: &Query, today: &str) -> Result<(String, String), Error> {
    let day = |name: &'static str| match query.text(name) {
        None => Ok(today.to_owned()),
        Some(text) if is_day(text) => Ok(text.to_owned()),
        Some(_) => Err(Error::Parameter {
            name,
            want: "a day like 2026-11-23".to_owned(),
        }),
    };
    Ok((day("from")?, day("to")?))
}

fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |text: &str, length: usize| {
        let is = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        is.then(|| text.parse::<u32>().ok()).flatten()
    };
    match parts.as_slice() {
        [year, month, day] => {
            number(year, 4).is_some()
                && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
                && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_today_or_what_is_asked_for() {
        let ok = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        for (text, want) in [
            (None, ok("2026-11-23", "2026-11-23")),
            (Some("from=2026-11-01"), ok("2026-11-01", "2026-11-23")),
            (
                Some("from=2026-01-01&to=2026-12-31"),
                ok("2026-01-01", "2026-12-31"),
            ),
            (Some("from=yesterday"), None),
            (Some("from=2026-13-01"), None),
            (Some("to=2026-1-01"), None),
            (Some("to=2026-01-01-01"), None),
            (Some("to=%2b026-01-01"), None),
        ] {
            let query = Query::parse(text, &["from", "to"]).unwrap();
            assert_eq!(span(&query, "2026-11-23").ok(), want, "{text:?}");
        }
    }
}
