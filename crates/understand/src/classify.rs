//! What a status means. Sources: OpenAI's and Anthropic's pages on errors, RFC 9110 §10.2.3.
//!
//! | status | is |
//! |---|---|
//! | 2xx | an answer |
//! | 429 | too fast or over a quota; `retry-after-ms` and `Retry-After` say how long |
//! | 408, 409, 425, 5xx, 529 (Anthropic's "overloaded") | unavailable: may help to try again |
//! | 3xx | refused: no redirect is followed, it would carry the key elsewhere |
//! | other 4xx | refused |

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::call::Response;
use crate::error::{Error, message};

/// A wait that is longer is a day: nobody is asked to sleep for ever.
const MAX_WAIT_MS: u64 = 24 * 60 * 60 * 1000;

/// Whether `response` is an answer. `now` in Unix milliseconds, for waits that are given as a date.
/// The text of an error is the platform's own message, on one line and at most 200 characters; it
/// may repeat what was sent.
///
/// # Errors
/// See the table of this module.
pub fn classify(response: &Response, now: u64) -> Result<(), Error> {
    let said = |kind: fn(String) -> Error| {
        let message = platform_message(&response.body);
        let status = response.status;
        Err(kind(match message {
            Some(message) => format!("status {status}: {message}"),
            None => format!("status {status}"),
        }))
    };
    match response.status {
        200..=299 => Ok(()),
        429 => Err(Error::RateLimited {
            retry_after_ms: wait_ms(&response.headers, now),
        }),
        300..=399 => Err(Error::Refused(format!(
            "status {}: redirects are not followed",
            response.status
        ))),
        408 | 409 | 425 => said(Error::Unavailable),
        400..=499 => said(Error::Refused),
        _ => said(Error::Unavailable),
    }
}

/// The message of an error body: `error.message` (OpenAI, Anthropic, LiteLLM), `error` (Ollama),
/// `message`, `detail`.
pub(crate) fn platform_message(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error");
    let words = error
        .and_then(|error| error.get("message"))
        .or(error)
        .filter(|error| error.is_string())
        .or_else(|| body.get("message"))
        .or_else(|| body.get("detail"))?
        .as_str()?;
    Some(message(words)).filter(|message| !message.is_empty())
}

fn wait_ms(headers: &[(String, Vec<u8>)], now: u64) -> Option<u64> {
    let value = |name: &str| {
        headers
            .iter()
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| std::str::from_utf8(value).ok())
            .map(str::trim)
    };
    let number = |text: &str| {
        let number: f64 = text.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    };
    let wait = value("retry-after-ms").and_then(number).or_else(|| {
        let after = value("retry-after")?;
        number(after).map(|secs| secs * 1000.0).or_else(|| {
            let at = httpdate::parse_http_date(after).ok()?;
            let now = UNIX_EPOCH.checked_add(Duration::from_millis(now))?;
            let wait = at.duration_since(SystemTime::min(now, at)).ok()?;
            Some(wait.as_millis() as f64)
        })
    })?;
    // A cast of a float ends at the largest number.
    Some((wait.ceil() as u64).min(MAX_WAIT_MS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        Response {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn a_status_says_whether_trying_again_may_help() {
        let unavailable = |text: &str| Err(Error::Unavailable(text.to_owned()));
        let refused = |text: &str| Err(Error::Refused(text.to_owned()));
        for (status, body, want) in [
            (200, "", Ok(())),
            (299, "", Ok(())),
            (
                301,
                r#"{"error":"x"}"#,
                refused("status 301: redirects are not followed"),
            ),
            (
                400,
                r#"{"error":{"message":"bad model"}}"#,
                refused("status 400: bad model"),
            ),
            (401, "<html>secret</html>", refused("status 401")),
            (403, "", refused("status 403")),
            (
                404,
                r#"{"error":"model \"x\" not found"}"#,
                refused("status 404: model \"x\" not found"),
            ),
            (408, "", unavailable("status 408")),
            (
                413,
                r#"{"type":"error","error":{"type":"request_too_large","message":"too large"}}"#,
                refused("status 413: too large"),
            ),
            (
                422,
                r#"{"detail":[{"loc":["body"]}]}"#,
                refused("status 422"),
            ),
            (
                500,
                r#"{"message":"a\n\u001b[31mb"}"#,
                unavailable("status 500: a [31mb"),
            ),
            (
                529,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                unavailable("status 529: Overloaded"),
            ),
            (0, "", unavailable("status 0")),
        ] {
            assert_eq!(classify(&response(status, &[], body), 0), want, "{status}");
        }
    }

    #[test]
    fn a_rate_limit_says_how_long_in_all_spellings() {
        let now = 784_111_777_000;
        for (name, headers, want) in [
            ("none", &[][..], None),
            ("seconds", &[("Retry-After", "2")], Some(2_000)),
            ("fractions", &[("retry-after", "0.5")], Some(500)),
            (
                "date",
                &[("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT")],
                Some(3_000),
            ),
            (
                "a date that is over",
                &[("retry-after", "Sun, 06 Nov 1994 08:49:30 GMT")],
                Some(0),
            ),
            (
                "milliseconds go first",
                &[("retry-after", "2"), ("retry-after-ms", "1200")],
                Some(1_200),
            ),
            (
                "for ever",
                &[("retry-after", "99999999999999999999")],
                Some(MAX_WAIT_MS),
            ),
            ("negative", &[("retry-after", "-1")], None),
            ("no number", &[("retry-after", "NaN")], None),
            ("words", &[("retry-after", "soon")], None),
        ] {
            assert_eq!(
                classify(&response(429, headers, ""), now),
                Err(Error::RateLimited {
                    retry_after_ms: want
                }),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_classified_and_no_text_is_long(
            status in any::<u16>(), now in any::<u64>(), body in prop::collection::vec(any::<u8>(), 0..300),
            after in "\\PC{0,40}", words in ".{0,600}",
        ) {
            for body in [body, serde_json::json!({"error": {"message": words}}).to_string().into_bytes()] {
                let response = Response {
                    status, headers: vec![("retry-after".into(), after.clone().into_bytes())], body,
                };
                if let Err(Error::Unavailable(text) | Error::Refused(text)) = classify(&response, now) {
                    prop_assert!(text.chars().count() <= 240);
                    prop_assert!(!text.contains(char::is_control));
                }
            }
        }
    }
}
