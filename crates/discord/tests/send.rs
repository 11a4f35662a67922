//! What is sent, what is refused, and what the answers mean.

use chatly_canonical::{Identity, Location};
use chatly_cases::content::{button, menu, row};
use chatly_channel::outbound::{
    Auth, Button, Content, MediaLocation, MediaSource, Menu, Message, ReactionTo, Request, Row,
    Section, Sender, Template,
};
use chatly_channel::{Channel, Header, LimitBreach, Outcome, RenderError, Response};
use chatly_discord::Discord;
use chatly_simulator::{Mood, Platform as _, Sent};
use proptest::prelude::*;
use serde_json::Value;

fn sender() -> Sender {
    Sender {
        account: "845027738276462632".into(),
        base_url: "https://discord.com".into(),
    }
}

fn to_channel(content: Content) -> Message {
    Message {
        to: Identity::new("discord", "53908232506183680"),
        chat: Some("645027906669510667".into()),
        content,
        reply_to: None,
        reference: None,
        tag: None,
    }
}

fn buttons(count: usize) -> Vec<Button> {
    (0..count).map(|at| button(&at.to_string(), "t")).collect()
}

fn rows(count: usize) -> Vec<Row> {
    (0..count)
        .map(|at| row(&at.to_string(), "t", None))
        .collect()
}

fn image(location: MediaLocation, caption: Option<&str>) -> Content {
    Content::Media(MediaSource {
        kind: "image".into(),
        location,
        caption: caption.map(Into::into),
        filename: Some("a.png".into()),
    })
}

fn url() -> MediaLocation {
    MediaLocation::Url("https://example.org/a.png".into())
}

fn reaction(emoji: Option<&str>) -> Content {
    Content::Reaction(ReactionTo {
        message_id: "829104815123103744".into(),
        emoji: emoji.map(Into::into),
    })
}

/// What Discord answers to a request whose caller puts the token where it belongs.
fn answered(request: &Request, mood: Mood) -> chatly_channel::Verdict {
    let mut headers: Vec<_> = request
        .headers
        .iter()
        .map(|header| {
            (
                header.name.clone(),
                String::from_utf8_lossy(&header.value).into_owned(),
            )
        })
        .collect();
    if let Auth::Header(name) = &request.auth {
        headers.push((name.clone(), "Bot MTk4NjIyNDgzNDcxOTI1MjQ4".into()));
    }
    let path = request
        .url
        .strip_prefix("https://discord.com")
        .unwrap_or_default();
    let sent = Sent {
        method: request.method.clone(),
        path: path.into(),
        headers,
        body: request.body.clone(),
    };
    let answer = chatly_simulator::discord::Discord.answer(&sent, mood, 7);
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| Header::new(name, value));
    Discord::classify(&Response {
        status: answer.status,
        headers: headers.collect(),
        body: answer.body,
    })
}

#[test]
fn every_content_has_its_request_which_discord_accepts() {
    let nobody = r#""allowed_mentions":{"parse":[]}}"#;
    for (content, method, path, want) in [
        (
            Content::Text("Hi @everyone".into()),
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
            reaction(Some("👍")),
            "PUT",
            "messages/829104815123103744/reactions/%F0%9F%91%8D/@me",
            "",
        ),
        (
            reaction(Some("parrot:41771983429993937")),
            "PUT",
            "messages/829104815123103744/reactions/parrot%3A41771983429993937/@me",
            "",
        ),
        (Content::Typing(None), "POST", "typing", ""),
    ] {
        let requests = Discord::render(&sender(), &to_channel(content)).unwrap();
        assert_eq!(requests.len(), 1);
        let request = &requests[0];
        assert_eq!(
            request.url,
            format!("https://discord.com/api/v10/channels/645027906669510667/{path}")
        );
        assert_eq!(
            (request.method.as_str(), &request.auth),
            (method, &Auth::Header("Authorization".into()))
        );
        let body = if want.is_empty() {
            String::new()
        } else {
            format!("{want}{nobody}")
        };
        assert_eq!(String::from_utf8_lossy(&request.body), body);
        let verdict = answered(request, Mood::Well);
        assert_eq!(verdict.outcome, Outcome::Sent, "{path}: {}", verdict.reason);
        assert_eq!(verdict.message_id.is_some(), path == "messages");
    }
}

#[test]
fn a_reply_to_an_interaction_is_a_follow_up() {
    let message = Message {
        chat: None,
        reply_to: Some("786008729715212338:A_UNIQUE-TOKEN".into()),
        ..to_channel(Content::Text("ä".repeat(4001)))
    };
    let requests = Discord::render(&sender(), &message).unwrap();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        assert_eq!(
            request.url,
            "https://discord.com/api/v10/webhooks/845027738276462632/A_UNIQUE-TOKEN"
        );
        assert_eq!(request.auth, Auth::None);
        assert_eq!(answered(request, Mood::Well).outcome, Outcome::Sent);
    }
}

