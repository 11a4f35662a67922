//! Standard Webhooks: a sender of the reference form, and an endpoint as the other side.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chatly_signature::ed25519;
use chatly_webhook::signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER, content};
use serde_json::{Value, json};

use crate::platform::{Answer, Mood, Platform, Sent, Wish};
use crate::sample::Sample;
use crate::{Delivery, UnknownKind};

/// The account of the route when none is named.
pub const ACCOUNT: &str = "crm";
/// What a private key starts with, and the public key that belongs to it; base64 follows.
const PRIVATE_PREFIX: &str = "whsk_";
const PUBLIC_PREFIX: &str = "whpk_";
/// When things happen when no time is named, in both forms of the payloads.
const AT_SECS: u64 = 1_749_416_383;

const KINDS: &[&str] = &["event", "cloud_event", "flat", "untyped", "no_object"];

/// The platform. Its secret is `whsec_…`, any text, or a private key `whsk_…`: then what checks its
/// signatures is another one, see [`Platform::checked_with`].
#[derive(Debug, Clone, Copy)]
pub struct Standard;

fn body(wish: &Wish) -> Result<Value, UnknownKind> {
    let text = wish.text.as_deref().unwrap_or("Please call me back");
    let contact = wish
        .from
        .as_deref()
        .unwrap_or("1f81eb52-5198-4599-803e-771906343485");
    let data = json!({ "contact": contact, "name": wish.name, "note": text, "score": 12345678901234567890u64 });
    let at = wish.at_secs.unwrap_or(AT_SECS);
    Ok(match wish.kind.as_str() {
        "event" => json!({ "type": "contact.created", "timestamp": at, "data": data }),
        "cloud_event" => {
            json!({ "specversion": "1.0", "id": webhook_id(wish), "source": "https://crm.example",
            "type": "example.contact.created", "time": "2025-06-08T20:59:43Z", "datacontenttype": "application/json",
            "data": data })
        }
        "flat" => json!({ "type": "contact.deleted", "id": contact }),
        "untyped" => json!({ "test": 2_432_232_314_u32 }),
        "no_object" => json!([text]),
        _ => {
            return Err(UnknownKind {
                given: wish.kind.clone(),
                known: KINDS.to_vec(),
            });
        }
    })
}

fn webhook_id(wish: &Wish) -> String {
    let bytes = Sample::new(wish.seed).bytes::<12>();
    format!("msg_{}", chatly_signature::hex(&bytes))
}

/// The seed of a private key: of 32 bytes, or of 64 where the public key follows.
fn seed(secret: &str) -> Option<[u8; ed25519::KEY_BYTES]> {
    let bytes = BASE64_STANDARD
        .decode(secret.trim().strip_prefix(PRIVATE_PREFIX)?)
        .ok()?;
    bytes.get(..ed25519::KEY_BYTES)?.try_into().ok()
}

impl Platform for Standard {
    fn name(&self) -> &'static str {
        "standard"
    }

    fn kinds(&self) -> Vec<&'static str> {
        KINDS.to_vec()
    }

    fn batches(&self) -> bool {
        false
    }

    fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
        let first = wishes.first().cloned().unwrap_or_default();
        let body = body(&first)?.to_string().into_bytes();
        let account = first.account.as_deref().unwrap_or(ACCOUNT);
        let header = |name: &str, value: String| (name.to_owned(), value);
        Ok(Delivery {
            method: "POST".to_owned(),
            path: format!("/webhooks/standard/{account}"),
            headers: vec![
                header("content-type", "application/json".to_owned()),
                header(ID_HEADER, webhook_id(&first)),
            ],
            body,
        })
    }

    fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind> {
        body(wish)?;
        Ok(webhook_id(wish))
    }

    fn sign(&self, delivery: Delivery, _base_url: &str, secret: &str, now: u64) -> Delivery {
        let mut headers = delivery.headers.iter();
        let id = headers.find(|(key, _)| key.eq_ignore_ascii_case(ID_HEADER));
        let id = id.map(|(_, id)| id.clone()).unwrap_or_else(|| {
            let digest = chatly_signature::sha256_hex(&[&delivery.body]);
            format!("msg_{}", digest.chars().take(24).collect::<String>())
        });
        let signature = match seed(secret) {
            Some(seed) => {
                let signature = ed25519::sign(&seed, &content(&id, now, &delivery.body));
                format!("v1a,{}", BASE64_STANDARD.encode(signature))
            }
            None => match Secrets::one(secret) {
                Ok(secret) => secret.sign(&id, now, &delivery.body),
                Err(_) => return delivery,
            },
        };
        let ours = [
            (ID_HEADER, id),
            (TIMESTAMP_HEADER, now.to_string()),
            (SIGNATURE_HEADER, signature),
        ];
        let mut headers = delivery.headers;
        headers.retain(|(key, _)| !ours.iter().any(|(name, _)| key.eq_ignore_ascii_case(name)));
        headers.extend(ours.map(|(name, value)| (name.to_owned(), value)));
        Delivery {
            headers,
            ..delivery
        }
    }

    fn checked_with(&self, secret: &str) -> String {
        match seed(secret) {
            Some(seed) => format!(
                "{PUBLIC_PREFIX}{}",
                BASE64_STANDARD.encode(ed25519::public_key(&seed))
            ),
            None => secret.to_owned(),
        }
    }

    fn answer(&self, sent: &Sent, mood: Mood, _seed: u64) -> Answer {
        let status = |status: u16| Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        };
        match mood {
            Mood::Throttled => status(429).with_header("retry-after", "30"),
            Mood::Failing => status(500),
            Mood::TokenExpired => status(401),
            // The specification's word for an endpoint that wants nothing any more.
            Mood::WindowClosed | Mood::MediaExpired => status(410),
            Mood::Well => {
                let names = [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER];
                if sent.method != "POST" {
                    status(405)
                } else if names.iter().any(|name| sent.header(name).is_none()) {
                    status(401)
                } else {
                    status(204)
                }
            }
        }
    }
}
