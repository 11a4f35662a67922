//! What the Messaging API's answer to a send means.
//!
//! LINE has no error codes of its own: the HTTP status decides, and for 429 the sentence. Source: the
//! reference, "Status codes", "Response headers" and "Error messages", and the page on retrying requests.

use chatly_channel::json::{Json, Object};
use chatly_channel::reason::without_secrets;
use chatly_channel::{Outcome, Response, Verdict};

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    let body = Json::parse(&response.body).and_then(Json::object);
    let said = body.as_ref().and_then(sentence).unwrap_or_default();
    if matches!(response.status, 200..=299 | 409)
        && let Some(verdict) = accepted(response, body.as_ref())
    {
        return verdict;
    }
    if (200..300).contains(&response.status) {
        return Verdict::unrecognised(response.status);
    }
    let outcome = outcome(response.status, &said);
    let waits = matches!(outcome, Outcome::Retry | Outcome::RateLimited);
    Verdict {
        outcome,
        message_id: None,
        retry_after_ms: response.retry_after_ms().filter(|_| waits),
        code: Some(response.status.to_string()),
        reason: reason(outcome, response.status, &said),
    }
}

/// What LINE says of a request that it has accepted: now, or (409) an earlier one with this retry
/// key. A push has the ids of its messages, a loading animation an empty object and LINE's id of the
/// request. None where the answer has neither, and so is another's.
fn accepted(response: &Response, body: Option<&Object>) -> Option<Verdict> {
    let message_id = body.and_then(message_id);
    let name = match response.status {
        409 => "x-line-accepted-request-id",
        _ => "x-line-request-id",
    };
    let has_request_id = response.header(name).is_some_and(|id| !id.is_empty());
    if message_id.is_none() && (body.is_none() || !has_request_id) {
        return None;
    }
    let verdict = Verdict::sent(message_id);
    Some(match response.status {
        409 => Verdict {
            reason: "accepted before".to_owned(),
            ..verdict
        },
        _ => verdict,
    })
}

fn outcome(status: u16, said: &str) -> Outcome {
    match status {
        // The month's messages are used up: no wait that we could name helps.
        429 if said.contains("monthly limit") => Outcome::AccountStopped,
        429 => Outcome::RateLimited,
        401 | 403 => Outcome::AccountStopped,
        // Also a gateway's failure: by the retry key LINE knows a second request.
        408 | 425 | 500.. => Outcome::Retry,
        400..=499 => Outcome::Refused,
        _ => Outcome::Retry,
    }
}

/// The id of the first message of a push.
fn message_id(body: &Object) -> Option<String> {
    body.list("sentMessages").first()?.object()?.id("id")
}

/// The error's sentence, and what it says of single fields.
fn sentence(body: &Object) -> Option<String> {
    let message = body.string("message")?;
    let details = body.list("details").into_iter().filter_map(Json::object);
    let details: Vec<String> = details
        .filter_map(|detail| {
            let message = detail.string("message")?;
            Some(match detail.string("property") {
                Some(property) => format!("{property}: {message}"),
                None => message,
            })
        })
        .collect();
    if details.is_empty() {
        return Some(message);
    }
    Some(format!("{message} ({})", details.join("; ")))
}

fn reason(outcome: Outcome, status: u16, said: &str) -> String {
    match outcome {
        Outcome::AccountStopped if status == 429 => "the month's messages are used up".to_owned(),
        Outcome::AccountStopped => {
            format!("HTTP {status}: the account may not send until somebody acts")
        }
        _ if said.is_empty() => format!("HTTP {status} without an explanation"),
        _ => without_secrets(said),
    }
}
