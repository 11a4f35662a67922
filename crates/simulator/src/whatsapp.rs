//! WhatsApp Cloud API webhooks: `whatsapp::text("Hi").from_phone("16505551234").signed_with(secret)`.

mod batch;
mod content;
mod platform;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::sample::Sample;
use crate::{Delivery, UnknownKind};

pub use batch::{Batch, batch, signed, unsigned};
pub use platform::WhatsApp;

/// The phone number id that items belong to when none is named.
pub const ACCOUNT: &str = "106540352242922";
/// The business that items belong to when none is named.
pub const BUSINESS: &str = "102290129340398";
/// The customer's phone when neither phone nor BSUID is named.
pub const PHONE: &str = "16505551234";
/// When things happen, in Unix seconds, when no time is named.
pub const AT_SECS: u64 = 1_749_416_383;

/// The names of all kinds of items.
pub fn kinds() -> Vec<&'static str> {
    content::KINDS.iter().map(|kind| kind.name).collect()
}

/// One item of a delivery, in the making.
#[derive(Debug, Clone)]
pub struct Item {
    kind: content::Kind,
    text: Option<String>,
    phone: Option<String>,
    bsuid: Option<String>,
    name: Option<String>,
    username: Option<String>,
    group: Option<String>,
    account: String,
    business: String,
    at_secs: u64,
    id: Option<String>,
    target: Option<String>,
    seed: u64,
    raw: Option<Value>,
}

/// A text message.
pub fn text(text: &str) -> Item {
    Item::new(content::TEXT).text(text)
}

/// An item by the name of its kind, one of [`kinds`].
pub fn kind(name: &str) -> Result<Item, UnknownKind> {
    let found = content::KINDS.iter().find(|kind| kind.name == name);
    found
        .map(|kind| Item::new(*kind))
        .ok_or_else(|| UnknownKind {
            given: name.to_owned(),
            known: kinds(),
        })
}

/// A status of a message that we sent: `sent`, `delivered`, `read`, `played` or `failed`.
pub fn status(message_id: &str, state: &str) -> Result<Item, UnknownKind> {
    Ok(kind(state)?.about(message_id))
}

/// An item of `messages[]` that is whatever is given: for what is malformed.
pub fn raw_message(item: Value) -> Item {
    Item {
        raw: Some(item),
        ..Item::new(content::TEXT)
    }
}

impl Item {
    fn new(kind: content::Kind) -> Self {
        Item {
            kind,
            text: None,
            phone: None,
            bsuid: None,
            name: Some("Sheena Nelson".to_owned()),
            username: None,
            group: None,
            account: ACCOUNT.to_owned(),
            business: BUSINESS.to_owned(),
            at_secs: AT_SECS,
            id: None,
            target: None,
            seed: 0,
            raw: None,
        }
    }

    /// The text of a message, or the caption of its media.
    pub fn text(self, text: &str) -> Self {
        Item {
            text: Some(text.to_owned()),
            ..self
        }
    }

    /// The customer's phone, digits only. Without [`from_bsuid`](Self::from_bsuid), the only id.
    pub fn from_phone(self, phone: &str) -> Self {
        Item {
            phone: Some(phone.to_owned()),
            ..self
        }
    }

    /// The customer's BSUID. Without [`from_phone`](Self::from_phone), the only id.
    pub fn from_bsuid(self, bsuid: &str) -> Self {
        Item {
            bsuid: Some(bsuid.to_owned()),
            ..self
        }
    }

    /// The customer's profile name.
    pub fn name(self, name: &str) -> Self {
        Item {
            name: Some(name.to_owned()),
            ..self
        }
    }

    /// The customer's user name.
    pub fn username(self, username: &str) -> Self {
        Item {
            username: Some(username.to_owned()),
            ..self
        }
    }

    /// The group that it happens in.
    pub fn in_group(self, group: &str) -> Self {
        Item {
            group: Some(group.to_owned()),
            ..self
        }
    }

    /// The phone number id that it belongs to.
    pub fn account(self, account: &str) -> Self {
        Item {
            account: account.to_owned(),
            ..self
        }
    }

    /// The business (WABA id) that it belongs to.
    pub fn business(self, business: &str) -> Self {
        Item {
            business: business.to_owned(),
            ..self
        }
    }

    /// When it happens, in Unix seconds.
    pub fn at(self, secs: u64) -> Self {
        Item {
            at_secs: secs,
            ..self
        }
    }

