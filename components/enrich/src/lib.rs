//! `enrich`: understands what a customer wrote, off the hot path, and has it routed once more.
//!
//! 1. Private: whoever may call it may only wake it, so any request is a wake-up and is answered
//!    at once. The work goes on after the answer.
//! 2. Who works, how long, and why no wake-up is lost: `chatly-drain`. What a conversation means:
//!    the baseline plugin. This component only joins them to the store.
//! 3. The enrichment, the contact's lead and the job that routes the message once more are written
//!    in one commit, so each is there once or not at all.
//! 4. Where a model is configured, it is asked after that, on a queue of its own (`understand`).

mod ask;
mod json;
mod outbox;
mod record;
mod settings;
mod understand;
mod wake;
mod window;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "chatly:edge/enrich",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
chatly_canonical::wit_conversions!(crate::bindings::chatly::types::types);
chatly_drain::store!(crate::bindings::chatly::store::store);

use chatly_respond::{Response, empty};
use http::StatusCode;
use spin_sdk::http::Request;
use spin_sdk::{http_service, wasip3};

#[http_service]
async fn enrich(_request: Request) -> Response {
    wasip3::spawn(outbox::drain());
    understand::wake();
    empty(StatusCode::ACCEPTED)
}
