//! The send API: what Viber's reference demands of `POST /pa/send_message`. It tells of errors
//! under HTTP 200.

use serde_json::{Value, json};

use crate::platform::{Answer, Mood, Sent};
use crate::sample::Sample;

/// Most bytes of a request.
const MAX_REQUEST_BYTES: usize = 30_000;

pub(super) fn answer(sent: &Sent, mood: Mood, seed: u64) -> Answer {
    match mood {
        Mood::Throttled => status(12, "tooManyRequests"),
        Mood::Failing => Answer {
            status: 500,
            headers: vec![("content-type".to_owned(), "text/html".to_owned())],
            body: b"<html>Internal Server Error</html>".to_vec(),
        },
        Mood::TokenExpired => status(2, "invalidAuthToken"),
        Mood::MediaExpired => status(3, "badData"),
        // Viber has no time after which one may not write.
        Mood::Well | Mood::WindowClosed => accept(sent, seed),
    }
}

fn status(code: u32, message: &str) -> Answer {
    Answer::json(
        200,
        &json!({ "status": code, "status_message": message, "chat_hostname": "SN-CHAT-05_" }),
    )
}

fn accept(sent: &Sent, seed: u64) -> Answer {
    if sent.method != "POST" || !sent.path.ends_with("/pa/send_message") {
        return Answer::json(404, &json!({ "status": 3, "status_message": "badData" }));
    }
    if sent
        .header("x-viber-auth-token")
        .is_none_or(|token| token.trim().is_empty())
    {
        return status(2, "missing_auth_token");
    }
    let Ok(body) = serde_json::from_slice::<Value>(&sent.body) else {
        return status(3, "badData");
    };
    if sent.body.len() > MAX_REQUEST_BYTES {
        return status(3, "badData");
    }
    let name = body.pointer("/sender/name").and_then(Value::as_str);
    let is_named = name.is_some_and(|name| (1..=28).contains(&name.chars().count()));
    if !is_named || !has(&body, "/receiver", 1000) {
        return status(4, "missingData");
    }
    if !is_whole(&body) {
        return status(3, "badData");
    }
    let token: u64 = Sample::new(seed).digits(18).parse().unwrap_or_default();
    Answer::json(
        200,
        &json!({ "status": 0, "status_message": "ok", "message_token": token,
            "chat_hostname": "SN-CHAT-05_", "billing_status": 1 }),
    )
}

/// Whether a body has what its type demands.
fn is_whole(body: &Value) -> bool {
    let version = body.get("min_api_version").and_then(Value::as_u64);
    let buttons = body.pointer("/keyboard/Buttons").and_then(Value::as_array);
    let keyboard_is_whole = body.get("keyboard").is_none()
        || buttons.is_some_and(|buttons| {
            version >= Some(6)
                && (1..=12).contains(&buttons.len())
                && buttons
                    .iter()
                    .all(|button| has(button, "/ActionBody", 1000))
                && buttons.iter().all(|button| has(button, "/Text", 250))
        });
    let type_is_whole = match body.get("type").and_then(Value::as_str) {
        Some("text") => has(body, "/text", 7000),
        Some("picture") => {
            let text = body.get("text").and_then(Value::as_str);
            has(body, "/media", 2000) && text.is_some_and(|text| text.chars().count() <= 768)
        }
        Some("url") => has(body, "/media", 2000),
        Some("video" | "file") => {
            has(body, "/media", 2000) && body.get("size").is_some_and(Value::is_u64)
        }
        Some("location") => {
            let number = |name: &str| body.pointer(name).is_some_and(Value::is_number);
            number("/location/lat") && number("/location/lon")
        }
        Some("contact") => has(body, "/contact/name", 28) && has(body, "/contact/phone_number", 18),
        Some("sticker") => body.get("sticker_id").is_some_and(Value::is_u64),
        _ => false,
    };
    keyboard_is_whole && type_is_whole
}

/// A text that is there, not blank and not too long.
fn has(body: &Value, path: &str, max: usize) -> bool {
    let text = body.pointer(path).and_then(Value::as_str);
    text.is_some_and(|text| !text.trim().is_empty() && text.chars().count() <= max)
}
