//! What Discord's answer to a send means: a code decides before the HTTP status does.

use chatly_channel::json::{Json, Object};
use chatly_channel::reason::without_secrets;
use chatly_channel::{Outcome, Response, Verdict};

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    let body = Json::parse(&response.body).and_then(Json::object);
    if (200..300).contains(&response.status) {
        return of_success(response, body.as_ref());
    }
    let code = body.as_ref().and_then(|body| body.get("code")?.integer());
    let code = code.filter(|code| *code > 0);
    let outcome = code
        .and_then(of_code)
        .unwrap_or_else(|| of_status(response.status, body.as_ref()));
    let waits = matches!(
        outcome,
        Outcome::Retry | Outcome::RateLimited | Outcome::PairLimited
    );
    let message = body.as_ref().and_then(|body| body.string("message"));
    Verdict {
        outcome,
        message_id: None,
        retry_after_ms: retry_after_ms(response, body.as_ref()).filter(|_| waits),
        code: code.map(|code| code.to_string()),
        reason: match message {
            Some(message) => without_secrets(&message),
            None => format!("HTTP {} without an explanation", response.status),
        },
    }
}

/// A message is answered with itself, a reaction and typing with 204 and nothing. What has no id is
/// none of Discord's.
fn of_success(response: &Response, body: Option<&Object>) -> Verdict {
    let id = body.and_then(|body| body.id("id"));
    let is_done = response.status == 204 && response.body.is_empty();
    if id.is_some() || is_done {
        Verdict::sent(id)
    } else {
        Verdict::unrecognised(response.status)
    }
}

/// The body says it to the millisecond, the header in whole seconds: the longer one counts.
fn retry_after_ms(response: &Response, body: Option<&Object>) -> Option<u64> {
    let seconds = body.and_then(|body| body.get("retry_after")?.number());
    let of_body = seconds
        .filter(|seconds| *seconds >= 0.0)
        .map(|seconds| (seconds * 1000.0).ceil() as u64);
    of_body.max(response.retry_after_ms())
}

/// By "JSON error codes" of Discord's reference.
fn of_code(code: u64) -> Option<Outcome> {
    Some(match code {
        // Slow mode, and the write limit of a channel.
        20016 | 20028 => Outcome::PairLimited,
        // Announcements, and the write limit of a server.
        20022 | 20029 => Outcome::RateLimited,
        // Sending is switched off for a while; overloaded.
        40004 | 130_000 => Outcome::Retry,
        // An interaction's token is good for 15 minutes, then its webhook is gone.
        10015 | 10062 | 50027 => Outcome::WindowClosed,
        // Unknown application, unauthorized, not verified, invalid token given.
        10002 | 40001 | 40002 | 50014 | 50025 => Outcome::AccountStopped,
        // Of one channel, person or message: others are not concerned.
        10003 | 10008 | 10013 | 10014 | 30010 | 50001 | 50006..=50009 | 50013 | 50035 | 90001 => {
            Outcome::Refused
        }
        _ => return None,
    })
}

