mod refusals;

use super::*;
use chatly_canonical::{Identity, Location};
use chatly_channel::outbound::{Button, LimitBreach, Menu, ReactionTo, Row, Section};
use proptest::prelude::*;

fn sender() -> Sender {
    Sender {
        account: "106540352242922".into(),
        base_url: "https://graph.facebook.com".into(),
    }
}

fn to_phone(content: Content) -> Message {
    Message {
        to: Identity::new("phone", "16505551234"),
        chat: None,
        content,
        reply_to: None,
        reference: None,
        tag: None,
    }
}

/// The one body of a message, as JSON.
fn rendered(message: &Message) -> Result<Value> {
    let requests = render(&sender(), message)?;
    assert_eq!(requests.len(), 1);
    Ok(serde_json::from_slice(&requests[0].body).unwrap())
}

fn media_of(kind: &str, caption: Option<&str>) -> Content {
    Content::Media(MediaSource {
        kind: kind.into(),
        location: MediaLocation::Url("https://example.org/a.pdf".into()),
        caption: caption.map(Into::into),
        filename: Some("a.pdf".into()),
    })
}

fn button(id: &str, title: &str) -> Button {
    Button {
        id: id.into(),
        title: title.into(),
    }
}

fn list(rows: usize) -> Content {
    let row = |at: usize| Row {
        id: at.to_string(),
        title: format!("Row {at}"),
        description: None,
    };
    let sections = vec![Section {
        title: None,
        rows: (0..rows).map(row).collect(),
    }];
    Content::Menu(
        "Choose".into(),
        Menu {
            button: "Open".into(),
            sections,
        },
    )
}

#[test]
fn a_text_is_one_request_to_the_account() {
    let message = Message {
        reply_to: Some("wamid.A".into()),
        reference: Some("job-1".into()),
        ..to_phone(Content::Text("Hi".into()))
    };
    let requests = render(&sender(), &message).unwrap();
    assert_eq!(requests[0].method, "POST");
    assert_eq!(
        requests[0].url,
        "https://graph.facebook.com/v26.0/106540352242922/messages"
    );
    assert_eq!(
        requests[0].headers,
        [Header::new("content-type", "application/json")]
    );
    assert_eq!(requests[0].auth, Auth::Bearer);
    assert_eq!(
        String::from_utf8(requests[0].body.clone()).unwrap(),
        concat!(
            r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"16505551234","context":{"message_id":"wamid.A"},"#,
            r#""biz_opaque_callback_data":"job-1","type":"text","text":{"preview_url":false,"body":"Hi"}}"#
        )
    );
}

#[test]
fn a_long_text_is_several_and_only_the_first_one_replies() {
    for (name, chars, want) in [
        ("exactly one", 4096, 1),
        ("one more", 4097, 2),
        ("three", 8193, 3),
    ] {
        let message = Message {
            reply_to: Some("wamid.A".into()),
            ..to_phone(Content::Text("ä".repeat(chars)))
        };
        let requests = render(&sender(), &message).unwrap();
        let bodies: Vec<Value> = requests
            .iter()
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect();
        assert_eq!(bodies.len(), want, "{name}");
        let replies = bodies
            .iter()
            .filter(|body| body.get("context").is_some())
            .count();
        assert_eq!(
            (replies, bodies[0].get("context").is_some()),
            (1, true),
            "{name}"
        );
    }
}

