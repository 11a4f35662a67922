//! Publishes the messages that the body of a request says:
//! `{"address", "messages": [[topic, payload, qos], …]}`. Answers with a list of results.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON values answer null for what they lack"
)]

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use spin_sdk::mqtt::{Connection, Qos};

/// Seconds between two signs of life.
const KEEP_ALIVE_SECS: u64 = 30;

#[http_service]
async fn mqtt(request: Request) -> anyhow::Result<impl IntoResponse> {
    let body = request.into_body().collect().await?.to_bytes();
    let call: Value = serde_json::from_slice(&body)?;
    let address = call["address"].as_str().unwrap_or_default();
    let connection = match Connection::open(address, "user", "secret", KEEP_ALIVE_SECS).await {
        Ok(connection) => connection,
        Err(error) => return Ok(json!([{ "error": format!("{error:?}") }]).to_string()),
    };
    let mut results = Vec::new();
    for message in call["messages"].as_array().into_iter().flatten() {
        let text = |index: usize| message[index].as_str().unwrap_or_default();
        let qos = match message[2].as_u64() {
            Some(0) => Qos::AtMostOnce,
            Some(1) => Qos::AtLeastOnce,
            _ => Qos::ExactlyOnce,
        };
        let published = connection.publish(text(0), text(1).into(), qos).await;
        results.push(match published {
            Ok(()) => Value::Null,
            Err(error) => json!({ "error": format!("{error:?}") }),
        });
    }
    Ok(Value::from(results).to_string())
}
