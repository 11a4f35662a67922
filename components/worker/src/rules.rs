//! The rules of the tenants whose jobs are at hand.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chatly_routing::{Calendar, Calendars, Endpoints};
use spin_sdk::variables;

use crate::bindings::chatly::router::router;
use crate::bindings::chatly::store::store::{self, Error};

/// What a tenant's messages are routed by.
#[derive(Default)]
pub struct Rules {
    /// The enabled rules, in the order of trial.
    pub rules: Vec<router::Rule>,
    /// The addresses that rules can name.
    pub endpoints: Endpoints,
    /// The tenant's local time.
    pub calendar: Calendar,
}

/// Read once for each lease, so a rule counts for every message that is leased after it was saved.
#[derive(Default)]
pub struct Cache(RefCell<BTreeMap<String, Rc<Rules>>>);

impl Cache {
    /// Forgets everything; a new lease begins.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }

    /// The rules of a tenant.
    pub async fn find(&self, tenant: &str) -> Result<Rc<Rules>, Error> {
        if let Some(rules) = self.0.borrow().get(tenant) {
            return Ok(rules.clone());
        }
        let rules = Rc::new(read(tenant).await?);
        self.0.borrow_mut().insert(tenant.to_owned(), rules.clone());
        Ok(rules)
    }
}

async fn read(tenant: &str) -> Result<Rules, Error> {
    let stored = store::list_rules(Some(tenant.to_owned())).await?;
    let rules: Vec<_> = stored
        .into_iter()
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
        .collect();
    if rules.is_empty() {
        return Ok(Rules::default());
    }
    Ok(Rules {
        rules,
        endpoints: endpoints().await,
        calendar: calendar(tenant).await,
    })
}

/// By `time_zone`, `business_hours` and `tenants`. What cannot be read counts as not set, and is
/// logged.
async fn calendar(tenant: &str) -> Calendar {
    let zone = variables::get("time_zone").await.unwrap_or_default();
    let hours = variables::get("business_hours").await.unwrap_or_default();
    let tenants = variables::get("tenants").await.unwrap_or_default();
    let (calendars, unread) = Calendars::read(&zone, &hours, &tenants);
    for error in unread {
        eprintln!("error: local time not read: {error}");
    }
    calendars.of(tenant).clone()
}

/// The named endpoints: `n8n`, where it is configured.
async fn endpoints() -> Endpoints {
    let url = variables::get("n8n_webhook_url").await.unwrap_or_default();
    let url = Some(url.trim()).filter(|url| !url.is_empty());
    url.map(|url| ("n8n".to_owned(), url.to_owned()))
        .into_iter()
        .collect()
}
