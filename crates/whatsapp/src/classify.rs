//! What the platform's answer to a send means.
//!
//! A code decides before the HTTP status does: Meta sends terminal codes under 5xx and throttles
//! under 400. Codes and their meaning: Meta's Cloud API error reference.

use chatly_channel::json::{Json, Object};
use chatly_channel::{Outcome, Response, Verdict};

/// Most characters of a reason that are kept.
const MAX_REASON_CHARS: usize = 300;
/// From this length on, a word or a run of digits in a platform's sentence may be a token or a
/// phone number, and is left out.
const SECRET_CHARS: usize = 7;

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    let body = Json::parse(&response.body).and_then(Json::object);
    if (200..300).contains(&response.status) && body.as_ref().is_none_or(|body| body.get("error").is_none()) {
        return sent(body);
    }
    let error = body.and_then(|body| body.object("error"));
    let code = error.as_ref().and_then(|error| error.get("code")?.integer());
    let is_transient = error.as_ref().is_some_and(|error| error.is_true("is_transient"));
    let outcome = code
        .and_then(of_code)
        .unwrap_or(if is_transient { Outcome::Retry } else { of_status(response.status) });
    let waits = matches!(outcome, Outcome::Retry | Outcome::RateLimited);
    Verdict {
        outcome,
        message_id: None,
        retry_after_ms: if waits { retry_after_ms(response) } else { None },
        code: code.map(|code| code.to_string()),
        reason: reason(error.as_ref(), outcome, response.status),
    }
}

/// A 2xx: of a message with its id, of a read marker without one.
fn sent(body: Option<Object>) -> Verdict {
    let message = body.and_then(|body| body.list("messages").first().and_then(|message| message.object()));
    let held = message.as_ref().and_then(|message| message.string("message_status"));
    Verdict {
        outcome: Outcome::Sent,
        message_id: message.and_then(|message| message.id("id")),
        retry_after_ms: None,
        code: None,
        reason: held.unwrap_or_else(|| "accepted".to_owned()),
    }
}

fn of_code(code: u64) -> Option<Outcome> {
    Some(match code {
        4 | 80007 | 130429 | 131048 | 131056 | 131064 | 133016 => Outcome::RateLimited,
        1 | 2 | 131000 | 131016 | 131053 | 131057 | 133004 => Outcome::Retry,
        131047 => Outcome::WindowClosed,
        0 | 3 | 10 | 190 | 200..=299 | 368 | 130497 | 131031 | 131042 | 131044 => Outcome::AccountStopped,
        100 | 130472 | 131008 | 131009 | 131021 | 131026 | 131030 | 131049..=131052 | 131062 | 131063
        | 132000..=132016 => Outcome::Refused,
        _ => return None,
    })
}

fn of_status(status: u16) -> Outcome {
    match status {
        429 => Outcome::RateLimited,
        401 | 403 => Outcome::AccountStopped,
        408 | 425 | 500.. => Outcome::Retry,
        400..=499 => Outcome::Refused,
        // A redirect or a 2xx that holds an error: not what the platform documents.
        _ => Outcome::Retry,
    }
}

/// The longest wait that the headers name: `Retry-After` in seconds, Meta's usage in minutes.
fn retry_after_ms(response: &Response) -> Option<u64> {
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(&found.value).ok()
    };
    let seconds = header("retry-after").and_then(|value| value.trim().parse::<u64>().ok());
    let minutes = header("x-business-use-case-usage").and_then(minutes_to_regain_access);
    [seconds.map(|it| it.saturating_mul(1_000)), minutes.map(|it| it.saturating_mul(60_000))].into_iter().flatten().max()
}

/// `{"<business>": [{"estimated_time_to_regain_access": 19, …}, …], …}`
fn minutes_to_regain_access(usage: &str) -> Option<u64> {
    let usage = Json::parse(usage.as_bytes())?.object()?;
    let uses = usage.values().filter_map(Json::list).flatten().filter_map(Json::object);
    uses.filter_map(|it| it.get("estimated_time_to_regain_access")?.integer()).max().filter(|minutes| *minutes > 0)
}

/// A sentence that is safe to store: Meta quotes malformed tokens and recipients in its own.
fn reason(error: Option<&Object>, outcome: Outcome, status: u16) -> String {
    let text = error.filter(|_| outcome != Outcome::AccountStopped).and_then(|error| {
        let details = error.object("error_data").and_then(|data| data.string("details"));
        details.or_else(|| error.string("message"))
    });
    match (text, outcome) {
        (Some(text), _) => without_secrets(&text),
        (None, Outcome::AccountStopped) => format!("HTTP {status}: the account may not send until somebody acts"),
        (None, _) => format!("HTTP {status} without an explanation"),
    }
}

