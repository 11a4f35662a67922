//! Sends the commands that the body of a request says, a JSON list of calls, each a list of the
//! function's name and its arguments. The first opens the connection. Answers with a list of results.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use spin_sdk::redis::{Connection, Error, RedisParameter, RedisResult};

#[http_service]
async fn redis(request: Request) -> anyhow::Result<impl IntoResponse> {
    let body = request.into_body().collect().await?.to_bytes();
    let calls: Vec<Value> = serde_json::from_slice(&body)?;
    let mut connection = None;
    let mut results = Vec::new();
    for call in &calls {
        let result = match &connection {
            None => Connection::open(text(&call[1])).await.map(|opened| {
                connection = Some(opened);
                Value::Null
            }),
            Some(connection) => run(connection, call).await,
        };
        results.push(result.unwrap_or_else(|error| json!({ "error": format!("{error:?}") })));
    }
    Ok(Value::from(results).to_string())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(text).collect()
}

async fn run(connection: &Connection, call: &Value) -> Result<Value, Error> {
    let key = text(&call[1]);
    Ok(match text(&call[0]) {
        "get" => json!(connection.get(key).await?),
        "set" => json!(connection.set(key, text(&call[2])).await?),
        "incr" => json!(connection.incr(key).await?),
        "del" => json!(connection.del(texts(&call[1])).await?),
        "sadd" => json!(connection.sadd(key, texts(&call[2])).await?),
        "smembers" => json!(connection.smembers(key).await?),
        "srem" => json!(connection.srem(key, texts(&call[2])).await?),
        "publish" => json!(connection.publish(key, text(&call[2])).await?),
        "execute" => {
            let arguments = call[2].as_array().into_iter().flatten().map(parameter);
            let results = connection.execute(key, arguments).await?;
            results.into_iter().map(value).collect()
        }
        other => json!({ "unknown": other }),
    })
}

fn parameter(value: &Value) -> RedisParameter {
    match value.as_i64() {
        Some(number) => RedisParameter::Int64(number),
        None => RedisParameter::Binary(text(value).as_bytes().to_vec()),
    }
}

fn value(result: RedisResult) -> Value {
    match result {
        RedisResult::Nil => Value::Null,
        RedisResult::Status(text) => json!({ "status": text }),
        RedisResult::Int64(number) => json!(number),
        RedisResult::Binary(bytes) => json!(String::from_utf8_lossy(&bytes)),
    }
}
