//! What a receiver's answer means, by the specification's "Operational considerations": 2xx is good,
//! 410 ends the subscription, all else may be tried again where waiting can help. There is no marker of
//! success besides the 2xx: the specification asks for no body.

use chatly_channel::{Outcome, Response, Verdict};

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    let (outcome, reason) = match response.status {
        200..=299 => (Outcome::Sent, "accepted"),
        410 => (Outcome::AccountStopped, "the endpoint is gone"),
        401 | 403 => (Outcome::AccountStopped, "the endpoint does not trust us"),
        429 => (Outcome::RateLimited, "too many requests"),
        // Also a gateway's failure: by the `webhook-id` a receiver knows a second request.
        408 | 425 | 500.. => (Outcome::Retry, "the endpoint failed"),
        400..=499 => (Outcome::Refused, "the endpoint refused it"),
        _ => (Outcome::Retry, "neither taken nor refused"),
    };
    let waits = matches!(outcome, Outcome::Retry | Outcome::RateLimited);
    Verdict {
        outcome,
        message_id: None,
        retry_after_ms: response.retry_after_ms().filter(|_| waits),
        code: None,
        reason: format!("HTTP {}: {reason}", response.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatly_channel::Header;

    #[test]
    fn a_status_says_it_all() {
        for (status, want, wait) in [
            (200, Outcome::Sent, None),
            (204, Outcome::Sent, None),
            (302, Outcome::Retry, Some(7_000)),
            (400, Outcome::Refused, None),
            (401, Outcome::AccountStopped, None),
            (410, Outcome::AccountStopped, None),
            (429, Outcome::RateLimited, Some(7_000)),
            (500, Outcome::Retry, Some(7_000)),
            (503, Outcome::Retry, Some(7_000)),
        ] {
            let verdict = classify(&Response {
                status,
                headers: vec![Header::new("Retry-After", "7")],
                body: b"whatever".to_vec(),
            });
            assert_eq!(
                (verdict.outcome, verdict.retry_after_ms),
                (want, wait),
                "{status}"
            );
        }
    }
}
