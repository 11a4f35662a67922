//! Puts items into a body, and a body into a signed delivery.

use chatly_signature::{Encoding, sign};
use serde_json::{Map, Value, json};

use super::{BUSINESS, Item, content};
use crate::{Delivery, escaped};

/// Several items in one delivery.
#[derive(Debug, Clone)]
pub struct Batch(Value);

/// Entries of changes of items. Account, business and field of a change are its first item's; its
/// items go into the lists that they belong to.
pub fn batch(entries: Vec<Vec<Vec<Item>>>) -> Batch {
    let entries = entries.into_iter().map(|changes| {
        let first = changes.iter().flatten().next();
        let business = first
            .map_or(BUSINESS, |item| item.business.as_str())
            .to_owned();
        let time = first
            .filter(|item| item.kind.list.is_none())
            .map(|item| item.at_secs);
        let mut entry = json!({ "id": business });
        if let Some(time) = time {
            set(&mut entry, "time", time.into());
        }
        set(
            &mut entry,
            "changes",
            changes.iter().filter_map(|items| change(items)).collect(),
        );
        entry
    });
    Batch(json!({ "object": "whatsapp_business_account", "entry": entries.collect::<Vec<_>>() }))
}

impl Batch {
    /// The body as sent.
    pub fn body(&self) -> Vec<u8> {
        escaped(&self.0).into_bytes()
    }

    /// The delivery, without a signature.
    pub fn unsigned(&self) -> Delivery {
        unsigned(self.body())
    }

    /// The delivery, signed with an app secret. A blank secret signs nothing.
    pub fn signed_with(&self, secret: &str) -> Delivery {
        signed(self.body(), secret)
    }
}

/// Any bytes as a delivery, without a signature.
pub fn unsigned(body: Vec<u8>) -> Delivery {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Delivery {
        method: "POST".to_owned(),
        path: "/webhooks/whatsapp".to_owned(),
        headers: vec![
            header("content-type", "application/json"),
            header("user-agent", "facebookexternalua"),
        ],
        body,
    }
}

/// Any bytes as a delivery, signed with an app secret. A blank secret signs nothing.
pub fn signed(body: Vec<u8>, secret: &str) -> Delivery {
    let mut delivery = unsigned(body);
    if let Some(signature) = sign(secret, &delivery.body, Encoding::Hex) {
        delivery.headers.push((
            "x-hub-signature-256".to_owned(),
            format!("sha256={signature}"),
        ));
    }
    delivery
}

fn change(items: &[Item]) -> Option<Value> {
    let first = items.first()?;
    let mut value = if first.kind.list.is_some() {
        metadata(first)
    } else {
        json!({})
    };
    for item in items {
        let content = item.raw.clone().unwrap_or_else(|| content::item(item));
        match item.kind.list {
            Some(list) => {
                if item.raw.is_none() && item.kind.has_contact {
                    push(&mut value, "contacts", contact(item));
                }
                push(&mut value, list, content);
            }
            None => value = content,
        }
    }
    Some(json!({ "value": value, "field": first.kind.field }))
}

fn metadata(item: &Item) -> Value {
    json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": item.account },
    })
}

fn contact(item: &Item) -> Value {
    let mut profile = Map::new();
    let mut contact = json!({});
    for (name, value) in [("name", &item.name), ("username", &item.username)] {
        profile.extend(value.clone().map(|value| (name.to_owned(), value.into())));
    }
    set(&mut contact, "profile", profile.into());
    for (name, value) in [("wa_id", item.phone()), ("user_id", item.bsuid.clone())] {
        if let Some(value) = value {
            set(&mut contact, name, value.into());
        }
    }
    contact
}

/// Sets a member of an object.
pub(super) fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn push(object: &mut Value, list: &str, item: Value) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    if let Some(list) = object
        .entry(list)
        .or_insert_with(|| json!([]))
        .as_array_mut()
    {
        list.push(item);
    }
}
