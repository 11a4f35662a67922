//! Takes the worker's place and does one step at a time, as a test asks:
//! `POST /probe/lease?<millis>` leases one event, `POST /probe/commit?<token>` commits it with no
//! effects. Answers are JSON.

use serde_json::json;
use spin_sdk::http::{IntoResponse, Request, Response};
use spin_sdk::http_service;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../../wit",
        world: "worker",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
use bindings::chatly::store::store;

#[http_service]
async fn probe(request: Request) -> anyhow::Result<impl IntoResponse> {
    let argument = request.uri().query().unwrap_or_default().to_owned();
    let answer = match request.uri().path() {
        "/probe/lease" => {
            let jobs = store::lease(vec!["event".into()], 1, argument.parse()?).await;
            let tokens: Vec<_> = jobs
                .map_err(|e| anyhow::anyhow!("{e:?}"))?
                .into_iter()
                .map(|job| job.token)
                .collect();
            json!({ "tokens": tokens })
        }
        "/probe/commit" => match store::commit(argument, vec![]).await {
            Ok(_) => json!({ "committed": true }),
            Err(store::Error::Stale) => json!({ "committed": false, "error": "stale" }),
            Err(other) => json!({ "committed": false, "error": format!("{other:?}") }),
        },
        _ => json!({ "error": "unknown path" }),
    };
    Ok(Response::builder().status(200).body(answer.to_string())?)
}
