//! Tells the worker that there is something to do, and does not wait for it.
//!
//! While one call is on its way, further wishes become one more call after it: a call that was sent
//! before an event was stored may come too early for it, a second one cannot.

use std::cell::Cell;

use http::Request;
use spin_sdk::http::{Response, send};
use spin_sdk::wasip3;
use spin_sdk::wasip3::http::types::ErrorCode;

const WORKER: &str = "http://worker.spin.internal/";

#[derive(Clone, Copy, PartialEq)]
enum State {
    Quiet,
    Calling,
    /// Somebody wants another call after this one.
    CallAgain,
}

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State::Quiet) };
}

/// Says that nobody calls any more, also when the host drops the task half-way.
struct Calling;

impl Drop for Calling {
    fn drop(&mut self) {
        STATE.set(State::Quiet);
    }
}

/// Wakes the worker after the answer, for the trace of what was stored. A failure is only logged: the sweep wakes it too.
pub fn wake_worker(traceparent: String) {
    if STATE.get() != State::Quiet {
        STATE.set(State::CallAgain);
        return;
    }
    STATE.set(State::Calling);
    let calling = Calling;
    wasip3::spawn(async move {
        let _calling = calling;
        loop {
            STATE.set(State::Calling);
            match post(WORKER, &traceparent).await {
                Ok(response) if response.status().is_success() => {}
                Ok(response) => eprintln!(
                    "warn: worker not woken: status={}",
                    response.status().as_u16()
                ),
                Err(error) => eprintln!("warn: worker not woken: error={error}"),
            }
            if STATE.get() != State::CallAgain {
                return;
            }
        }
    });
}

/// An empty request that says whose work it is about.
async fn post(target: &str, traceparent: &str) -> Result<Response, ErrorCode> {
    let request = Request::post(target)
        .header("traceparent", traceparent)
        .body(String::new());
    send(request.map_err(|_| ErrorCode::HttpRequestUriInvalid)?).await
}
