//! Who is asked for a tenant, by variables and the document `tenants`.

mod own;

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use self::own::{Entry, Own};
use crate::cost::Price;

/// How long one enrichment may take, its repair included.
const TIMEOUT_MS: u32 = 20_000;
/// How long all providers of a chain may take together.
const TOTAL_MS: u32 = 45_000;
/// Jobs at once.
const CONCURRENCY: u32 = 4;
const MAX_CONCURRENCY: u32 = 256;
const MAX_MS: u32 = 300_000;

/// The variables as they are; blank ones are not set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sources<'a> {
    /// `llm_api`, `llm_base_url`, `llm_api_key`, `llm_model`.
    pub first: [&'a str; 4],
    /// The same four with `llm_fallback_`.
    pub fallback: [&'a str; 4],
    /// `llm_timeout_ms`.
    pub timeout_ms: &'a str,
    /// `llm_total_ms`.
    pub total_ms: &'a str,
    /// `llm_daily_tokens`.
    pub daily_tokens: &'a str,
    /// `llm_daily_usd`.
    pub daily_usd: &'a str,
    /// `llm_input_price`, US dollars for a million tokens.
    pub input_price: &'a str,
    /// `llm_output_price`.
    pub output_price: &'a str,
    /// `llm_concurrency`.
    pub concurrency: &'a str,
    /// `llm_per_minute`.
    pub per_minute: &'a str,
    /// `llm_per_conversation`.
    pub per_conversation: &'a str,
    /// `llm_intents`, comma-separated.
    pub intents: &'a str,
    /// `llm_region`, ISO 3166-1 alpha-2.
    pub region: &'a str,
    /// `llm_record_content`.
    pub record_content: &'a str,
    /// `llm_traces`.
    pub traces: &'a str,
    /// `time_zone`.
    pub time_zone: &'a str,
    /// `tenants`.
    pub tenants: &'a str,
}

/// How a service is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Chat completions.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Spin's own interface.
    Spin,
}

impl Api {
    /// Its name in variables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Api::OpenAi => "openai",
            Api::Anthropic => "anthropic",
            Api::Spin => "spin",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Api::OpenAi, Api::Anthropic, Api::Spin]
            .into_iter()
            .find(|api| api.name() == text)
    }
}

/// A service and a model.
#[derive(Clone, PartialEq, Eq)]
pub struct Provider {
    /// How it is spoken to.
    pub api: Api,
    /// An origin, or a base with a path.
    pub base_url: String,
    /// Empty where none is needed.
    pub api_key: String,
    /// As the service knows it.
    pub model: String,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {} [key redacted]", self.name(), self.model)
    }
}

impl Provider {
    /// What it is known by, without path and key: `llm:<api>:<origin>`.
    #[must_use]
    pub fn name(&self) -> String {
        let origin = match Url::parse(&self.base_url).map(|url| url.origin()) {
            _ if self.api == Api::Spin => "spin".to_owned(),
            Ok(origin) if origin.is_tuple() => origin.ascii_serialization(),
            _ => "invalid".to_owned(),
        };
        format!("llm:{}:{origin}", self.api.name())
    }
}

/// What a tenant may spend in a day; none sets no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// Tokens, in and out.
    pub tokens: Option<u64>,
    /// Millionths of a US dollar.
    pub cost_micros: Option<u64>,
}

/// How leads are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lead {
    /// The score of `engaged`.
    pub engaged: u8,
    /// The score of `qualified`.
    pub qualified: u8,
    /// Hours in which engagement halves.
    pub half_life_hours: u32,
}

/// What counts for one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    /// Who is asked, in order; empty for nobody.
    pub providers: Vec<Provider>,
    /// The bound of a day.
    pub budget: Budget,
    /// What tokens cost.
    pub price: Price,
    /// Calls to one provider in any minute.
    pub per_minute: Option<u32>,
    /// Calls about one conversation in a day.
    pub per_conversation: Option<u32>,
    /// Intents to choose from; empty for the defaults.
    pub intents: Vec<String>,
    /// Whether what was asked and answered, without personal data, is kept beside what it cost.
    pub record_content: bool,
    /// Where phone numbers without a country code are from.
    pub region: Option<String>,
    /// The tenant's zone.
    pub time_zone: Option<String>,
    /// How its leads are judged; none for the defaults.
    pub lead: Option<Lead>,
}

/// What was not read. Names variables and tenants, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// A variable.
    #[error("{0} cannot be read, so {1}")]
    Variable(&'static str, &'static str),
    /// The document `tenants`.
    #[error("`tenants` cannot be read: no tenant's model and budget is known, so none is asked")]
    Tenants,
    /// An entry of it.
    #[error("`tenants`: \"llm\" or \"lead\" of {0:?} cannot be read, so no model is asked for it")]
    Tenant(String),
}

/// What the operator decided.
#[derive(Debug, Clone)]
pub struct Settings {
    everybodys: Chain,
    own: BTreeMap<String, Chain>,
    /// How long one enrichment may take, in milliseconds.
    pub timeout_ms: u32,
    /// How long all providers may take together.
    pub total_ms: u32,
    /// Jobs at once.
    pub concurrency: u32,
    /// Whether each call is told to a collector.
    pub traces: bool,
}

