//! The canonical JSON of an event: flat, its body under one name that its kind decides.
//!
//! Reading and writing have a shape each: [`Raw`] text survives only where serde does not buffer,
//! so nothing here is flattened or untagged on the way in.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::*;
use crate::message::{Message, Raw, Referral};

/// `message`, which is only an id when the message was deleted.
#[derive(Serialize)]
#[serde(untagged)]
enum MessageOut<'a> {
    Whole(&'a Message),
    Deleted { id: &'a str },
}

/// Declares the two shapes with the body's fields, each of them optional.
macro_rules! shapes {
    ($($field:ident: $type:ty,)*) => {
        #[derive(Serialize)]
        struct Out<'a> {
            kind: &'static str,
            key: &'a str,
            channel: &'a str,
            account: &'a str,
            #[serde(skip_serializing_if = "is_account")]
            account_scope: AccountScope,
            at: Option<u64>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            standby: bool,
            #[serde(skip_serializing_if = "Option::is_none")]
            sender: Option<&'a Party>,
            #[serde(skip_serializing_if = "Option::is_none")]
            recipient: Option<&'a Party>,
            #[serde(skip_serializing_if = "Option::is_none")]
            chat: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            message: Option<MessageOut<'a>>,
            $(#[serde(skip_serializing_if = "Option::is_none")] $field: Option<&'a $type>,)*
            #[serde(skip_serializing_if = "Option::is_none")]
            raw: Option<&'a Raw>,
        }

        #[derive(Deserialize)]
        struct In {
            kind: String,
            key: String,
            channel: String,
            account: String,
            #[serde(default)]
            account_scope: AccountScope,
            at: Option<u64>,
            #[serde(default)]
            standby: bool,
            sender: Option<Party>,
            recipient: Option<Party>,
            chat: Option<String>,
            message: Option<Message>,
            $($field: Option<$type>,)*
            raw: Option<Raw>,
        }
    };
}

shapes! {
    reaction: Reaction,
    status: Status,
    read: Target,
    referral: Referral,
    opt: Opt,
    identity: IdentityChange,
    membership: Membership,
    handover: Handover,
    call: Call,
    comment: Comment,
    template: Notice,
    notice: Notice,
    error: ErrorDetail,
    external: External,
}

fn is_account(scope: &AccountScope) -> bool {
    *scope == AccountScope::Account
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        macro_rules! field {
            ($case:ident) => {
                match &self.body {
                    Body::$case(value) => Some(value),
                    _ => None,
                }
            };
        }
        let message = match &self.body {
            Body::Message(message) | Body::MessageEdited(message) => {
                Some(MessageOut::Whole(message))
            }
            Body::MessageDeleted(id) => Some(MessageOut::Deleted { id }),
            _ => None,
        };
        Out {
            kind: self.body.kind(),
            key: &self.key,
            channel: &self.channel,
            account: &self.account,
            account_scope: self.account_scope,
            at: self.at,
            standby: self.standby,
            sender: self.sender.as_ref(),
            recipient: self.recipient.as_ref(),
            chat: self.chat.as_deref(),
            message,
            reaction: field!(Reaction),
            status: field!(Status),
            read: field!(Read),
            referral: field!(Referral),
            opt: field!(Opt),
            identity: field!(IdentityChanged),
            membership: field!(Membership),
            handover: field!(Handover),
            call: field!(Call),
            comment: field!(Comment),
            template: field!(Template),
            notice: field!(Account),
            error: field!(Error),
            external: field!(External),
            raw: self.raw.as_ref(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = In::deserialize(deserializer)?;
        macro_rules! need {
            ($field:ident) => {
                wire.$field
                    .ok_or_else(|| D::Error::missing_field(stringify!($field)))?
            };
        }
        let body = match wire.kind.as_str() {
            "message" => Body::Message(need!(message)),
            "message.edited" => Body::MessageEdited(need!(message)),
            "message.deleted" => Body::MessageDeleted(need!(message).id),
            "reaction" => Body::Reaction(need!(reaction)),
            "status" => Body::Status(need!(status)),
            "read" => Body::Read(need!(read)),
            "referral" => Body::Referral(need!(referral)),
            "opt" => Body::Opt(need!(opt)),
            "identity.changed" => Body::IdentityChanged(need!(identity)),
            "membership" => Body::Membership(need!(membership)),
            "handover" => Body::Handover(need!(handover)),
            "call" => Body::Call(need!(call)),
            "comment" => Body::Comment(need!(comment)),
            "template" => Body::Template(need!(template)),
            "account" => Body::Account(need!(notice)),
            "error" => Body::Error(need!(error)),
            "external" => Body::External(need!(external)),
            "unknown" => Body::Unknown,
            "unparsable" => Body::Unparsable,
            other => return Err(D::Error::unknown_variant(other, &[])),
        };
        Ok(Event {
            key: wire.key,
            channel: wire.channel,
            account: wire.account,
            account_scope: wire.account_scope,
            at: wire.at,
            standby: wire.standby,
            sender: wire.sender,
            recipient: wire.recipient,
            chat: wire.chat,
            body,
            raw: wire.raw,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::MessageType;

    fn event(body: Body) -> Event {
        Event {
            key: "whatsapp:1:wamid.A".into(),
            channel: "whatsapp".into(),
            account: "1".into(),
            account_scope: AccountScope::Account,
            at: Some(1749416383000),
            standby: false,
            sender: Some(Party {
                identities: vec![Identity::new("phone", "16505551234")],
                name: Some("Sheena".into()),
                username: None,
            }),
            recipient: None,
            chat: None,
            body,
            raw: None,
        }
    }

    #[test]
    fn a_text_message_has_the_documented_form() {
        let event = event(Body::Message(Message {
            id: "wamid.A".into(),
            kind: MessageType::Text,
            text: Some("Does it come in another color?".into()),
            ..Message::default()
        }));
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            concat!(
                r#"{"kind":"message","key":"whatsapp:1:wamid.A","channel":"whatsapp","account":"1","at":1749416383000,"#,
                r#""sender":{"identities":[{"scheme":"phone","id":"16505551234"}],"name":"Sheena","username":null},"#,
                r#""message":{"id":"wamid.A","type":"text","text":"Does it come in another color?","media":[],"#,
                r#""reply_to":null,"forwarded":false,"echo":false,"referral":null}}"#,
            )
        );
    }

    #[test]
    fn every_kind_reads_back_as_it_was_written() {
        let raw = Raw::json(r#"{"n":12345678901234567890.10,"s":"\ud800"}"#);
        let notice = Notice {
            action: "APPROVED".into(),
            ..Notice::default()
        };
        for body in [
            Body::Message(Message {
                id: "m".into(),
                raw: Some(raw.clone()),
                ..Message::default()
            }),
            Body::MessageEdited(Message {
                id: "m".into(),
                ..Message::default()
            }),
            Body::MessageDeleted("m".into()),
            Body::Reaction(Reaction {
                message_id: "m".into(),
                emoji: Some("👍".into()),
                ..Reaction::default()
            }),
            Body::Status(Status {
                target: Target::Watermark(5),
                state: DeliveryState::Read,
                error: Some(ErrorDetail {
                    code: Some("131047".into()),
                    ..ErrorDetail::default()
                }),
                reference: None,
            }),
            Body::Read(Target::MessageId("m".into())),
            Body::Referral(Referral {
                reference: Some("r".into()),
                ..Referral::default()
            }),
            Body::Opt(Opt {
                action: "stop".into(),
                ..Opt::default()
            }),
            Body::IdentityChanged(IdentityChange {
                previous: vec![Identity::new("bsuid", "US.1")],
                ..IdentityChange::default()
            }),
            Body::Membership(Membership::default()),
            Body::Handover(Handover::default()),
            Body::Call(Call::default()),
            Body::Comment(Comment::default()),
            Body::Template(notice.clone()),
            Body::Account(notice),
            Body::Error(ErrorDetail::default()),
            Body::External(External {
                kind: "order.paid".into(),
                data: raw.clone(),
            }),
            Body::Unknown,
            Body::Unparsable,
        ] {
            let mut event = event(body);
            event.raw = Some(raw.clone());
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(
                serde_json::from_str::<Event>(&json).unwrap(),
                event,
                "{json}"
            );
        }
    }
}
