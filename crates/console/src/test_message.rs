//! A message that an operator writes to try the app, as the delivery that WhatsApp would make of it.
//!
//! 1. It is signed with the app's current secret, so that it passes the same door as any other; no
//!    secret, no message.
//! 2. Text, name and phone are whatever a browser sent: they are bounded here, and are only ever
//!    content.

use chatly_respond::{Response, problem};
use chatly_simulator::{Delivery, whatsapp};
use http::StatusCode;
use serde::{Deserialize, Serialize};

/// The longest body that is read: the longest text in JSON's longest escapes, and some room.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// WhatsApp's own limit of a text body, in characters.
pub const MAX_TEXT_CHARS: usize = 4096;
/// More than any profile name has.
const MAX_NAME_CHARS: usize = 100;
/// E.164: at most 15 digits; 5 is shorter than any real number with its country.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// Why there is no test message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Test messages are switched off.
    #[error("test messages are switched off")]
    Off,
    /// There is no secret to sign with.
    #[error("no app secret is configured")]
    NoSecret,
    /// The body is not the JSON that is wanted.
    #[error("not a test message")]
    Malformed,
    /// The text is blank or too long.
    #[error("the text is blank or too long")]
    Text,
    /// The name is too long.
    #[error("the name is too long")]
    Name,
    /// The phone is not 5 to 15 digits.
    #[error("the phone is not 5 to 15 digits")]
    Phone,
    /// The webhook did not take it.
    #[error("the webhook did not take it")]
    NotTaken,
}

impl Error {
    /// A sentence for the operator.
    pub fn detail(self) -> &'static str {
        match self {
            Error::Off => {
                "Test messages are switched off: the variable console_test_messages is not \"on\"."
            }
            Error::NoSecret => {
                "There is nothing to sign with: the variable whatsapp_app_secret is blank."
            }
            Error::Malformed => {
                "Send JSON: {\"text\": \"…\", \"name\": \"…\", \"phone\": \"…\"}; only text is needed."
            }
            Error::Text => "The text must have 1 to 4096 characters.",
            Error::Name => "The name can have 100 characters at most.",
            Error::Phone => {
                "The phone must be 5 to 15 digits, with the country and without a plus."
            }
            Error::NotTaken => "The webhook did not take the message; the log says why.",
        }
    }

    /// The answer for the browser.
    pub fn response(self) -> Response {
        let (status, code) = match self {
            Error::Off => (StatusCode::FORBIDDEN, "test_messages_off"),
            Error::NoSecret => (StatusCode::SERVICE_UNAVAILABLE, "not_configured"),
            Error::Malformed | Error::Text | Error::Name | Error::Phone => {
                (StatusCode::BAD_REQUEST, "invalid_test_message")
            }
            Error::NotTaken => (StatusCode::BAD_GATEWAY, "not_taken"),
        };
        problem(status, code, self.detail())
    }
}

/// Whether a message can be sent, as the page asks it.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Readiness {
    /// Whether it can.
    pub available: bool,
    /// Why not.
    pub reason: Option<&'static str>,
}

/// What was sent.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Sent {
    /// The platform's id of the message.
    pub message_id: String,
}

/// The right to make test messages: switched on, and with a secret to sign with.
#[derive(Debug)]
pub struct Signer<'a> {
    secret: &'a str,
}

impl<'a> Signer<'a> {
    /// `switch` is on for `on` alone; `secrets` are separated by commas, the current one first.
    pub fn new(switch: &str, secrets: &'a str) -> Result<Self, Error> {
        if switch.trim() != "on" {
            return Err(Error::Off);
        }
        let secret = secrets
            .split(',')
            .map(str::trim)
            .find(|secret| !secret.is_empty());
        secret
            .map(|secret| Signer { secret })
            .ok_or(Error::NoSecret)
    }

    /// The signed delivery of the message that `body` describes. `seed` is any number not used
    /// before; `now` counts Unix seconds.
    pub fn delivery(&self, body: &[u8], seed: u64, now: u64) -> Result<(Sent, Delivery), Error> {
        let draft: Draft = serde_json::from_slice(body).map_err(|_| Error::Malformed)?;
        draft.check()?;
        let mut item = whatsapp::text(&draft.text).seed(seed).at(now);
        if let Some(name) = draft.name() {
            item = item.name(name);
        }
        if let Some(phone) = &draft.phone {
            item = item.from_phone(phone);
        }
        let sent = Sent {
            message_id: item.message_id(),
        };
        Ok((sent, item.signed_with(self.secret)))
    }
}

