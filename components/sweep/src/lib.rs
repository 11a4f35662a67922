//! `sweep`: wakes the workers, for what a crash left behind.
//!
//! 1. `POST` with the sweep's own secret; the embedded host calls it on a schedule, elsewhere a
//!    cron job does.
//! 2. 202 at once: each target is woken after the answer, on its own, so that one that fails keeps
//!    no other from being woken.

use chatly_auth::check_bearer;
use chatly_respond::{Response, empty, method_not_allowed, unavailable};
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};
use spin_sdk::http::Request;
use spin_sdk::{http_service, variables, wasip3};

/// Who is woken when `targets` does not say.
const DEFAULT_TARGETS: &str = "worker";
/// How long a caller may wait until it tries again after the variables could not be read.
const RETRY_AFTER_SECS: u32 = 60;

#[http_service]
async fn sweep(request: Request) -> Response {
    if request.method() != Method::POST {
        return method_not_allowed("POST");
    }
    let (Ok(secret), Ok(targets)) = (variable("sweep_secret").await, variable("targets").await)
    else {
        return unavailable(
            "not_configured",
            "The variables cannot be read.",
            RETRY_AFTER_SECS,
        );
    };
    let authorization = request
        .headers()
        .get(AUTHORIZATION)
        .map(|value| value.as_bytes());
    if let Err(error) = check_bearer(authorization, &secret) {
        eprintln!("warn: sweep refused: {error}");
        return error.response();
    }
    let targets = if targets.trim().is_empty() {
        DEFAULT_TARGETS
    } else {
        &targets
    };
    for target in targets
        .split(',')
        .map(str::trim)
        .filter(|target| !target.is_empty())
    {
        wasip3::spawn(wake(target.to_owned()));
    }
    empty(StatusCode::ACCEPTED)
}

async fn wake(target: String) {
    match spin_sdk::http::post(format!("http://{target}.spin.internal/"), Vec::new()).await {
        Ok(response) if response.status().is_success() => {}
        Ok(response) => {
            eprintln!(
                "warn: not woken: target={target} status={}",
                response.status().as_u16()
            );
        }
        Err(error) => eprintln!("warn: not woken: target={target} error={error}"),
    }
}

/// A variable; blank when the manifest does not give it.
async fn variable(name: &str) -> Result<String, ()> {
    match variables::get(name).await {
        Ok(value) => Ok(value),
        Err(variables::Error::Undefined(_)) => Ok(String::new()),
        Err(_) => {
            eprintln!("error: the variable provider failed: name={name}");
            Err(())
        }
    }
}
