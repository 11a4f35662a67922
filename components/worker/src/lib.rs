//! `worker`: turns stored events into contacts, conversations and messages, in order, and routes
//! the messages.
//!
//! 1. Private: whoever may call it may only wake it, so any request is a wake-up and is answered
//!    at once. The work goes on after the answer.
//! 2. Who works, how long, and why no wake-up is lost: `chatly-drain`. What an event changes:
//!    `chatly-fold`. What routing needs and what follows from it: `chatly-routing`. This component
//!    only joins them to the store and the router.
//! 3. Jobs of one lease are done one after another: SQLite has one writer, and several that wait
//!    for it take turns worse than one that never waits.

mod effects;
mod facts;
mod inbox;
mod media;
mod reply;
mod route;
mod rules;
mod wake;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "chatly:edge/worker",
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
async fn worker(_request: Request) -> Response {
    wasip3::spawn(inbox::drain());
    empty(StatusCode::ACCEPTED)
}
