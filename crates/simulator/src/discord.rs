//! Discord: interactions, webhook events, and the API's side of a send.

mod content;

use chatly_signature::{ed25519, hex, sha256_hex, unhex};
use serde_json::{Value, json};

use crate::platform::{Answer, Mood, Platform, Sent, Wish};
use crate::sample::Sample;
use crate::{Delivery, UnknownKind};

/// The application that things happen to when none is named.
pub const ACCOUNT: &str = "845027738276462632";

/// The platform. Any secret makes a private key; what checks its signatures is the public one, see
/// [`Platform::checked_with`].
#[derive(Debug, Clone, Copy)]
pub struct Discord;

/// The seed of the private key that a secret makes; none of a blank one.
fn seed(secret: &str) -> Option<[u8; ed25519::KEY_BYTES]> {
    let secret = secret.trim();
    (!secret.is_empty()).then(|| unhex(&sha256_hex(&[secret.as_bytes()])))?
}

impl Platform for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    fn kinds(&self) -> Vec<&'static str> {
        content::KINDS.to_vec()
    }

    fn batches(&self) -> bool {
        false
    }

    fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
        let first = wishes.first().cloned().unwrap_or_default();
        Ok(Delivery {
            method: "POST".to_owned(),
            path: "/webhooks/discord".to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: content::content(&first)?.to_string().into_bytes(),
        })
    }

    fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind> {
        content::message_id(wish)
    }

    fn sign(&self, delivery: Delivery, _base_url: &str, secret: &str, now: u64) -> Delivery {
        let Some(seed) = seed(secret) else {
            return delivery;
        };
        let signed = [now.to_string().as_bytes(), &delivery.body].concat();
        let signature = hex(&ed25519::sign(&seed, &signed));
        let mut headers = delivery.headers;
        headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("x-signature-"));
        headers.push(("X-Signature-Ed25519".to_owned(), signature));
        headers.push(("X-Signature-Timestamp".to_owned(), now.to_string()));
        Delivery {
            headers,
            ..delivery
        }
    }

    fn checked_with(&self, secret: &str) -> String {
        seed(secret).map_or_else(String::new, |seed| hex(&ed25519::public_key(&seed)))
    }

    fn answer(&self, sent: &Sent, mood: Mood, seed: u64) -> Answer {
        let failed = |(status, code, message): Failure| {
            Answer::json(status, &json!({ "message": message, "code": code }))
        };
        match mood {
            Mood::Throttled => {
                let body = json!({ "message": "You are being rate limited.", "retry_after": 29.5, "global": false });
                Answer::json(429, &body).with_header("retry-after", "30")
            }
            Mood::Failing => failed((500, 0, "500: Internal Server Error")),
            Mood::TokenExpired => failed((401, 0, "401: Unauthorized")),
            Mood::WindowClosed => failed((404, 10015, "Unknown Webhook")),
            Mood::MediaExpired => failed((400, 50035, "Invalid Form Body")),
            Mood::Well => accept(sent, seed).unwrap_or_else(failed),
        }
    }
}

type Failure = (u16, u32, &'static str);
const INVALID: Failure = (400, 50035, "Invalid Form Body");

/// What Discord's reference demands of each path.
fn accept(sent: &Sent, seed: u64) -> Result<Answer, Failure> {
    let path = sent.path.trim_start_matches("/api/v10/");
    let parts: Vec<&str> = path.split('/').collect();
    let is_bot = sent.header("authorization").is_some_and(|it| {
        it.strip_prefix("Bot ")
            .is_some_and(|token| !token.is_empty())
    });
    let done = Answer {
        status: 204,
        headers: Vec::new(),
        body: Vec::new(),
    };
    match (sent.method.as_str(), parts.as_slice()) {
        ("POST", ["webhooks", application, token])
            if !application.is_empty() && !token.is_empty() => {}
        (_, ["channels", ..]) if !is_bot => return Err((401, 0, "401: Unauthorized")),
        ("POST", ["channels", _, "messages"]) => {}
        ("POST", ["channels", _, "typing"]) => return Ok(done),
        ("PUT", ["channels", _, "messages", _, "reactions", emoji, "@me"]) => {
            return if emoji.is_empty() {
                Err((400, 10014, "Unknown Emoji"))
            } else {
                Ok(done)
            };
        }
        _ => return Err((404, 0, "404: Not Found")),
    }
    let body: Value = serde_json::from_slice(&sent.body).map_err(|_| INVALID)?;
    let content = body
        .get("content")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let has = |name: &str| {
        body.get(name)
            .and_then(Value::as_array)
            .is_some_and(|it| !it.is_empty())
    };
    if content.trim().is_empty() && !has("embeds") {
        return Err((400, 50006, "Cannot send an empty message"));
    }
    let rows = body.get("components").and_then(Value::as_array);
    let is_row = |row: &Value| {
        let elements = row.get("components").and_then(Value::as_array);
        row.get("type") == Some(&json!(1)) && elements.is_some_and(|it| (1..=5).contains(&it.len()))
    };
    if content.chars().count() > 2000
        || rows.is_some_and(|rows| rows.len() > 5 || !rows.iter().all(is_row))
        || !sent
            .header("content-type")
            .is_some_and(|it| it.starts_with("application/json"))
    {
        return Err(INVALID);
    }
    let id = Sample::new(seed).digits(19);
    Ok(Answer::json(
        200,
        &json!({ "id": id, "type": 0, "content": content }),
    ))
}
