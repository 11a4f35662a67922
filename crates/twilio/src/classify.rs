//! What Twilio's answer to a send means.
//!
//! A code decides before the HTTP status does; a 2xx counts as sent only with a `sid`. Codes and their meaning: Twilio's error and warning
//! dictionary.

use chatly_channel::json::{Json, Object};
use chatly_channel::reason::without_secrets;
use chatly_channel::{Outcome, Response, Verdict};

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    let body = Json::parse(&response.body).and_then(Json::object);
    let is_success = (200..300).contains(&response.status);
    // A refusal has its code under `code`, a message that failed at once under `error_code`.
    let field = if is_success { "error_code" } else { "code" };
    let code = body.as_ref().and_then(|body| body.get(field)?.integer());
    let code = code.filter(|code| *code != 0);
    if is_success && code.is_none() {
        return of_success(response.status, body.as_ref());
    }
    let outcome = code
        .and_then(of_code)
        .unwrap_or_else(|| of_status(response.status, code.is_some()));
    let waits = matches!(outcome, Outcome::Retry | Outcome::RateLimited);
    Verdict {
        outcome,
        message_id: None,
        retry_after_ms: response.retry_after_ms().filter(|_| waits),
        code: code.map(|code| code.to_string()),
        reason: reason(body.as_ref(), outcome, response.status),
    }
}

/// A message that was created has its `sid`; nothing else that we send to has one.
fn of_success(status: u16, body: Option<&Object>) -> Verdict {
    let Some((body, sid)) = body.and_then(|body| Some((body, body.id("sid")?))) else {
        return Verdict::unrecognised(status);
    };
    let verdict = Verdict::sent(Some(sid));
    let state = body.string("status").map(|state| without_secrets(&state));
    Verdict {
        reason: state.unwrap_or(verdict.reason),
        ..verdict
    }
}

fn of_code(code: u64) -> Option<Outcome> {
    Some(match code {
        // Calls at once, calls to Messages, a sender's full queue, WhatsApp's and the account's rates.
        20429 | 14107 | 21611 | 30001 | 63018 | 63038 | 63017 => Outcome::RateLimited,
        20500 | 20503 | 30008 | 63010 | 63012 => Outcome::Retry,
        63016 => Outcome::WindowClosed,
        // Credentials, a closed or suspended account, a sender that may not send, an empty purse.
        10001 | 20002 | 20003 | 20005 | 20006 | 20008 | 20010 | 30002 | 30034 | 63001 | 63002
        | 63020 | 63051 | 63112 | 90010 => Outcome::AccountStopped,
        20001
        | 20404
        | 20422
        | 21200..=21299
        | 21401..=21499
        | 21600..=21699
        | 30003..=30007
        | 30011
        | 30019
        | 63003..=63009
        | 63013..=63015
        | 63019
        | 63021..=63024
        | 63027
        | 63028
        | 63030..=63033
        | 63036
        | 63049 => Outcome::Refused,
        _ => return None,
    })
}

/// A 403 with a code that nobody knows is about this message.
fn of_status(status: u16, has_code: bool) -> Outcome {
    match status {
        429 => Outcome::RateLimited,
        403 if has_code => Outcome::Refused,
        401 | 403 => Outcome::AccountStopped,
        408 | 425 => Outcome::Retry,
        500.. => Outcome::of_server_failure(status, Outcome::Uncertain),
        400..=499 => Outcome::Refused,
        // A redirect, or a message that failed at once for a reason that nobody knows.
        200..=299 => Outcome::Refused,
        _ => Outcome::Retry,
    }
}

/// A sentence that is safe to store: Twilio quotes numbers and tokens in its own.
fn reason(body: Option<&Object>, outcome: Outcome, status: u16) -> String {
    if outcome == Outcome::AccountStopped {
        return format!("HTTP {status}: the account may not send until somebody acts");
    }
    let text = body.and_then(|body| {
        body.string("message")
            .or_else(|| body.string("error_message"))
    });
    match text {
        Some(text) => without_secrets(&text),
        None => format!("HTTP {status} without an explanation"),
    }
}
