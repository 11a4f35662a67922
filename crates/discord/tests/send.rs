//! What is sent, what is refused, and what the answers mean.

use chatly_canonical::Location;
use chatly_cases::Caller;
use chatly_cases::content::{
    button, choices, image, media, menu, message, reaction, row, rows, template, text,
};
use chatly_channel::outbound::{Auth, Content, MediaLocation, Menu, Message, Request, Section};
use chatly_channel::{Header, Outcome, RenderError};
use chatly_discord::Discord;
use chatly_simulator::Mood;
use proptest::prelude::*;
use serde_json::Value;

const APPLICATION: &str = "845027738276462632";
const MESSAGE: &str = "829104815123103744";

fn discord(application: &str) -> Caller<Discord> {
    let token = "Bot MTk4NjIyNDgzNDcxOTI1MjQ4";
    Caller::new(application, "https://discord.com", token)
}

fn to_channel(content: Content) -> Message {
    Message {
        chat: Some("645027906669510667".into()),
        ..message("discord", "53908232506183680", content)
    }
}

fn url() -> MediaLocation {
    MediaLocation::Url("https://example.org/a.png".into())
}

#[test]
fn every_content_has_its_request_which_discord_accepts() {
    let nobody = r#""allowed_mentions":{"parse":[]}}"#;
    for (content, method, path, want) in [
        (
            text("Hi @everyone"),
            "POST",
            "messages",
            r#"{"content":"Hi @everyone","#,
        ),
        (
            image(url(), Some("Look")),
            "POST",
            "messages",
            r#"{"embeds":[{"image":{"url":"https://example.org/a.png"}}],"content":"Look","#,
        ),
        (
            image(url(), None),
            "POST",
            "messages",
            r#"{"embeds":[{"image":{"url":"https://example.org/a.png"}}],"#,
        ),
        (
            Content::Buttons("Sure?".into(), vec![button("y", "Yes")]),
            "POST",
            "messages",
            r#"{"content":"Sure?","components":[{"type":1,"components":[{"type":2,"style":1,"label":"Yes","custom_id":"y"}]}],"#,
        ),
        (
            Content::QuickReplies("Sure?".into(), vec![button("y", "Yes")]),
            "POST",
            "messages",
            r#"{"content":"Sure?","components":[{"type":1,"components":[{"type":2,"style":1,"label":"Yes","custom_id":"y"}]}],"#,
        ),
        (
            menu("Pick", "Open", vec![row("1", "One", Some("first"))]),
            "POST",
            "messages",
            r#"{"content":"Pick","components":[{"type":1,"components":[{"type":3,"custom_id":"menu","placeholder":"Open","options":[{"label":"One","value":"1","description":"first"}]}]}],"#,
        ),
        (
            reaction(MESSAGE, Some("👍")),
            "PUT",
            "messages/829104815123103744/reactions/%F0%9F%91%8D/@me",
            "",
        ),
        (
            reaction(MESSAGE, Some("parrot:41771983429993937")),
            "PUT",
            "messages/829104815123103744/reactions/parrot%3A41771983429993937/@me",
            "",
        ),
        (Content::Typing(None), "POST", "typing", ""),
    ] {
        let body = if want.is_empty() {
            String::new()
        } else {
            format!("{want}{nobody}")
        };
        let json = Header::new("content-type", "application/json");
        let request = Request {
            method: method.into(),
            url: format!("https://discord.com/api/v10/channels/645027906669510667/{path}"),
            headers: if body.is_empty() { vec![] } else { vec![json] },
            body: body.into_bytes(),
            auth: Auth::Header("Authorization".into()),
        };
        let verdict = discord(APPLICATION)
            .becomes(path, &to_channel(content), &[request])
            .remove(0);
        assert_eq!(verdict.message_id.is_some(), path == "messages");
    }
}

#[test]
fn a_reply_to_an_interaction_is_a_follow_up() {
    let message = Message {
        chat: None,
        reply_to: Some("786008729715212338:A_UNIQUE-TOKEN".into()),
        ..to_channel(text(&"ä".repeat(4001)))
    };
    let requests = discord(APPLICATION).takes("a follow-up", &message);
    assert_eq!(requests.len(), 3);
    for (request, _) in &requests {
        assert_eq!(
            request.url,
            "https://discord.com/api/v10/webhooks/845027738276462632/A_UNIQUE-TOKEN"
        );
        assert_eq!(request.auth, Auth::None);
    }
}

#[test]
fn a_reply_to_a_message_names_it_once() {
    let message = Message {
        reply_to: Some(MESSAGE.into()),
        ..to_channel(text(&"a".repeat(2001)))
    };
    let requests = discord(APPLICATION).render(&message).unwrap();
    let references: Vec<Value> = requests
        .iter()
        .map(|request| {
            serde_json::from_slice::<Value>(&request.body).unwrap()["message_reference"].clone()
        })
        .collect();
    let reference = serde_json::json!({ "message_id": MESSAGE, "fail_if_not_exists": false });
    assert_eq!(references, [reference, Value::Null]);
}