#[test]
fn a_reply_to_a_message_names_it_once() {
    let message = Message {
        reply_to: Some("829104815123103744".into()),
        ..to_channel(Content::Text("a".repeat(2001)))
    };
    let requests = Discord::render(&sender(), &message).unwrap();
    let references: Vec<Value> = requests
        .iter()
        .map(|request| {
            serde_json::from_slice::<Value>(&request.body).unwrap()["message_reference"].clone()
        })
        .collect();
    let reference =
        serde_json::json!({ "message_id": "829104815123103744", "fail_if_not_exists": false });
    assert_eq!(references, [reference, Value::Null]);
}

#[test]
fn every_mood_is_understood() {
    let requests = Discord::render(&sender(), &to_channel(Content::Text("Hi".into()))).unwrap();
    for (mood, want, wait) in [
        (Mood::Well, Outcome::Sent, None),
        (Mood::Throttled, Outcome::PairLimited, Some(30_000)),
        (Mood::Failing, Outcome::Uncertain, None),
        (Mood::TokenExpired, Outcome::AccountStopped, None),
        (Mood::WindowClosed, Outcome::WindowClosed, None),
        (Mood::MediaExpired, Outcome::Refused, None),
    ] {
        let verdict = answered(&requests[0], mood);
        assert_eq!(
            (verdict.outcome, verdict.retry_after_ms),
            (want, wait),
            "{mood:?}"
        );
    }
}

#[test]
fn a_limit_is_named_with_both_numbers() {
    for (limit, max, content) in [
        ("buttons", 25, Content::Buttons("a".into(), buttons(26))),
        (
            "buttons",
            25,
            Content::QuickReplies("a".into(), buttons(26)),
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
            Content::Buttons("a".repeat(2001), buttons(1)),
        ),
        ("list rows", 25, menu("Pick", "Open", rows(26))),
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
        let error = Discord::render(&sender(), &to_channel(content)).unwrap_err();
        let breach = LimitBreach {
            limit: limit.into(),
            max,
            given: max + 1,
        };
        assert_eq!(error, RenderError::TooLong(breach), "{limit}");
    }
    for content in [
        Content::Buttons("a".into(), buttons(25)),
        menu("Pick", "Open", rows(25)),
        image(url(), Some(&"c".repeat(2000))),
    ] {
        let requests = Discord::render(&sender(), &to_channel(content)).unwrap();
        assert_eq!(answered(&requests[0], Mood::Well).outcome, Outcome::Sent);
    }
}

#[test]
fn what_discord_has_not_or_would_refuse_is_refused() {
    let template = Template {
        name: "a".into(),
        language: "en".into(),
        components: None,
    };
    let video = MediaSource {
        kind: "video".into(),
        location: url(),
        caption: None,
        filename: None,
    };
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
        Content::Template(template),
        Content::MarkRead("1".into()),
        Content::Media(video),
        Content::Menu("a".into(), grouped),
        image(MediaLocation::Id("1".into()), None),
        reaction(None),
    ] {
        let error = Discord::render(&sender(), &to_channel(content.clone())).unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)), "{content:?}");
    }
    for content in [
        Content::Text(" \n".into()),
        Content::Buttons("a".into(), vec![]),
        Content::Buttons("a".into(), vec![button("1", "a"), button("1", "b")]),
        menu("Pick", "Open", vec![]),
        image(MediaLocation::Url("javascript:1".into()), None),
    ] {
        let error = Discord::render(&sender(), &to_channel(content.clone())).unwrap_err();
        assert!(matches!(error, RenderError::Invalid(_)), "{content:?}");
    }
}

#[test]
fn nothing_harmful_gets_into_a_path() {
    let text = || to_channel(Content::Text("a".into()));
    for reply_to in [
        "a", "1/2", "1:", ":t", "1:a/b", "1:a?b", "1:..", "a:b", "1:a:b",
    ] {
        let message = Message {
            reply_to: Some(reply_to.into()),
            ..text()
        };
        assert!(Discord::render(&sender(), &message).is_err(), "{reply_to}");
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
            ..text()
        };
        assert!(Discord::render(&sender(), &message).is_err(), "{chat:?}");
    }
    for account in ["", "1/2", "..", "1%2f"] {
        let message = Message {
            reply_to: Some("1:t".into()),
            ..text()
        };
        let sender = Sender {
            account: account.into(),
            ..sender()
        };
        assert!(Discord::render(&sender, &message).is_err(), "{account}");
    }
}

proptest! {
    #[test]
    fn a_text_of_any_length_arrives_whole(text in "(\\PC|\n){1,40}", times in 1usize..300) {
        let text = text.repeat(times);
        prop_assume!(!text.trim().is_empty());
        let requests = Discord::render(&sender(), &to_channel(Content::Text(text.clone()))).unwrap();
        let pieces = requests.iter().map(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["content"].as_str().unwrap_or_default().to_owned()
        });
        let visible = |text: String| text.split_whitespace().collect::<String>();
        prop_assert_eq!(visible(pieces.collect()), visible(text));
    }
}
