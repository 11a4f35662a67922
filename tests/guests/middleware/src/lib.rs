//! Stands before a component: passes each request on, or stops it when its path ends in `/stop`,
//! and prints which of the two it did. What it answers itself shows what it inherits: the
//! environment variable `NAME`.

use spin_sdk::http::IntoResponse;
use spin_sdk::wasip3;
use wasip3::http::types::{ErrorCode, Request, Response};

wit_bindgen::generate!({
    path: "wit",
    world: "layer",
    with: { "wasi:http/types@0.3.0": spin_sdk::wasip3::http::types },
});

struct Layer;

impl wasip3::exports::http::handler::Guest for Layer {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let path = request.get_path_with_query().unwrap_or_default();
        let name = std::env::var("NAME").unwrap_or_else(|_| "nobody".to_owned());
        if path.ends_with("/stop") {
            return format!("stopped by {name}").into_response();
        }
        println!("{name} passes {path}");
        wasi::http::handler::handle(request).await
    }
}

wasip3::http::service::export!(Layer with_types_in wasip3);