#[test]
fn every_mood_is_understood() {
    let request = &discord(APPLICATION)
        .render(&to_channel(text("Hi")))
        .unwrap()[0];
    discord(APPLICATION).understands(
        request,
        [
            (Mood::Well, Outcome::Sent, None, None),
            (Mood::Throttled, Outcome::PairLimited, None, Some(30_000)),
            (Mood::Failing, Outcome::Uncertain, None, None),
            (Mood::TokenExpired, Outcome::AccountStopped, None, None),
            (
                Mood::WindowClosed,
                Outcome::WindowClosed,
                Some("10015"),
                None,
            ),
            (Mood::MediaExpired, Outcome::Refused, Some("50035"), None),
        ],
    );
}

#[test]
fn a_limit_is_named_with_both_numbers() {
    for (limit, max, content) in [
        (
            "buttons",
            25,
            Content::Buttons("a".into(), choices(26, "t")),
        ),
        (
            "buttons",
            25,
            Content::QuickReplies("a".into(), choices(26, "t")),
        ),
        (
            "button title",
            80,
            Content::Buttons("a".into(), vec![button("1", &"t".repeat(81))]),
        ),
        (
            "button id",
            100,
            Content::Buttons("a".into(), vec![button(&"i".repeat(101), "t")]),
        ),
        (
            "interactive text",
            2000,
            Content::Buttons("a".repeat(2001), choices(1, "t")),
        ),
        ("list rows", 25, menu("Pick", "Open", rows(26, "t", None))),
        (
            "row title",
            100,
            menu("Pick", "Open", vec![row("1", &"t".repeat(101), None)]),
        ),
        (
            "row description",
            100,
            menu("Pick", "Open", vec![row("1", "t", Some(&"d".repeat(101)))]),
        ),
        (
            "row id",
            100,
            menu("Pick", "Open", vec![row(&"i".repeat(101), "t", None)]),
        ),
        ("caption", 2000, image(url(), Some(&"c".repeat(2001)))),
    ] {
        discord(APPLICATION).breaks(limit, max, &to_channel(content));
    }
    for content in [
        Content::Buttons("a".into(), choices(25, "t")),
        menu("Pick", "Open", rows(25, "t", None)),
        image(url(), Some(&"c".repeat(2000))),
    ] {
        discord(APPLICATION).takes("at the bound", &to_channel(content));
    }
}

#[test]
fn what_discord_has_not_or_would_refuse_is_refused() {
    let section = |id: &str| Section {
        title: Some(id.into()),
        rows: vec![row(id, "t", None)],
    };
    let grouped = Menu {
        button: "Open".into(),
        sections: vec![section("1"), section("2")],
    };
    for content in [
        Content::Location(Location::default()),
        Content::Contacts(vec![]),
        template("a", "en", None),
        Content::MarkRead("1".into()),
        media("video", url(), None),
        Content::Menu("a".into(), grouped),
        image(MediaLocation::Id("1".into()), None),
        reaction(MESSAGE, None),
    ] {
        let error = discord(APPLICATION)
            .render(&to_channel(content.clone()))
            .unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)), "{content:?}");
    }
    for content in [
        text(" \n"),
        Content::Buttons("a".into(), vec![]),
        Content::Buttons("a".into(), vec![button("1", "a"), button("1", "b")]),
        menu("Pick", "Open", vec![]),
        image(MediaLocation::Url("javascript:1".into()), None),
    ] {
        let error = discord(APPLICATION)
            .render(&to_channel(content.clone()))
            .unwrap_err();
        assert!(matches!(error, RenderError::Invalid(_)), "{content:?}");
    }
}

#[test]
fn nothing_harmful_gets_into_a_path() {
    let said = || to_channel(text("a"));
    for reply_to in [
        "a", "1/2", "1:", ":t", "1:a/b", "1:a?b", "1:..", "a:b", "1:a:b",
    ] {
        let message = Message {
            reply_to: Some(reply_to.into()),
            ..said()
        };
        assert!(discord(APPLICATION).render(&message).is_err(), "{reply_to}");
    }
    for chat in [
        None,
        Some(""),
        Some("a"),
        Some("1/../2"),
        Some("1?a"),
        Some("111111111111111111111"),
    ] {
        let message = Message {
            chat: chat.map(Into::into),
            ..said()
        };
        assert!(discord(APPLICATION).render(&message).is_err(), "{chat:?}");
    }
    for account in ["", "1/2", "..", "1%2f"] {
        let message = Message {
            reply_to: Some("1:t".into()),
            ..said()
        };
        let rendered = discord(account).render(&message);
        assert!(rendered.is_err(), "{account}");
    }
}

proptest! {
    #[test]
    fn a_text_of_any_length_arrives_whole(words in "(\\PC|\n){1,40}", times in 1usize..300) {
        let words = words.repeat(times);
        prop_assume!(!words.trim().is_empty());
        discord(APPLICATION).arrives_whole(&words, &to_channel(text(&words)), |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["content"].as_str().unwrap().to_owned()
        });
    }
}
