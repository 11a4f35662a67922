//! What Telegram's answers mean.

use chatly_cases::answers::{any, classify, outcomes, short, unrecognised};
use chatly_cases::content::text;
use chatly_channel::{Outcome, Verdict};
use chatly_simulator::Mood;
use chatly_telegram::Telegram;
use proptest::prelude::*;

use crate::{BUSINESS, in_chat, telegram, to};

#[test]
fn each_mood_is_told_from_the_others() {
    let request = &telegram().render(&to(text("Hi"))).unwrap()[0];
    telegram().understands(
        request,
        [
            (Mood::Well, Outcome::Sent, None, None),
            (
                Mood::Throttled,
                Outcome::RateLimited,
                Some("429"),
                Some(14_000),
            ),
            (Mood::Failing, Outcome::Uncertain, Some("500"), None),
            (
                Mood::TokenExpired,
                Outcome::AccountStopped,
                Some("401"),
                None,
            ),
            (Mood::MediaExpired, Outcome::Refused, Some("400"), None),
            // Bots may write to those who started them at any time; businesses may not.
            (Mood::WindowClosed, Outcome::Sent, None, None),
        ],
    );
    let of_business = &telegram().render(&in_chat(BUSINESS, text("Hi"))).unwrap()[0];
    let closed = (Mood::WindowClosed, Outcome::WindowClosed, Some("400"), None);
    telegram().understands(of_business, [closed]);
}

#[test]
fn an_error_is_what_its_code_and_its_words_say() {
    let verdict = |status, body: &str| classify::<Telegram>(status, &[], body);
    let error = |code: u16, words: &str| {
        verdict(
            code,
            &format!(r#"{{"ok":false,"error_code":{code},"description":"{words}"}}"#),
        )
    };
    for (code, words, want) in [
        (
            403,
            "Forbidden: bot was blocked by the user",
            Outcome::Refused,
        ),
        (403, "Forbidden: user is deactivated", Outcome::Refused),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            Outcome::Refused,
        ),
        (400, "Bad Request: chat not found", Outcome::Refused),
        (
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            Outcome::Refused,
        ),
        (
            400,
            "Bad Request: BUSINESS_PEER_USAGE_MISSING",
            Outcome::WindowClosed,
        ),
        (
            400,
            "Bad Request: BUSINESS_CONNECTION_INVALID",
            Outcome::AccountStopped,
        ),
        (401, "Unauthorized", Outcome::AccountStopped),
        (404, "Not Found", Outcome::AccountStopped),
        (409, "Conflict", Outcome::Retry),
        (
            429,
            "Too Many Requests: retry after 3",
            Outcome::RateLimited,
        ),
        (500, "Internal Server Error", Outcome::Uncertain),
        (502, "Bad Gateway", Outcome::Uncertain),
        (503, "Service Unavailable", Outcome::Retry),
    ] {
        let given = error(code, words);
        assert_eq!(
            (given.outcome, given.code),
            (want, Some(code.to_string())),
            "{words}"
        );
    }
    outcomes::<Telegram>([
        (502, "<html>", Outcome::Uncertain),
        (200, r#"{"ok":false,"error_code":400}"#, Outcome::Refused),
    ]);
    unrecognised::<Telegram>(
        200,
        [
            "",
            "{}",
            "[]",
            "<html>Sign in</html>",
            r#"{"ok":false}"#,
            r#"{"ok":1}"#,
            r#"{"result":{"message_id":1,"chat":{"id":1}}}"#,
        ],
    );
    assert_eq!(
        verdict(200, r#"{"ok":true,"result":true}"#),
        Verdict::sent(None)
    );
    let told = error(
        400,
        "Bad Request: cannot write to 16505551234 by 110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    );
    assert_eq!(told.reason, "Bad Request: cannot write to … by …");
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, wait: Vec<u8>, words in "\\PC*") {
        any::<Telegram>(status, body, wait);
        let body = serde_json::json!({ "ok": false, "error_code": status, "description": words });
        short(&classify::<Telegram>(status, &[], &body.to_string()));
    }
}
