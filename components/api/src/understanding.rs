//! What models cost, how leads changed, and one more look at a message.

use std::time::{SystemTime, UNIX_EPOCH};

use chatly_api::{Error, LeadEntry, List, Query, Today, Usage, UsageList, span};
use chatly_providers::{Settings, Sources, day, usd};
use chatly_respond::{Response, empty, json};
use http::StatusCode;
use spin_sdk::variables;

use crate::bindings::chatly::store::effects::{Effect, MessageEffect, NewJob};
use crate::bindings::chatly::store::rows::Author;
use crate::bindings::chatly::store::store;
use crate::bindings::chatly::store::understanding as rows;
use crate::read::text;
use crate::rows::{Row, failure};
use crate::send::wake;
use crate::write::tenant_of;

/// `GET /v1/usage`.
pub async fn usage(query: &Query) -> Result<Response, Error> {
    let tenant = text(query, "platform_client_id");
    let today = day(unix_millis());
    let (from, to) = span(query, &today)?;
    let listed = store::list_usage(tenant.clone(), from, to).await;
    let used = store::list_usage(tenant.clone(), today.clone(), today).await;
    let used = used.map_err(failure)?;
    let sum = |of: fn(&rows::Usage) -> u64| used.iter().map(of).sum::<u64>();
    let (budget_tokens, budget_cost_usd) = budget(tenant).await;
    Ok(json(
        StatusCode::OK,
        &UsageList {
            data: listed.map_err(failure)?.into_iter().map(Row::row).collect(),
            today: Today {
                tokens: sum(|row| row.input_tokens + row.output_tokens + row.open_tokens),
                cost_usd: usd(sum(|row| row.cost_micros + row.open_cost_micros)),
                budget_tokens,
                budget_cost_usd,
            },
            next_cursor: None,
        },
    ))
}

/// What one tenant may use in a day. For all tenants there is no one number.
async fn budget(tenant: Option<String>) -> (Option<u64>, Option<f64>) {
    let variable = async |name: &str| variables::get(name).await.unwrap_or_default();
    let tenants = variable("tenants").await;
    let sources = Sources {
        daily_tokens: &variable("llm_daily_tokens").await,
        daily_usd: &variable("llm_daily_usd").await,
        tenants: &tenants,
        ..Sources::default()
    };
    let (settings, _) = Settings::read(&sources);
    let tenant = match tenant {
        Some(tenant) => tenant,
        None if tenants.trim().is_empty() => String::new(),
        None => return (None, None),
    };
    let budget = settings.of(&tenant).budget;
    (budget.tokens, budget.cost_micros.map(usd))
}

/// `GET /v1/contacts/{id}/lead-history`.
pub async fn lead_history(id: String, query: &Query) -> Result<Response, Error> {
    let tenant = text(query, "platform_client_id");
    let page = query.page()?.row();
    let known = store::find_contact(tenant.clone(), id.clone()).await;
    known.map_err(failure)?.ok_or(Error::Absent("contact"))?;
    let listed = store::list_lead_history(tenant, id, page).await;
    let (entries, next_cursor) = listed.map_err(failure)?;
    let data: Vec<LeadEntry> = entries.into_iter().map(Row::row).collect();
    Ok(json(StatusCode::OK, &List { data, next_cursor }))
}

/// `POST /v1/messages/{id}/enrich`: understands a customer's message once more. Rules that acted on it
/// do not act again.
pub async fn enrich(id: String, query: &Query) -> Result<Response, Error> {
    let tenant = text(query, "platform_client_id");
    let found = store::find_message(tenant, id).await.map_err(failure)?;
    let message = found.ok_or(Error::Absent("message"))?;
    if message.author != Author::Contact || message.content.id.is_empty() {
        return Err(Error::Unprocessable(
            "only what a customer wrote is understood",
        ));
    }
    let now = unix_millis();
    let tenant = tenant_of(&Some(message.platform_client_id), None).await?;
    let effects = vec![
        Effect::BindConversation(message.conversation_id),
        // Known by its id, so this only binds it.
        Effect::Message(MessageEffect {
            content: message.content,
            direction: message.direction,
            author: message.author,
            standby: message.standby,
            at: message.sent_at,
            state: message.state,
            explanation: None,
        }),
        Effect::Enqueue(NewJob {
            kind: "enrich".to_owned(),
            payload: "{}".to_owned(),
            due_at: now,
            ordering_key: None,
            dedupe_key: Some(format!("again-{now}")),
            traceparent: None,
            about_message: true,
        }),
    ];
    store::submit(tenant, None, effects)
        .await
        .map_err(failure)?;
    wake("enrich".to_owned());
    Ok(empty(StatusCode::ACCEPTED))
}

impl Row<Usage> for rows::Usage {
    fn row(self) -> Usage {
        Usage {
            platform_client_id: self.platform_client_id,
            day: self.day,
            provider: self.provider,
            model: self.model,
            calls: self.calls,
            failed: self.failed,
            cached: self.cached,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cost_usd: usd(self.cost_micros),
        }
    }
}

impl Row<LeadEntry> for rows::LeadEntry {
    fn row(self) -> LeadEntry {
        LeadEntry {
            at: self.at,
            message_id: Some(self.message_id).filter(|id| !id.is_empty()),
            lead: serde_json::from_str(&self.lead).unwrap_or_default(),
        }
    }
}

fn unix_millis() -> u64 {
    chatly_drain::unix_millis(SystemTime::now().max(UNIX_EPOCH))
}
