use chatly_canonical::{
    AccountScope, Call, Comment, ErrorDetail, External, Handover, Membership, Notice, Referral,
};
use proptest::prelude::*;

use super::*;

fn phone(id: &str) -> Identity {
    Identity::new("phone", id)
}

fn party(identities: &[Identity]) -> Option<Party> {
    Some(Party {
        identities: identities.to_vec(),
        name: Some("Sheena".into()),
        username: None,
    })
}

fn event(body: Body) -> Event {
    Event {
        key: "whatsapp:1:k".into(),
        channel: "whatsapp".into(),
        account: "1".into(),
        account_scope: AccountScope::Account,
        at: Some(1_749_416_383_000),
        standby: false,
        sender: party(&[phone("16505551234")]),
        recipient: None,
        chat: None,
        body,
        raw: None,
    }
}

fn message(id: &str, echo: bool) -> Message {
    Message {
        id: id.into(),
        text: Some("hi".into()),
        echo,
        ..Message::default()
    }
}

fn status(target: Target) -> Status {
    Status {
        target,
        state: DeliveryState::Delivered,
        error: None,
        reference: None,
    }
}

/// Names the effects, and for a contact the identities, so that a table stays readable.
fn names(effects: &[Effect]) -> Vec<String> {
    let ids = |list: &[Identity]| {
        list.iter()
            .map(|id| id.id.clone())
            .collect::<Vec<_>>()
            .join("+")
    };
    effects
        .iter()
        .map(|effect| match effect {
            Effect::Contact {
                identities,
                previous,
                ..
            } if previous.is_empty() => {
                format!("contact {}", ids(identities))
            }
            Effect::Contact {
                identities,
                previous,
                ..
            } => {
                format!("contact {} was {}", ids(identities), ids(previous))
            }
            Effect::Conversation { chat } => {
                format!("conversation {}", chat.as_deref().unwrap_or("-"))
            }
            Effect::Message(message, direction) => format!("message {} {direction:?}", message.id),
            Effect::Edit(message) => format!("edit {}", message.id),
            Effect::Delete(id) => format!("delete {id}"),
            Effect::Reaction(reaction) => format!("reaction {}", reaction.message_id),
            Effect::Status(status) => format!("status {:?} {:?}", status.target, status.state),
            Effect::Opt(opt) => format!("opt {}", opt.action),
            Effect::RecordEvent => "record".to_owned(),
        })
        .collect()
}

#[test]
fn a_message_goes_to_its_customers_conversation() {
    let (us, them) = (
        party(&[phone("100")]),
        party(&[phone("200"), Identity::new("bsuid", "US.2")]),
    );
    let nobody = || Some(Party::default());
    for (name, sender, recipient, chat, echo, want) in [
        (
            "inbound",
            &them,
            &us,
            None,
            false,
            &["contact 200+US.2", "conversation -", "message m Inbound"][..],
        ),
        (
            "echo",
            &us,
            &them,
            None,
            true,
            &["contact 200+US.2", "conversation -", "message m Echo"],
        ),
        (
            "group",
            &them,
            &None,
            Some("g"),
            false,
            &["contact 200+US.2", "conversation g", "message m Inbound"],
        ),
        (
            "echo into a group",
            &us,
            &None,
            Some("g"),
            true,
            &["conversation g", "message m Echo"],
        ),
        (
            "nobody in a group",
            &nobody(),
            &None,
            Some("g"),
            false,
            &["conversation g", "message m Inbound"],
        ),
        ("nobody", &None, &us, None, false, &["record"]),
        (
            "a sender without ids",
            &nobody(),
            &us,
            None,
            false,
            &["record"],
        ),
        ("echo to nobody", &us, &None, None, true, &["record"]),
    ] {
        let mut event = event(Body::Message(message("m", echo)));
        event.sender.clone_from(sender);
        event.recipient.clone_from(recipient);
        event.chat = chat.map(str::to_owned);
        assert_eq!(names(&fold(&event)), want, "{name}");
    }
}