/// Whether and why not, from what [`Signer::new`] said.
impl From<Result<Signer<'_>, Error>> for Readiness {
    fn from(signer: Result<Signer<'_>, Error>) -> Self {
        Readiness {
            available: signer.is_ok(),
            reason: signer.err().map(Error::detail),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    text: String,
    name: Option<String>,
    phone: Option<String>,
}

impl Draft {
    fn name(&self) -> Option<&str> {
        self.name
            .as_deref()
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }

    fn check(&self) -> Result<(), Error> {
        if self.text.trim().is_empty() || self.text.chars().count() > MAX_TEXT_CHARS {
            return Err(Error::Text);
        }
        if self
            .name()
            .is_some_and(|name| name.chars().count() > MAX_NAME_CHARS)
        {
            return Err(Error::Name);
        }
        let is_phone = |phone: &String| {
            PHONE_DIGITS.contains(&phone.len()) && phone.bytes().all(|byte| byte.is_ascii_digit())
        };
        if self.phone.as_ref().is_some_and(|phone| !is_phone(phone)) {
            return Err(Error::Phone);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chatly_signature::{Encoding, sign};
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_on_and_with_a_secret() {
        for (name, switch, secrets, want) in [
            ("on", "on", "s", Ok("s")),
            ("the current one", " on ", " new , old", Ok("new")),
            ("a blank before it", "on", " ,old", Ok("old")),
            ("off", "off", "s", Err(Error::Off)),
            ("nothing", "", "s", Err(Error::Off)),
            ("another word", "ON", "s", Err(Error::Off)),
            ("no secret", "on", "", Err(Error::NoSecret)),
            ("blank secrets", "on", " , ", Err(Error::NoSecret)),
        ] {
            let signer = Signer::new(switch, secrets);
            assert_eq!(signer.map(|signer| signer.secret), want, "{name}");
        }
    }

    #[test]
    fn what_a_browser_sends_is_bounded() {
        let long = |count| "ä".repeat(count);
        for (name, body, want) in [
            ("a text", json!({"text": "Hi"}), Ok(())),
            ("the longest", json!({"text": long(4096)}), Ok(())),
            ("one more", json!({"text": long(4097)}), Err(Error::Text)),
            ("blank", json!({"text": " \n"}), Err(Error::Text)),
            ("no text", json!({"name": "A"}), Err(Error::Malformed)),
            ("a list", json!([]), Err(Error::Malformed)),
            (
                "something more",
                json!({"text": "Hi", "to": "x"}),
                Err(Error::Malformed),
            ),
            (
                "all",
                json!({"text": "Hi", "name": "Ana", "phone": "12345"}),
                Ok(()),
            ),
            (
                "nulls",
                json!({"text": "Hi", "name": null, "phone": null}),
                Ok(()),
            ),
            (
                "a long name",
                json!({"text": "Hi", "name": long(101)}),
                Err(Error::Name),
            ),
            (
                "a short phone",
                json!({"text": "Hi", "phone": "1234"}),
                Err(Error::Phone),
            ),
            (
                "a long phone",
                json!({"text": "Hi", "phone": "1234567890123456"}),
                Err(Error::Phone),
            ),
            (
                "a plus",
                json!({"text": "Hi", "phone": "+1234567"}),
                Err(Error::Phone),
            ),
        ] {
            let made = Signer { secret: "s" }.delivery(body.to_string().as_bytes(), 1, 2);
            assert_eq!(made.map(|_| ()), want, "{name}");
        }
    }

    #[test]
    fn it_is_what_whatsapp_would_send() {
        let body =
            json!({"text": "<img src=x>", "name": " Zoë ", "phone": "12025550143"}).to_string();
        let signer = Signer { secret: "s" };
        let (sent, delivery) = signer.delivery(body.as_bytes(), 7, 1_750_000_000).unwrap();
        let value: Value = serde_json::from_slice(&delivery.body).unwrap();
        let value = value.pointer("/entry/0/changes/0/value").unwrap();
        for (at, want) in [
            ("/messages/0/text/body", "<img src=x>"),
            ("/messages/0/id", &sent.message_id),
            ("/messages/0/from", "12025550143"),
            ("/messages/0/timestamp", "1750000000"),
            ("/contacts/0/profile/name", "Zoë"),
        ] {
            assert_eq!(
                value.pointer(at).and_then(Value::as_str),
                Some(want),
                "{at}"
            );
        }
        let signature = format!(
            "sha256={}",
            sign("s", &delivery.body, Encoding::Hex).unwrap()
        );
        assert!(
            delivery
                .headers
                .contains(&("x-hub-signature-256".to_owned(), signature))
        );
        let (other, _) = signer.delivery(body.as_bytes(), 8, 1_750_000_000).unwrap();
        assert_ne!(sent, other);
    }

    #[test]
    fn an_error_tells_the_operator_what_to_do_and_no_secret() {
        for (error, status) in [
            (Error::Off, 403),
            (Error::NoSecret, 503),
            (Error::Malformed, 400),
            (Error::Text, 400),
            (Error::Name, 400),
            (Error::Phone, 400),
            (Error::NotTaken, 502),
        ] {
            assert_eq!(error.response().status(), status, "{error}");
            let readiness = Readiness::from(Err(error));
            assert_eq!(
                (readiness.available, readiness.reason),
                (false, Some(error.detail()))
            );
        }
        let ready = Readiness::from(Signer::new("on", "s"));
        assert_eq!(
            ready,
            Readiness {
                available: true,
                reason: None
            }
        );
    }
}
