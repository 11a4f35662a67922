//! Local time by tenant.
//!
//! 1. `time_zone` and `business_hours` are everybody's; the document `tenants` names those who have
//!    their own: `[{"platform_client_id": "acme", "time_zone": "Asia/Kolkata", "business_hours":
//!    "mon-fri 09:00-18:00"}]`. What an entry leaves out is everybody's.
//! 2. What cannot be read counts as not set, and is told: a slip in one entry costs no other
//!    tenant its hours.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::calendar::{Calendar, NoCalendar};

/// The calendars of all tenants.
#[derive(Debug, Clone, Default)]
pub struct Calendars {
    everybodys: Calendar,
    own: BTreeMap<String, Calendar>,
}

/// What was not read. Configuration, so safe to log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// `time_zone` or `business_hours`.
    #[error("local time is UTC, always open: {0}")]
    Everybodys(NoCalendar),
    /// The document `tenants` as a whole.
    #[error(
        "`tenants` is no JSON list of {{platform_client_id, time_zone?, business_hours?, llm?, lead?}}, at line {line}, column {column}"
    )]
    Document {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// One entry of it.
    #[error("`tenants`: {tenant:?} has everybody's local time: {reason}")]
    Entry {
        /// Whose.
        tenant: String,
        /// Why.
        reason: NoCalendar,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    platform_client_id: String,
    time_zone: Option<String>,
    business_hours: Option<String>,
    /// Read by whoever asks models and judges leads.
    #[serde(rename = "llm")]
    _llm: Option<IgnoredAny>,
    #[serde(rename = "lead")]
    _lead: Option<IgnoredAny>,
}

impl Calendars {
    /// Reads the three variables; blank ones are not set. Of two entries for one tenant the later
    /// counts.
    pub fn read(zone: &str, hours: &str, tenants: &str) -> (Calendars, Vec<Unread>) {
        let mut unread = Vec::new();
        let everybodys = Calendar::parse(zone, hours).unwrap_or_else(|error| {
            unread.push(Unread::Everybodys(error));
            Calendar::default()
        });
        let entries: Vec<Entry> = match tenants.trim() {
            "" => Vec::new(),
            json => serde_json::from_str(json).unwrap_or_else(|error| {
                let (line, column) = (error.line(), error.column());
                unread.push(Unread::Document { line, column });
                Vec::new()
            }),
        };
        let mut own = BTreeMap::new();
        for entry in entries {
            let zone = entry.time_zone.as_deref().unwrap_or(zone);
            let hours = entry.business_hours.as_deref().unwrap_or(hours);
            let tenant = entry.platform_client_id;
            match Calendar::parse(zone, hours) {
                Ok(calendar) => {
                    own.insert(tenant, calendar);
                }
                Err(reason) => unread.push(Unread::Entry { tenant, reason }),
            }
        }
        (Calendars { everybodys, own }, unread)
    }

    /// A tenant's.
    pub fn of(&self, tenant: &str) -> &Calendar {
        self.own.get(tenant).unwrap_or(&self.everybodys)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Monday, 2026-11-23, 17:30 UTC.
    const MONDAY: u64 = 1_795_455_000_000;
    const HOURS: &str = "mon-fri 09:00-18:00";
    const NOBODY: fn() -> NoCalendar = || NoCalendar::Zone("Nowhere".into());

    #[test]
    fn a_tenant_has_its_own_time_and_else_everybodys() {
        let own = r#"[{"platform_client_id":"in","time_zone":"Asia/Kolkata"},
            {"platform_client_id":"late","business_hours":"mon-fri 18:00-23:00"},
            {"platform_client_id":"open","business_hours":"","llm":{"off":true},"lead":{}}]"#;
        for (tenant, zone, open) in [
            ("in", "Asia/Kolkata", false),
            ("late", "Europe/London", false),
            ("open", "Europe/London", true),
            ("any", "Europe/London", true),
        ] {
            let (calendars, unread) = Calendars::read("Europe/London", HOURS, own);
            assert_eq!(unread, [], "{tenant}");
            let at = calendars.of(tenant).at(MONDAY);
            assert_eq!((at.zone.as_str(), at.weekday), (zone, "monday"), "{tenant}");
            assert_eq!(at.business_hours, open, "{tenant}");
        }
    }

    #[test]
    fn a_slip_is_told_and_costs_no_other_tenant() {
        let good = r#"{"platform_client_id":"a","time_zone":"Asia/Kolkata"}"#;
        let bad = r#"{"platform_client_id":"b","time_zone":"Nowhere"}"#;
        for (name, zone, tenants, want, a) in [
            ("blank", "", " ".to_owned(), vec![], "UTC"),
            (
                "an entry",
                "",
                format!("[{bad},{good}]"),
                vec![Unread::Entry {
                    tenant: "b".into(),
                    reason: NOBODY(),
                }],
                "Asia/Kolkata",
            ),
            (
                "a word more",
                "",
                format!("[{good},{{\"zone\":1}}]"),
                vec![Unread::Document {
                    line: 1,
                    column: 62,
                }],
                "UTC",
            ),
            (
                "everybody's",
                "Nowhere",
                format!("[{good}]"),
                vec![Unread::Everybodys(NOBODY())],
                "Asia/Kolkata",
            ),
        ] {
            let (calendars, unread) = Calendars::read(zone, "", &tenants);
            assert_eq!(calendars.of("a").at(MONDAY).zone, a, "{name}");
            assert_eq!(unread, want, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_document_gives_calendars(zone in ".{0,12}", hours in ".{0,12}", tenants in ".{0,60}") {
            let (calendars, _) = Calendars::read(&zone, &hours, &tenants);
            prop_assert!(calendars.of("a").at(MONDAY).hour < 24);
        }
    }
}
