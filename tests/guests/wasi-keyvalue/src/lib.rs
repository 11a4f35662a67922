//! Uses `wasi:keyvalue@0.2.0-draft2` as the body of a request says: a JSON list of calls, each a
//! list of the function's name and its arguments. Answers with a list of results.

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../host/capabilities/key-value/wit",
        world: "chatly:key-value-capability/wasi",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use bindings::wasi::keyvalue::atomics::{self, Cas, CasError};
use bindings::wasi::keyvalue::{batch, store};

#[http_service]
async fn wasi_keyvalue(request: Request) -> anyhow::Result<impl IntoResponse> {
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
    bucket: Option<store::Bucket>,
    cas: Option<Cas>,
}

impl Opened {
    fn run(&mut self, call: &Value) -> Result<Value, String> {
        let (key, value) = (text(&call[1]), text(&call[2]));
        let function = text(&call[0]);
        let Some(bucket) = &self.bucket else {
            self.bucket = Some(store::open(key).map_err(told)?);
            return Ok(Value::Null);
        };
        Ok(match function {
            "get" => json!(bucket.get(key).map_err(told)?),
            "set" => json!(bucket.set(key, value.as_bytes()).map_err(told)?),
            "delete" => json!(bucket.delete(key).map_err(told)?),
            "exists" => json!(bucket.exists(key).map_err(told)?),
            "list-keys" => {
                let cursor = call[1].as_str();
                let page = bucket.list_keys(cursor).map_err(told)?;
                json!([page.keys, page.cursor])
            }
            "get-many" => json!(batch::get_many(bucket, &texts(&call[1])).map_err(told)?),
            "set-many" => {
                let keys = texts(&call[1]).into_iter();
                let entries: Vec<_> = keys.map(|key| (key, value.as_bytes().to_vec())).collect();
                json!(batch::set_many(bucket, &entries).map_err(told)?)
            }
            "delete-many" => json!(batch::delete_many(bucket, &texts(&call[1])).map_err(told)?),
            "increment" => {
                let delta = call[2].as_i64().unwrap_or_default();
                json!(atomics::increment(bucket, key, delta).map_err(told)?)
            }
            "cas" => {
                self.cas = Some(Cas::new(bucket, key).map_err(told)?);
                Value::Null
            }
            "current" => match &self.cas {
                Some(cas) => json!(cas.current().map_err(told)?),
                None => json!("no cas"),
            },
            "swap" => match self.cas.take() {
                Some(cas) => self.swap(cas, key)?,
                None => json!("no cas"),
            },
            other => json!({ "unknown": other }),
        })
    }

    /// Swaps; when somebody was quicker, what is there now, and the new handle is kept.
    fn swap(&mut self, cas: Cas, value: &str) -> Result<Value, String> {
        match atomics::swap(cas, value.as_bytes()) {
            Ok(()) => Ok(Value::Null),
            Err(CasError::StoreError(error)) => Err(told(error)),
            Err(CasError::CasFailed(fresh)) => {
                let current = fresh.current().map_err(told)?;
                self.cas = Some(fresh);
                Ok(json!({ "failed": current }))
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    let all = value.as_array().into_iter().flatten();
    all.map(|one| text(one).to_owned()).collect()
}

fn told(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}
