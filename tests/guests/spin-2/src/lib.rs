//! Uses the interfaces of `fermyon:spin@2.0.0` as the body of a request says: a JSON list of
//! calls, each a list of the function's name and its arguments. Answers with a list of results.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod key_value {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../host/capabilities/key-value/wit",
        world: "chatly:key-value-capability/spin2",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
mod sqlite {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../host/capabilities/sqlite/wit",
        world: "chatly:sqlite-capability/spin2",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
mod variables {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../host/capabilities/variables/wit",
        world: "chatly:variables-capability/spin2",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
mod llm {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../host/capabilities/llm/wit",
        world: "chatly:llm-capability/capability",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use key_value::fermyon::spin::key_value::Store;
use llm::fermyon::spin::llm as models;
use sqlite::fermyon::spin::sqlite as sql;
use variables::fermyon::spin::variables as configured;

#[http_service]
async fn spin_2(request: Request) -> anyhow::Result<impl IntoResponse> {
    let body = request.into_body().collect().await?.to_bytes();
    let calls: Vec<Value> = serde_json::from_slice(&body)?;
    let mut opened = Opened::default();
    let results: Vec<_> = calls
        .iter()
        .map(|call| {
            opened
                .run(call)
                .unwrap_or_else(|error| json!({ "error": error }))
        })
        .collect();
    Ok(Value::from(results).to_string())
}

#[derive(Default)]
struct Opened {
    store: Option<Store>,
    connection: Option<sql::Connection>,
}

impl Opened {
    fn run(&mut self, call: &Value) -> Result<Value, String> {
        let (first, second) = (text(&call[1]), text(&call[2]));
        Ok(match (text(&call[0]), &self.store, &self.connection) {
            ("store", ..) => {
                self.store = Some(Store::open(first).map_err(told)?);
                Value::Null
            }
            ("get", Some(store), _) => json!(store.get(first).map_err(told)?),
            ("set", Some(store), _) => json!(store.set(first, second.as_bytes()).map_err(told)?),
            ("delete", Some(store), _) => json!(store.delete(first).map_err(told)?),
            ("exists", Some(store), _) => json!(store.exists(first).map_err(told)?),
            ("keys", Some(store), _) => json!(store.get_keys().map_err(told)?),
            ("database", ..) => {
                self.connection = Some(sql::Connection::open(first).map_err(told)?);
                Value::Null
            }
            ("execute", _, Some(connection)) => {
                let parameters: Vec<_> = call[2].as_array().into_iter().flatten().collect();
                let parameters: Vec<_> = parameters.into_iter().map(parameter).collect();
                let result = connection.execute(first, &parameters).map_err(told)?;
                let rows = result.rows.iter().map(|row| format!("{:?}", row.values));
                json!({ "columns": result.columns, "rows": rows.collect::<Vec<_>>() })
            }
            ("variable", ..) => json!(configured::get(first).map_err(told)?),
            ("infer", ..) => {
                let result = models::infer(first, second, None).map_err(told)?;
                json!([result.text, result.usage.generated_token_count])
            }
            ("embed", ..) => {
                let texts = [second.to_owned()];
                let result = models::generate_embeddings(first, &texts).map_err(told)?;
                json!([result.embeddings, result.usage.prompt_token_count])
            }
            (other, ..) => json!({ "unknown": other }),
        })
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

fn parameter(value: &Value) -> sql::Value {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(integer) => sql::Value::Integer(integer),
            None => sql::Value::Real(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => sql::Value::Text(text.clone()),
        Value::Array(bytes) => {
            let byte = |byte: &Value| byte.as_u64().and_then(|byte| byte.try_into().ok());
            sql::Value::Blob(bytes.iter().filter_map(byte).collect())
        }
        _ => sql::Value::Null,
    }
}
