use proptest::prelude::*;

use super::*;

#[test]
fn every_type_is_read_from_its_fields() {
    for (json, want) in [
        (r#"{"type":"text","text":"Hi"}"#, r#"Text("Hi")"#),
        (
            r#"{"type":"media","media":{"kind":"image","url":"https://x","caption":"c"}}"#,
            r#"Media(MediaSource { kind: "image", location: Url("https://x"), caption: Some("c"), filename: None })"#,
        ),
        (
            r#"{"type":"media","media":{"kind":"document","id":"7","filename":"f"}}"#,
            r#"Media(MediaSource { kind: "document", location: Id("7"), caption: None, filename: Some("f") })"#,
        ),
        (
            r#"{"type":"location","location":{"latitude":1.5,"longitude":-2}}"#,
            "Location(Location { latitude: 1.5, longitude: -2.0, name: None, address: None })",
        ),
        (
            r#"{"type":"contacts","contacts":[{"name":"n","phones":["1"]}]}"#,
            r#"Contacts([ContactCard { name: Some("n"), phones: ["1"], emails: [], org: None }])"#,
        ),
        (
            r#"{"type":"reaction","reaction":{"message_id":"m"}}"#,
            r#"Reaction(ReactionTo { message_id: "m", emoji: None })"#,
        ),
        (
            r#"{"type":"template","template":{"name":"t","language":"en","components":[1.10]}}"#,
            r#"Template(Template { name: "t", language: "en", components: Some("[1.10]") })"#,
        ),
        (
            r#"{"type":"buttons","text":"t","buttons":[{"id":"i","title":"b"}]}"#,
            r#"Buttons("t", [Button { id: "i", title: "b" }])"#,
        ),
        (
            r#"{"type":"list","text":"t","list":{"button":"b","sections":[{"rows":[{"id":"i","title":"r"}]}]}}"#,
            r#"Menu("t", Menu { button: "b", sections: [Section { title: None, rows: [Row { id: "i", title: "r", description: None }] }] })"#,
        ),
        (
            r#"{"type":"quick_replies","text":"t","buttons":[]}"#,
            r#"QuickReplies("t", [])"#,
        ),
        (
            r#"{"type":"mark_read","message_id":"m"}"#,
            r#"MarkRead("m")"#,
        ),
        (r#"{"type":"typing"}"#, "Typing(None)"),
    ] {
        let draft = Draft::parse(json).unwrap();
        assert_eq!(format!("{:?}", draft.content), want, "{json}");
    }
}

#[test]
fn what_does_not_fit_is_refused_without_being_quoted() {
    let at = |column| Error::NotADraft { line: 1, column };
    for (json, want) in [
        ("", at(1)),
        ("[]", at(1)),
        (r#"["text","Hi"]"#, at(1)),
        (r#"{"text":"Hi"}"#, at(13)),
        (r#"{"type":"text","text":"Hi","to":"me"}"#, at(31)),
        (r#"{"type":"secret"}"#, fields::Error::Type.into()),
        (r#"{"type":"text"}"#, fields::Error::Needs("text").into()),
        (
            r#"{"type":"text","text":"Hi","list":{"button":"b","sections":[]}}"#,
            fields::Error::Spare("list").into(),
        ),
        (
            r#"{"type":"media","media":{"kind":"image"}}"#,
            fields::Error::MediaLocation.into(),
        ),
        (
            r#"{"type":"media","media":{"kind":"image","url":"u","id":"i"}}"#,
            fields::Error::MediaLocation.into(),
        ),
    ] {
        let error = Draft::parse(json).unwrap_err();
        assert!(!error.to_string().contains("secret"));
        assert_eq!(error, want, "{json}");
    }
}

#[test]
fn the_thread_shows_what_is_a_message() {
    for (json, want) in [
        (
            r#"{"type":"text","text":"Hi","reply_to":"m"}"#,
            Some((MessageType::Text, Some("Hi"), false)),
        ),
        (
            r#"{"type":"media","media":{"kind":"voice","id":"7"}}"#,
            Some((MessageType::Audio, None, false)),
        ),
        (
            r#"{"type":"template", "template":{"name":"t","language":"en"}}"#,
            Some((MessageType::Unsupported, None, true)),
        ),
        (
            r#"{"type":"buttons","text":"t","buttons":[]}"#,
            Some((MessageType::Text, Some("t"), true)),
        ),
        (r#"{"type":"typing"}"#, None),
        (r#"{"type":"mark_read","message_id":"m"}"#, None),
        (r#"{"type":"reaction","reaction":{"message_id":"m"}}"#, None),
    ] {
        let stored = Draft::parse(json).unwrap().stored();
        let seen = stored
            .as_ref()
            .map(|m| (m.kind, m.text.as_deref(), m.raw.is_some()));
        assert_eq!(seen, want, "{json}");
        assert!(stored.is_none_or(|m| m.id.is_empty()));
    }
    let reply = Draft::parse(r#"{"type":"text","text":"Hi","reply_to":"m"}"#).unwrap();
    assert_eq!(reply.stored().unwrap().reply_to.as_deref(), Some("m"));
}

proptest! {
    #[test]
    fn never_panics_and_what_was_read_is_read_again_the_same(json in r#"\{"type":"text","text":"\PC{0,20}"\}|\PC*"#) {
        if let Ok(draft) = Draft::parse(&json) {
            prop_assert_eq!(Draft::parse(draft.json()), Ok(draft));
        }
    }
}
