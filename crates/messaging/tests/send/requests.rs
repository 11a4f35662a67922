//! What becomes of contents, people and accounts.

use chatly_canonical::{ContactCard, Identity, Location};
use chatly_cases::Caller;
use chatly_cases::content::{by_id, by_url, choices, media};
use chatly_channel::outbound::{Button, Content, MediaLocation, Message};
use serde_json::{Value, json};

use crate::{Side, attached, menu, rendered, to_person};

/// A body that does this.
fn does<C: Side>(action: &str) -> Value {
    json!({ "recipient": { "id": C::PERSON }, "sender_action": action })
}

fn postbacks(count: usize, title: &str) -> Vec<Value> {
    (0..count)
        .map(|at| json!({ "type": "postback", "title": title, "payload": format!("id-{at}") }))
        .collect()
}

pub fn each_content_is_the_documented_request<C: Side>() {
    let common = vec![
        (
            "text",
            Content::Text("Grüße".into()),
            vec![C::says(json!({ "text": "Grüße" }))],
        ),
        (
            "image",
            by_url("image", None),
            vec![attached::<C>(
                "image",
                json!({ "url": "https://example.org/a" }),
            )],
        ),
        (
            "video",
            by_url("video", None),
            vec![attached::<C>(
                "video",
                json!({ "url": "https://example.org/a" }),
            )],
        ),
        (
            "voice",
            by_url("voice", None),
            vec![attached::<C>(
                "audio",
                json!({ "url": "https://example.org/a" }),
            )],
        ),
        (
            "document",
            by_url("document", None),
            vec![attached::<C>(
                "file",
                json!({ "url": "https://example.org/a" }),
            )],
        ),
        (
            "caption",
            media(
                "image",
                MediaLocation::Url("https://example.org/a".into()),
                Some("Red"),
            ),
            vec![
                attached::<C>("image", json!({ "url": "https://example.org/a" })),
                C::says(json!({ "text": "Red" })),
            ],
        ),
        (
            "buttons",
            Content::Buttons("Sure?".into(), choices(3, "Yes, of course, now!")),
            vec![attached::<C>(
                "template",
                json!({ "template_type": "button", "text": "Sure?", "buttons": postbacks(3, "Yes, of course, now!") }),
            )],
        ),
        (
            "quick replies",
            Content::QuickReplies("Color?".into(), choices(13, "Red")),
            vec![C::says(json!({ "text": "Color?", "quick_replies": (0..13)
                .map(|at| json!({ "content_type": "text", "title": "Red", "payload": format!("id-{at}") }))
                .collect::<Vec<_>>() }))],
        ),
        (
            "menu",
            menu(1, "Aloe", None),
            vec![
                C::says(json!({ "text": "Which one?" })),
                attached::<C>(
                    "template",
                    json!({ "template_type": "generic", "elements": [{ "title": "Aloe", "subtitle": "Plants",
                    "buttons": [{ "type": "postback", "title": "Choose", "payload": "row-0" }] }] }),
                ),
            ],
        ),
        (
            "mark read",
            Content::MarkRead("m_1".into()),
            vec![does::<C>("mark_seen")],
        ),
        (
            "typing",
            Content::Typing(None),
            vec![does::<C>("typing_on")],
        ),
        (
            "typing an answer",
            Content::Typing(Some("m_1".into())),
            vec![does::<C>("typing_on")],
        ),
    ];
    for (name, content, want) in [common, C::contents()].concat() {
        assert_eq!(rendered::<C>(&to_person::<C>(content)), Ok(want), "{name}");
    }
}

pub fn a_long_text_is_several_and_only_the_first_one_replies<C: Side>() {
    for (name, text, want) in C::long_texts() {
        let message = Message {
            reply_to: Some("m_1".into()),
            reference: Some("job-1".into()),
            ..to_person::<C>(Content::Text(text.clone()))
        };
        let bodies = rendered::<C>(&message).unwrap();
        let all: String = bodies
            .iter()
            .filter_map(|body| body.pointer("/message/text")?.as_str())
            .collect();
        assert_eq!((bodies.len(), all), (want, text), "{name}");
        for (at, body) in bodies.iter().enumerate() {
            let reply_to = body.pointer("/reply_to/mid").and_then(Value::as_str);
            assert_eq!(reply_to, Some("m_1").filter(|_| at == 0), "{name} {at}");
            let metadata = body.pointer("/message/metadata").and_then(Value::as_str);
            let wanted = Some("job-1").filter(|_| C::TAKES_A_REFERENCE);
            assert_eq!(metadata, wanted, "{name} {at}");
        }
    }
}

