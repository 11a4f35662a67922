//! What is refused by name, and that the platform would refuse what is of another form.

use chatly_canonical::{ContactCard, Identity};
use chatly_cases::content::{
    button, by_id, by_url, choices, invalid, media, reaction, template, text, too_long, unsupported,
};
use chatly_channel::outbound::{Content, MediaLocation, Message, Request};
use chatly_channel::{Header, Outcome};
use chatly_simulator::Mood;

use crate::{GROUP, choice_of, line, place, send, to};

#[test]
fn what_line_would_refuse_is_refused_by_name() {
    let titled = |title: &str| Content::Buttons("a".into(), vec![button("a", title)]);
    for (name, content, want) in [
        ("no text", text(" "), invalid("the text is empty")),
        (
            "five buttons",
            Content::Buttons("a".into(), choices(5, "Title 0")),
            too_long("buttons", 4, 5),
        ),
        (
            "no button",
            Content::Buttons("a".into(), vec![]),
            invalid("there is no button"),
        ),
        (
            "text above buttons",
            Content::Buttons("ä".repeat(161), choices(1, "Title 0")),
            too_long("text above buttons", 160, 161),
        ),
        (
            "a title of 21 graphemes",
            titled(&"👩\u{200d}👧".repeat(21)),
            too_long("button title", 20, 21),
        ),
        (
            "14 quick replies",
            Content::QuickReplies("a".into(), choices(14, "Title 0")),
            too_long("quick replies", 13, 14),
        ),
        (
            "11 rows",
            choice_of(11, None),
            too_long("list rows", 10, 11),
        ),
        (
            "no row",
            choice_of(0, None),
            invalid("there is no row in the list"),
        ),
        (
            "a description",
            choice_of(1, Some(&"a".repeat(61))),
            too_long("row description", 60, 61),
        ),
        (
            "a name",
            place(Some(&"a".repeat(101))),
            too_long("location name", 100, 101),
        ),
        (
            "a caption",
            by_url("image", Some(&"a".repeat(5001))),
            too_long("caption", 5000, 5001),
        ),
        (
            "http",
            media(
                "image",
                MediaLocation::Url("http://example.org/a".into()),
                None,
            ),
            invalid("the link to the media is no https URL"),
        ),
        (
            "image by id",
            by_id("image", "1"),
            unsupported("media by id"),
        ),
        (
            "audio",
            by_url("audio", None),
            unsupported("audio, whose length LINE demands"),
        ),
        (
            "document",
            by_url("document", None),
            unsupported("media of kind \"document\""),
        ),
        (
            "a sticker's id",
            by_id("sticker", "446"),
            invalid("the sticker is not of the form package:sticker"),
        ),
        (
            "contact",
            Content::Contacts(vec![ContactCard::default()]),
            unsupported("a contact"),
        ),
        ("reaction", reaction("1", None), unsupported("a reaction")),
        (
            "template",
            template("a", "en", None),
            unsupported("a template"),
        ),
        (
            "read",
            Content::MarkRead("1".into()),
            unsupported("a read marker without its token"),
        ),
    ] {
        assert_eq!(line().render(&to(content)), Err(want), "{name}");
    }
    let no_user = invalid("the recipient is no LINE user");
    for person in [
        Identity::new("phone", "1650"),
        Identity::new("line", ""),
        Identity::new("line", "U/1"),
    ] {
        let message = Message {
            to: person,
            ..to(text("Hi"))
        };
        assert_eq!(line().render(&message), Err(no_user.clone()));
    }
    let in_group = Message {
        chat: Some(GROUP.into()),
        ..to(Content::Typing(None))
    };
    let want = unsupported("typing in a group");
    assert_eq!(line().render(&in_group), Err(want));
    // Both sides of the bounds.
    for content in [
        Content::Buttons("ä".repeat(160), choices(4, "Title 0")),
        titled(&"👩\u{200d}👧".repeat(20)),
        Content::QuickReplies("a".into(), choices(13, "Title 0")),
        choice_of(10, Some(&"a".repeat(60))),
        place(Some(&"a".repeat(100))),
        by_url("image", Some(&"a".repeat(5000))),
    ] {
        line().takes("at the bound", &to(content));
    }
}

#[test]
fn what_is_not_of_the_documented_form_is_refused_by_the_platform() {
    let good = line().render(&to(text("Hi"))).unwrap().remove(0);
    for (name, url, body) in [
        (
            "another path",
            "https://api.line.me/v2/bot/message/pull",
            None,
        ),
        (
            "no recipient",
            good.url.as_str(),
            Some(r#"{"messages":[{"type":"text","text":"a"}]}"#),
        ),
        (
            "no message",
            good.url.as_str(),
            Some(r#"{"to":"U1","messages":[]}"#),
        ),
        (
            "no text",
            good.url.as_str(),
            Some(r#"{"to":"U1","messages":[{"type":"text","text":""}]}"#),
        ),
        ("no JSON", good.url.as_str(), Some("to=U1")),
    ] {
        let body = body.map_or(good.body.clone(), |body| body.as_bytes().to_vec());
        let request = Request {
            url: url.into(),
            body,
            ..good.clone()
        };
        assert_eq!(
            send(&request, Mood::Well).outcome,
            Outcome::Refused,
            "{name}"
        );
    }
    let mut keyed = good;
    keyed.headers = vec![Header::new("x-line-retry-key", "job-1")];
    assert_eq!(send(&keyed, Mood::Well).outcome, Outcome::Refused);
}
