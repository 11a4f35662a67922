//! What the platform's answer to a send means: WhatsApp's own codes, by Meta's Cloud API error
//! reference. What all of Meta's channels share is in [`chatly_meta::graph`].

use chatly_channel::json::Object;
use chatly_channel::{Outcome, Response, Verdict};
use chatly_meta::graph::{self, Accepted, Rules};

/// What an answer means.
pub(crate) fn classify(response: &Response) -> Verdict {
    graph::classify(response, &Rules { of_code, accepted })
}

/// The id of the message, and whether it is held back.
fn accepted(body: &Object) -> Option<Accepted> {
    let message = body.list("messages").first()?.object()?;
    Some(Accepted {
        message_id: Some(message.id("id")?),
        remark: message.string("message_status"),
    })
}

fn of_code(code: u64, _subcode: Option<u64>) -> Option<Outcome> {
    Some(match code {
        130429 | 131048 | 131064 | 133016 => Outcome::RateLimited,
        // Too many to one number: the pair of the two is what is counted.
        131056 => Outcome::PairLimited,
        131000 | 131016 | 131053 | 131057 | 133004 => Outcome::Retry,
        131047 => Outcome::WindowClosed,
        // Policy, payment; a number whose registration failed, or that is not registered.
        131031 | 131042 | 131044 | 131045 | 133010 => Outcome::AccountStopped,
        // 130497: the customer's country, not the account.
        130472
        | 130497
        | 131008
        | 131009
        | 131021
        | 131026
        | 131030
        | 131049..=131052
        | 131062
        | 131063
        | 132000..=132016 => Outcome::Refused,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatly_channel::Header;
    use chatly_channel::reason::MAX_REASON_CHARS;
    use proptest::prelude::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
        let headers = headers
            .iter()
            .map(|(name, value)| Header::new(name, value))
            .collect();
        classify(&Response {
            status,
            headers,
            body: body.as_bytes().to_vec(),
        })
    }

    #[test]
    fn every_code_of_the_reference_has_its_outcome() {
        let template: Vec<u32> = (132000..=132016).collect();
        let permission: Vec<u32> = (200..=299).collect();
        for (outcome, codes) in [
            (
                Outcome::RateLimited,
                &[4u32, 80007, 130429, 131048, 131064, 133016][..],
            ),
            (Outcome::PairLimited, &[131056]),
            (Outcome::Refused, &template),
            (Outcome::AccountStopped, &permission),
            (
                Outcome::Retry,
                &[1, 2, 131000, 131016, 131053, 131057, 133004],
            ),
            (Outcome::WindowClosed, &[131047]),
            (
                Outcome::Refused,
                &[
                    100, 130472, 130497, 131008, 131009, 131021, 131026, 131030, 131049, 131050,
                    131051, 131062, 131063,
                ],
            ),
            (
                Outcome::AccountStopped,
                &[0, 3, 10, 190, 368, 131031, 131042, 131044, 131045, 133010],
            ),
        ] {
            for code in codes {
                for status in [400, 500] {
                    let body = format!(r#"{{"error":{{"message":"(#{code}) x","code":{code}}}}}"#);
                    let verdict = answer(status, &[], &body);
                    assert_eq!(
                        (verdict.outcome, verdict.code),
                        (outcome, Some(code.to_string())),
                        "{code}"
                    );
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
            (
                400,
                r#"{"error":{"code":999999,"is_transient":true}}"#,
                Outcome::Retry,
            ),
            (404, "", Outcome::Refused),
            (401, "", Outcome::AccountStopped),
            (403, "{}", Outcome::AccountStopped),
            (403, r#"{"error":{"code":999999}}"#, Outcome::Refused),
            (502, "<html>", Outcome::Uncertain),
            (504, "<html>", Outcome::Uncertain),
            (200, r#"{"error":{"code":131047}}"#, Outcome::WindowClosed),
        ] {
            assert_eq!(answer(status, &[], body).outcome, want, "{status} {body}");
        }
    }

    #[test]
    fn a_sent_message_has_its_id() {
        let body = r#"{"messaging_product":"whatsapp","contacts":[{"input":"1","wa_id":"1"}],"messages":[{"id":"wamid.A","message_status":"accepted"}]}"#;
        let verdict = answer(200, &[], body);
        assert_eq!(
            (verdict.outcome, verdict.message_id.as_deref()),
            (Outcome::Sent, Some("wamid.A"))
        );
        assert_eq!(
            answer(200, &[], r#"{"success":true}"#).outcome,
            Outcome::Sent
        );
    }

    #[test]
    fn a_success_that_is_not_metas_is_not_sent_and_not_tried_again() {
        for body in [
            "",
            "{}",
            "<html>Sign in to this network</html>",
            "[]",
            r#"{"messages":[]}"#,
            r#"{"messages":[{"id":""}]}"#,
            r#"{"contacts":[{"input":"1"}]}"#,
            r#"{"success":false}"#,
            r#"{"error":"please sign in"}"#,
            r#"{"error":{}}"#,
        ] {
            assert_eq!(answer(200, &[], body), Verdict::unrecognised(200), "{body}");
        }
    }

    #[test]
    fn the_longest_wait_counts_and_only_where_waiting_helps() {
        let usage = r#"{"1":[{"type":"whatsapp","estimated_time_to_regain_access":2},{"estimated_time_to_regain_access":"19"}]}"#;
        for (name, status, headers, want) in [
            ("none", 429, vec![], None),
            ("seconds", 429, vec![("Retry-After", "30")], Some(30_000)),
            (
                "a date",
                429,
                vec![("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")],
                None,
            ),
            (
                "minutes",
                429,
                vec![("X-Business-Use-Case-Usage", usage)],
                Some(19 * 60_000),
            ),
            (
                "both",
                429,
                vec![
                    ("retry-after", "3600"),
                    ("x-business-use-case-usage", usage),
                ],
                Some(3_600_000),
            ),
            (
                "no end",
                429,
                vec![("retry-after", "18446744073709551615")],
                Some(u64::MAX),
            ),
            (
                "zero minutes",
                500,
                vec![(
                    "x-business-use-case-usage",
                    r#"{"1":[{"estimated_time_to_regain_access":0}]}"#,
                )],
                None,
            ),
            ("refused", 400, vec![("retry-after", "30")], None),
        ] {
            assert_eq!(
                answer(status, &headers, "{}").retry_after_ms,
                want,
                "{name}"
            );
        }
    }

    #[test]
    fn a_reason_holds_no_token_and_no_phone() {
        for (body, want) in [
            (
                r#"{"error":{"code":190,"message":"Malformed access token EAAGm0PX4ZCpsBA"}}"#,
                "HTTP 400: the account may not send until somebody acts",
            ),
            (
                r#"{"error":{"code":131026,"message":"Message undeliverable","error_data":{"details":"Cannot reach +16505551234 now"}}}"#,
                "Cannot reach … now",
            ),
            (
                r#"{"error":{"code":100,"message":"bad EAAGm0PX4ZCpsBAabcdefghi token"}}"#,
                "bad … token",
            ),
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
            prop_assert!(verdict.reason.chars().count() <= MAX_REASON_CHARS + 40);
        }
    }
}
