//! Both sets of rules over a page of messages.
//!
//! A candidate may be as costly as a run of rules may be, so a call reads few messages first, more
//! as long as they go quickly, and ends after [`BUDGET`] with a cursor. Between two runs it yields,
//! so that the host can tell it from a loop.

use std::time::{Duration, Instant};

use chatly_api::{DEFAULT_EVALUATED, Difference, DryRun, Error, MAX_EVALUATED, Query};
use chatly_routing::{Act, Calendar, Calendars, Phase, acts, same};
use spin_sdk::variables;
use spin_sdk::wit_bindgen::yield_async;

use crate::bindings::chatly::store::store::{self, Page, Routed, RoutedFilter};
use crate::candidate::Sound;
use crate::facts::as_of_then;
use crate::failure;

chatly_routing::runs_of_router!(crate::bindings::chatly::router::router);

/// After this a call reads no more: well within the 30 s in which the host wants an answer, even
/// when the last messages take several times as long as all before them.
const BUDGET: Duration = Duration::from_secs(3);
/// Messages that are read first.
const FIRST: u32 = 4;
/// The most that are read at once: the store's bound.
const MOST: u32 = 200;
/// Bytes of actions after which a call reads no more.
const MAX_REPORT_BYTES: usize = 4 << 20;

/// Tries the stored rules and the candidate.
pub async fn run(tenant: &str, candidate: Sound, query: &Query) -> Result<DryRun<Act>, Error> {
    let limit = query.number("limit", 1..=u64::from(MAX_EVALUATED))?;
    let limit = limit.and_then(|limit| u32::try_from(limit).ok());
    let text = |name| query.text(name).map(str::to_owned);
    let filter = RoutedFilter {
        platform_client_id: Some(tenant.to_owned()),
        channel: text("channel"),
        conversation_id: text("conversation_id"),
        since: query.number("since", 0..=u64::MAX)?,
        until: query.number("until", 0..=u64::MAX)?,
    };
    let trial = Trial {
        stored: stored(tenant).await?,
        candidate: candidate.rules,
        calendar: calendar(tenant).await,
    };
    let mut dry_run = DryRun {
        evaluated: 0,
        differing: 0,
        data: Vec::new(),
        tests: candidate.tests,
        next_cursor: text("cursor"),
    };
    let mut left = limit.unwrap_or(DEFAULT_EVALUATED);
    let (begun, mut size, mut bytes) = (Instant::now(), FIRST, 0);
    while left > 0 && begun.elapsed() < BUDGET && bytes < MAX_REPORT_BYTES {
        let page = Page {
            cursor: dry_run.next_cursor.take(),
            limit: size.min(left),
        };
        left -= page.limit;
        let (rows, next) = store::list_routed(filter.clone(), page)
            .await
            .map_err(failure)?;
        for row in rows {
            dry_run.evaluated += 1;
            if let Some(difference) = trial.difference(&row).await {
                let acts = difference.before.iter().chain(&difference.after);
                bytes += acts.map(|act| act.action.get().len()).sum::<usize>();
                dry_run.differing += 1;
                dry_run.data.push(difference);
            }
        }
        dry_run.next_cursor = next;
        if dry_run.next_cursor.is_none() {
            break;
        }
        size = (size * 2).min(MOST);
    }
    Ok(dry_run)
}

struct Trial {
    stored: Vec<router::Rule>,
    candidate: Vec<router::Rule>,
    calendar: Calendar,
}

impl Trial {
    async fn difference(&self, row: &Routed) -> Option<Difference<Act>> {
        let before = self.acts(&self.stored, row).await;
        let after = self.acts(&self.candidate, row).await;
        (!same(&before, &after)).then(|| Difference {
            message_id: row.message.id.clone(),
            conversation_id: row.message.conversation_id.clone(),
            created_at: row.message.created_at,
            before,
            after,
        })
    }

    /// What these rules do with a message in all its runs.
    async fn acts(&self, rules: &[router::Rule], row: &Routed) -> Vec<Act> {
        if rules.is_empty() {
            return Vec::new();
        }
        let mut runs = vec![ask(
            Phase::Received,
            rules,
            &as_of_then(row, Phase::Received, &self.calendar),
        )];
        yield_async().await;
        if row.message.enrichment.is_some() {
            let facts = as_of_then(row, Phase::Enriched, &self.calendar);
            runs.push(ask(Phase::Enriched, rules, &facts));
            yield_async().await;
        }
        acts(&runs)
    }
}

/// The rules that messages are routed by now.
async fn stored(tenant: &str) -> Result<Vec<router::Rule>, Error> {
    let rules = store::list_rules(Some(tenant.to_owned())).await;
    let rules = rules.map_err(failure)?.into_iter();
    Ok(rules
        .filter(|rule| rule.enabled)
        .map(|rule| router::Rule {
            id: rule.id,
            name: rule.name,
            priority: rule.priority,
            condition: rule.condition,
            actions: rule.actions,
            stop: rule.stop,
            strategy: rule.strategy,
        })
        .collect())
}

/// The same variables as the worker's.
async fn calendar(tenant: &str) -> Calendar {
    let zone = variables::get("time_zone").await.unwrap_or_default();
    let hours = variables::get("business_hours").await.unwrap_or_default();
    let tenants = variables::get("tenants").await.unwrap_or_default();
    // What cannot be read the worker logs.
    let (calendars, _) = Calendars::read(&zone, &hours, &tenants);
    calendars.of(tenant).clone()
}