fn without_secrets(text: &str) -> String {
    let harmless = |word: &&str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let may_be_token = word.len() >= 20 && digits > 0;
        digits < SECRET_CHARS && !may_be_token && word.len() <= 60
    };
    let words: Vec<&str> = text.split_whitespace().map(|word| if harmless(&word) { word } else { "…" }).collect();
    words.join(" ").chars().take(MAX_REASON_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatly_channel::Header;
    use proptest::prelude::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
        let headers = headers.iter().map(|(name, value)| Header::new(name, value)).collect();
        classify(&Response { status, headers, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn every_code_of_the_reference_has_its_outcome() {
        for (outcome, codes) in [
            (Outcome::RateLimited, &[4u32, 80007, 130429, 131048, 131056, 131064, 133016][..]),
            (Outcome::Retry, &[1, 2, 131000, 131016, 131053, 131057, 133004]),
            (Outcome::WindowClosed, &[131047]),
            (Outcome::Refused, &[
                100, 130472, 131008, 131009, 131021, 131026, 131030, 131049, 131050, 131051, 131062, 131063, 132000,
                132001, 132005, 132007, 132012, 132015, 132016,
            ]),
            (Outcome::AccountStopped, &[0, 3, 10, 190, 200, 299, 368, 130497, 131031, 131042, 131044]),
        ] {
            for code in codes {
                for status in [400, 500] {
                    let body = format!(r#"{{"error":{{"message":"(#{code}) x","code":{code}}}}}"#);
                    let verdict = answer(status, &[], &body);
                    assert_eq!((verdict.outcome, verdict.code), (outcome, Some(code.to_string())), "{code}");
                }
            }
        }
    }

    #[test]
    fn an_unknown_code_is_judged_by_the_status() {
        for (status, body, want) in [
            (429, r#"{"error":{"code":999999}}"#, Outcome::RateLimited),
            (500, r#"{"error":{"code":999999}}"#, Outcome::Retry),
            (503, "<html>", Outcome::Retry),
            (408, "", Outcome::Retry),
            (302, "", Outcome::Retry),
            (400, r#"{"error":{"code":999999}}"#, Outcome::Refused),
            (400, r#"{"error":{"code":999999,"is_transient":true}}"#, Outcome::Retry),
            (404, "", Outcome::Refused),
            (401, "", Outcome::AccountStopped),
            (403, "{}", Outcome::AccountStopped),
            (200, r#"{"error":{"code":131047}}"#, Outcome::WindowClosed),
        ] {
            assert_eq!(answer(status, &[], body).outcome, want, "{status} {body}");
        }
    }

    #[test]
    fn a_sent_message_has_its_id() {
        let body = r#"{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":"wamid.A","message_status":"accepted"}]}"#;
        let verdict = answer(200, &[], body);
        assert_eq!((verdict.outcome, verdict.message_id.as_deref()), (Outcome::Sent, Some("wamid.A")));
        assert_eq!(answer(200, &[], r#"{"success":true}"#).outcome, Outcome::Sent);
        assert_eq!(answer(200, &[], "").message_id, None);
    }

    #[test]
    fn the_longest_wait_counts_and_only_where_waiting_helps() {
        let usage = r#"{"1":[{"type":"whatsapp","estimated_time_to_regain_access":2},{"estimated_time_to_regain_access":"19"}]}"#;
        for (name, status, headers, want) in [
            ("none", 429, vec![], None),
            ("seconds", 429, vec![("Retry-After", "30")], Some(30_000)),
            ("a date", 429, vec![("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")], None),
            ("minutes", 429, vec![("X-Business-Use-Case-Usage", usage)], Some(19 * 60_000)),
            ("both", 429, vec![("retry-after", "3600"), ("x-business-use-case-usage", usage)], Some(3_600_000)),
            ("no end", 429, vec![("retry-after", "18446744073709551615")], Some(u64::MAX)),
            ("zero minutes", 500, vec![("x-business-use-case-usage", r#"{"1":[{"estimated_time_to_regain_access":0}]}"#)], None),
            ("refused", 400, vec![("retry-after", "30")], None),
        ] {
            assert_eq!(answer(status, &headers, "{}").retry_after_ms, want, "{name}");
        }
    }

    #[test]
    fn a_reason_holds_no_token_and_no_phone() {
        for (body, want) in [
            (r#"{"error":{"code":190,"message":"Malformed access token EAAGm0PX4ZCpsBA"}}"#, "HTTP 400: the account may not send until somebody acts"),
            (r#"{"error":{"code":131026,"message":"Message undeliverable","error_data":{"details":"Cannot reach +16505551234 now"}}}"#, "Cannot reach … now"),
            (r#"{"error":{"code":100,"message":"bad EAAGm0PX4ZCpsBAabcdefghi token"}}"#, "bad … token"),
            ("", "HTTP 400 without an explanation"),
        ] {
            assert_eq!(answer(400, &[], body).reason, want);
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, value: Vec<u8>) {
            let headers = ["retry-after", "x-business-use-case-usage"].map(|name| Header { name: name.into(), value: value.clone() });
            let verdict = classify(&Response { status, headers: headers.to_vec(), body });
            prop_assert!(verdict.reason.chars().count() <= MAX_REASON_CHARS);
        }
    }
}
