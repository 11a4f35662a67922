//! Writes: rules, and endpoints that are enabled again.

use chatly_api::{
    Defect, Enable, Endpoint, Error, MAX_BODY_BYTES, Query, Route, Rule, RuleBody, parse_body,
};
use chatly_respond::{Response, empty, json};
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use spin_sdk::http::Request;
use spin_sdk::variables;

use crate::bindings::chatly::router::router;
use crate::bindings::chatly::store::rows;
use crate::bindings::chatly::store::store;
use crate::read::text;
use crate::rows::{Row, failure};

/// Answers a route that writes.
pub async fn write(route: Route, query: &Query, request: Request) -> Result<Response, Error> {
    let tenant = text(query, "platform_client_id");
    match route {
        Route::MakeRule => {
            let body: RuleBody = parse_body(&read(request).await?)?;
            body.check(None)?;
            let tenant = tenant_of(&body.platform_client_id, tenant).await?;
            let id = match &body.id {
                Some(id) => id.clone(),
                None => fresh_id()?,
            };
            let known = store::find_rule(Some(tenant.clone()), id.clone());
            if known.await.map_err(failure)?.is_some() {
                return Err(Error::Conflict("rule"));
            }
            put(body, tenant, id, StatusCode::CREATED).await
        }
        Route::PutRule(id) => {
            let body: RuleBody = parse_body(&read(request).await?)?;
            body.check(Some(&id))?;
            let tenant = tenant_of(&body.platform_client_id, tenant).await?;
            put(body, tenant, id, StatusCode::OK).await
        }
        Route::DeleteRule(id) => {
            let tenant = tenant_of(&None, tenant).await?;
            match store::delete_rule(tenant, id).await.map_err(failure)? {
                true => Ok(empty(StatusCode::NO_CONTENT)),
                false => Err(Error::Absent("rule")),
            }
        }
        Route::EnableEndpoint => {
            let body: Enable = parse_body(&read(request).await?)?;
            enable(tenant_of(&body.platform_client_id, tenant).await?, body.url).await
        }
        _ => Err(Error::NoRoute),
    }
}

/// Saves a rule that the router finds sound.
async fn put(
    body: RuleBody,
    tenant: String,
    id: String,
    status: StatusCode,
) -> Result<Response, Error> {
    let actions = body.then.get().to_owned();
    let defects = router::check(&[router::Rule {
        id: id.clone(),
        name: body.name.clone(),
        priority: body.priority,
        condition: body.when.clone(),
        actions: actions.clone(),
        stop: body.stop,
        strategy: body.strategy.clone(),
    }]);
    if !defects.is_empty() {
        let defects = defects.into_iter().map(|defect| Defect {
            rule_id: defect.rule_id,
            line: defect.line,
            column: defect.column,
            reason: defect.reason,
        });
        return Err(Error::Unsound(defects.collect()));
    }
    let rule = rows::Rule {
        id,
        platform_client_id: tenant,
        name: body.name,
        priority: body.priority,
        condition: body.when,
        actions,
        stop: body.stop,
        enabled: body.enabled,
        // The store sets the times.
        created_at: 0,
        updated_at: 0,
        strategy: body.strategy,
    };
    let rule: Rule = store::put_rule(rule).await.map_err(failure)?.row();
    Ok(json(status, &rule))
}

async fn enable(tenant: String, url: String) -> Result<Response, Error> {
    let enabled = store::enable_endpoint(tenant.clone(), url.clone()).await;
    if !enabled.map_err(failure)? {
        return Err(Error::Absent("disabled endpoint"));
    }
    let found = store::find_endpoint(tenant, url).await.map_err(failure)?;
    let endpoint: Endpoint = found.ok_or(Error::Absent("endpoint"))?.row();
    Ok(json(StatusCode::OK, &endpoint))
}

/// The tenant that a write is for: the body's, else the query's, else the default. Two that differ
/// are refused.
pub async fn tenant_of(body: &Option<String>, query: Option<String>) -> Result<String, Error> {
    match (body, query) {
        (Some(body), Some(query)) if *body != query => Err(Error::Body(
            "The body and the query name two tenants.".to_owned(),
        )),
        (Some(tenant), _) => Ok(tenant.clone()),
        (None, Some(tenant)) => Ok(tenant),
        (None, None) => {
            let tenant = variables::get("platform_client_id").await;
            let tenant = tenant.unwrap_or_default();
            Ok(Some(tenant)
                .filter(|tenant| !tenant.is_empty())
                .unwrap_or_else(|| "default".to_owned()))
        }
    }
}

pub async fn read(request: Request) -> Result<Vec<u8>, Error> {
    read_up_to(request, MAX_BODY_BYTES).await
}

pub async fn read_up_to(request: Request, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let limited = Limited::new(request.into_body(), max_bytes);
    match limited.collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::TooLarge),
        Err(_) => Err(Error::Body("The body did not arrive whole.".to_owned())),
    }
}

/// An id that nobody has.
fn fresh_id() -> Result<String, Error> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits).map_err(|_| Error::Store)?;
    Ok(format!("{:032x}", u128::from_le_bytes(bits)))
}
