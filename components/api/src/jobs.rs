//! Single jobs, and many that are replayed.

use chatly_api::{
    Error, JobDetail, JobState, MAX_PLANNED, MAX_REPLAYED, PLAN, Query, ReplayPlan, Replayed,
    ReplayedMany, Route,
};
use chatly_respond::{Response, json};
use http::StatusCode;

use crate::bindings::chatly::store::store;
use crate::read::{one, text};
use crate::rows::{Row, failure};

/// Answers a route that is about jobs.
pub async fn serve(route: Route, query: &Query) -> Result<Response, Error> {
    let tenant = text(query, "platform_client_id");
    match route {
        Route::InboxJob(seq) => show(tenant, store::Queue::Inbox, seq).await,
        Route::OutboxJob(seq) => show(tenant, store::Queue::Outbox, seq).await,
        Route::ReplayInbox(seq) => replay("event".to_owned(), seq).await,
        Route::ReplayOutbox(seq) => {
            let found = store::find_job(None, store::Queue::Outbox, seq).await;
            let found = found.map_err(failure)?.ok_or(Error::Absent("buried job"))?;
            replay(found.job.kind, seq).await
        }
        Route::CancelOutbox(seq) => cancel(tenant, seq).await,
        Route::ReplayMany => replay_many(tenant, query).await,
        _ => Err(Error::NoRoute),
    }
}

async fn show(tenant: Option<String>, queue: store::Queue, seq: u64) -> Result<Response, Error> {
    let found = store::find_job(tenant, queue, seq).await.map_err(failure)?;
    one::<_, JobDetail>(found, "job")
}

async fn replay(kind: String, seq: u64) -> Result<Response, Error> {
    if !store::replay(kind.clone(), seq).await.map_err(failure)? {
        return Err(Error::Absent("buried job"));
    }
    let state = JobState::Pending;
    Ok(json(StatusCode::OK, &Replayed { seq, kind, state }))
}

async fn cancel(tenant: Option<String>, seq: u64) -> Result<Response, Error> {
    let cancelled = store::cancel(tenant.clone(), seq).await.map_err(failure)?;
    match cancelled {
        store::Cancelled::Cancelled => show(tenant, store::Queue::Outbox, seq).await,
        store::Cancelled::NotWaiting => Err(Error::NotWaiting),
        store::Cancelled::Absent => Err(Error::Absent("job")),
    }
}

async fn replay_many(tenant: Option<String>, query: &Query) -> Result<Response, Error> {
    let filter = store::BuriedFilter {
        platform_client_id: tenant,
        kind: text(query, "kind"),
        error: text(query, "error"),
        url: text(query, "url"),
        created_from: query.number("created_from", 0..=u64::MAX)?,
        created_before: query.number("created_before", 0..=u64::MAX)?,
    };
    if query.choice("plan", PLAN)? == Some(true) {
        let (count, jobs) = store::list_buried(filter, MAX_PLANNED)
            .await
            .map_err(failure)?;
        let plan = ReplayPlan {
            plan: true,
            count,
            jobs: jobs.into_iter().map(Row::row).collect(),
        };
        return Ok(json(StatusCode::OK, &plan));
    }
    let replayed = store::replay_buried(filter.clone(), MAX_REPLAYED)
        .await
        .map_err(failure)?;
    let (remaining, _) = store::list_buried(filter, 1).await.map_err(failure)?;
    let done = ReplayedMany {
        plan: false,
        replayed,
        remaining,
    };
    Ok(json(StatusCode::OK, &done))
}
