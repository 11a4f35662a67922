//! Messenger and Instagram: one envelope, nearly the same items, one send API.

mod answer;
mod content;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chatly_signature::{Encoding, sign};
use serde_json::{Value, json};

use crate::platform::{Answer, Mood, Platform, Sent, Wish};
use crate::sample::Sample;
use crate::{Delivery, UnknownKind, escaped};
use content::{Kind, Place};

/// When things happen, in Unix seconds, when no time is named.
const AT_SECS: u64 = 1_749_416_383;

/// Pages on Messenger.
#[derive(Debug, Clone, Copy)]
pub struct Messenger;

/// Instagram professional accounts.
#[derive(Debug, Clone, Copy)]
pub struct Instagram;

/// What tells the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Side {
    name: &'static str,
    object: &'static str,
    path: &'static str,
    account: &'static str,
    person: &'static str,
    is_instagram: bool,
}

const MESSENGER: Side = Side {
    name: "messenger",
    object: "page",
    path: "/webhooks/messenger",
    account: "1067280970047460",
    person: "25011290991234567",
    is_instagram: false,
};

const INSTAGRAM: Side = Side {
    name: "instagram",
    object: "instagram",
    path: "/webhooks/instagram",
    account: "17841405822304914",
    person: "1267891234567890",
    is_instagram: true,
};

impl Side {
    fn kinds(self) -> impl Iterator<Item = &'static Kind> {
        let on_this = move |kind: &&Kind| {
            if self.is_instagram {
                kind.on_instagram
            } else {
                kind.on_messenger
            }
        };
        content::KINDS.iter().filter(on_this)
    }

    fn kind(self, name: &str) -> Result<&'static Kind, UnknownKind> {
        let found = self.kinds().find(|kind| kind.name == name);
        found.ok_or_else(|| UnknownKind {
            given: name.to_owned(),
            known: self.kinds().map(|kind| kind.name).collect(),
        })
    }

    /// Neighbours of one account that stand in the same list share an entry.
    fn unsigned(self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
        let mut entries: Vec<(String, &str, Vec<Value>, u64)> = Vec::new();
        for wish in wishes {
            let kind = self.kind(&wish.kind)?;
            let account = wish.account.as_deref().unwrap_or(self.account);
            let at = wish.at_secs.unwrap_or(AT_SECS);
            let (list, item) = match kind.place {
                Place::Messaging => ("messaging", self.item(kind, wish, account)),
                Place::Standby => ("standby", self.item(kind, wish, account)),
                Place::Change(field) => {
                    let value = content::of(self, kind, wish);
                    ("changes", json!({ "field": field, "value": value }))
                }
            };
            match entries.last_mut() {
                Some((last, place, items, _)) if last == account && *place == list => {
                    items.push(item);
                }
                _ => entries.push((account.to_owned(), list, vec![item], at)),
            }
        }
        let entries: Vec<Value> = entries
            .into_iter()
            .map(|(id, list, items, at)| json!({ "id": id, "time": at * 1_000, list: items }))
            .collect();
        let body = json!({ "object": self.object, "entry": entries });
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Ok(Delivery {
            method: "POST".to_owned(),
            path: self.path.to_owned(),
            headers: vec![
                header("content-type", "application/json"),
                header("user-agent", "facebookexternalua"),
            ],
            body: escaped(&body).into_bytes(),
        })
    }

    /// An item; of an echo and a delivery of our own message, sender and recipient change places.
    fn item(self, kind: &Kind, wish: &Wish, account: &str) -> Value {
        let person = wish.from.as_deref().unwrap_or(self.person);
        let (from, to) = if kind.name == "echo" {
            (account, person)
        } else {
            (person, account)
        };
        let at = wish.at_secs.unwrap_or(AT_SECS) * 1_000;
        let mut item =
            json!({ "sender": { "id": from }, "recipient": { "id": to }, "timestamp": at });
        if let Some(item) = item.as_object_mut() {
            if kind.name == "optin_checkbox" {
                item.remove("sender");
            }
            item.insert(kind.member.to_owned(), content::of(self, kind, wish));
        }
        item
    }

    fn message_id(self, wish: &Wish) -> Result<String, UnknownKind> {
        let kind = self.kind(&wish.kind)?;
        Ok(if kind.is_about_another {
            self.target(wish)
        } else {
            mid(wish.seed, 0)
        })
    }

    /// The message that a wish is about.
    fn target(self, wish: &Wish) -> String {
        wish.about.clone().unwrap_or_else(|| mid(wish.seed, 1))
    }
}

/// An id of the platform's form; `salt` tells ids of one seed apart.
fn mid(seed: u64, salt: u64) -> String {
    let bytes = Sample::new(seed ^ (salt << 48)).bytes::<24>();
    format!("m_{}", URL_SAFE_NO_PAD.encode(bytes))
}

fn signed(mut delivery: Delivery, secret: &str) -> Delivery {
    if let Some(signature) = sign(secret, &delivery.body, Encoding::Hex) {
        delivery.headers.push((
            "x-hub-signature-256".to_owned(),
            format!("sha256={signature}"),
        ));
    }
    delivery
}

macro_rules! platform {
    ($type:ty, $side:expr) => {
        impl Platform for $type {
            fn name(&self) -> &'static str {
                $side.name
            }
            fn kinds(&self) -> Vec<&'static str> {
                $side.kinds().map(|kind| kind.name).collect()
            }
            fn batches(&self) -> bool {
                true
            }
            fn unsigned(&self, wishes: &[Wish]) -> Result<Delivery, UnknownKind> {
                $side.unsigned(wishes)
            }
            fn message_id(&self, wish: &Wish) -> Result<String, UnknownKind> {
                $side.message_id(wish)
            }
            fn sign(
                &self,
                delivery: Delivery,
                _base_url: &str,
                secret: &str,
                _now: u64,
            ) -> Delivery {
                signed(delivery, secret)
            }
            fn answer(&self, sent: &Sent, mood: Mood, seed: u64) -> Answer {
                answer::answer($side, sent, mood, seed)
            }
        }
    };
}

platform!(Messenger, MESSENGER);
platform!(Instagram, INSTAGRAM);
