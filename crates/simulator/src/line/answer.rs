//! The Messaging API: what it demands of a push, and what it answers.

use serde_json::{Value, json};

use crate::platform::{Answer, Mood, Sent};
use crate::sample::Sample;

/// What LINE gives each request that it takes.
const REQUEST_ID: (&str, &str) = ("x-line-request-id", "123e4567-e89b-42d3-a456-426655440001");

pub(super) fn answer(sent: &Sent, mood: Mood, seed: u64) -> Answer {
    match mood {
        Mood::Throttled => failed(
            429,
            "The API rate limit has been exceeded. Try again later.",
        ),
        Mood::Failing => failed(500, "Internal server error"),
        Mood::TokenExpired => unauthorized(),
        // LINE has no window, and does not look at media before it has accepted a message.
        Mood::Well | Mood::WindowClosed | Mood::MediaExpired => accept(sent, seed),
    }
}

fn failed(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({ "message": message }))
}

fn unauthorized() -> Answer {
    let message = "Authentication failed. Confirm that the access token in the authorization header is valid.";
    failed(401, message)
}

/// A push or a loading animation.
fn accept(sent: &Sent, seed: u64) -> Answer {
    let bearer = sent.header("authorization");
    let token = bearer.and_then(|value| value.strip_prefix("Bearer "));
    if token.is_none_or(|token| token.trim().is_empty()) {
        return unauthorized();
    }
    let Ok(Value::Object(body)) = serde_json::from_slice(&sent.body) else {
        return failed(400, "The request body could not be parsed as JSON.");
    };
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    match (sent.method.as_str(), sent.path.as_str()) {
        ("POST", "/v2/bot/chat/loading/start") => {
            let secs = body.get("loadingSeconds").and_then(Value::as_u64);
            let secs_are_good = secs.is_none_or(|it| (5..=60).contains(&it) && it % 5 == 0);
            if text("chatId").is_empty() || !secs_are_good {
                return failed(400, "The request body has 1 error(s)");
            }
            Answer::json(202, &json!({})).with_header(REQUEST_ID.0, REQUEST_ID.1)
        }
        ("POST", "/v2/bot/message/push") => {
            if sent
                .header("x-line-retry-key")
                .is_some_and(|key| !is_uuid(key))
            {
                return failed(400, "Invalid retry key");
            }
            if text("to").is_empty() {
                return failed(400, "The property, 'to', in the request body is invalid");
            }
            let messages = body.get("messages").and_then(Value::as_array);
            let Some(messages) = messages.filter(|it| (1..=5).contains(&it.len())) else {
                return failed(400, "Size must be between 1 and 5");
            };
            let wrong = messages
                .iter()
                .enumerate()
                .find_map(|(at, message)| check(message).err().map(|field| (at, field)));
            if let Some((at, field)) = wrong {
                let details = json!([{ "message": "May not be empty or too long",
                    "property": format!("messages[{at}].{field}") }]);
                let body =
                    json!({ "message": "The request body has 1 error(s)", "details": details });
                return Answer::json(400, &body);
            }
            let mut sample = Sample::new(seed);
            let ids: Vec<Value> = messages
                .iter()
                .map(|_| json!({ "id": sample.digits(18), "quoteToken": "yHAz4Ua2wx7" }))
                .collect();
            Answer::json(200, &json!({ "sentMessages": ids }))
                .with_header(REQUEST_ID.0, REQUEST_ID.1)
        }
        _ => failed(404, "Not found"),
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && parts
            .iter()
            .all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a message is of the documented form; the error names the field that is not.
fn check(message: &Value) -> Result<(), &'static str> {
    let text = |pointer: &str| {
        let text = message.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default()
    };
    let within = |pointer: &'static str, max: usize| {
        let units = text(pointer).encode_utf16().count();
        if (1..=max).contains(&units) {
            Ok(())
        } else {
            Err(pointer)
        }
    };
    let number = |pointer: &'static str| {
        let found = message.pointer(pointer).and_then(Value::as_f64);
        found.map(|_| ()).ok_or(pointer)
    };
    match text("/type") {
        "text" => {
            within("/text", 5000)?;
            let items = message
                .pointer("/quickReply/items")
                .and_then(Value::as_array);
            match items {
                Some(items) if items.is_empty() || items.len() > 13 => Err("/quickReply/items"),
                Some(items) => items.iter().try_for_each(|item| {
                    let action = item.get("action").ok_or("/quickReply/items")?;
                    check_action(action)
                }),
                None => Ok(()),
            }
        }
        "image" | "video" => {
            within("/originalContentUrl", 2000)?;
            within("/previewImageUrl", 2000)?;
            let https = ["/originalContentUrl", "/previewImageUrl"]
                .iter()
                .all(|pointer| text(pointer).starts_with("https://"));
            if https {
                Ok(())
            } else {
                Err("/originalContentUrl")
            }
        }
        "location" => {
            within("/title", 100)?;
            within("/address", 100)?;
            number("/latitude")?;
            number("/longitude")
        }
        "sticker" => {
            within("/packageId", 20)?;
            within("/stickerId", 20)
        }
        "template" => {
            within("/altText", 400)?;
            check_template(message.get("template").ok_or("/template")?)
        }
        _ => Err("/type"),
    }
}

fn check_template(template: &Value) -> Result<(), &'static str> {
    let list = |value: &Value, name: &str| {
        let list = value.get(name).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let actions = |value: &Value, max: usize| {
        let actions = list(value, "actions");
        if !(1..=max).contains(&actions.len()) {
            return Err("/template/actions");
        }
        actions.iter().try_for_each(check_action)
    };
    let filled = |value: &Value, name: &str| {
        let text = value.get(name).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty())
    };
    match template.get("type").and_then(Value::as_str) {
        Some("buttons") if filled(template, "text") => actions(template, 4),
        Some("carousel") => {
            let columns = list(template, "columns");
            if !(1..=10).contains(&columns.len()) {
                return Err("/template/columns");
            }
            columns.iter().try_for_each(|column| {
                if !filled(column, "text") {
                    return Err("/template/columns");
                }
                actions(column, 3)
            })
        }
        _ => Err("/template/type"),
    }
}

fn check_action(action: &Value) -> Result<(), &'static str> {
    let units = |name: &str| {
        let text = action.get(name).and_then(Value::as_str).unwrap_or_default();
        text.encode_utf16().count()
    };
    let is_postback = action.get("type").and_then(Value::as_str) == Some("postback");
    if is_postback && units("label") > 0 && (1..=300).contains(&units("data")) {
        Ok(())
    } else {
        Err("/actions")
    }
}
