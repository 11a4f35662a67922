//! What is refused before it is sent, and how it is named.

use super::*;

fn too_long(limit: &str, max: u64, given: u64) -> RenderError {
    RenderError::TooLong(LimitBreach {
        limit: limit.into(),
        max,
        given,
    })
}

#[test]
fn a_limit_is_named_with_both_numbers() {
    let row = |id: &str, title: &str, description: Option<&str>| Row {
        id: id.into(),
        title: title.into(),
        description: description.map(Into::into),
    };
    let one_row = |row: Row| {
        Content::Menu(
            "a".into(),
            Menu {
                button: "b".into(),
                sections: vec![Section {
                    title: None,
                    rows: vec![row],
                }],
            },
        )
    };
    let buttons = |count: usize| {
        (0..count)
            .map(|at| button(&at.to_string(), &at.to_string()))
            .collect::<Vec<_>>()
    };
    for (name, fits, breaks, want) in [
        (
            "caption",
            media_of("image", Some(&"ä".repeat(1024))),
            media_of("image", Some(&"ä".repeat(1025))),
            too_long("caption", 1024, 1025),
        ),
        (
            "buttons",
            Content::Buttons("a".into(), buttons(3)),
            Content::Buttons("a".into(), buttons(4)),
            too_long("buttons", 3, 4),
        ),
        (
            "quick replies",
            Content::QuickReplies("a".into(), buttons(3)),
            Content::QuickReplies("a".into(), buttons(4)),
            too_long("buttons", 3, 4),
        ),
        (
            "button title",
            Content::Buttons("a".into(), vec![button("1", &"t".repeat(20))]),
            Content::Buttons("a".into(), vec![button("1", &"t".repeat(21))]),
            too_long("button title", 20, 21),
        ),
        (
            "button id",
            Content::Buttons("a".into(), vec![button(&"i".repeat(256), "t")]),
            Content::Buttons("a".into(), vec![button(&"i".repeat(257), "t")]),
            too_long("button id", 256, 257),
        ),
        (
            "text of buttons",
            Content::Buttons("a".repeat(1024), buttons(1)),
            Content::Buttons("a".repeat(1025), buttons(1)),
            too_long("interactive text", 1024, 1025),
        ),
        ("rows", list(10), list(11), too_long("list rows", 10, 11)),
        (
            "row title",
            one_row(row("1", &"t".repeat(24), None)),
            one_row(row("1", &"t".repeat(25), None)),
            too_long("row title", 24, 25),
        ),
        (
            "row description",
            one_row(row("1", "t", Some(&"d".repeat(72)))),
            one_row(row("1", "t", Some(&"d".repeat(73)))),
            too_long("row description", 72, 73),
        ),
        (
            "row id",
            one_row(row(&"i".repeat(200), "t", None)),
            one_row(row(&"i".repeat(201), "t", None)),
            too_long("row id", 200, 201),
        ),
    ] {
        assert!(rendered(&to_phone(fits)).is_ok(), "{name}");
        assert_eq!(rendered(&to_phone(breaks)).unwrap_err(), want, "{name}");
    }
}

#[test]
fn what_the_platform_would_refuse_is_refused() {
    let two = Section {
        title: None,
        rows: vec![Row {
            id: "1".into(),
            title: "t".into(),
            description: None,
        }],
    };
    let other = Section {
        title: None,
        rows: vec![Row {
            id: "2".into(),
            title: "t".into(),
            description: None,
        }],
    };
    let bad_link = MediaSource {
        kind: "image".into(),
        location: MediaLocation::Url("javascript:1".into()),
        caption: None,
        filename: None,
    };
    for (name, content) in [
        ("empty text", Content::Text(" \n".into())),
        ("no buttons", Content::Buttons("a".into(), vec![])),
        (
            "same button twice",
            Content::Buttons("a".into(), vec![button("1", "a"), button("1", "b")]),
        ),
        (
            "same title twice",
            Content::Buttons("a".into(), vec![button("1", "a"), button("2", "a")]),
        ),
        ("no rows", list(0)),
        (
            "sections without titles",
            Content::Menu(
                "a".into(),
                Menu {
                    button: "b".into(),
                    sections: vec![two, other],
                },
            ),
        ),
        ("no contact", Content::Contacts(vec![])),
        (
            "nameless contact",
            Content::Contacts(vec![ContactCard::default()]),
        ),
        (
            "place off the map",
            Content::Location(Location {
                latitude: 91.0,
                ..Location::default()
            }),
        ),
        (
            "place that is no number",
            Content::Location(Location {
                longitude: f64::NAN,
                ..Location::default()
            }),
        ),
        ("link that is none", Content::Media(bad_link)),
        (
            "template without a name",
            Content::Template(Template {
                name: String::new(),
                language: "en".into(),
                components: None,
            }),
        ),
        (
            "components that are no list",
            Content::Template(Template {
                name: "a".into(),
                language: "en".into(),
                components: Some("{}".into()),
            }),
        ),
        (
            "components that break out",
            Content::Template(Template {
                name: "a".into(),
                language: "en".into(),
                components: Some("[]},\"to\":\"2\"".into()),
            }),
        ),
    ] {
        assert!(
            matches!(rendered(&to_phone(content)), Err(RenderError::Invalid(_))),
            "{name}"
        );
    }
    for content in [
        media_of("hologram", None),
        media_of("audio", Some("a")),
        media_of("sticker", Some("a")),
    ] {
        assert!(matches!(
            rendered(&to_phone(content)),
            Err(RenderError::Unsupported(_))
        ));
    }
}

#[test]
fn an_account_is_one_path_segment() {
    for account in ["", "1/../2", "1?a", "a b", "1%2f"] {
        let sender = Sender {
            account: account.into(),
            ..sender()
        };
        assert!(
            render(&sender, &to_phone(Content::Text("a".into()))).is_err(),
            "{account}"
        );
    }
}
