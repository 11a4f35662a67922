//! What the Graph API's answer to a send means, where it is the same on all of Meta's channels.
//!
//! 1. A code decides before the HTTP status does: Meta sends terminal codes under 5xx and throttles
//!    under 400. A channel's own codes come before the common ones.
//! 2. A wait is the longest that `Retry-After` or `X-Business-Use-Case-Usage` names.
//! 3. A 2xx counts as sent only with Meta's own marker: an id, or `success: true`. Without one it is
//!    [`Verdict::unrecognised`].
//! 4. The reason holds no token and no phone, which Meta quotes in its sentences.
//!
//! Codes and their meaning: Meta's Graph API error handling and rate limit references.

use chatly_channel::json::{Json, Object};
use chatly_channel::reason::without_secrets;
use chatly_channel::{Outcome, Response, Verdict};

/// What a channel knows of the answers to its own sends.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What the channel's own codes mean; the arguments are code and subcode.
    pub of_code: fn(u64, Option<u64>) -> Option<Outcome>,
    /// What the body of an accepted send says; none where it is no such body.
    pub accepted: fn(&Object) -> Option<Accepted>,
}

/// An accepted send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Accepted {
    /// The message's id; none of a read marker, typing and the like.
    pub message_id: Option<String>,
    /// What the platform adds.
    pub remark: Option<String>,
}

/// What an answer means.
pub fn classify(response: &Response, rules: &Rules) -> Verdict {
    let body = Json::parse(&response.body).and_then(Json::object);
    let is_2xx = (200..300).contains(&response.status);
    let error = body.as_ref().and_then(|body| body.object("error"));
    if is_2xx && error.as_ref().is_none_or(|it| it.get("code").is_none()) {
        return of_success(response.status, body.as_ref(), rules);
    }
    let number = |name: &str| error.as_ref().and_then(|error| error.get(name)?.integer());
    let (code, subcode) = (number("code"), number("error_subcode"));
    let is_transient = error
        .as_ref()
        .is_some_and(|error| error.is_true("is_transient"));
    let known = code.and_then(|code| (rules.of_code)(code, subcode).or_else(|| of_code(code)));
    let outcome = known.unwrap_or(if is_transient {
        Outcome::Retry
    } else {
        of_status(response.status, code.is_some())
    });
    let waits = matches!(
        outcome,
        Outcome::Retry | Outcome::RateLimited | Outcome::PairLimited
    );
    let subcode = subcode.map_or_else(String::new, |subcode| format!(" (subcode {subcode})"));
    Verdict {
        outcome,
        message_id: None,
        retry_after_ms: if waits {
            retry_after_ms(response)
        } else {
            None
        },
        code: code.map(|code| code.to_string()),
        reason: reason(error.as_ref(), outcome, response.status) + &subcode,
    }
}

/// A 2xx that names no error: of a message with its id, of a read marker without one.
fn of_success(status: u16, body: Option<&Object>, rules: &Rules) -> Verdict {
    let done = |body: &Object| body.is_true("success").then(Accepted::default);
    let accepted = body.and_then(|body| (rules.accepted)(body).or_else(|| done(body)));
    match accepted {
        Some(Accepted { message_id, remark }) => {
            let verdict = Verdict::sent(message_id);
            Verdict {
                reason: remark.unwrap_or(verdict.reason),
                ..verdict
            }
        }
        None => Verdict::unrecognised(status),
    }
}

/// The codes that mean the same on all channels. 80000 to 80014 are limits of business use cases.
fn of_code(code: u64) -> Option<Outcome> {
    Some(match code {
        4 | 17 | 32 | 613 | 80000..=80014 => Outcome::RateLimited,
        1 | 2 => Outcome::Retry,
        0 | 3 | 10 | 102 | 190 | 200..=299 | 368 => Outcome::AccountStopped,
        100 => Outcome::Refused,
        _ => return None,
    })
}

/// A 403 with a code that nobody knows is about this message: what stops an account is listed.
fn of_status(status: u16, has_code: bool) -> Outcome {
    match status {
        429 => Outcome::RateLimited,
        403 if has_code => Outcome::Refused,
        401 | 403 => Outcome::AccountStopped,
        408 | 425 => Outcome::Retry,
        // Meta calls its own 500s transient.
        500.. => Outcome::of_server_failure(status, Outcome::Retry),
        400..=499 => Outcome::Refused,
        // A redirect, or a 2xx that holds an error of a code that nobody knows.
        _ => Outcome::Retry,
    }
}

/// The longest wait that the headers name: `Retry-After` in seconds, Meta's usage in minutes.
fn retry_after_ms(response: &Response) -> Option<u64> {
    let minutes = response
        .header("x-business-use-case-usage")
        .and_then(minutes_to_regain_access);
    [
        response.retry_after_ms(),
        minutes.map(|it| it.saturating_mul(60_000)),
    ]
    .into_iter()
    .flatten()
    .max()
}

/// `{"<business>": [{"estimated_time_to_regain_access": 19, …}, …], …}`
fn minutes_to_regain_access(usage: &str) -> Option<u64> {
    let usage = Json::parse(usage.as_bytes())?.object()?;
    let uses = usage
        .values()
        .filter_map(Json::list)
        .flatten()
        .filter_map(Json::object);
    uses.filter_map(|it| it.get("estimated_time_to_regain_access")?.integer())
        .max()
        .filter(|minutes| *minutes > 0)
}

/// A sentence that is safe to store: Meta quotes malformed tokens and recipients in its own.
fn reason(error: Option<&Object>, outcome: Outcome, status: u16) -> String {
    let text = error
        .filter(|_| outcome != Outcome::AccountStopped)
        .and_then(|error| {
            let details = error
                .object("error_data")
                .and_then(|data| data.string("details"));
            details.or_else(|| error.string("message"))
        });
    match (text, outcome) {
        (Some(text), _) => without_secrets(&text),
        (None, Outcome::AccountStopped) => {
            format!("HTTP {status}: the account may not send until somebody acts")
        }
        (None, _) => format!("HTTP {status} without an explanation"),
    }
}
