//! What Twilio has not, what it would refuse, and its limits.

use chatly_canonical::{ContactCard, Identity};
use chatly_cases::content::{button, by_id, media, reaction, text};
use chatly_channel::outbound::{Content, MediaLocation, Menu, Message, RenderError};

use crate::{image, in_chat, place, template, twilio};

#[test]
fn what_twilio_has_not_is_unsupported() {
    let no_menu = Menu {
        button: "Open".into(),
        sections: vec![],
    };
    for content in [
        by_id("image", "ME1"),
        media("hologram", MediaLocation::Url("https://a".into()), None),
        Content::Contacts(vec![ContactCard::default()]),
        reaction("SM1", None),
        Content::Buttons("a".into(), vec![button("1", "Yes")]),
        Content::QuickReplies("a".into(), vec![button("1", "Yes")]),
        Content::Menu("a".into(), no_menu),
        Content::MarkRead("SM1".into()),
        Content::Typing(None),
    ] {
        let error = twilio("AC1").render(&in_chat(content)).unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)), "{error}");
    }
    let sms = Message {
        chat: Some("+1415/+1999".into()),
        ..in_chat(place(1.0, None))
    };
    let error = twilio("AC1").render(&sms).unwrap_err();
    assert!(matches!(error, RenderError::Unsupported(_)), "{error}");
}

#[test]
fn what_twilio_would_refuse_is_refused() {
    let javascript = MediaLocation::Url("javascript:1".into());
    for (name, content) in [
        ("empty text", text(" \n")),
        ("a link that is none", media("image", javascript, None)),
        ("a place off the map", place(91.0, None)),
        ("a place that is no number", place(f64::NAN, None)),
        ("a template by name", template("hello", None)),
        ("a template of a path", template("HX/../1", None)),
        ("variables that are none", template("HX1", Some("7"))),
        ("a variable that is no string", template("HX1", Some("[1]"))),
        (
            "variables that break out",
            template("HX1", Some("{},\"a\":1")),
        ),
    ] {
        let error = twilio("AC1").render(&in_chat(content)).unwrap_err();
        assert!(matches!(error, RenderError::Invalid(_)), "{name}: {error}");
    }
    for account in ["", "AC1/../2", "AC1?a", "A C", "AC%2f", ":+1", "AC1:"] {
        let message = Message {
            chat: None,
            ..in_chat(text("a"))
        };
        assert!(twilio(account).render(&message).is_err(), "{account}");
    }
    for (scheme, id) in [
        ("viber", "1"),
        ("phone", "abc"),
        ("bsuid", "us.1"),
        ("phone", ""),
    ] {
        let message = Message {
            to: Identity::new(scheme, id),
            chat: None,
            ..in_chat(text("a"))
        };
        assert!(twilio("AC1").render(&message).is_err(), "{scheme} {id}");
    }
    for chat in ["", "+1415", "/+1", "+1/"] {
        let message = Message {
            chat: Some(chat.into()),
            ..in_chat(text("a"))
        };
        assert!(twilio("AC1").render(&message).is_err(), "{chat}");
    }
}

#[test]
fn a_limit_is_named_with_both_numbers() {
    for (limit, fits, breaks) in [
        (
            "caption",
            image(Some(&"ä".repeat(1600))),
            image(Some(&"ä".repeat(1601))),
        ),
        (
            "location name",
            place(1.0, Some(&"n".repeat(1600))),
            place(1.0, Some(&"n".repeat(1601))),
        ),
    ] {
        twilio("AC1").takes(limit, &in_chat(fits));
        twilio("AC1").breaks(limit, 1600, &in_chat(breaks));
    }
}
