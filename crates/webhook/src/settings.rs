//! What a tenant's operator says about single endpoints: the variable `webhook_endpoints`.
//!
//! ```json
//! [{"url": "https://n8n.example/webhook/chatly", "secrets": ["whsec_new", "whsec_old"],
//!   "rate_per_sec": 20, "burst": 5, "concurrency": 4, "retry_secs": 7200},
//!  {"url": "*", "rate_per_sec": 100}]
//! ```
//!
//! 1. `url` is an address without its query, and stands for it with any query; `*` is for all that
//!    have no entry of their own. What an entry leaves out is what `*` says, else the default.
//! 2. `secrets` replaces `n8n_signing_secret` for this endpoint; current first, all of them sign.
//! 3. A document that cannot be read is an error: to send with the wrong secret or faster than was
//!    asked for would be worse than to wait.

use serde::Deserialize;

use crate::gate::Limits;
use crate::retry::MAX_AGE_MS;

/// What is known about an endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The secrets that sign, current first; none for the common ones.
    pub secrets: Option<Vec<String>>,
    /// How it is spared.
    pub limits: Limits,
    /// How long a job is tried, milliseconds.
    pub budget_ms: u64,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            secrets: None,
            limits: Limits::default(),
            budget_ms: MAX_AGE_MS,
        }
    }
}

/// Why the variable cannot be read. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("webhook_endpoints cannot be read: line {line}, column {column}")]
pub struct Error {
    /// Line of the document.
    line: usize,
    /// Column in it.
    column: usize,
}

/// The endpoints that were said anything about.
#[derive(Clone, Default)]
pub struct Settings(Vec<Entry>);

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    url: String,
    secrets: Option<Vec<String>>,
    rate_per_sec: Option<u32>,
    burst: Option<u32>,
    concurrency: Option<u32>,
    retry_secs: Option<u64>,
}

impl Settings {
    /// Reads the variable; a blank one says nothing.
    ///
    /// # Errors
    /// [`Error`] with the place in the document.
    pub fn parse(document: &str) -> Result<Self, Error> {
        if document.trim().is_empty() {
            return Ok(Self::default());
        }
        let entries = serde_json::from_str(document).map_err(|error| Error {
            line: error.line(),
            column: error.column(),
        })?;
        Ok(Self(entries))
    }

    /// What holds for an address without its query, as [`crate::Target::shown`] gives it.
    pub fn of(&self, shown: &str) -> Endpoint {
        let mut found = Endpoint::default();
        for name in ["*", shown] {
            for entry in self.0.iter().filter(|entry| entry.url == name) {
                entry.apply(&mut found);
            }
        }
        found
    }
}

impl Entry {
    fn apply(&self, endpoint: &mut Endpoint) {
        let limits = &mut endpoint.limits;
        if let Some(secrets) = &self.secrets {
            endpoint.secrets = Some(secrets.clone());
        }
        limits.rate_per_sec = self.rate_per_sec.unwrap_or(limits.rate_per_sec);
        limits.burst = self.burst.unwrap_or(limits.burst);
        limits.concurrency = self.concurrency.unwrap_or(limits.concurrency);
        if let Some(secs) = self.retry_secs {
            endpoint.budget_ms = secs.saturating_mul(1000);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_endpoint_has_its_own_or_the_common_settings() {
        let settings = Settings::parse(
            r#"[{"url": "https://a/hook", "secrets": ["new", "old"], "rate_per_sec": 2, "retry_secs": 60},
                {"url": "*", "rate_per_sec": 100, "concurrency": 3}]"#,
        )
        .unwrap();
        for (name, shown, secrets, limits, budget) in [
            (
                "its own",
                "https://a/hook",
                Some(vec!["new".to_owned(), "old".to_owned()]),
                (2, 10, 3),
                60_000,
            ),
            ("common", "https://a/other", None, (100, 10, 3), MAX_AGE_MS),
        ] {
            let found = settings.of(shown);
            let Limits {
                rate_per_sec,
                burst,
                concurrency,
            } = found.limits;
            assert_eq!(found.secrets, secrets, "{name}");
            assert_eq!((rate_per_sec, burst, concurrency), limits, "{name}");
            assert_eq!(found.budget_ms, budget, "{name}");
        }
    }

    #[test]
    fn nothing_said_is_the_default_and_nonsense_is_an_error() {
        for blank in ["", " \n", "[]"] {
            let settings = Settings::parse(blank).unwrap();
            assert!(settings.of("https://a") == Endpoint::default());
        }
        for (document, line) in [
            ("{", 1),
            ("{}", 1),
            ("[{}]", 1),
            ("[\n{\"url\": \"https://a\", \"rat\": 1}]", 2),
            (r#"[{"url": "https://a", "secrets": "qZ4"}]"#, 1),
        ] {
            let error = Settings::parse(document).err().unwrap();
            assert_eq!(error.line, line, "{document}");
            assert!(!error.to_string().contains("qZ4"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_settings_or_an_error(text in "\\PC*") {
            if let Ok(settings) = Settings::parse(&text) {
                settings.of("https://a");
            }
        }
    }
}
