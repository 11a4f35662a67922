//! What becomes of contents, and which retry key goes with it.

use chatly_canonical::Identity;
use chatly_cases::content::{by_id, by_url, choices, text};
use chatly_cases::post;
use chatly_channel::Header;
use chatly_channel::outbound::{Auth, Content, Message, Request};
use proptest::prelude::*;
use serde_json::Value;

use crate::{GROUP, choice_of, line, place, to};

const PUSH: &str = "https://api.line.me/v2/bot/message/push";

fn key_of(request: &Request) -> Option<String> {
    let mut headers = request.headers.iter();
    let found = headers.find(|it| it.name == "x-line-retry-key")?;
    String::from_utf8(found.value.clone()).ok()
}

/// The retry key of a message's first request.
fn retry_key(message: &Message) -> Option<String> {
    key_of(line().render(message).ok()?.first()?)
}

#[test]
fn every_content_has_its_exact_form_and_is_accepted() {
    for (name, content, want) in [
        ("text", text("Hi"), r#"[{"type":"text","text":"Hi"}]"#),
        (
            "image with a caption",
            by_url("image", Some("Blue")),
            r#"[{"type":"image","originalContentUrl":"https://example.org/a","previewImageUrl":"https://example.org/a"},{"type":"text","text":"Blue"}]"#,
        ),
        (
            "video",
            by_url("video", None),
            r#"[{"type":"video","originalContentUrl":"https://example.org/a","previewImageUrl":"https://example.org/a"}]"#,
        ),
        (
            "sticker",
            by_id("sticker", "446:1988"),
            r#"[{"type":"sticker","packageId":"446","stickerId":"1988"}]"#,
        ),
        (
            "location",
            place(Some("Shop")),
            r#"[{"type":"location","title":"Shop","address":"Shop","latitude":50.5,"longitude":-7.25}]"#,
        ),
        (
            "a place without a name",
            place(None),
            r#"[{"type":"location","title":"50.5, -7.25","address":"50.5, -7.25","latitude":50.5,"longitude":-7.25}]"#,
        ),
        (
            "buttons",
            Content::Buttons("Which?".into(), choices(1, "Title 0")),
            r#"[{"type":"template","altText":"Which?","template":{"type":"buttons","text":"Which?","actions":[{"type":"postback","label":"Title 0","data":"id-0","displayText":"Title 0"}]}}]"#,
        ),
        (
            "quick replies",
            Content::QuickReplies("Which?".into(), choices(1, "Title 0")),
            r#"[{"type":"text","text":"Which?","quickReply":{"items":[{"type":"action","action":{"type":"postback","label":"Title 0","data":"id-0","displayText":"Title 0"}}]}}]"#,
        ),
        (
            "menu",
            choice_of(1, Some("like the sky")),
            r#"[{"type":"text","text":"Which?"},{"type":"template","altText":"Which?","template":{"type":"carousel","columns":[{"title":"Blue","text":"like the sky","actions":[{"type":"postback","label":"Choose","data":"id-0","displayText":"Blue"}]}]}}]"#,
        ),
    ] {
        for (chat, recipient) in [(None, "U1"), (Some(GROUP.to_owned()), GROUP)] {
            let message = Message {
                chat,
                ..to(content.clone())
            };
            let body = format!(r#"{{"to":"{recipient}","messages":{want}}}"#);
            let mut push = post(PUSH, "application/json", Auth::Bearer, &body);
            let retry_key = retry_key(&message).unwrap();
            push.headers
                .push(Header::new("x-line-retry-key", &retry_key));
            let verdicts = line().becomes(name, &message, &[push]);
            assert!(verdicts[0].message_id.is_some(), "{name}");
        }
    }
    let typing = post(
        "https://api.line.me/v2/bot/chat/loading/start",
        "application/json",
        Auth::Bearer,
        r#"{"chatId":"U1","loadingSeconds":5}"#,
    );
    line().becomes("typing", &to(Content::Typing(None)), &[typing]);
}

#[test]
fn a_retry_key_belongs_to_one_push_for_ever() {
    let message = to(text("Hi"));
    let first = retry_key(&message).unwrap();
    assert_eq!(retry_key(&message).unwrap(), first);
    let parts: Vec<usize> = first.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{first}");
    let of = |reference: Option<&str>| Message {
        reference: reference.map(Into::into),
        ..message.clone()
    };
    assert_ne!(retry_key(&of(Some("job-2"))).unwrap(), first);
    assert_ne!(
        retry_key(&Message {
            to: Identity::new("line", "U2"),
            ..message.clone()
        })
        .unwrap(),
        first
    );
    assert_eq!(
        (retry_key(&of(None)), retry_key(&of(Some("")))),
        (None, None)
    );
    let long = line().render(&to(text(&"a ".repeat(2500 * 6)))).unwrap();
    assert_eq!(long.len(), 2);
    assert_ne!(key_of(&long[0]), key_of(&long[1]));
}

#[test]
fn a_long_text_is_several_messages_and_five_are_one_push() {
    for (name, content, want) in [
        ("exactly one", "ä".repeat(5000), vec![1]),
        ("one more", "ä".repeat(5001), vec![2]),
        ("two units a character", "😀".repeat(2501), vec![2]),
        ("six", "a".repeat(25_001), vec![5, 1]),
    ] {
        let requests = line().takes(name, &to(text(&content)));
        let counts: Vec<usize> = requests
            .iter()
            .map(|(request, _)| {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                body["messages"].as_array().unwrap().len()
            })
            .collect();
        assert_eq!(counts, want, "{name}");
    }
}

proptest! {
    #[test]
    fn any_text_arrives_whole(content in "(\\PC|😀|\n){1,6000}") {
        prop_assume!(!content.trim().is_empty());
        line().arrives_whole(&content, &to(text(&content)), |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let messages = body["messages"].as_array().unwrap().iter();
            messages.map(|it| it["text"].as_str().unwrap()).collect()
        });
    }
}
