//! Uses `spin:postgres@4.2.0` as the body of a request says: a JSON list of calls, each a list of
//! the function's name and its arguments. Answers with a list of results.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use spin_sdk::pg::wit::postgres::{Connection, ConnectionBuilder};
use spin_sdk::pg::{DbValue, ParameterValue, PgError};

#[http_service]
async fn postgres(request: Request) -> anyhow::Result<impl IntoResponse> {
    let body = request.into_body().collect().await?.to_bytes();
    let calls: Vec<Value> = serde_json::from_slice(&body)?;
    let mut connection = None;
    let mut results = Vec::new();
    for call in &calls {
        let result = run(&mut connection, call).await;
        results.push(result.unwrap_or_else(|error| json!({ "error": format!("{error:?}") })));
    }
    Ok(Value::from(results).to_string())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

async fn run(open: &mut Option<Connection>, call: &Value) -> Result<Value, PgError> {
    let (name, first) = (text(&call[0]), text(&call[1]));
    let new = match name.as_str() {
        "open" => Connection::open(&first)?,
        "open-async" => Connection::open_async(first.clone()).await?,
        "build" | "build-async" => {
            let builder = ConnectionBuilder::new(&first);
            if let Some(root) = call[2].as_str() {
                builder.set_ca_root(root)?;
            }
            match name.as_str() {
                "build" => builder.build()?,
                _ => builder.build_async().await?,
            }
        }
        _ => return statement(open.as_ref(), &name, first, &call[2]).await,
    };
    *open = Some(new);
    Ok(Value::Null)
}

async fn statement(
    connection: Option<&Connection>,
    name: &str,
    statement: String,
    parameters: &Value,
) -> Result<Value, PgError> {
    let closed = || PgError::Other("nothing is open".to_owned());
    let connection = connection.ok_or_else(closed)?;
    let parameters = parameters.as_array().into_iter().flatten();
    let parameters: Vec<_> = parameters.map(parameter).collect();
    Ok(match name {
        "execute" => json!(connection.execute(&statement, &parameters)?),
        "execute-async" => json!(connection.execute_async(statement, parameters).await?),
        "query" => {
            let result = connection.query(&statement, &parameters)?;
            let columns = result.columns.iter();
            json!({
                "columns": columns.map(|column| format!("{column:?}")).collect::<Vec<_>>(),
                "rows": result.rows.iter().map(|row| printed(row)).collect::<Vec<_>>(),
            })
        }
        "query-async" => {
            let (columns, mut stream, outcome) =
                connection.query_async(statement, parameters).await?;
            let mut rows = Vec::new();
            while let Some(row) = stream.next().await {
                rows.push(printed(&row));
            }
            outcome.await?;
            let columns = columns.iter();
            json!({
                "columns": columns.map(|column| format!("{column:?}")).collect::<Vec<_>>(),
                "rows": rows,
            })
        }
        // Counts rows and bytes of texts, and says how it ended: for results that are too long
        // to be an answer.
        "count-async" => {
            let (_, mut stream, outcome) = connection.query_async(statement, parameters).await?;
            let (mut rows, mut bytes) = (0, 0);
            while let Some(row) = stream.next().await {
                rows += 1;
                bytes += row.iter().map(size).sum::<usize>();
            }
            let ended = outcome.await.err().map(|error| format!("{error:?}"));
            json!({ "rows": rows, "bytes": bytes, "error": ended })
        }
        // Takes one row and leaves.
        "first-async" => {
            let (_, mut stream, outcome) = connection.query_async(statement, parameters).await?;
            let first = stream.next().await.map(|row| printed(&row));
            drop((stream, outcome));
            json!(first)
        }
        other => json!({ "unknown": other }),
    })
}

fn size(value: &DbValue) -> usize {
    match value {
        DbValue::Str(text) => text.len(),
        _ => 0,
    }
}

fn printed(row: &[DbValue]) -> Vec<String> {
    row.iter().map(|value| format!("{value:?}")).collect()
}

fn parameter(value: &Value) -> ParameterValue {
    match value {
        Value::Bool(value) => ParameterValue::Boolean(*value),
        Value::Number(value) => ParameterValue::Int32(
            value
                .as_i64()
                .and_then(|value| i32::try_from(value).ok())
                .unwrap_or_default(),
        ),
        Value::String(value) => ParameterValue::Str(value.clone()),
        Value::Object(value) => match value.get("uuid").and_then(Value::as_str) {
            Some(uuid) => ParameterValue::Uuid(uuid.to_owned()),
            None => ParameterValue::DbNull,
        },
        _ => ParameterValue::DbNull,
    }
}
