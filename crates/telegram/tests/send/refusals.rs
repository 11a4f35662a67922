//! What is refused by name, and that the platform would refuse what is of another form.

use chatly_canonical::{ContactCard, Identity, Location};
use chatly_cases::content::{
    button, by_id, by_url, invalid, media, reaction, template, text, too_long, unsupported,
};
use chatly_channel::Outcome;
use chatly_channel::outbound::{Button, Content, MediaLocation, Message, Request};
use chatly_simulator::Mood;

use crate::{card, in_chat, telegram, to};

#[test]
fn what_telegram_would_refuse_is_refused_by_name() {
    let buttons = |text: &str, all: Vec<Button>| to(Content::Buttons(text.into(), all));
    let of = |scheme: &str, id: &str| Message {
        to: Identity::new(scheme, id),
        ..to(text("Hi"))
    };
    let long = "😀".repeat(513);
    let not_a_chat = "the recipient is no Telegram chat";
    for (name, message, want) in [
        ("no text", to(text(" \n")), invalid("the text is empty")),
        (
            "another platform's person",
            of("phone", "1650"),
            invalid(not_a_chat),
        ),
        ("no number", of("telegram", "12/../x"), invalid(not_a_chat)),
        ("no id", of("telegram", ""), invalid(not_a_chat)),
        (
            "no name of a channel",
            in_chat("@a/b", text("Hi")),
            invalid(not_a_chat),
        ),
        (
            "caption",
            to(by_url("image", Some(&long))),
            too_long("caption", 1024, 1026),
        ),
        (
            "a sticker's caption",
            to(by_url("sticker", Some("a"))),
            unsupported("a caption of a sticker"),
        ),
        (
            "a kind of media",
            to(by_url("hologram", None)),
            unsupported("media of kind \"hologram\""),
        ),
        (
            "a file",
            to(media(
                "image",
                MediaLocation::Url("file:///etc/passwd".into()),
                None,
            )),
            invalid("the link to the media is no http or https URL"),
        ),
        (
            "no media",
            to(by_id("image", "")),
            invalid("the media is empty"),
        ),
        (
            "no contact",
            to(Content::Contacts(vec![])),
            invalid("there is no contact"),
        ),
        (
            "a contact without a phone",
            to(Content::Contacts(vec![ContactCard {
                phones: vec![],
                ..card()
            }])),
            invalid("the phone of the contact is empty"),
        ),
        (
            "no button",
            buttons("a", vec![]),
            invalid("there is no button"),
        ),
        (
            "a button's id",
            buttons("a", vec![button(&"ä".repeat(33), "b")]),
            too_long("button id", 64, 66),
        ),
        (
            "a button's title",
            buttons("a", vec![button("a", "")]),
            invalid("the button title is empty"),
        ),
        (
            "equal ids",
            buttons("a", vec![button("a", "b"), button("a", "c")]),
            invalid("the button ids are not unique"),
        ),
        (
            "text above buttons",
            buttons(&"a".repeat(4097), vec![button("a", "b")]),
            too_long("text", 4096, 4097),
        ),
        (
            "template",
            to(template("a", "en", None)),
            unsupported("a template"),
        ),
        (
            "read marker of a bot",
            to(Content::MarkRead("1111111:1365".into())),
            unsupported("a read marker without a business connection"),
        ),
        (
            "reaction to a message of another chat",
            to(reaction("2222222:1365", Some("👍"))),
            invalid("the message id is none of this chat"),
        ),
        (
            "a place in space",
            to(Content::Location(Location {
                latitude: 91.0,
                ..Location::default()
            })),
            invalid("the location is not on Earth"),
        ),
    ] {
        assert_eq!(telegram().render(&message), Err(want), "{name}");
    }
}

#[test]
fn what_is_not_of_the_documented_form_is_refused_by_the_platform() {
    let good = telegram().render(&to(text("Hi"))).unwrap().remove(0);
    for (name, url, body) in [
        ("no token", "https://api.telegram.org/bot/sendMessage", None),
        (
            "no such method",
            "https://api.telegram.org/bot1:A/sendNothing",
            None,
        ),
        ("no chat", good.url.as_str(), Some(r#"{"text":"Hi"}"#)),
        ("no text", good.url.as_str(), Some(r#"{"chat_id":1}"#)),
        (
            "a number in a string",
            good.url.as_str(),
            Some(r#"{"chat_id":"1","text":"Hi"}"#),
        ),
        ("no JSON", good.url.as_str(), Some("chat_id=1")),
    ] {
        let body = body.map_or(good.body.clone(), |body| body.as_bytes().to_vec());
        let request = Request {
            url: url.into(),
            body,
            ..good.clone()
        };
        let verdict = telegram().send(&request, Mood::Well);
        assert_ne!(verdict.outcome, Outcome::Sent, "{name}");
    }
}
