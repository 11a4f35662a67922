//! `dispatch`: sends what rules forward to n8n and any other webhook.
//!
//! 1. Private: whoever may call it may only wake it, so any request is a wake-up and is answered
//!    at once. The work goes on after the answer.
//! 2. Who works, how long, and why no wake-up is lost: `chatly-drain`. What is sent, to whom, and
//!    what an answer means: `chatly-webhook`. This component only joins them to the store and the
//!    network.
//! 3. At least once: a job is done when its delivery is recorded, so a crash between the two sends
//!    it again, with the same `webhook-id`.

mod attempt;
mod clock;
mod health;
mod outbox;
mod send;
mod settings;
mod turn;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "chatly:edge/dispatch",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}
chatly_drain::store!(crate::bindings::chatly::store::store);

use chatly_respond::{Response, empty};
use http::StatusCode;
use spin_sdk::http::Request;
use spin_sdk::{http_service, wasip3};

#[http_service]
async fn dispatch(_request: Request) -> Response {
    wasip3::spawn(outbox::drain());
    empty(StatusCode::ACCEPTED)
}
