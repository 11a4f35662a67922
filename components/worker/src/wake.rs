//! Tells others that there is something to do, and does not wait for them.

use std::rc::Rc;

use chatly_drain::Calls;
use spin_sdk::{http, wasip3};

thread_local! {
    static ENRICH: Rc<Calls> = Rc::default();
    static DISPATCH: Rc<Calls> = Rc::default();
}

/// Wakes whoever works on jobs of this kind. A failure is only logged: the sweep wakes them too.
pub fn wake_for(kind: &str) {
    match kind {
        "enrich" => wake(ENRICH.with(Rc::clone), "http://enrich.spin.internal/"),
        "forward" => wake(DISPATCH.with(Rc::clone), "http://dispatch.spin.internal/"),
        _ => {}
    }
}

fn wake(calls: Rc<Calls>, target: &'static str) {
    wasip3::spawn(async move {
        calls
            .wake(async || match http::post(target, Vec::new()).await {
                Ok(response) if response.status().is_success() => {}
                Ok(response) => eprintln!(
                    "warn: not woken: target={target} status={}",
                    response.status().as_u16()
                ),
                Err(error) => eprintln!("warn: not woken: target={target} error={error}"),
            })
            .await;
    });
}