pub fn what_the_platform_would_refuse_is_refused_here<C: Side>() {
    let text = |chars: usize| "a".repeat(chars);
    let one_of = |id: &str, title: &str| {
        vec![Button {
            id: id.into(),
            title: title.into(),
        }]
    };
    let common = vec![
        (Content::Text(" \n".into()), "the text is empty"),
        (
            Content::Location(Location::default()),
            "location cannot be sent here",
        ),
        (
            Content::Contacts(vec![ContactCard::default()]),
            "contacts cannot be sent here",
        ),
        (
            by_url("hologram", None),
            "media of kind \"hologram\" cannot be sent here",
        ),
        (
            media("image", MediaLocation::Url("file:///a".into()), None),
            "the link to the media is no http or https URL",
        ),
        (by_id("image", ""), "the media is empty"),
        (
            Content::Buttons("a".into(), vec![]),
            "there is nothing to choose from",
        ),
        (
            Content::Buttons("a".into(), choices(4, "b")),
            "buttons takes at most 3, not 4",
        ),
        (
            Content::Buttons(text(641), choices(1, "b")),
            "text above buttons takes at most 640, not 641",
        ),
        (
            Content::Buttons("a".into(), choices(1, &text(21))),
            "button title takes at most 20, not 21",
        ),
        (
            Content::Buttons("a".into(), one_of(&text(1_001), "b")),
            "button id takes at most 1000, not 1001",
        ),
        (
            Content::Buttons("a".into(), one_of("", "b")),
            "the button id is empty",
        ),
        (
            Content::Buttons("a".into(), [choices(1, "a"), choices(1, "b")].concat()),
            "the button ids are not unique",
        ),
        (
            Content::QuickReplies("a".into(), choices(14, "b")),
            "quick replies takes at most 13, not 14",
        ),
        (
            Content::QuickReplies("a".into(), choices(1, &text(21))),
            "quick reply title takes at most 20, not 21",
        ),
        (menu(0, "a", None), "there is no row in the list"),
        (menu(11, "a", None), "list rows takes at most 10, not 11"),
        (
            menu(1, &text(81), None),
            "row title takes at most 80, not 81",
        ),
        (
            menu(1, "a", Some(&text(81))),
            "row description takes at most 80, not 81",
        ),
    ];
    for (content, want) in [common, C::refusals()].concat() {
        let error = rendered::<C>(&to_person::<C>(content.clone())).unwrap_err();
        assert_eq!(error.to_string(), want, "{content:?}");
    }
}

pub fn only_people_of_this_platform_are_written_to<C: Side>() {
    for (scheme, id, want) in C::people() {
        let message = Message {
            to: Identity::new(scheme, id),
            ..to_person::<C>(Content::Text("a".into()))
        };
        let recipient = rendered::<C>(&message)
            .ok()
            .and_then(|bodies| bodies.first().unwrap().get("recipient").cloned());
        assert_eq!(recipient, want, "{scheme}");
    }
    let in_group = Message {
        chat: Some("1".into()),
        ..to_person::<C>(Content::Text("a".into()))
    };
    assert!(rendered::<C>(&in_group).is_err());
}

pub fn an_account_that_is_no_id_reaches_no_path<C: Side>() {
    for account in ["", "../me", "1/2", "1?a", "ä", "1 2"] {
        let message = to_person::<C>(Content::Text("a".into()));
        let caller = Caller::<C>::new(account, &C::describe().base_url, "token");
        assert!(caller.render(&message).is_err(), "{account}");
    }
}

pub fn a_tag_lets_a_persons_message_out_after_the_window<C: Side>() {
    let tagged = Message {
        tag: Some("HUMAN_AGENT".into()),
        ..to_person::<C>(Content::Text("Sorry for the wait".into()))
    };
    let kind = |message: &Message| {
        let body = rendered::<C>(message).unwrap().remove(0);
        let field = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        (field("messaging_type"), field("tag"))
    };
    let said = |it: &str| Some(it.to_owned());
    assert_eq!(kind(&tagged), (said("MESSAGE_TAG"), said("HUMAN_AGENT")));
    let (plain, tag) = kind(&to_person::<C>(Content::Text("Hi".into())));
    assert_eq!(tag, None);
    assert_ne!(plain, said("MESSAGE_TAG"));
}
