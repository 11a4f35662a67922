//! The send API: what Twilio's reference demands of `POST …/Messages.json`.

use chatly_channel::form;
use serde_json::{Value, json};

use crate::platform::{Answer, Mood, Sent};
use crate::sample::Sample;

/// Most characters of a `Body`.
const MAX_BODY_CHARS: usize = 1600;

pub(super) fn answer(sent: &Sent, mood: Mood, seed: u64) -> Answer {
    match mood {
        Mood::Throttled => error(429, 20429, "Too Many Requests"),
        Mood::Failing => error(500, 20500, "An internal server error has occurred"),
        Mood::WindowClosed => error(
            400,
            63016,
            "Failed to send freeform message because you are outside the allowed window",
        ),
        Mood::TokenExpired => error(401, 20003, "Authenticate"),
        Mood::MediaExpired => error(400, 21620, "Invalid media URL(s)"),
        Mood::Well => accept(sent, seed),
    }
}

fn error(status: u16, code: u32, message: &str) -> Answer {
    let more_info = format!("https://www.twilio.com/docs/errors/{code}");
    Answer::json(
        status,
        &json!({ "code": code, "message": message, "more_info": more_info, "status": status }),
    )
}

fn accept(sent: &Sent, seed: u64) -> Answer {
    let path = sent
        .path
        .split_once('?')
        .map_or(sent.path.as_str(), |it| it.0);
    let account = path
        .strip_suffix("/Messages.json")
        .and_then(|it| it.rsplit_once("/2010-04-01/Accounts/"))
        .map(|(_, account)| account);
    let Some(account) = account.filter(|it| !it.is_empty() && !it.contains('/')) else {
        return error(404, 20404, "The requested resource was not found");
    };
    if sent.method != "POST" {
        return error(405, 20004, "Method not allowed");
    }
    if !sent
        .header("authorization")
        .is_some_and(|it| it.starts_with("Basic "))
    {
        return error(401, 20003, "Authenticate");
    }
    let is_form = sent
        .header("content-type")
        .is_some_and(|it| it.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return error(415, 20015, "Unsupported media type");
    }
    let pairs: Vec<(String, String)> = form::pairs(&sent.body)
        .into_iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect();
    let field = |name: &str| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|it| !it.is_empty())
    };
    let Some(to) = field("To") else {
        return error(400, 21604, "A 'To' phone number is required");
    };
    if !is_address(to) {
        return error(400, 21211, "Invalid 'To' Phone Number");
    }
    let Some(from) = field("From").or(field("MessagingServiceSid")) else {
        return error(400, 21603, "A 'From' phone number is required");
    };
    let is_whatsapp = |address: &str| address.starts_with("whatsapp:");
    if !from.starts_with("MG") && is_whatsapp(from) != is_whatsapp(to) {
        return error(
            400,
            63007,
            "Twilio could not find a Channel with the specified From address",
        );
    }
    let content = field("Body").or(field("MediaUrl")).or(field("ContentSid"));
    if content.is_none() {
        return error(
            400,
            21619,
            "A text message body or media urls must be specified",
        );
    }
    if field("Body").is_some_and(|it| it.chars().count() > MAX_BODY_CHARS) {
        return error(
            400,
            21617,
            "The concatenated message body exceeds the 1600 character limit",
        );
    }
    let is_object = |it: &str| serde_json::from_str::<Value>(it).is_ok_and(|it| it.is_object());
    if field("ContentVariables").is_some_and(|it| !is_object(it)) {
        return error(400, 21656, "The Content Variables parameter is invalid");
    }
    let prefix = if field("MediaUrl").is_some() {
        "MM"
    } else {
        "SM"
    };
    let hex = chatly_signature::hex(&Sample::new(seed).bytes::<16>());
    Answer::json(
        201,
        &json!({ "account_sid": account, "api_version": "2010-04-01", "body": field("Body"),
            "direction": "outbound-api", "error_code": null, "error_message": null, "from": from,
            "sid": format!("{prefix}{hex}"), "status": "queued", "to": to }),
    )
}

/// `+` and digits, a short code, or an address of another service.
fn is_address(to: &str) -> bool {
    let (service, id) = to.split_once(':').unwrap_or(("", to));
    let digits = id.strip_prefix('+').unwrap_or(id);
    let is_phone = (3..=15).contains(&digits.len()) && digits.bytes().all(|it| it.is_ascii_digit());
    match service {
        "" => is_phone,
        _ => !id.is_empty(),
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
