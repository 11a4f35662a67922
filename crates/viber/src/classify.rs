//! What Viber's answer to a send means.
//!
//! An answer under HTTP 200 is a success only where its `status` is 0. Codes and their meaning:
//! the error codes of Viber's REST Bot API.

use chatly_channel::json::{Json, Object};
use chatly_channel::reason::without_secrets;
use chatly_channel::{Outcome, Response, Verdict};

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    let body = Json::parse(&response.body).and_then(Json::object);
    let status = body.as_ref().and_then(|body| body.get("status")?.integer());
    let is_success = (200..300).contains(&response.status);
    let outcome = match status {
        Some(0) if is_success => {
            return Verdict::sent(body.and_then(|body| body.id("message_token")));
        }
        None if is_success => return Verdict::unrecognised(response.status),
        Some(0) | None => of_http(response.status, false),
        Some(code) => of_code(code).unwrap_or(if is_success {
            // Viber calls every other code a general error.
            Outcome::Retry
        } else {
            of_http(response.status, true)
        }),
    };
    let waits = matches!(outcome, Outcome::Retry | Outcome::RateLimited);
    let code = status.filter(|code| *code != 0);
    Verdict {
        outcome,
        message_id: None,
        retry_after_ms: response.retry_after_ms().filter(|_| waits),
        code: code.map(|code| code.to_string()),
        reason: reason(body.as_ref(), outcome, response.status),
    }
}

fn of_code(code: u64) -> Option<Outcome> {
    Some(match code {
        // tooManyRequests
        12 => Outcome::RateLimited,
        // invalidAuthToken; blocked, not found, suspended; no webhook; not authorized; free messages
        // used up, no balance.
        2 | 7 | 8 | 9 | 10 | 15 | 23 | 24 => Outcome::AccountStopped,
        // What is wrong with the message or its receiver: not registered (5), not subscribed (6), …
        1 | 3..=6 | 11 | 13 | 14 | 16..=22 => Outcome::Refused,
        _ => return None,
    })
}

fn of_http(status: u16, has_code: bool) -> Outcome {
    match status {
        429 => Outcome::RateLimited,
        403 if has_code => Outcome::Refused,
        401 | 403 => Outcome::AccountStopped,
        408 | 425 => Outcome::Retry,
        500.. => Outcome::of_server_failure(status, Outcome::Uncertain),
        400..=499 => Outcome::Refused,
        _ => Outcome::Retry,
    }
}

fn reason(body: Option<&Object>, outcome: Outcome, status: u16) -> String {
    if outcome == Outcome::AccountStopped {
        return format!("HTTP {status}: the account may not send until somebody acts");
    }
    match body.and_then(|body| body.string("status_message")) {
        Some(text) => without_secrets(&text),
        None => format!("HTTP {status} without an explanation"),
    }
}
