//! What the Messaging API's answer to a send means.
//!
//! LINE has no error codes of its own: the HTTP status decides, and for 429 the sentence. Source: the
//! reference, "Status codes" and "Error messages", and the page on retrying requests.

use chatly_channel::json::{Json, Object};
use chatly_channel::reason::without_secrets;
use chatly_channel::{Outcome, Response, Verdict};

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    let body = Json::parse(&response.body).and_then(Json::object);
    let said = body.as_ref().and_then(sentence).unwrap_or_default();
    let outcome = outcome(response.status, &said);
    let waits = matches!(outcome, Outcome::Retry | Outcome::RateLimited);
    Verdict {
        outcome,
        message_id: body
            .as_ref()
            .filter(|_| outcome == Outcome::Sent)
            .and_then(message_id),
        retry_after_ms: retry_after_ms(response).filter(|_| waits),
        code: (outcome != Outcome::Sent).then(|| response.status.to_string()),
        reason: reason(outcome, response.status, &said),
    }
}

fn outcome(status: u16, said: &str) -> Outcome {
    match status {
        // 409: an earlier request with this retry key was accepted.
        200..=299 | 409 => Outcome::Sent,
        // The month's messages are used up: no wait that we could name helps.
        429 if said.contains("monthly limit") => Outcome::AccountStopped,
        429 => Outcome::RateLimited,
        401 | 403 => Outcome::AccountStopped,
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

fn retry_after_ms(response: &Response) -> Option<u64> {
    let mut headers = response.headers.iter();
    let found = headers.find(|header| header.name.eq_ignore_ascii_case("retry-after"))?;
    let seconds: u64 = std::str::from_utf8(&found.value)
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(seconds.saturating_mul(1_000))
}

fn reason(outcome: Outcome, status: u16, said: &str) -> String {
    match outcome {
        Outcome::Sent if status == 409 => "accepted before".to_owned(),
        Outcome::Sent => "accepted".to_owned(),
        Outcome::AccountStopped if status == 429 => "the month's messages are used up".to_owned(),
        Outcome::AccountStopped => {
            format!("HTTP {status}: the account may not send until somebody acts")
        }
        _ if said.is_empty() => format!("HTTP {status} without an explanation"),
        _ => without_secrets(said),
    }
}
