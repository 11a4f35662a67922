//! Reads: a route and its query in, a page or a row out.

use chatly_api::{Account, Contact, ConversationStatus, Endpoint, ExternalCall, Job, Rule};
use chatly_api::{Conversation, Error, JobState, List, MessageOrder, Page, Query, Refused, Route};
use chatly_respond::{Response, json};
use http::StatusCode;
use serde::Serialize;

use crate::bindings::chatly::store::store;
use crate::media;
use crate::rows::{Row, failure};

/// Answers a route that reads.
pub async fn read(route: Route, query: &Query) -> Result<Response, Error> {
    let tenant = text(query, "platform_client_id");
    match route {
        Route::Conversations => {
            let filter = store::ConversationFilter {
                platform_client_id: tenant,
                status: query
                    .choice("status", ConversationStatus::WORDS)?
                    .map(Row::row),
                channel: text(query, "channel"),
                account: text(query, "account"),
                contact_id: text(query, "contact_id"),
            };
            list::<_, Conversation>(store::list_conversations(filter, query.page()?.row()).await)
        }
        Route::Conversation(id) => {
            let found = store::find_conversation(tenant, id)
                .await
                .map_err(failure)?;
            one::<_, Conversation>(found, "conversation")
        }
        Route::Messages(id) => {
            let order = query.choice("order", MessageOrder::WORDS)?;
            messages(
                tenant,
                id,
                order.unwrap_or(MessageOrder::Oldest),
                query.page()?,
            )
            .await
        }
        Route::Contacts => {
            let filter = store::ContactFilter {
                platform_client_id: tenant,
                channel: text(query, "channel"),
                identity: text(query, "identity"),
            };
            list::<_, Contact>(store::list_contacts(filter, query.page()?.row()).await)
        }
        Route::Contact(id) => one::<_, Contact>(
            store::find_contact(tenant, id).await.map_err(failure)?,
            "contact",
        ),
        Route::Inbox => {
            list::<_, Job>(store::list_inbox(jobs(tenant, query)?, query.page()?.row()).await)
        }
        Route::Outbox => {
            list::<_, Job>(store::list_outbox(jobs(tenant, query)?, query.page()?.row()).await)
        }
        Route::ExternalCalls => {
            let filter = store::CallFilter {
                platform_client_id: tenant,
                conversation_id: text(query, "conversation_id"),
                message_id: text(query, "message_id"),
            };
            list::<_, ExternalCall>(store::list_external_calls(filter, query.page()?.row()).await)
        }
        Route::Rules => {
            query.page()?;
            let rules = store::list_rules(tenant).await;
            list::<_, Rule>(rules.map(|rules| (rules, None)))
        }
        Route::Rule(id) => {
            one::<_, Rule>(store::find_rule(tenant, id).await.map_err(failure)?, "rule")
        }
        Route::Accounts => {
            query.page()?;
            let accounts = store::list_accounts(tenant, text(query, "channel")).await;
            list::<_, Account>(accounts.map(|accounts| (accounts, None)))
        }
        Route::Endpoints => {
            query.page()?;
            let endpoints = store::list_endpoints(tenant).await;
            list::<_, Endpoint>(endpoints.map(|endpoints| (endpoints, None)))
        }
        Route::Refused => {
            let data = store::list_refused().await.map_err(failure)?.into_iter();
            let data = data
                .map(|(channel, reason, count)| Refused {
                    channel,
                    reason,
                    count,
                })
                .collect();
            Ok(json(
                StatusCode::OK,
                &List {
                    data,
                    next_cursor: None,
                },
            ))
        }
        _ => Err(Error::NoRoute),
    }
}

/// An empty list for a conversation that is not there would look like one without messages.
async fn messages(
    tenant: Option<String>,
    id: String,
    order: MessageOrder,
    page: Page,
) -> Result<Response, Error> {
    let rows = store::list_messages(tenant.clone(), id.clone(), order.row(), page.row()).await;
    if rows.as_ref().is_ok_and(|(rows, _)| rows.is_empty())
        && store::find_conversation(tenant, id)
            .await
            .map_err(failure)?
            .is_none()
    {
        return Err(Error::Absent("conversation"));
    }
    let (rows, next_cursor) = rows.map_err(failure)?;
    let data = media::messages(rows).await?;
    Ok(json(StatusCode::OK, &List { data, next_cursor }))
}

fn jobs(tenant: Option<String>, query: &Query) -> Result<store::JobFilter, Error> {
    Ok(store::JobFilter {
        platform_client_id: tenant,
        kind: text(query, "kind"),
        event_kind: text(query, "event_kind"),
        state: query.choice("state", JobState::WORDS)?.map(Row::row),
    })
}

pub fn text(query: &Query, name: &str) -> Option<String> {
    query.text(name).map(str::to_owned)
}

fn list<T: Row<U>, U: Serialize>(
    rows: Result<(Vec<T>, Option<String>), store::Error>,
) -> Result<Response, Error> {
    let (rows, next_cursor) = rows.map_err(failure)?;
    let data = rows.into_iter().map(Row::row).collect();
    Ok(json(StatusCode::OK, &List { data, next_cursor }))
}

pub fn one<T: Row<U>, U: Serialize>(row: Option<T>, what: &'static str) -> Result<Response, Error> {
    Ok(json(StatusCode::OK, &row.ok_or(Error::Absent(what))?.row()))
}
