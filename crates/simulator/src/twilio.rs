//! Twilio Messaging webhooks: forms, one thing a delivery, signed over the URL and the parameters.

mod content;
mod send;

use std::collections::{BTreeMap, BTreeSet};

use chatly_channel::form;
use chatly_signature::{sha1, sha256_hex};

use crate::platform::{Answer, Mood, Platform, Sent, Wish};
use crate::{Delivery, UnknownKind};

/// The account that things happen to when none is named.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// The customer's phone when none is named.
pub const PHONE: &str = "+16505551234";
/// Our number.
pub const NUMBER: &str = "+14155238886";

/// The platform.
#[derive(Debug, Clone, Copy)]
pub struct Twilio;

impl Platform for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn kinds(&self) -> Vec<&'static str> {
        content::KINDS.to_vec()
    }

    fn batches(&self) -> bool {
        false
    }

    fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
        let default = Wish::default();
        let fields = content::fields(wishes.first().unwrap_or(&default))?;
        let pairs = fields.iter().map(|(name, value)| (*name, value.as_str()));
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Ok(Delivery {
            method: "POST".to_owned(),
            path: "/webhooks/twilio".to_owned(),
            headers: vec![
                header(
                    "content-type",
                    "application/x-www-form-urlencoded; charset=UTF-8",
                ),
                header("user-agent", "TwilioProxy/1.1"),
            ],
            body: form::encode(pairs).into_bytes(),
        })
    }

    fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind> {
        content::sid(wish)
    }

    fn sign(&self, delivery: Delivery, base_url: &str, secret: &str, _now: u64) -> Delivery {
        let mut delivery = delivery;
        delivery
            .headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case("x-twilio-signature"));
        let url = format!("{base_url}{}", delivery.path);
        let url = url.split_once('#').map_or(url.as_str(), |(url, _)| url);
        let text = [url.as_bytes(), &parameters(&delivery)].concat();
        if let Some(signature) = sha1::sign(secret, &text) {
            let header = ("x-twilio-signature".to_owned(), signature);
            delivery.headers.push(header);
        }
        delivery
    }

    fn answer(&self, sent: &Sent, mood: Mood, seed: u64) -> Answer {
        send::answer(sent, mood, seed)
    }
}

/// A delivery with a JSON body: its path says what the body's digest is.
pub fn with_json(path: &str, body: &[u8]) -> Delivery {
    Delivery {
        method: "POST".to_owned(),
        path: format!("{path}?bodySHA256={}", sha256_hex(&[body])),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: body.to_vec(),
    }
}

/// What a form's body adds to the signed text; nothing for JSON.
fn parameters(delivery: &Delivery) -> Vec<u8> {
    if delivery.path.contains("bodySHA256=") {
        return Vec::new();
    }
    let mut sorted: BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for (name, value) in form::pairs(&delivery.body) {
        sorted.entry(name).or_default().insert(value);
    }
    let mut text = Vec::new();
    for (name, values) in &sorted {
        for value in values {
            text.extend_from_slice(name);
            text.extend_from_slice(value);
        }
    }
    text
}
