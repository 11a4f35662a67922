//! What Viber has not, what it would refuse, and its limits.

use chatly_canonical::Identity;
use chatly_cases::content::{button, by_id, choices, reaction, template, text};
use chatly_channel::outbound::{Content, Menu, Message, RenderError};

use crate::{card, media, place, to_user, viber};

#[test]
fn what_viber_has_not_is_unsupported() {
    let no_menu = Menu {
        button: "Open".into(),
        sections: vec![],
    };
    for content in [
        by_id("image", "1"),
        media("hologram", "https://a", None),
        reaction("1", None),
        template("a", "en", None),
        Content::Menu("a".into(), no_menu),
        Content::MarkRead("1".into()),
        Content::Typing(None),
    ] {
        let error = viber("Chatly").render(&to_user(content)).unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)), "{error}");
    }
    let group = Message {
        chat: Some("g".into()),
        ..to_user(text("a"))
    };
    let error = viber("Chatly").render(&group).unwrap_err();
    assert!(matches!(error, RenderError::Unsupported(_)), "{error}");
}

#[test]
fn what_viber_would_refuse_is_refused() {
    for (name, content) in [
        ("empty text", text(" \n")),
        ("a link that is none", media("image", "javascript:1", None)),
        ("a sticker that is no number", by_id("sticker", "a")),
        ("a place off the map", place(91.0)),
        ("a place that is no number", place(f64::NAN)),
        ("no contact", Content::Contacts(vec![])),
        (
            "a nameless contact",
            Content::Contacts(vec![card("", "+1")]),
        ),
        (
            "a contact without a phone",
            Content::Contacts(vec![card("Bo", "")]),
        ),
        ("no buttons", Content::Buttons("a".into(), vec![])),
        (
            "buttons without text",
            Content::Buttons(" ".into(), vec![button("1", "a")]),
        ),
        (
            "a button without an id",
            Content::Buttons("a".into(), vec![button("", "a")]),
        ),
        (
            "a button without a title",
            Content::Buttons("a".into(), vec![button("1", "")]),
        ),
    ] {
        let error = viber("Chatly").render(&to_user(content)).unwrap_err();
        assert!(matches!(error, RenderError::Invalid(_)), "{name}: {error}");
    }
    for (scheme, id) in [("phone", "1"), ("viber", " ")] {
        let message = Message {
            to: Identity::new(scheme, id),
            ..to_user(text("a"))
        };
        assert!(viber("Chatly").render(&message).is_err(), "{scheme}");
    }
    let nobody = viber(" ").render(&to_user(text("a")));
    assert!(nobody.is_err());
}

#[test]
fn a_limit_is_named_with_both_numbers() {
    let url = |length: usize| format!("https://{}", "u".repeat(length - 8));
    let buttons = |count: usize| Content::Buttons("a".into(), choices(count, "t"));
    let titled = |length: usize| Content::Buttons("a".into(), choices(1, &"t".repeat(length)));
    let cards = |name: usize, phone: usize| {
        Content::Contacts(vec![card(&"n".repeat(name), &"1".repeat(phone))])
    };
    let caption = |length: usize| media("image", "https://a", Some(&"ä".repeat(length)));
    for (limit, max, fits, breaks) in [
        ("caption", 768, caption(768), caption(769)),
        (
            "media URL",
            2000,
            media("image", &url(2000), None),
            media("image", &url(2001), None),
        ),
        ("buttons", 12, buttons(12), buttons(13)),
        ("button title", 250, titled(250), titled(251)),
        ("contact name", 28, cards(28, 1), cards(29, 1)),
        ("contact phone", 18, cards(1, 18), cards(1, 19)),
        (
            "text of buttons",
            7000,
            Content::Buttons("a".repeat(7000), choices(1, "t")),
            Content::Buttons("a".repeat(7001), choices(1, "t")),
        ),
    ] {
        viber("Chatly").takes(limit, &to_user(fits));
        viber("Chatly").breaks(limit, max, &to_user(breaks));
    }
    let escapes = viber("Chatly").render(&to_user(text(&"\u{1}".repeat(7000))));
    let Err(RenderError::TooLong(breach)) = escapes else {
        panic!("escapes make this longer than 30 kB");
    };
    assert_eq!(
        (breach.limit.as_str(), breach.max),
        ("request bytes", 30_000)
    );
}
