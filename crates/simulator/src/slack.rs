//! Slack: events, slash commands, interactivity, and the Web API's side of a send.

mod content;

use chatly_channel::form;
use chatly_signature::Encoding;
use serde_json::{Value, json};

use crate::platform::{Answer, Mood, Platform, Sent, Wish};
use crate::{Delivery, UnknownKind};

/// The workspace that things happen in when none is named.
pub const ACCOUNT: &str = "T123ABC456";

/// The platform. Its secret is the signing secret.
#[derive(Debug, Clone, Copy)]
pub struct Slack;

impl Platform for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn kinds(&self) -> Vec<&'static str> {
        content::KINDS.to_vec()
    }

    fn batches(&self) -> bool {
        false
    }

    fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
        let first = wishes.first().cloned().unwrap_or_default();
        let (content_type, body) = match content::content(&first)? {
            content::Content::Json(body) => ("application/json", body.to_string()),
            content::Content::Payload(body) => (
                "application/x-www-form-urlencoded",
                form::encode([("payload", body.to_string().as_str())]),
            ),
            content::Content::Form(pairs) => {
                let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
                ("application/x-www-form-urlencoded", form::encode(pairs))
            }
        };
        Ok(Delivery {
            method: "POST".to_owned(),
            path: "/webhooks/slack".to_owned(),
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into_bytes(),
        })
    }

    fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind> {
        content::message_id(wish)
    }

    fn sign(&self, delivery: Delivery, _base_url: &str, secret: &str, now: u64) -> Delivery {
        let mut signed = format!("v0:{now}:").into_bytes();
        signed.extend_from_slice(&delivery.body);
        let Some(digest) = chatly_signature::sign(secret, &signed, Encoding::Hex) else {
            return delivery;
        };
        let mut headers = delivery.headers;
        headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("x-slack-"));
        headers.push(("X-Slack-Request-Timestamp".to_owned(), now.to_string()));
        headers.push(("X-Slack-Signature".to_owned(), format!("v0={digest}")));
        Delivery {
            headers,
            ..delivery
        }
    }

    fn answer(&self, sent: &Sent, mood: Mood, seed: u64) -> Answer {
        let failed = |word: &str| Answer::json(200, &json!({ "ok": false, "error": word }));
        match mood {
            Mood::Throttled => Answer::json(429, &json!({ "ok": false, "error": "ratelimited" }))
                .with_header("retry-after", "30"),
            Mood::Failing => Answer::json(500, &json!({ "ok": false, "error": "internal_error" })),
            Mood::TokenExpired => failed("token_expired"),
            // The nearest that Slack has: nobody may write here any more.
            Mood::WindowClosed => failed("is_archived"),
            Mood::MediaExpired => failed("invalid_blocks"),
            Mood::Well => accept(sent, seed).unwrap_or_else(failed),
        }
    }
}

/// What Slack's reference demands of `chat.postMessage` and `reactions.add`.
fn accept(sent: &Sent, seed: u64) -> Result<Answer, &'static str> {
    let token = sent
        .header("authorization")
        .and_then(|it| it.strip_prefix("Bearer "));
    if token.is_none_or(str::is_empty) {
        return Err("not_authed");
    }
    if sent.method != "POST" {
        return Err("unknown_method");
    }
    if !sent
        .header("content-type")
        .is_some_and(|it| it.starts_with("application/json"))
    {
        return Err("invalid_post_type");
    }
    let body: Value = serde_json::from_slice(&sent.body).map_err(|_| "invalid_json")?;
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .filter(|it| !it.is_empty())
    };
    let channel = text("channel").ok_or("channel_not_found")?;
    if sent.path.ends_with("/reactions.add") {
        text("timestamp").ok_or("no_item_specified")?;
        text("name").ok_or("invalid_name")?;
        return Ok(Answer::json(200, &json!({ "ok": true })));
    }
    if !sent.path.ends_with("/chat.postMessage") {
        return Err("unknown_method");
    }
    let blocks = body.get("blocks").and_then(Value::as_array);
    if text("text").is_none() && blocks.is_none() {
        return Err("no_text");
    }
    if text("text").is_some_and(|it| it.chars().count() > 40_000) {
        return Err("msg_too_long");
    }
    let known = ["section", "actions", "image"];
    let is_block = |block: &Value| {
        block
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|kind| known.contains(&kind))
    };
    if blocks.is_some_and(|blocks| {
        blocks.is_empty() || blocks.len() > 50 || !blocks.iter().all(is_block)
    }) {
        return Err("invalid_blocks");
    }
    let ts = content::ts(seed, content::AT_SECS);
    Ok(Answer::json(
        200,
        &json!({ "ok": true, "channel": channel, "ts": ts, "message": { "ts": ts } }),
    ))
}
