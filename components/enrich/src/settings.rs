//! The variables of this component. They do not change while it runs, so an instance reads them
//! once; a failure is not remembered.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Context;
use chatly_providers::{Settings, Sources};
use spin_sdk::variables;

thread_local! {
    static SETTINGS: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
}

/// The settings; none, with a line in the log, when they cannot be had.
pub async fn load() -> Option<Rc<Settings>> {
    if let Some(settings) = SETTINGS.with_borrow(Option::clone) {
        return Some(settings);
    }
    match read().await {
        Ok(settings) => {
            let settings = Rc::new(settings);
            SETTINGS.set(Some(settings.clone()));
            Some(settings)
        }
        Err(error) => {
            // The chain names variables, never a value.
            eprintln!("error: settings cannot be used: {error:#}");
            None
        }
    }
}

async fn read() -> anyhow::Result<Settings> {
    let first = [
        variable("llm_api").await?,
        variable("llm_base_url").await?,
        variable("llm_api_key").await?,
        variable("llm_model").await?,
    ];
    let fallback = [
        variable("llm_fallback_api").await?,
        variable("llm_fallback_base_url").await?,
        variable("llm_fallback_api_key").await?,
        variable("llm_fallback_model").await?,
    ];
    let (settings, unread) = Settings::read(&Sources {
        first: first.each_ref().map(String::as_str),
        fallback: fallback.each_ref().map(String::as_str),
        timeout_ms: &variable("llm_timeout_ms").await?,
        total_ms: &variable("llm_total_ms").await?,
        daily_tokens: &variable("llm_daily_tokens").await?,
        daily_usd: &variable("llm_daily_usd").await?,
        input_price: &variable("llm_input_price").await?,
        output_price: &variable("llm_output_price").await?,
        concurrency: &variable("llm_concurrency").await?,
        per_minute: &variable("llm_per_minute").await?,
        per_conversation: &variable("llm_per_conversation").await?,
        intents: &variable("llm_intents").await?,
        region: &variable("llm_region").await?,
        record_content: &variable("llm_record_content").await?,
        traces: &variable("llm_traces").await?,
        time_zone: &variable("time_zone").await?,
        tenants: &variable("tenants").await?,
    });
    for error in unread {
        eprintln!("error: models: {error}");
    }
    Ok(settings)
}

/// A variable; blank when the manifest does not give it.
async fn variable(name: &'static str) -> anyhow::Result<String> {
    match variables::get(name).await {
        Ok(value) => Ok(value),
        Err(variables::Error::Undefined(_)) => Ok(String::new()),
        // The provider's words may hold what it looked up, so they are not passed on.
        Err(_) => Err(anyhow::anyhow!("the variable provider failed")).context(name),
    }
}