    /// Its own id, instead of one made from the seed.
    pub fn id(self, id: &str) -> Self {
        Item {
            id: Some(id.to_owned()),
            ..self
        }
    }

    /// The id of the message that it is about: a status, reaction, edit, deletion or reply.
    pub fn about(self, message_id: &str) -> Self {
        Item {
            target: Some(message_id.to_owned()),
            ..self
        }
    }

    /// What its ids are made from: another seed, another message.
    pub fn seed(self, seed: u64) -> Self {
        Item { seed, ..self }
    }

    /// The id that the item is sent under.
    pub fn message_id(&self) -> String {
        self.id.clone().unwrap_or_else(|| self.wamid(0))
    }

    /// An id of the platform's form; `salt` tells ids of one seed apart.
    fn wamid(&self, salt: u64) -> String {
        let person = self.phone().or(self.bsuid.clone()).unwrap_or_default();
        let digest = Sample::new(self.seed ^ (salt << 48)).bytes::<10>();
        let hex = chatly_signature::hex(&digest).to_ascii_uppercase();
        let length = [u8::try_from(person.len()).unwrap_or(u8::MAX)];
        let id = [
            &[0x1c, 0x18][..],
            &length,
            person.as_bytes(),
            b"\x15\x02\x00\x12\x18\x14",
            hex.as_bytes(),
            b"\x00",
        ];
        format!("wamid.{}", STANDARD.encode(id.concat()))
    }

    fn phone(&self) -> Option<String> {
        match (&self.phone, &self.bsuid) {
            (None, None) => Some(PHONE.to_owned()),
            (phone, _) => phone.clone(),
        }
    }

    /// A delivery of this item alone, signed.
    pub fn signed_with(&self, secret: &str) -> Delivery {
        batch(vec![vec![vec![self.clone()]]]).signed_with(secret)
    }

    /// A delivery of this item alone, without a signature.
    pub fn unsigned(&self) -> Delivery {
        batch(vec![vec![vec![self.clone()]]]).unsigned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatly_signature::{Encoding, sign};
    use serde_json::json;

    #[test]
    fn a_text_has_the_form_of_the_real_thing() {
        let delivery = text("Größe 1/2? 😀")
            .id("wamid.A")
            .from_bsuid("US.1")
            .from_phone("1650")
            .name("Zoë")
            .signed_with("s");
        assert_eq!(
            String::from_utf8(delivery.body.clone()).unwrap(),
            concat!(
                r#"{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":"#,
                r#"{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"#,
                r#""contacts":[{"profile":{"name":"Zo\u00eb"},"wa_id":"1650","user_id":"US.1"}],"#,
                r#""messages":[{"from":"1650","from_user_id":"US.1","id":"wamid.A","timestamp":"1749416383","type":"text","#,
                r#""text":{"body":"Gr\u00f6\u00dfe 1\/2? \ud83d\ude00"}}]},"field":"messages"}]}]}"#,
            )
        );
        let signature = sign("s", &delivery.body, Encoding::Hex).unwrap();
        assert!(
            delivery
                .headers
                .contains(&("x-hub-signature-256".into(), format!("sha256={signature}")))
        );
        assert_eq!(
            text("a").signed_with(" ").headers,
            text("a").unsigned().headers
        );
    }

    #[test]
    fn a_seed_decides_everything() {
        for name in kinds() {
            let body = |seed| kind(name).unwrap().seed(seed).unsigned().body;
            assert_eq!(body(1), body(1), "{name}");
            if kind(name).unwrap().kind.list == Some("messages") {
                assert_ne!(body(1), body(2), "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_kind_is_told_the_known_ones() {
        let error = kind("picture").unwrap_err().to_string();
        assert!(
            error.starts_with("unknown kind \"picture\"; known are: text, "),
            "{error}"
        );
    }

    #[test]
    fn a_batch_keeps_its_shape() {
        let sent = || status("wamid.A", "sent").unwrap();
        let batch = batch(vec![
            vec![vec![text("a"), sent()], vec![text("b")]],
            vec![vec![raw_message(json!(7))]],
        ]);
        let body: Value = serde_json::from_slice(&batch.body()).unwrap();
        assert_eq!(
            body.pointer("/entry/0/changes/0/value/statuses/0/id")
                .unwrap(),
            "wamid.A"
        );
        assert_eq!(
            body.pointer("/entry/0/changes/1/value/messages/0/text/body")
                .unwrap(),
            "b"
        );
        assert_eq!(
            body.pointer("/entry/1/changes/0/value/messages/0").unwrap(),
            7
        );
    }
}
