//! Tells the worker that there is something to route, and does not wait for it.

use std::rc::Rc;

use chatly_drain::Calls;
use spin_sdk::{http, wasip3};

const WORKER: &str = "http://worker.spin.internal/";

thread_local! {
    static CALLS: Rc<Calls> = Rc::default();
}

/// Wakes the worker. A failure is only logged: the sweep wakes it too.
pub fn wake_worker() {
    let calls = CALLS.with(Rc::clone);
    wasip3::spawn(async move {
        calls
            .wake(async || match http::post(WORKER, Vec::new()).await {
                Ok(response) if response.status().is_success() => {}
                Ok(response) => eprintln!(
                    "warn: worker not woken: status={}",
                    response.status().as_u16()
                ),
                Err(error) => eprintln!("warn: worker not woken: error={error}"),
            })
            .await;
    });
}
