//! What the document `tenants` says about models.

use serde::Deserialize;

use super::{Chain, Sources, micros, provider};

#[derive(Deserialize)]
pub(super) struct Entry {
    pub platform_client_id: String,
    pub time_zone: Option<String>,
    pub llm: Option<serde_json::Value>,
    pub lead: Option<serde_json::Value>,
}

/// A tenant's own; what it leaves out is everybody's. Addresses and keys are everybody's: the manifest
/// grants the addresses, and keys are no part of a document that is not secret.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Own {
    off: Option<bool>,
    model: Option<String>,
    fallback_model: Option<String>,
    daily_tokens: Option<u64>,
    daily_usd: Option<f64>,
    input_price: Option<f64>,
    output_price: Option<f64>,
    per_minute: Option<u32>,
    per_conversation: Option<u32>,
    intents: Option<Vec<String>>,
    region: Option<String>,
    record_content: Option<bool>,
}

impl Own {
    pub fn is_sound(&self) -> bool {
        let numbers = [self.daily_usd, self.input_price, self.output_price];
        numbers
            .into_iter()
            .flatten()
            .all(|number| micros(number).is_some())
    }

    pub fn apply(self, chain: &mut Chain, sources: &Sources) {
        if self.model.is_some() || self.fallback_model.is_some() {
            let model = self.model.as_deref().unwrap_or(sources.first[3]);
            let fallback = self
                .fallback_model
                .as_deref()
                .unwrap_or(sources.fallback[3]);
            chain.providers = [(sources.first, model), (sources.fallback, fallback)]
                .into_iter()
                .filter_map(|([api, url, key, _], model)| provider([api, url, key, model]).ok()?)
                .collect();
        }
        if self.off == Some(true) {
            chain.providers.clear();
        }
        chain.budget.tokens = self.daily_tokens.or(chain.budget.tokens);
        chain.budget.cost_micros = self.daily_usd.and_then(micros).or(chain.budget.cost_micros);
        let price = &mut chain.price;
        price.input_micros = self
            .input_price
            .and_then(micros)
            .unwrap_or(price.input_micros);
        price.output_micros = self
            .output_price
            .and_then(micros)
            .unwrap_or(price.output_micros);
        chain.per_minute = self.per_minute.or(chain.per_minute);
        chain.per_conversation = self.per_conversation.or(chain.per_conversation);
        chain.intents = self.intents.unwrap_or_else(|| chain.intents.clone());
        chain.record_content = self.record_content.unwrap_or(chain.record_content);
        chain.region = self.region.or_else(|| chain.region.clone());
    }
}
