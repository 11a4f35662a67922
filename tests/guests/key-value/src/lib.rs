//! Uses a key-value store as the body of a request says: a JSON list of calls, each a list of the
//! function's name and its arguments. Answers with a list of results.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use spin_sdk::key_value::{Error, Store};

#[http_service]
async fn key_value(request: Request) -> anyhow::Result<impl IntoResponse> {
    let body = request.into_body().collect().await?.to_bytes();
    let calls: Vec<Value> = serde_json::from_slice(&body)?;
    let mut store = None;
    let mut results = Vec::new();
    for call in &calls {
        let result = match &store {
            None => open(text(&call[1])).await.map(|opened| {
                store = Some(opened);
                Value::Null
            }),
            Some(store) => run(store, call).await,
        };
        results.push(result.unwrap_or_else(|error| json!({ "error": format!("{error:?}") })));
    }
    Ok(Value::from(results).to_string())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

async fn open(label: &str) -> Result<Store, Error> {
    if label == "*" {
        // As many as there are until one is refused.
        let mut opened = Vec::new();
        loop {
            opened.push(Store::open("default").await?);
        }
    }
    Store::open(label).await
}

async fn run(store: &Store, call: &Value) -> Result<Value, Error> {
    let key = text(&call[1]);
    Ok(match text(&call[0]) {
        "get" => json!(store.get(key).await?),
        "set" => json!(store.set(key, text(&call[2])).await?),
        "delete" => json!(store.delete(key).await?),
        "exists" => json!(store.exists(key).await?),
        "keys" => json!(store.get_keys().await.collect().await?),
        other => json!({ "unknown": other }),
    })
}
