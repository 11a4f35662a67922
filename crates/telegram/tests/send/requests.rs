//! What becomes of contents.

use chatly_canonical::Location;
use chatly_cases::content::{button, by_id, by_url, menu, reaction, row, text};
use chatly_cases::post;
use chatly_channel::outbound::{Auth, Content, Message};
use chatly_simulator::Mood;
use proptest::prelude::*;
use serde_json::Value;

use crate::{BUSINESS, card, in_chat, telegram, to};

fn choice() -> Content {
    let rows = vec![
        row("a", "Blue", None),
        row("b", "Blue", Some("like the sky")),
    ];
    menu("Which?", "Open", rows)
}

fn place(name: Option<&str>, address: Option<&str>) -> Content {
    Content::Location(Location {
        latitude: 50.5,
        longitude: -7.25,
        name: name.map(Into::into),
        address: address.map(Into::into),
    })
}

#[test]
fn every_content_has_its_exact_form_and_is_accepted() {
    let in_reply = |content| Message {
        reply_to: Some("1111111:1365".into()),
        ..to(content)
    };
    let elsewhere = Message {
        reply_to: Some("callback:4772204567890123457".into()),
        ..to(text("Hi"))
    };
    let choices = vec![button("a", "Red"), button("b", "Blue")];
    for (name, message, method, want) in [
        (
            "text",
            to(text("Hi")),
            "sendMessage",
            r#"{"chat_id":1111111,"text":"Hi"}"#,
        ),
        (
            "a reply",
            in_reply(text("Hi")),
            "sendMessage",
            r#"{"chat_id":1111111,"text":"Hi","reply_parameters":{"message_id":1365,"allow_sending_without_reply":true}}"#,
        ),
        (
            "a reply to a pressed button",
            elsewhere,
            "sendMessage",
            r#"{"chat_id":1111111,"text":"Hi"}"#,
        ),
        (
            "to a group",
            in_chat("-1001234567890", text("Hi")),
            "sendMessage",
            r#"{"chat_id":-1001234567890,"text":"Hi"}"#,
        ),
        (
            "to a public channel",
            in_chat("@news", text("Hi")),
            "sendMessage",
            r#"{"chat_id":"@news","text":"Hi"}"#,
        ),
        (
            "for a business",
            in_chat(BUSINESS, text("Hi")),
            "sendMessage",
            r#"{"business_connection_id":"bc_Q2hhdGx5","chat_id":1111111,"text":"Hi"}"#,
        ),
        (
            "image",
            to(by_url("image", Some("Blue"))),
            "sendPhoto",
            r#"{"chat_id":1111111,"photo":"https://example.org/a","caption":"Blue"}"#,
        ),
        (
            "video by id",
            to(by_id("video", "AgAD")),
            "sendVideo",
            r#"{"chat_id":1111111,"video":"AgAD"}"#,
        ),
        (
            "audio",
            to(by_url("audio", None)),
            "sendAudio",
            r#"{"chat_id":1111111,"audio":"https://example.org/a"}"#,
        ),
        (
            "voice",
            to(by_url("voice", None)),
            "sendVoice",
            r#"{"chat_id":1111111,"voice":"https://example.org/a"}"#,
        ),
        (
            "document",
            to(by_url("document", None)),
            "sendDocument",
            r#"{"chat_id":1111111,"document":"https://example.org/a"}"#,
        ),
        (
            "sticker",
            to(by_url("sticker", None)),
            "sendSticker",
            r#"{"chat_id":1111111,"sticker":"https://example.org/a"}"#,
        ),
        (
            "location",
            to(place(None, None)),
            "sendLocation",
            r#"{"chat_id":1111111,"latitude":50.5,"longitude":-7.25}"#,
        ),
        (
            "venue",
            to(place(Some("Shop"), Some("Main Street 1"))),
            "sendVenue",
            r#"{"chat_id":1111111,"latitude":50.5,"longitude":-7.25,"title":"Shop","address":"Main Street 1"}"#,
        ),
        (
            "a place with an address alone",
            to(place(None, Some("Main Street 1"))),
            "sendVenue",
            r#"{"chat_id":1111111,"latitude":50.5,"longitude":-7.25,"title":"Main Street 1","address":"Main Street 1"}"#,
        ),
        (
            "contact",
            to(Content::Contacts(vec![card()])),
            "sendContact",
            concat!(
                r#"{"chat_id":1111111,"phone_number":"+1","first_name":"Ann; Li","#,
                r#""vcard":"BEGIN:VCARD\r\nVERSION:3.0\r\nN:;Ann\\; Li;;;\r\nFN:Ann\\; Li\r\nTEL:+1\r\nTEL:+2\r\nEMAIL:a@example.org\r\nEND:VCARD"}"#
            ),
        ),
        (
            "reaction",
            to(reaction("1111111:1365", Some("👍"))),
            "setMessageReaction",
            r#"{"chat_id":1111111,"message_id":1365,"reaction":[{"type":"emoji","emoji":"👍"}]}"#,
        ),
        (
            "no reaction any more",
            to(reaction("1111111:1365", None)),
            "setMessageReaction",
            r#"{"chat_id":1111111,"message_id":1365,"reaction":[]}"#,
        ),
        (
            "buttons",
            to(Content::Buttons("Which?".into(), choices.clone())),
            "sendMessage",
            concat!(
                r#"{"chat_id":1111111,"text":"Which?","reply_markup":{"inline_keyboard":"#,
                r#"[[{"text":"Red","callback_data":"a"}],[{"text":"Blue","callback_data":"b"}]]}}"#
            ),
        ),
        (
            "quick replies",
            to(Content::QuickReplies("Which?".into(), choices)),
            "sendMessage",
            concat!(
                r#"{"chat_id":1111111,"text":"Which?","reply_markup":{"inline_keyboard":"#,
                r#"[[{"text":"Red","callback_data":"a"},{"text":"Blue","callback_data":"b"}]]}}"#
            ),
        ),
        (
            "menu",
            to(choice()),
            "sendMessage",
            concat!(
                r#"{"chat_id":1111111,"text":"Which?","reply_markup":{"inline_keyboard":"#,
                r#"[[{"text":"Blue","callback_data":"a"}],[{"text":"Blue – like the sky","callback_data":"b"}]]}}"#
            ),
        ),
        (
            "read",
            in_chat(BUSINESS, Content::MarkRead(format!("{BUSINESS}:1365"))),
            "readBusinessMessage",
            r#"{"business_connection_id":"bc_Q2hhdGx5","chat_id":1111111,"message_id":1365}"#,
        ),
        (
            "typing",
            in_reply(Content::Typing(None)),
            "sendChatAction",
            r#"{"chat_id":1111111,"action":"typing"}"#,
        ),
    ] {
        let url = format!("https://api.telegram.org/bot{{access_token}}/{method}");
        let request = post(&url, "application/json", Auth::Path, want);
        assert_eq!(
            telegram().answer(&request, Mood::Well).status,
            200,
            "{name}"
        );
        let verdict = telegram().becomes(name, &message, &[request]).remove(0);
        let chat = message.chat.as_deref().unwrap_or("1111111");
        let id = verdict
            .message_id
            .map(|id| id.rsplit_once(':').unwrap().0.to_owned());
        let is_message = method.starts_with("send") && method != "sendChatAction";
        assert_eq!(id.as_deref(), is_message.then_some(chat), "{name}");
    }
}

#[test]
fn several_contacts_are_several_requests() {
    let requests = telegram()
        .render(&to(Content::Contacts(vec![card(), card()])))
        .unwrap();
    assert_eq!(requests.len(), 2);
}

#[test]
fn a_long_text_is_several_and_only_the_first_one_replies() {
    for (name, content, want) in [
        ("exactly one", "ä".repeat(4096), 1),
        ("one more", "ä".repeat(4097), 2),
        ("two units a character", "😀".repeat(2048), 1),
        ("two units a character, one more", "😀".repeat(2049), 2),
    ] {
        let message = Message {
            reply_to: Some("1111111:1365".into()),
            ..to(text(&content))
        };
        let requests = telegram().takes(name, &message);
        assert_eq!(requests.len(), want, "{name}");
        for (at, (request, _)) in requests.iter().enumerate() {
            let body = String::from_utf8(request.body.clone()).unwrap();
            assert_eq!(body.contains("reply_parameters"), at == 0, "{name}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_arrives_whole(content in "(\\PC|😀|\n){1,6000}") {
        prop_assume!(!content.trim().is_empty());
        telegram().arrives_whole(&content, &to(text(&content)), |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["text"].as_str().unwrap().to_owned()
        });
    }
}
