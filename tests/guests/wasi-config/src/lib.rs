//! Asks `wasi:config/store@0.2.0-draft-2024-09-27` for the names in the body of a request, a JSON
//! list of texts. Answers with their values and with all variables.

use http_body_util::BodyExt as _;
use serde_json::json;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../host/capabilities/variables/wit",
        world: "chatly:variables-capability/wasi",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use bindings::wasi::config::store;

#[http_service]
async fn wasi_config(request: Request) -> anyhow::Result<impl IntoResponse> {
    let body = request.into_body().collect().await?.to_bytes();
    let names: Vec<String> = serde_json::from_slice(&body)?;
    let values: Vec<_> = names
        .iter()
        .map(|name| match store::get(name) {
            Ok(value) => json!(value),
            Err(error) => json!({ "error": format!("{error:?}") }),
        })
        .collect();
    let all = match store::get_all() {
        Ok(all) => json!(all),
        Err(error) => json!({ "error": format!("{error:?}") }),
    };
    Ok(json!({ "values": values, "all": all }).to_string())
}
