//! The Bot API: what it demands of the methods that send, and what it answers.

use serde_json::{Value, json};

use super::AT_SECS;
use crate::platform::{Answer, Mood, Sent};
use crate::sample::Sample;

/// Methods and the parameters that each demands besides `chat_id`.
const METHODS: &[(&str, &[&str])] = &[
    ("sendMessage", &["text"]),
    ("sendPhoto", &["photo"]),
    ("sendVideo", &["video"]),
    ("sendAudio", &["audio"]),
    ("sendVoice", &["voice"]),
    ("sendDocument", &["document"]),
    ("sendSticker", &["sticker"]),
    ("sendLocation", &["latitude", "longitude"]),
    ("sendVenue", &["latitude", "longitude", "title", "address"]),
    ("sendContact", &["phone_number", "first_name"]),
    ("setMessageReaction", &["message_id"]),
    ("sendChatAction", &["action"]),
    (
        "readBusinessMessage",
        &["business_connection_id", "message_id"],
    ),
    ("answerCallbackQuery", &["callback_query_id"]),
];

/// The methods that answer `true` and no message.
const SILENT: &[&str] = &[
    "setMessageReaction",
    "sendChatAction",
    "readBusinessMessage",
    "answerCallbackQuery",
];

pub(super) fn answer(sent: &Sent, mood: Mood, seed: u64) -> Answer {
    let through_business = serde_json::from_slice::<Value>(&sent.body)
        .is_ok_and(|body| body.get("business_connection_id").is_some());
    match mood {
        Mood::Throttled => {
            let body = json!({ "ok": false, "error_code": 429,
                "description": "Too Many Requests: retry after 14", "parameters": { "retry_after": 14 } });
            Answer::json(429, &body)
        }
        Mood::Failing => failed(500, "Internal Server Error"),
        Mood::TokenExpired => failed(401, "Unauthorized"),
        Mood::MediaExpired => failed(400, "Bad Request: wrong file identifier/HTTP URL specified"),
        Mood::WindowClosed if through_business => {
            failed(400, "Bad Request: BUSINESS_PEER_USAGE_MISSING")
        }
        Mood::WindowClosed | Mood::Well => accept(sent, seed),
    }
}

fn failed(code: u16, description: &str) -> Answer {
    let body = json!({ "ok": false, "error_code": code, "description": description });
    Answer::json(code, &body)
}

fn accept(sent: &Sent, seed: u64) -> Answer {
    let path = sent.path.strip_prefix("/bot");
    let Some((token, method)) = path.and_then(|path| path.split_once('/')) else {
        return failed(404, "Not Found");
    };
    if token.is_empty() || token.contains(['{', '}', '%']) {
        return failed(404, "Not Found");
    }
    let Some((method, demanded)) = METHODS.iter().find(|(name, _)| *name == method) else {
        return failed(404, "Not Found");
    };
    if sent.method != "POST" {
        return failed(404, "Not Found");
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(&sent.body) else {
        return failed(400, "Bad Request: can't parse the body as JSON");
    };
    let empty = |value: &Value| value.is_null() || value.as_str() == Some("");
    let is_missing = |name: &&str| body.get(*name).is_none_or(empty);
    if let Some(missing) = demanded.iter().find(|name| is_missing(name)) {
        return failed(400, &format!("Bad Request: {missing} is empty"));
    }
    let chat = body.get("chat_id");
    let chat_is_one = chat.is_some_and(|chat| {
        chat.is_i64() || chat.as_str().is_some_and(|name| name.starts_with('@'))
    });
    if *method != "answerCallbackQuery" && !chat_is_one {
        return failed(400, "Bad Request: chat not found");
    }
    let units = |name: &str| {
        let text = body.get(name).and_then(Value::as_str).unwrap_or_default();
        text.encode_utf16().count()
    };
    if units("text") > 4096 {
        return failed(400, "Bad Request: message is too long");
    }
    if units("caption") > 1024 {
        return failed(400, "Bad Request: message caption is too long");
    }
    if !buttons_are_good(&Value::Object(body.clone())) {
        return failed(400, "Bad Request: BUTTON_DATA_INVALID");
    }
    if SILENT.contains(method) {
        return Answer::json(200, &json!({ "ok": true, "result": true }));
    }
    let id: u64 = Sample::new(seed).digits(6).parse().unwrap_or(1);
    let mut result = json!({ "message_id": id, "date": AT_SECS,
        "from": { "id": 110_201_543, "is_bot": true, "first_name": "Chatly" },
        "chat": { "id": chat, "type": "private" } });
    if let (Some(result), Some(connection)) =
        (result.as_object_mut(), body.get("business_connection_id"))
    {
        result.insert("business_connection_id".to_owned(), connection.clone());
    }
    Answer::json(200, &json!({ "ok": true, "result": result }))
}

/// Each button has a text, and sends back at least one byte and at most 64.
fn buttons_are_good(body: &Value) -> bool {
    let rows = body.pointer("/reply_markup/inline_keyboard");
    let Some(rows) = rows.and_then(Value::as_array) else {
        return true;
    };
    let buttons = rows.iter().filter_map(Value::as_array).flatten();
    let texts =
        |button: &Value, name: &str| button.get(name).and_then(Value::as_str).map_or(0, str::len);
    buttons.clone().next().is_some()
        && buttons.clone().all(|button| {
            texts(button, "text") > 0 && (1..=64).contains(&texts(button, "callback_data"))
        })
}
