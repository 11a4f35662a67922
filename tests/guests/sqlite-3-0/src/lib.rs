//! Uses `spin:sqlite@3.0.0` as the body of a request says: a JSON list of calls, each a list of
//! the function's name and its arguments. Answers with a list of results.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "wit",
        world: "guest",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use bindings::spin::sqlite::sqlite::Connection;

#[http_service]
async fn sqlite(request: Request) -> anyhow::Result<impl IntoResponse> {
    let body = request.into_body().collect().await?.to_bytes();
    let calls: Vec<Value> = serde_json::from_slice(&body)?;
    let mut connection = None;
    let results: Vec<_> = calls
        .iter()
        .map(|call| run(&mut connection, call).unwrap_or_else(|error| json!({ "error": error })))
        .collect();
    Ok(Value::from(results).to_string())
}

fn run(opened: &mut Option<Connection>, call: &Value) -> Result<Value, String> {
    let argument = call[1].as_str().unwrap_or_default();
    Ok(match (call[0].as_str().unwrap_or_default(), &opened) {
        ("open", _) => {
            let connection = Connection::open(argument);
            *opened = Some(connection.map_err(|error| format!("{error:?}"))?);
            Value::Null
        }
        ("execute", Some(connection)) => {
            let result = connection.execute(argument, &[]);
            let result = result.map_err(|error| format!("{error:?}"))?;
            let rows = result.rows.iter().map(|row| format!("{:?}", row.values));
            json!({ "columns": result.columns, "rows": rows.collect::<Vec<_>>() })
        }
        ("changes", Some(connection)) => json!(connection.changes()),
        ("rowid", Some(connection)) => json!(connection.last_insert_rowid()),
        (other, _) => json!({ "unknown": other }),
    })
}