#[test]
fn the_recipient_stands_where_its_scheme_belongs() {
    for (name, scheme, id, chat, want) in [
        (
            "phone",
            "phone",
            "1650",
            None,
            Ok(r#"{"recipient_type":"individual","to":"1650"}"#),
        ),
        (
            "bsuid",
            "bsuid",
            "US.1",
            None,
            Ok(r#"{"recipient_type":"individual","recipient":"US.1"}"#),
        ),
        (
            "parent",
            "parent_bsuid",
            "US.ENT.1",
            None,
            Ok(r#"{"recipient_type":"individual","recipient":"US.ENT.1"}"#),
        ),
        (
            "group",
            "phone",
            "1650",
            Some("group-1"),
            Ok(r#"{"recipient_type":"group","to":"group-1"}"#),
        ),
        (
            "another platform's",
            "psid",
            "1",
            None,
            Err(invalid("the recipient is neither a phone nor a BSUID")),
        ),
        (
            "empty",
            "phone",
            "",
            None,
            Err(invalid("the recipient is empty")),
        ),
    ] {
        let message = Message {
            to: Identity::new(scheme, id),
            chat: chat.map(Into::into),
            ..to_phone(Content::Text("a".into()))
        };
        let got = rendered(&message).map(|body| {
            let address = ["recipient_type", "to", "recipient"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), body.get(name)?.clone())));
            Value::Object(address.collect()).to_string()
        });
        assert_eq!(got.as_deref().map_err(Clone::clone), want, "{name}");
    }
}

#[test]
fn every_content_has_its_form() {
    let card = ContactCard {
        name: Some("Bo".into()),
        phones: vec!["+1".into()],
        emails: vec![],
        org: Some("Org".into()),
    };
    let place = Location {
        latitude: 1.5,
        longitude: -2.0,
        name: Some("Here".into()),
        address: None,
    };
    let by_id = Content::Media(MediaSource {
        kind: "voice".into(),
        location: MediaLocation::Id("7".into()),
        caption: None,
        filename: None,
    });
    let template = |components: Option<&str>| {
        Content::Template(Template {
            name: "hello".into(),
            language: "en_US".into(),
            components: components.map(Into::into),
        })
    };
    let taken_back = ReactionTo {
        message_id: "wamid.A".into(),
        emoji: None,
    };
    for (content, kind, want) in [
        (
            media_of("document", Some("Offer")),
            "document",
            r#"{"link":"https://example.org/a.pdf","caption":"Offer","filename":"a.pdf"}"#,
        ),
        (
            media_of("image", None),
            "image",
            r#"{"link":"https://example.org/a.pdf"}"#,
        ),
        (by_id, "audio", r#"{"id":"7"}"#),
        (
            Content::Location(place),
            "location",
            r#"{"latitude":1.5,"longitude":-2.0,"name":"Here"}"#,
        ),
        (
            Content::Contacts(vec![card]),
            "contacts",
            r#"[{"name":{"formatted_name":"Bo","first_name":"Bo"},"phones":[{"phone":"+1"}],"org":{"company":"Org"}}]"#,
        ),
        (
            Content::Reaction(taken_back),
            "reaction",
            r#"{"message_id":"wamid.A","emoji":""}"#,
        ),
        (
            template(None),
            "template",
            r#"{"name":"hello","language":{"code":"en_US"}}"#,
        ),
        (
            template(Some(r#" [{"type":"body"}]"#)),
            "template",
            r#"{"name":"hello","language":{"code":"en_US"},"components":[{"type":"body"}]}"#,
        ),
        (
            Content::Buttons("Sure?".into(), vec![button("y", "Yes")]),
            "interactive",
            r#"{"type":"button","body":{"text":"Sure?"},"action":{"buttons":[{"type":"reply","reply":{"id":"y","title":"Yes"}}]}}"#,
        ),
        (
            Content::QuickReplies("Sure?".into(), vec![button("y", "Yes")]),
            "interactive",
            r#"{"type":"button","body":{"text":"Sure?"},"action":{"buttons":[{"type":"reply","reply":{"id":"y","title":"Yes"}}]}}"#,
        ),
        (
            list(1),
            "interactive",
            r#"{"type":"list","body":{"text":"Choose"},"action":{"button":"Open","sections":[{"rows":[{"id":"0","title":"Row 0"}]}]}}"#,
        ),
    ] {
        let body = rendered(&to_phone(content)).unwrap();
        assert_eq!(body["type"], kind);
        assert_eq!(body[kind].to_string(), want);
    }
}

#[test]
fn read_and_typing_name_the_message_alone() {
    for (content, want) in [
        (
            Content::MarkRead("wamid.A".into()),
            r#"{"messaging_product":"whatsapp","status":"read","message_id":"wamid.A"}"#,
        ),
        (
            Content::Typing(Some("wamid.A".into())),
            r#"{"messaging_product":"whatsapp","status":"read","message_id":"wamid.A","typing_indicator":{"type":"text"}}"#,
        ),
    ] {
        assert_eq!(rendered(&to_phone(content)).unwrap().to_string(), want);
    }
    assert!(matches!(
        rendered(&to_phone(Content::Typing(None))),
        Err(RenderError::Invalid(_))
    ));
    assert!(matches!(
        rendered(&to_phone(Content::MarkRead(String::new()))),
        Err(RenderError::Invalid(_))
    ));
}

proptest! {
    #[test]
    fn a_text_of_any_length_arrives_whole(text in "(\\PC|\n){1,40}", times in 1usize..400) {
        let text = text.repeat(times);
        prop_assume!(!text.trim().is_empty());
        let requests = render(&sender(), &to_phone(Content::Text(text.clone()))).unwrap();
        let pieces = requests.iter().map(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["text"]["body"].as_str().unwrap().to_owned()
        });
        let visible = |text: String| text.split_whitespace().collect::<String>();
        prop_assert_eq!(visible(pieces.collect()), visible(text));
    }
}