impl Settings {
    /// Reads the variables.
    pub fn read(sources: &Sources) -> (Settings, Vec<Unread>) {
        let mut unread = Vec::new();
        let mut whole = |name, text: &str, most: u32, default: u32| match text.trim() {
            "" => default,
            text => match text.parse() {
                Ok(number) if (1..=most).contains(&number) => number,
                _ => {
                    unread.push(Unread::Variable(name, "its default counts"));
                    default
                }
            },
        };
        let timeout_ms = whole("llm_timeout_ms", sources.timeout_ms, MAX_MS, TIMEOUT_MS);
        let total_ms = whole("llm_total_ms", sources.total_ms, MAX_MS, TOTAL_MS);
        let concurrency = whole(
            "llm_concurrency",
            sources.concurrency,
            MAX_CONCURRENCY,
            CONCURRENCY,
        );
        let traces = switch("llm_traces", sources.traces, &mut unread);
        let everybodys = everybodys(sources, &mut unread);
        let mut settings = Settings {
            everybodys,
            own: BTreeMap::new(),
            timeout_ms,
            total_ms,
            concurrency,
            traces,
        };
        settings.read_tenants(sources, &mut unread);
        (settings, unread)
    }

    /// A tenant's.
    #[must_use]
    pub fn of(&self, tenant: &str) -> &Chain {
        self.own.get(tenant).unwrap_or(&self.everybodys)
    }

    fn read_tenants(&mut self, sources: &Sources, unread: &mut Vec<Unread>) {
        let text = match sources.tenants.trim() {
            "" => "[]",
            text => text,
        };
        let Ok(entries) = serde_json::from_str::<Vec<Entry>>(text) else {
            // Whose budget is smaller than everybody's is not known any more.
            self.everybodys.providers.clear();
            unread.push(Unread::Tenants);
            return;
        };
        for entry in entries {
            let mut chain = self.everybodys.clone();
            let zone = entry.time_zone.filter(|zone| !zone.trim().is_empty());
            chain.time_zone = zone.or(chain.time_zone);
            let own = entry.llm.map(serde_json::from_value::<Own>).transpose();
            let lead = entry.lead.map(serde_json::from_value::<Lead>).transpose();
            match (own, lead) {
                (Ok(own), Ok(lead)) if own.as_ref().is_none_or(Own::is_sound) => {
                    chain.lead = lead.or(chain.lead);
                    own.unwrap_or_default().apply(&mut chain, sources);
                }
                _ => {
                    chain.providers.clear();
                    unread.push(Unread::Tenant(entry.platform_client_id.clone()));
                }
            }
            self.own.insert(entry.platform_client_id, chain);
        }
    }
}

fn everybodys(sources: &Sources, unread: &mut Vec<Unread>) -> Chain {
    let mut chain = Chain::default();
    for (name, four) in [
        ("llm_api", sources.first),
        ("llm_fallback_api", sources.fallback),
    ] {
        match provider(four) {
            Ok(provider) => chain.providers.extend(provider),
            Err(()) => unread.push(Unread::Variable(name, "its model is not asked")),
        }
    }
    chain.budget.tokens =
        bound(sources.daily_tokens, |text| text.parse().ok()).unwrap_or_else(|()| {
            unread.push(Unread::Variable("llm_daily_tokens", "nothing may be spent"));
            Some(0)
        });
    let dollars = |text: &str| text.parse().ok().and_then(micros);
    chain.budget.cost_micros = bound(sources.daily_usd, dollars).unwrap_or_else(|()| {
        unread.push(Unread::Variable("llm_daily_usd", "nothing may be spent"));
        Some(0)
    });
    for (name, text, price) in [
        (
            "llm_input_price",
            sources.input_price,
            &mut chain.price.input_micros,
        ),
        (
            "llm_output_price",
            sources.output_price,
            &mut chain.price.output_micros,
        ),
    ] {
        match bound(text, dollars) {
            Ok(set) => *price = set.unwrap_or(0),
            Err(()) => {
                unread.push(Unread::Variable(name, "no model is asked"));
                chain.providers.clear();
            }
        }
    }
    chain.per_minute = bound(sources.per_minute, |text| text.parse().ok()).unwrap_or_else(|()| {
        unread.push(Unread::Variable(
            "llm_per_minute",
            "one call a minute is let through",
        ));
        Some(1)
    });
    let calls = bound(sources.per_conversation, |text| text.parse().ok());
    chain.per_conversation = calls.unwrap_or_else(|()| {
        unread.push(Unread::Variable(
            "llm_per_conversation",
            "no model is asked",
        ));
        Some(0)
    });
    chain.record_content = switch("llm_record_content", sources.record_content, unread);
    let names = sources.intents.split(',').map(str::trim);
    chain.intents = names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let set = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    chain.region = set(sources.region);
    chain.time_zone = set(sources.time_zone);
    chain
}

/// `on` or `off`; blank and anything else is off.
fn switch(name: &'static str, text: &str, unread: &mut Vec<Unread>) -> bool {
    match text.trim() {
        "on" => true,
        "" | "off" => false,
        _ => {
            unread.push(Unread::Variable(name, "it is off"));
            false
        }
    }
}

/// None where no model is named.
fn provider([api, base_url, api_key, model]: [&str; 4]) -> Result<Option<Provider>, ()> {
    let model = model.trim();
    if model.is_empty() {
        return Ok(None);
    }
    Ok(Some(Provider {
        api: Api::parse(api.trim()).ok_or(())?,
        base_url: base_url.trim().to_owned(),
        api_key: api_key.trim().to_owned(),
        model: model.to_owned(),
    }))
}

/// A blank text is no bound; one that cannot be read is an error.
fn bound<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ()> {
    match text.trim() {
        "" => Ok(None),
        text => parse(text).map(Some).ok_or(()),
    }
}

/// Dollars as millionths, rounded down: a budget of less than one is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked before"
)]
fn micros(dollars: f64) -> Option<u64> {
    let micros = dollars * 1e6;
    ((0.0..1e18).contains(&micros)).then(|| micros.round() as u64)
}

#[cfg(test)]
mod tests;
