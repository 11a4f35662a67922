//! What Twilio's answers mean, and what its webhooks are answered.

use chatly_cases::answers::{any, classify, outcomes, unrecognised};
use chatly_cases::content::text;
use chatly_channel::outbound::Outcome;
use chatly_channel::{Channel as _, Delivery, Header};
use chatly_simulator::Mood;
use chatly_twilio::Twilio;
use proptest::prelude::*;

use crate::{in_chat, twilio};

#[test]
fn a_webhook_is_answered_with_empty_twiml() {
    let reply = Twilio::acknowledge(&Delivery::default());
    assert_eq!(
        (reply.status, reply.body.as_slice()),
        (200, &b"<Response/>"[..])
    );
    let headers = [
        Header::new("content-type", "text/xml"),
        Header::new("content-length", "11"),
    ];
    assert_eq!(reply.headers, headers);
    let get = Delivery {
        method: "GET".into(),
        ..Delivery::default()
    };
    assert_eq!(
        Twilio::handshake(&get, &["a".into()], &["b".into()], 0),
        None
    );
}

#[test]
fn a_mood_of_the_platform_is_understood() {
    let request = &twilio("AC1").render(&in_chat(text("Hi"))).unwrap()[0];
    twilio("AC1").understands(
        request,
        [
            (Mood::Well, Outcome::Sent, None, None),
            (Mood::Throttled, Outcome::RateLimited, Some("20429"), None),
            (Mood::Failing, Outcome::Retry, Some("20500"), None),
            (
                Mood::WindowClosed,
                Outcome::WindowClosed,
                Some("63016"),
                None,
            ),
            (
                Mood::TokenExpired,
                Outcome::AccountStopped,
                Some("20003"),
                None,
            ),
            (Mood::MediaExpired, Outcome::Refused, Some("21620"), None),
        ],
    );
}

#[test]
fn a_code_decides_before_the_status() {
    for (outcome, codes) in [
        (
            Outcome::RateLimited,
            &[20429, 14107, 21611, 30001, 63017, 63018, 63038][..],
        ),
        (Outcome::Retry, &[20500, 20503, 30008, 63010, 63012]),
        (Outcome::WindowClosed, &[63016]),
        (
            Outcome::Refused,
            &[
                20001, 20404, 20422, 21200, 21299, 21401, 21499, 21600, 21699, 30011, 30019, 63009,
                63013, 63015, 63019, 63021, 63027, 63028, 63030, 63033, 63036, 63049, 21211, 21408,
                21602, 21603, 21604, 21606, 21608, 21610, 21612, 21614, 21617, 21620, 30003, 30004,
                30005, 30006, 30007, 63003, 63007, 63024,
            ],
        ),
        (
            Outcome::AccountStopped,
            &[
                10001, 20002, 20003, 20005, 20006, 20008, 20010, 30002, 30034, 63001, 63002, 63020,
                63051, 63112, 90010,
            ],
        ),
    ] {
        for code in codes {
            for status in [400, 500] {
                let body =
                    format!(r#"{{"code":{code},"message":"x","more_info":"y","status":{status}}}"#);
                let verdict = classify::<Twilio>(status, &[], &body);
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
fn an_unknown_answer_is_judged_by_its_status() {
    outcomes::<Twilio>([
        (
            201,
            r#"{"sid":"SM1","status":"queued","error_code":null}"#,
            Outcome::Sent,
        ),
        (
            201,
            r#"{"sid":"SM1","status":"failed","error_code":21610}"#,
            Outcome::Refused,
        ),
        (
            201,
            r#"{"sid":"SM1","status":"failed","error_code":999999}"#,
            Outcome::Refused,
        ),
        (429, "Too Many Requests", Outcome::RateLimited),
        (500, r#"{"code":999999}"#, Outcome::Uncertain),
        (502, "<html>", Outcome::Uncertain),
        (504, "<html>", Outcome::Uncertain),
        (503, "<html>", Outcome::Retry),
        (408, "", Outcome::Retry),
        (302, "", Outcome::Retry),
        (400, r#"{"code":999999}"#, Outcome::Refused),
        (404, "", Outcome::Refused),
        (401, "", Outcome::AccountStopped),
        (403, "{}", Outcome::AccountStopped),
        (403, r#"{"code":999999}"#, Outcome::Refused),
    ]);
    unrecognised::<Twilio>(
        201,
        [
            "",
            "{}",
            "[]",
            "<html>Sign in</html>",
            r#"{"sid":""}"#,
            r#"{"status":"queued"}"#,
        ],
    );
    let wait = classify::<Twilio>(429, &[("Retry-After", "2")], "");
    assert_eq!(wait.retry_after_ms, Some(2_000));
    assert_eq!(
        classify::<Twilio>(400, &[("Retry-After", "2")], "").retry_after_ms,
        None
    );
}

#[test]
fn a_reason_holds_no_token_and_no_phone() {
    for (status, body, want) in [
        (
            400,
            r#"{"code":21211,"message":"Invalid 'To' Phone Number: +16505551234"}"#,
            "Invalid 'To' Phone Number: …",
        ),
        (
            401,
            r#"{"code":20003,"message":"Authenticate AC0123456789abcdef0123456789abcdef"}"#,
            "HTTP 401: the account may not send until somebody acts",
        ),
        (404, "", "HTTP 404 without an explanation"),
    ] {
        assert_eq!(classify::<Twilio>(status, &[], body).reason, want);
    }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, wait: Vec<u8>) {
        any::<Twilio>(status, body, wait);
    }
}