#[test]
fn each_kind_has_its_effects() {
    let id = || Target::MessageId("m".into());
    let opt = |topic: Option<&str>| {
        Body::Opt(Opt {
            action: "stop".into(),
            topic: topic.map(str::to_owned),
            ..Opt::default()
        })
    };
    let read = r#"status MessageId("m") Read"#;
    let known = "contact 16505551234";
    for (body, want) in [
        (
            Body::MessageEdited(message("m", false)),
            &[known, "edit m"][..],
        ),
        (Body::MessageEdited(message("m", true)), &["edit m"]),
        (Body::MessageDeleted("m".into()), &[known, "delete m"]),
        (
            Body::Reaction(Reaction {
                message_id: "m".into(),
                ..Reaction::default()
            }),
            &[known, "reaction m"],
        ),
        (
            Body::Status(status(id())),
            &[r#"status MessageId("m") Delivered"#],
        ),
        (
            Body::Status(status(Target::Watermark(7))),
            &[known, "conversation -", "status Watermark(7) Delivered"],
        ),
        (Body::Read(id()), &[read]),
        (
            Body::Read(Target::Watermark(7)),
            &[known, "conversation -", "status Watermark(7) Read"],
        ),
        (opt(None), &[known, "opt stop"]),
        (opt(Some("news")), &[known, "opt stop", "record"]),
        (
            Body::IdentityChanged(IdentityChange::default()),
            &[known, "record"],
        ),
        (Body::Referral(Referral::default()), &[known, "record"]),
        (Body::Handover(Handover::default()), &[known, "record"]),
        (Body::Call(Call::default()), &[known, "record"]),
        (Body::Membership(Membership::default()), &["record"]),
        (Body::Comment(Comment::default()), &["record"]),
        (Body::Template(Notice::default()), &["record"]),
        (Body::Account(Notice::default()), &["record"]),
        (Body::Error(ErrorDetail::default()), &["record"]),
        (Body::External(External::default()), &["record"]),
        (Body::Unknown, &["record"]),
        (Body::Unparsable, &["record"]),
    ] {
        let event = event(body);
        assert_eq!(names(&fold(&event)), want, "{}", event.body.kind());
    }
}

#[test]
fn without_a_customer_no_kind_touches_anyones_rows_by_time() {
    for (body, want) in [
        (Body::Status(status(Target::Watermark(7))), &["record"][..]),
        (Body::Read(Target::Watermark(7)), &["record"]),
        (Body::Opt(Opt::default()), &["record"]),
        (
            Body::IdentityChanged(IdentityChange::default()),
            &["record"],
        ),
        (
            Body::Status(status(Target::MessageId("m".into()))),
            &[r#"status MessageId("m") Delivered"#],
        ),
        (Body::MessageDeleted("m".into()), &["delete m"]),
        (Body::Referral(Referral::default()), &["record"]),
    ] {
        let mut event = event(body);
        event.sender = None;
        assert_eq!(names(&fold(&event)), want, "{}", event.body.kind());
    }
}

#[test]
fn a_status_is_about_its_recipient_and_keeps_a_link() {
    let link = [phone("200"), Identity::new("bsuid", "US.2")];
    let id = Target::MessageId("m".into());
    let (one, late) = (
        r#"status MessageId("m") Delivered"#,
        "status Watermark(7) Delivered",
    );
    for (name, target, recipient, want) in [
        ("one id", &id, party(&link[..1]), &[one][..]),
        ("two ids", &id, party(&link), &["contact 200+US.2", one]),
        (
            "by time",
            &Target::Watermark(7),
            party(&link[..1]),
            &["contact 200", "conversation -", late],
        ),
        (
            "nobody named",
            &Target::Watermark(7),
            Some(Party::default()),
            &["contact 16505551234", "conversation -", late],
        ),
    ] {
        let mut event = event(Body::Status(status(target.clone())));
        event.recipient = recipient;
        assert_eq!(names(&fold(&event)), want, "{name}");
    }
}

#[test]
fn a_changed_identity_replaces_the_old_one() {
    let (old, new, other) = (phone("1"), phone("2"), Identity::new("bsuid", "US.1"));
    for (name, sender, previous, current, want) in [
        (
            "old sender",
            vec![old.clone()],
            vec![old.clone()],
            vec![new.clone()],
            "contact 2 was 1",
        ),
        (
            "lasting sender",
            vec![other.clone()],
            vec![old.clone()],
            vec![new.clone()],
            "contact 2+US.1 was 1",
        ),
        (
            "only the sender is new",
            vec![new.clone()],
            vec![old.clone()],
            vec![],
            "contact 2 was 1",
        ),
        (
            "both at once",
            vec![],
            vec![old.clone()],
            vec![old.clone(), new.clone()],
            "contact 1+2",
        ),
        (
            "nothing left",
            vec![old.clone()],
            vec![old.clone()],
            vec![],
            "record",
        ),
    ] {
        let mut event = event(Body::IdentityChanged(IdentityChange {
            previous,
            current,
            detail: None,
        }));
        event.sender = party(&sender);
        assert_eq!(
            names(&fold(&event)).first().map(String::as_str),
            Some(want),
            "{name}"
        );
    }
}

#[test]
fn a_contact_keeps_the_names_that_came_with_it() {
    let effects = fold(&event(Body::Message(message("m", false))));
    let want = Effect::Contact {
        identities: vec![phone("16505551234")],
        previous: vec![],
        name: Some("Sheena".into()),
        username: None,
    };
    assert_eq!(effects.first(), Some(&want));
}

proptest! {
    /// What the store relies on: something always happens, a contact is never empty and comes
    /// first, and a message or a receipt by time always has a conversation bound before it.
    #[test]
    fn every_commit_is_well_formed(
        sender in proptest::option::of(0..3usize),
        recipient in proptest::option::of(0..3usize),
        chat in proptest::option::of("[a-z]{1,3}"),
        kind in 0..5u8,
        echo: bool,
    ) {
        let side = |count: Option<usize>| count.map(|count| Party {
            identities: (0..count).map(|n| phone(&n.to_string())).collect(), name: None, username: None,
        });
        let mut event = event(match kind {
            0 => Body::Message(message("m", echo)),
            1 => Body::Status(status(Target::Watermark(1))),
            2 => Body::Read(Target::Watermark(1)),
            3 => Body::MessageEdited(message("m", echo)),
            _ => Body::Opt(Opt::default()),
        });
        event.sender = side(sender);
        event.recipient = side(recipient);
        event.chat = chat;
        let effects = fold(&event);
        prop_assert!(!effects.is_empty());
        let mut conversation = false;
        for (at, effect) in effects.iter().enumerate() {
            match effect {
                Effect::Contact { identities, .. } => prop_assert!(at == 0 && !identities.is_empty()),
                Effect::Conversation { .. } => conversation = true,
                Effect::Message(..) => prop_assert!(conversation),
                Effect::Status(Status { target: Target::Watermark(_), .. }) => prop_assert!(conversation),
                _ => {}
            }
        }
    }
}