/// A limit that is not global is of the route with the channel in it ("Rate limits" of the reference:
/// `channel_id` is a major parameter), so other channels are not concerned.
fn of_status(status: u16, body: Option<&Object>) -> Outcome {
    let is_local = body.is_some_and(|body| body.is_false("global"));
    match status {
        429 if is_local => Outcome::PairLimited,
        429 => Outcome::RateLimited,
        401 => Outcome::AccountStopped,
        408 | 425 => Outcome::Retry,
        500.. => Outcome::of_server_failure(status, Outcome::Uncertain),
        400..=499 => Outcome::Refused,
        _ => Outcome::Retry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatly_channel::Header;
    use proptest::prelude::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
        let headers = headers.iter().map(|(name, value)| Header::new(name, value));
        classify(&Response {
            status,
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn a_code_decides_before_the_status() {
        for (status, code, want) in [
            (400, 20016, Outcome::PairLimited),
            (400, 20022, Outcome::RateLimited),
            (403, 20028, Outcome::PairLimited),
            (403, 20029, Outcome::RateLimited),
            (400, 130_000, Outcome::Retry),
            (403, 40004, Outcome::Retry),
            (404, 10015, Outcome::WindowClosed),
            (404, 10062, Outcome::WindowClosed),
            (401, 50027, Outcome::WindowClosed),
            (401, 40001, Outcome::AccountStopped),
            (403, 40002, Outcome::AccountStopped),
            (401, 50014, Outcome::AccountStopped),
            (404, 10002, Outcome::AccountStopped),
            (401, 50025, Outcome::AccountStopped),
            (404, 10003, Outcome::Refused),
            (401, 10008, Outcome::Refused),
            (401, 10013, Outcome::Refused),
            (401, 10014, Outcome::Refused),
            (401, 30010, Outcome::Refused),
            (401, 50008, Outcome::Refused),
            (401, 50009, Outcome::Refused),
            (401, 90001, Outcome::Refused),
            (403, 50001, Outcome::Refused),
            (400, 50006, Outcome::Refused),
            (403, 50007, Outcome::Refused),
            (403, 50013, Outcome::Refused),
            (400, 50035, Outcome::Refused),
            (401, 0, Outcome::AccountStopped),
            (403, 999_999, Outcome::Refused),
            (429, 999_999, Outcome::RateLimited),
            (500, 999_999, Outcome::Uncertain),
        ] {
            let body = format!(r#"{{"message":"x","code":{code}}}"#);
            assert_eq!(answer(status, &[], &body).outcome, want, "{status} {code}");
        }
        for (status, want) in [
            (502, Outcome::Uncertain),
            (503, Outcome::Retry),
            (504, Outcome::Uncertain),
            (404, Outcome::Refused),
            (302, Outcome::Retry),
        ] {
            assert_eq!(answer(status, &[], "<html>").outcome, want, "{status}");
        }
    }

    #[test]
    fn a_limit_that_is_not_global_is_of_one_channel() {
        for (body, want) in [
            (r#"{"global":false}"#, Outcome::PairLimited),
            (r#"{"global":true}"#, Outcome::RateLimited),
            (r#"{"global":"false"}"#, Outcome::RateLimited),
            ("{}", Outcome::RateLimited),
            ("", Outcome::RateLimited),
        ] {
            assert_eq!(answer(429, &[], body).outcome, want, "{body}");
        }
    }

    #[test]
    fn the_longer_wait_counts() {
        for (name, headers, body, want) in [
            ("body", vec![], r#"{"retry_after":64.571}"#, Some(64_571)),
            ("header", vec![("Retry-After", "65")], "", Some(65_000)),
            (
                "both",
                vec![("Retry-After", "1")],
                r#"{"retry_after":1.337}"#,
                Some(1_337),
            ),
            ("none", vec![], "{}", None),
            ("backwards", vec![], r#"{"retry_after":-1}"#, None),
        ] {
            assert_eq!(answer(429, &headers, body).retry_after_ms, want, "{name}");
        }
    }

    #[test]
    fn a_sent_message_has_its_id_and_a_reason_no_token() {
        let verdict = answer(200, &[], r#"{"id":"1162234567890123456","content":"a"}"#);
        assert_eq!(verdict.message_id.as_deref(), Some("1162234567890123456"));
        assert_eq!(answer(204, &[], ""), Verdict::sent(None));
        let verdict = answer(
            400,
            &[],
            r#"{"code":50035,"message":"bad aW50ZXJhY3Rpb246MTE2MjIzNDU2Nzg5MA here"}"#,
        );
        assert_eq!(verdict.reason, "bad … here");
    }

    #[test]
    fn a_success_that_is_not_discords_is_not_sent_and_not_tried_again() {
        for (status, body) in [
            (200, ""),
            (200, "{}"),
            (200, "[]"),
            (200, "<html>Sign in</html>"),
            (200, r#"{"id":""}"#),
            (202, ""),
            (204, "<html>"),
        ] {
            let verdict = answer(status, &[], body);
            assert_eq!(verdict, Verdict::unrecognised(status), "{status} {body}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, value: Vec<u8>) {
            let headers = vec![Header { name: "retry-after".into(), value }];
            let verdict = classify(&Response { status, headers, body });
            prop_assert!(verdict.reason.chars().count() <= chatly_channel::reason::MAX_REASON_CHARS);
        }
    }
}
