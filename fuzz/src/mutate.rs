//! Changes deliveries a little.

use chatly_channel::{Delivery, Header};
use fastrand::Rng;

/// The longest body that mutations make.
const MAX_BYTES: usize = 64 << 10;
/// What parsers tend to stumble over.
const TOKENS: [&str; 32] = [
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "0",
    "-1",
    "1e999",
    "9007199254740993",
    "18446744073709551616",
    "\\ud800",
    "\\u0000",
    "\u{0}",
    "{\"a\":",
    "[[[[[[[[",
    "]]]]",
    "\"type\":\"hologram\"",
    "\"id\":{}",
    "\"timestamp\":\"\"",
    "\"timestamp\":1749416383000",
    ",",
    ":",
    "\\",
    "\u{feff}",
    "&a=b",
    "%00",
    "%",
    "+",
    "payload=",
    "😀",
    "\u{202e}",
    "\"entry\":[]",
];

/// A delivery of a body.
pub fn delivery(body: Vec<u8>, content_type: &str) -> Delivery {
    Delivery {
        method: "POST".to_owned(),
        url: "https://chat.example.org/webhooks/x".to_owned(),
        headers: vec![Header::new("content-type", content_type)],
        body,
    }
}

/// A delivery like `from`, changed in one to eight places; `other` is another body of the channel.
pub fn mutated(random: &mut Rng, from: &Delivery, other: &[u8]) -> Delivery {
    let mut delivery = from.clone();
    for _ in 0..random.usize(1..=8) {
        change(random, &mut delivery.body, other);
    }
    delivery.body.truncate(MAX_BYTES);
    if random.u8(..16) == 0 {
        delivery.headers = vec![Header::new(
            "content-type",
            "application/x-www-form-urlencoded",
        )];
    }
    if random.u8(..16) == 0 {
        let value = random.choice(TOKENS).unwrap_or_default();
        for name in [
            "x-hub-signature-256",
            "x-line-signature",
            "x-twilio-signature",
            "x-slack-signature",
            "x-slack-request-timestamp",
            "x-viber-content-signature",
            "x-signature-ed25519",
            "x-signature-timestamp",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "x-telegram-bot-api-secret-token",
        ] {
            delivery.headers.push(Header::new(name, value));
        }
    }
    if random.u8(..32) == 0 {
        delivery.method = "GET".to_owned();
        delivery
            .url
            .push_str("?hub.mode=subscribe&hub.verify_token=x&hub.challenge=1&bodySHA256=0");
    }
    delivery
}

fn change(random: &mut Rng, body: &mut Vec<u8>, other: &[u8]) {
    let at = random.usize(..=body.len());
    let end = (at + random.usize(..=32)).min(body.len());
    match random.u8(..7) {
        0 => {
            if let Some(byte) = body.get_mut(at) {
                *byte ^= 1 << random.u8(..8);
            }
        }
        1 => {
            body.drain(at..end);
        }
        2 => {
            let token = random.choice(TOKENS).unwrap_or_default();
            body.splice(at..at, token.bytes());
        }
        3 => {
            let token = random.choice(TOKENS).unwrap_or_default();
            body.splice(at..end, token.bytes());
        }
        4 => {
            let repeated: Vec<u8> = body
                .get(at..end)
                .unwrap_or_default()
                .repeat(random.usize(1..40));
            body.splice(at..at, repeated);
        }
        5 => {
            let from = random.usize(..=other.len());
            let to = (from + random.usize(..=200)).min(other.len());
            body.splice(
                at..end,
                other.get(from..to).unwrap_or_default().iter().copied(),
            );
        }
        _ => {
            let byte = random.u8(..);
            body.insert(at, byte);
        }
    }
}
