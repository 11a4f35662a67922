//! Uses `spin:postgres@3.0.0` or `4.0.0` as the body of a request says: a JSON list of the
//! version and calls, each a list of the function's name and its arguments. Answers with a list
//! of results.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: [
            "../../../host/capabilities/postgres/wit/deps/spin-postgres-3.0.0",
            "wit",
        ],
        world: "test:postgres-old/postgres-old",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

#[http_service]
async fn postgres(request: Request) -> anyhow::Result<impl IntoResponse> {
    let body = request.into_body().collect().await?.to_bytes();
    let calls: Vec<Value> = serde_json::from_slice(&body)?;
    let results = match calls.split_first() {
        Some((version, calls)) if version == "3.0.0" => v3::run(calls),
        Some((_, calls)) => v4::run(calls),
        None => Vec::new(),
    };
    Ok(Value::from(results).to_string())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The same program for both.
macro_rules! version {
    ($name:ident, $bindings:path) => {
        mod $name {
            use super::*;
            use $bindings::{Connection, Error, ParameterValue};

            pub fn run(calls: &[Value]) -> Vec<Value> {
                let mut connection = None;
                let mut results = Vec::new();
                for call in calls {
                    let result = step(&mut connection, call);
                    results.push(
                        result.unwrap_or_else(|error| json!({ "error": format!("{error:?}") })),
                    );
                }
                results
            }

            fn step(open: &mut Option<Connection>, call: &Value) -> Result<Value, Error> {
                let (name, first) = (text(&call[0]), text(&call[1]));
                if name == "open" {
                    *open = Some(Connection::open(&first)?);
                    return Ok(Value::Null);
                }
                let closed = || Error::Other("nothing is open".to_owned());
                let connection = open.as_ref().ok_or_else(closed)?;
                let parameters = call[2].as_array().into_iter().flatten();
                let parameters: Vec<_> = parameters
                    .map(|value| match value {
                        Value::Null => ParameterValue::DbNull,
                        value => ParameterValue::Str(text(value)),
                    })
                    .collect();
                if name == "execute" {
                    return Ok(json!(connection.execute(&first, &parameters)?));
                }
                let result = connection.query(&first, &parameters)?;
                let columns = result.columns.iter();
                let printed = |row: &Vec<_>| {
                    let values = row.iter();
                    values.map(|value| format!("{value:?}")).collect::<Vec<_>>()
                };
                Ok(json!({
                    "columns": columns.map(|column| format!("{column:?}")).collect::<Vec<_>>(),
                    "rows": result.rows.iter().map(printed).collect::<Vec<_>>(),
                }))
            }
        }
    };
}

version!(v3, bindings::spin::postgres3_0_0::postgres);
version!(v4, bindings::spin::postgres4_0_0::postgres);
