//! The rules of the tenants whose jobs are at hand.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chatly_routing::Endpoints;
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
        })
        .collect();
    let endpoints = match rules.is_empty() {
        true => Endpoints::new(),
        false => endpoints().await,
    };
    Ok(Rules { rules, endpoints })
}

/// The named endpoints: `n8n`, where it is configured.
async fn endpoints() -> Endpoints {
    let url = variables::get("n8n_webhook_url").await.unwrap_or_default();
    let url = Some(url.trim()).filter(|url| !url.is_empty());
    url.map(|url| ("n8n".to_owned(), url.to_owned()))
        .into_iter()
        .collect()
}
