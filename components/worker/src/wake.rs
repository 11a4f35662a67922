//! Tells others that there is something to do, and does not wait for them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chatly_drain::Calls;
use http::Request;
use spin_sdk::http::{Response, send};
use spin_sdk::wasip3;
use spin_sdk::wasip3::http::types::ErrorCode;

thread_local! {
    static ENRICH: Rc<Calls> = Rc::default();
    static DISPATCH: Rc<Calls> = Rc::default();
    static DELIVER: RefCell<BTreeMap<String, Rc<Calls>>> = RefCell::default();
}

/// Wakes whoever works on jobs of this kind, for the trace of the work that made one. A failure is
/// only logged: the sweep wakes them too.
pub fn wake_for(kind: &str, traceparent: Option<&str>) {
    let trace = traceparent.map(str::to_owned);
    match kind {
        "enrich" => wake(
            ENRICH.with(Rc::clone),
            "http://enrich.spin.internal/".to_owned(),
            trace,
        ),
        "forward" => wake(
            DISPATCH.with(Rc::clone),
            "http://dispatch.spin.internal/".to_owned(),
            trace,
        ),
        _ => {
            let prefixes = ["send-", "media-"];
            let Some(channel) = prefixes.iter().find_map(|it| kind.strip_prefix(it)) else {
                return;
            };
            let calls = DELIVER
                .with_borrow_mut(|calls| calls.entry(channel.to_owned()).or_default().clone());
            let target = format!("http://deliver-{channel}.spin.internal/");
            wake(calls, target, trace);
        }
    }
}

fn wake(calls: Rc<Calls>, target: String, trace: Option<String>) {
    wasip3::spawn(async move {
        calls
            .wake(async || match post(&target, trace.as_deref()).await {
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

/// An empty request that says whose work it is about.
async fn post(target: &str, traceparent: Option<&str>) -> Result<Response, ErrorCode> {
    let mut request = Request::post(target);
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    let request = request.body(String::new());
    send(request.map_err(|_| ErrorCode::HttpRequestUriInvalid)?).await
}
