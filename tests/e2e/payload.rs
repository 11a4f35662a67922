//! WhatsApp payloads in the form of Meta's documentation.

use chatly_simulator::Delivery;
use harness::secrets;
use serde_json::{Value, json};

/// `metadata.phone_number_id` of all payloads here.
pub const ACCOUNT: &str = "106540352242922";

/// A body with one entry and one change.
pub fn envelope(value: Value) -> Value {
    envelopes(vec![vec![value]])
}

/// A body with one entry per outer item, one change per inner.
pub fn envelopes(entries: Vec<Vec<Value>>) -> Value {
    let entries: Vec<_> = entries
        .into_iter()
        .map(|values| {
            let changes: Vec<_> = values
                .into_iter()
                .map(|value| json!({ "field": "messages", "value": value }))
                .collect();
            json!({ "id": "102290129340398", "changes": changes })
        })
        .collect();
    json!({ "object": "whatsapp_business_account", "entry": entries })
}

/// A `value` with these fields and our account's metadata.
pub fn value(fields: Value) -> Value {
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": ACCOUNT },
    });
    if let (Some(value), Value::Object(fields)) = (value.as_object_mut(), fields) {
        value.extend(fields);
    }
    value
}

/// A text message from a phone number.
pub fn text(phone: &str, id: &str, body: &str) -> Value {
    json!({ "from": phone, "id": id, "timestamp": "1749416383", "type": "text", "text": { "body": body } })
}

/// A `value` with one text message and its contact.
pub fn text_value(phone: &str, id: &str, body: &str) -> Value {
    value(json!({
        "contacts": [{ "profile": { "name": "Sheena Nelson" }, "wa_id": phone }],
        "messages": [text(phone, id, body)],
    }))
}

/// A status of a message that the business sent to a phone number.
pub fn status(phone: &str, id: &str, state: &str) -> Value {
    json!({ "id": id, "status": state, "timestamp": "1749416390", "recipient_id": phone })
}

/// A message that the business sent from another app.
pub fn echo_envelope(phone: &str, id: &str, body: &str) -> Value {
    json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "102290129340398", "changes": [{
            "field": "smb_message_echoes",
            "value": value(json!({ "message_echoes": [{
                "from": "15550783881", "to": phone, "id": id, "timestamp": "1749416385",
                "type": "text", "text": { "body": body },
            }] })),
        }] }],
    })
}

/// The body signed with the current secret.
pub fn signed(body: &Value) -> Delivery {
    signed_bytes(body.to_string().into_bytes(), secrets::WHATSAPP_APP[0])
}

/// Any bytes signed with any secret.
pub fn signed_bytes(body: Vec<u8>, secret: &str) -> Delivery {
    chatly_simulator::whatsapp::signed(body, secret)
}

/// One text message as a signed delivery.
pub fn text_delivery(phone: &str, id: &str, body: &str) -> Delivery {
    signed(&envelope(text_value(phone, id, body)))
}

/// One text message of this moment, which opens the platform's window.
pub fn fresh_text_delivery(phone: &str, id: &str, body: &str) -> Delivery {
    let now = std::time::UNIX_EPOCH.elapsed().expect("the clock is set");
    let mut fields = text_value(phone, id, body);
    fields["messages"][0]["timestamp"] = now.as_secs().to_string().into();
    signed(&envelope(fields))
}
