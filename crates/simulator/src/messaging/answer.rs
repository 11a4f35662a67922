//! The send API: what Meta's reference demands of `POST /{version}/{account}/messages`.

use serde_json::{Value, json};

use super::{Side, mid};
use crate::platform::{Answer, Mood, Sent};

/// Code, subcode and sentence of a refusal.
type Refused = (u16, u32, Option<u32>, &'static str);

const NO_FORM: Refused = (400, 100, None, "(#100) Invalid parameter");

pub(super) fn answer(side: Side, sent: &Sent, mood: Mood, seed: u64) -> Answer {
    match mood {
        Mood::Throttled => {
            let usage = r#"{"1067280970047460":[{"type":"messenger","call_count":100,"estimated_time_to_regain_access":1}]}"#;
            let limit = "(#613) Calls to this api have exceeded the rate limit.";
            failed((400, 613, None, limit)).with_header("x-business-use-case-usage", usage)
        }
        Mood::Failing => failed((500, 2, None, "(#2) Service temporarily unavailable")),
        Mood::WindowClosed => {
            let subcode = if side.is_instagram {
                2_534_022
            } else {
                2_018_278
            };
            let closed = "(#10) This message is sent outside of allowed window.";
            failed((400, 10, Some(subcode), closed))
        }
        Mood::TokenExpired => failed((401, 190, Some(463), "Error validating access token")),
        Mood::MediaExpired => {
            let lost = "(#100) Failed to fetch the file from the url";
            failed((400, 100, Some(2_018_008), lost))
        }
        Mood::Well => match accept(side, sent) {
            Err(refused) => failed(refused),
            Ok((to, is_message)) => {
                let mut body = json!({ "recipient_id": to });
                if let Some(body) = body.as_object_mut().filter(|_| is_message) {
                    body.insert("message_id".to_owned(), mid(seed, 2).into());
                }
                Answer::json(200, &body)
            }
        },
    }
}

fn failed((status, code, subcode, message): Refused) -> Answer {
    let mut error = json!({ "message": message, "type": "OAuthException", "code": code });
    if let (Some(error), Some(subcode)) = (error.as_object_mut(), subcode) {
        error.insert("error_subcode".to_owned(), subcode.into());
    }
    if let Some(error) = error.as_object_mut() {
        error.insert("fbtrace_id".to_owned(), "A".into());
    }
    Answer::json(status, &json!({ "error": error }))
}

/// The recipient, and whether a message was sent to it.
fn accept(side: Side, sent: &Sent) -> Result<(String, bool), Refused> {
    let bearer = sent
        .header("authorization")
        .and_then(|it| it.strip_prefix("Bearer "));
    if bearer.is_none_or(|token| token.trim().is_empty()) {
        return Err((401, 190, None, "Invalid OAuth access token."));
    }
    let mut path = sent.path.trim_start_matches('/').split('/');
    let is_version = |it: &str| it.starts_with('v') && it.ends_with(".0");
    let is_owner = |it: &str| it == "me" || it.bytes().all(|byte| byte.is_ascii_digit());
    let of_messages = path.next().is_some_and(is_version)
        && path.next().is_some_and(is_owner)
        && path.next() == Some("messages")
        && path.next().is_none();
    if sent.method != "POST" || !of_messages {
        return Err((400, 100, None, "Unsupported post request."));
    }
    let body: Value = serde_json::from_slice(&sent.body).map_err(|_| NO_FORM)?;
    let to = recipient(side, &body).ok_or((400, 100, None, "(#100) Param recipient is invalid"))?;
    if let Some(action) = body.get("sender_action") {
        let action = action.as_str().ok_or(NO_FORM)?;
        return match sender_action(side, action, &body) {
            true => Ok((to, false)),
            false => Err(NO_FORM),
        };
    }
    let kind = body.get("messaging_type").and_then(Value::as_str);
    let has_type = matches!(
        kind,
        Some("RESPONSE" | "UPDATE" | "MESSAGE_TAG" | "UTILITY")
    );
    let may_be_absent = side.is_instagram && kind.is_none();
    if !has_type && !may_be_absent {
        return Err((400, 100, None, "(#100) Param messaging_type is invalid"));
    }
    let reply_is_one = body
        .get("reply_to")
        .is_none_or(|it| it.get("mid").is_some_and(Value::is_string));
    let content = body.get("message").ok_or(NO_FORM)?;
    if reply_is_one && message(side, content) {
        Ok((to, true))
    } else {
        Err(NO_FORM)
    }
}

fn recipient(side: Side, body: &Value) -> Option<String> {
    let recipient = body.get("recipient")?.as_object()?;
    let (field, id) = recipient.iter().next().filter(|_| recipient.len() == 1)?;
    let known = match field.as_str() {
        "id" | "comment_id" => true,
        "user_ref" | "post_id" | "notification_messages_token" => !side.is_instagram,
        _ => false,
    };
    let id = id.as_str().filter(|id| known && !id.is_empty())?;
    Some(id.to_owned())
}

fn sender_action(side: Side, action: &str, body: &Value) -> bool {
    let payload = |name: &str| body.pointer("/payload")?.get(name)?.as_str();
    match action {
        "typing_on" | "typing_off" | "mark_seen" => body.get("payload").is_none(),
        "react" => {
            side.is_instagram
                && payload("message_id").is_some()
                && payload("reaction") == Some("love")
        }
        "unreact" => side.is_instagram && payload("message_id").is_some(),
        _ => false,
    }
}

/// Whether a message has exactly one content, within the limits.
fn message(side: Side, content: &Value) -> bool {
    let parts = ["text", "attachment", "template"].map(|name| content.get(name));
    if parts.iter().flatten().count() != 1 {
        return false;
    }
    let [text, attached, template] = parts;
    let text_is_one = text.is_none_or(|text| {
        text.as_str().is_some_and(|text| {
            let length = if side.is_instagram {
                text.len() <= 1_000
            } else {
                text.chars().count() <= 2_000
            };
            length && !text.trim().is_empty()
        })
    });
    let template_is_one = template.is_none_or(|template| {
        !side.is_instagram
            && template.get("name").is_some_and(Value::is_string)
            && template.pointer("/language/code").is_some()
    });
    let replies_are = content.get("quick_replies").is_none_or(|replies| {
        let all = replies.as_array().cloned().unwrap_or_default();
        let is_one = |it: &Value| {
            it.get("content_type") == Some(&"text".into()) && is_short(it, "title", 20)
        };
        (1..=13).contains(&all.len()) && all.iter().all(is_one)
    });
    text_is_one
        && template_is_one
        && replies_are
        && attached.is_none_or(|it| attachment(side, it).is_some())
}

fn is_short(object: &Value, name: &str, max: usize) -> bool {
    let text = object.get(name).and_then(Value::as_str);
    text.is_some_and(|text| !text.is_empty() && text.chars().count() <= max)
}

/// None when it is not of the documented form.
fn attachment(side: Side, attachment: &Value) -> Option<()> {
    let payload = attachment.get("payload");
    let has = |name: &str| payload.is_some_and(|it| it.get(name).is_some_and(Value::is_string));
    let is_one = match attachment.get("type")?.as_str()? {
        "image" | "video" | "audio" | "file" => has("url") || has("id") || has("attachment_id"),
        "MEDIA_SHARE" => side.is_instagram && has("id"),
        "like_heart" => side.is_instagram,
        "template" => return template(payload?),
        _ => false,
    };
    is_one.then_some(())
}

fn template(payload: &Value) -> Option<()> {
    let buttons_are = |holder: &Value| {
        let buttons = holder.get("buttons").and_then(Value::as_array);
        let is_one = |it: &Value| {
            it.get("type") == Some(&"postback".into())
                && is_short(it, "title", 20)
                && is_short(it, "payload", 1_000)
        };
        buttons.is_some_and(|all| (1..=3).contains(&all.len()) && all.iter().all(is_one))
    };
    let is_one = match payload.get("template_type")?.as_str()? {
        "button" => is_short(payload, "text", 640) && buttons_are(payload),
        "generic" => {
            let elements = payload.get("elements")?.as_array()?;
            let is_one = |it: &Value| is_short(it, "title", 80) && buttons_are(it);
            (1..=10).contains(&elements.len()) && elements.iter().all(is_one)
        }
        _ => false,
    };
    is_one.then_some(())
}
