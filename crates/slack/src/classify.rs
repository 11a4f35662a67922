//! What Slack's answer to a send means: HTTP 200 with `ok: true`, or with `ok: false` and a word, or 429
//! and 5xx.

use chatly_channel::json::{Json, Object};
use chatly_channel::reason::without_secrets;
use chatly_channel::{Outcome, Response, Verdict};

use crate::party::message_id;

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    let body = Json::parse(&response.body).and_then(Json::object);
    let ok = body.as_ref().is_some_and(|body| body.is_true("ok"));
    let is_2xx = (200..300).contains(&response.status);
    if is_2xx && ok {
        return Verdict::sent(body.as_ref().and_then(id));
    }
    let code = body.as_ref().and_then(|body| body.string("error"));
    let code = code.map(|code| without_secrets(&code));
    // The reaction is there already: a second try of the same request.
    if code.as_deref() == Some("already_reacted") {
        return Verdict::sent(None);
    }
    if is_2xx && code.is_none() {
        return Verdict::unrecognised(response.status);
    }
    let outcome = code
        .as_deref()
        .and_then(of_code)
        .unwrap_or_else(|| of_status(response.status, code.is_some()));
    let waits = matches!(outcome, Outcome::Retry | Outcome::RateLimited);
    Verdict {
        outcome,
        message_id: None,
        retry_after_ms: response.retry_after_ms().filter(|_| waits),
        reason: reason(body.as_ref(), code.as_deref(), response.status),
        code,
    }
}

fn id(body: &Object) -> Option<String> {
    Some(message_id(&body.id("channel")?, &body.id("ts")?))
}

/// By the error lists of `chat.postMessage` and `reactions.add`; none for all that only concerns
/// this message.
fn of_code(code: &str) -> Option<Outcome> {
    Some(match code {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => Outcome::RateLimited,
        // "It's possible some aspect of the operation succeeded before the error was raised."
        "internal_error" | "fatal_error" => Outcome::Uncertain,
        "service_unavailable" | "request_timeout" | "team_added_to_org" => Outcome::Retry,
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "no_permission"
        | "missing_scope"
        | "not_allowed_token_type"
        | "org_login_required"
        | "ekm_access_denied"
        | "access_denied"
        | "accesslimited"
        | "team_access_not_granted"
        | "two_factor_setup_required"
        | "enterprise_is_restricted"
        | "deprecated_endpoint"
        | "method_deprecated" => Outcome::AccountStopped,
        _ => return None,
    })
}

fn of_status(status: u16, has_code: bool) -> Outcome {
    match status {
        429 => Outcome::RateLimited,
        403 if has_code => Outcome::Refused,
        401 | 403 => Outcome::AccountStopped,
        408 | 425 => Outcome::Retry,
        500.. => Outcome::of_server_failure(status, Outcome::Uncertain),
        400..=499 => Outcome::Refused,
        _ if has_code => Outcome::Refused,
        _ => Outcome::Retry,
    }
}

/// The word, and what Slack says of the arguments.
fn reason(body: Option<&Object>, code: Option<&str>, status: u16) -> String {
    let metadata = body.and_then(|body| body.object("response_metadata"));
    let first = metadata.and_then(|it| it.list("messages").first()?.string());
    match (code, first) {
        (Some(code), Some(message)) => without_secrets(&format!("{code}: {message}")),
        (Some(code), None) => code.to_owned(),
        (None, _) => format!("HTTP {status} without an explanation"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatly_channel::Header;
    use proptest::prelude::*;

    fn answer(status: u16, body: &str) -> Verdict {
        classify(&Response {
            status,
            headers: vec![Header::new("Retry-After", "30")],
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn every_error_has_its_outcome() {
        for (outcome, codes) in [
            (
                Outcome::RateLimited,
                &["ratelimited", "rate_limited", "message_limit_exceeded"][..],
            ),
            (
                Outcome::Retry,
                &[
                    "service_unavailable",
                    "request_timeout",
                    "team_added_to_org",
                ],
            ),
            (Outcome::Uncertain, &["internal_error", "fatal_error"]),
            (
                Outcome::AccountStopped,
                &[
                    "invalid_auth",
                    "not_authed",
                    "account_inactive",
                    "token_revoked",
                    "token_expired",
                    "no_permission",
                    "missing_scope",
                    "not_allowed_token_type",
                    "org_login_required",
                    "ekm_access_denied",
                    "access_denied",
                    "accesslimited",
                    "team_access_not_granted",
                    "two_factor_setup_required",
                    "enterprise_is_restricted",
                    "deprecated_endpoint",
                    "method_deprecated",
                ],
            ),
            (
                Outcome::Refused,
                &[
                    "channel_not_found",
                    "not_in_channel",
                    "is_archived",
                    "msg_too_long",
                    "no_text",
                    "restricted_action",
                    "invalid_blocks",
                    "too_many_attachments",
                    "user_not_found",
                    "cannot_dm_bot",
                    "a_new_one",
                ],
            ),
            (Outcome::Sent, &["already_reacted"]),
        ] {
            for code in codes {
                let verdict = answer(200, &format!(r#"{{"ok":false,"error":"{code}"}}"#));
                assert_eq!(verdict.outcome, outcome, "{code}");
                let waits = matches!(outcome, Outcome::Retry | Outcome::RateLimited);
                assert_eq!(verdict.retry_after_ms, waits.then_some(30_000), "{code}");
            }
        }
    }

    #[test]
    fn without_a_word_the_status_decides() {
        for (status, body, want) in [
            (429, "", Outcome::RateLimited),
            (500, "<html>", Outcome::Uncertain),
            (502, "", Outcome::Uncertain),
            (504, "", Outcome::Uncertain),
            (403, r#"{"ok":false,"error":"a_new_one"}"#, Outcome::Refused),
            (403, "", Outcome::AccountStopped),
            (503, r#"{"ok":false,"error":"a_new_one"}"#, Outcome::Retry),
            (302, "", Outcome::Retry),
            (400, "", Outcome::Refused),
            (401, "", Outcome::AccountStopped),
        ] {
            assert_eq!(answer(status, body).outcome, want, "{status} {body}");
        }
    }

    #[test]
    fn a_success_that_is_not_slacks_is_not_sent_and_not_tried_again() {
        for body in [
            "",
            "{}",
            "[]",
            "<html>Sign in</html>",
            r#"{"ok":false}"#,
            r#"{"ok":"yes"}"#,
            r#"{"channel":"C1","ts":"1503435956.000247"}"#,
        ] {
            assert_eq!(answer(200, body), Verdict::unrecognised(200), "{body}");
        }
        assert_eq!(answer(200, r#"{"ok":true}"#), Verdict::sent(None));
    }

    #[test]
    fn a_sent_message_has_its_id_and_a_refusal_its_reason() {
        let verdict = answer(
            200,
            r#"{"ok":true,"channel":"C1","ts":"1503435956.000247","message":{}}"#,
        );
        assert_eq!(verdict.message_id.as_deref(), Some("C1:1503435956.000247"));
        let verdict = answer(
            200,
            r#"{"ok":false,"error":"invalid_arguments","response_metadata":{"messages":["[ERROR] bad xoxb-1234567890123-abcdef"]}}"#,
        );
        assert_eq!(verdict.reason, "invalid_arguments: [ERROR] bad …");
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
