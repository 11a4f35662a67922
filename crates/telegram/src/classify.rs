//! What the Bot API's answer to a send means.
//!
//! Errors carry the HTTP status as `error_code` and a sentence; the few that change what is to be done
//! are told by the sentence. A 2xx counts as sent only with `ok: true`. Source: the Bot API reference, "Making requests", and its errors.

use chatly_channel::json::{Json, Object};
use chatly_channel::reason::without_secrets;
use chatly_channel::{Outcome, Response, Verdict};

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    let body = Json::parse(&response.body).and_then(Json::object);
    let code = body
        .as_ref()
        .and_then(|body| body.get("error_code")?.integer());
    if (200..300).contains(&response.status) && code.is_none() {
        return match body.filter(|body| body.is_true("ok")) {
            Some(body) => Verdict::sent(message_id(&body)),
            None => Verdict::unrecognised(response.status),
        };
    }
    let code = code.unwrap_or(u64::from(response.status));
    let description = body
        .as_ref()
        .and_then(|body| body.string("description"))
        .unwrap_or_default();
    let outcome = outcome(code, &description);
    let waits = matches!(outcome, Outcome::RateLimited | Outcome::Retry);
    Verdict {
        outcome,
        message_id: None,
        retry_after_ms: body.as_ref().and_then(retry_after_ms).filter(|_| waits),
        code: Some(code.to_string()),
        reason: reason(outcome, code, &description),
    }
}

/// The sent message's id as the canonical events name it; none where the result is no message.
fn message_id(body: &Object) -> Option<String> {
    let result = body.object("result")?;
    let chat = crate::chat::Chat::of(&result)?;
    Some(chat.message(&result.id("message_id")?))
}

fn outcome(code: u64, description: &str) -> Outcome {
    let says = |words: &str| description.contains(words);
    match code {
        429 => Outcome::RateLimited,
        // 404 is what a token gets that is no bot's: all our methods exist.
        401 | 404 => Outcome::AccountStopped,
        // A business connection may only write to those who wrote in the last day.
        _ if says("BUSINESS_PEER_USAGE_MISSING") => Outcome::WindowClosed,
        _ if says("BUSINESS_CONNECTION_INVALID") => Outcome::AccountStopped,
        409 => Outcome::Retry,
        // Nothing is documented of what a failure left undone.
        500.. => u16::try_from(code).map_or(Outcome::Uncertain, |status| {
            Outcome::of_server_failure(status, Outcome::Uncertain)
        }),
        400..=499 => Outcome::Refused,
        _ => Outcome::Retry,
    }
}

fn retry_after_ms(body: &Object) -> Option<u64> {
    let seconds = body.object("parameters")?.get("retry_after")?.integer()?;
    Some(seconds.saturating_mul(1_000))
}

fn reason(outcome: Outcome, code: u64, description: &str) -> String {
    if outcome == Outcome::AccountStopped {
        return format!("error {code}: the bot may not send until somebody acts");
    }
    if description.is_empty() {
        return format!("error {code} without an explanation");
    }
    without_secrets(description)
}
