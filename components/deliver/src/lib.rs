//! `deliver`: sends what we say to one platform, and fetches the media that came in from it.
//!
//! 1. Private: whoever may call it may only wake it, so any request is a wake-up and is answered
//!    at once. The work goes on after the answer.
//! 2. Who works, how long, and why no wake-up is lost: `chatly-drain`. What a message looks like to
//!    the platform and what its answers mean: the channel plugin. Tokens, and what happens to the
//!    job: `chatly-send`. This component only joins them to the store and the network.
//! 3. At most once: a job is marked as sending before each request, so a crash between that and its
//!    answer is known as `uncertain` and nothing is sent again.
//! 4. Media are a queue of their own, which holds up no send: see [`media`].

mod attempt;
mod clock;
mod convert;
mod media;
mod outbox;
mod send;
mod settings;

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "chatly:edge/deliver",
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
async fn deliver(_request: Request) -> Response {
    wasip3::spawn(outbox::drain());
    wasip3::spawn(media::drain());
    empty(StatusCode::ACCEPTED)
}
