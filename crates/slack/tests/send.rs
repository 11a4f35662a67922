//! What is sent, what is refused, and what the answers mean.

use chatly_canonical::{Identity, Location};
use chatly_cases::content::{button, menu, row};
use chatly_channel::outbound::{
    Auth, Button, Content, MediaLocation, MediaSource, Menu, Message, ReactionTo, Request, Row,
    Section, Sender, Template,
};
use chatly_channel::{Channel, Header, LimitBreach, Outcome, RenderError, Response};
use chatly_simulator::{Mood, Platform as _, Sent};
use chatly_slack::Slack;
use proptest::prelude::*;
use serde_json::Value;

fn sender() -> Sender {
    Sender {
        account: "T1".into(),
        base_url: "https://slack.com".into(),
    }
}

fn to_user(content: Content) -> Message {
    Message {
        to: Identity::new("slack", "U1"),
        chat: None,
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
        message_id: "C1:1.2".into(),
        emoji: emoji.map(Into::into),
    })
}

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
    headers.push(("authorization".into(), "Bearer xoxb-1".into()));
    let path = request
        .url
        .strip_prefix("https://slack.com")
        .unwrap_or_default();
    let sent = Sent {
        method: request.method.clone(),
        path: path.into(),
        headers,
        body: request.body.clone(),
    };
    let answer = chatly_simulator::slack::Slack.answer(&sent, mood, 7);
    let headers = answer
        .headers
        .iter()
        .map(|(name, value)| Header::new(name, value));
    Slack::classify(&Response {
        status: answer.status,
        headers: headers.collect(),
        body: answer.body,
    })
}

#[test]
fn every_content_has_its_request_which_slack_accepts() {
    let grouped = Content::Menu(
        "Pick".into(),
        Menu {
            button: "Open".into(),
            sections: vec![
                Section {
                    title: Some("A".into()),
                    rows: vec![row("1", "One", Some("first"))],
                },
                Section {
                    title: Some("B".into()),
                    rows: vec![row("2", "Two", None)],
                },
            ],
        },
    );
    for (content, method, want) in [
        (
            Content::Text("Hi <!channel> & co".into()),
            "chat.postMessage",
            r#"{"channel":"U1","text":"Hi &lt;!channel&gt; &amp; co"}"#,
        ),
        (
            image(url(), Some("Look")),
            "chat.postMessage",
            r#"{"channel":"U1","text":"Look","blocks":[{"type":"image","image_url":"https://example.org/a.png","alt_text":"Look","title":{"type":"plain_text","text":"Look"}}]}"#,
        ),
        (
            image(MediaLocation::Id("F1".into()), None),
            "chat.postMessage",
            r#"{"channel":"U1","text":"a.png","blocks":[{"type":"image","slack_file":{"id":"F1"},"alt_text":"a.png"}]}"#,
        ),
        (
            Content::Buttons("Sure?".into(), vec![button("y", "Yes")]),
            "chat.postMessage",
            r#"{"channel":"U1","text":"Sure?","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"Sure?"}},{"type":"actions","elements":[{"type":"button","action_id":"button-0","text":{"type":"plain_text","text":"Yes"},"value":"y"}]}]}"#,
        ),
        (
            Content::QuickReplies("Sure?".into(), vec![button("y", "Yes")]),
            "chat.postMessage",
            r#"{"channel":"U1","text":"Sure?","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"Sure?"}},{"type":"actions","elements":[{"type":"button","action_id":"button-0","text":{"type":"plain_text","text":"Yes"},"value":"y"}]}]}"#,
        ),
        (
            menu("Pick", "Open", vec![row("1", "One", None)]),
            "chat.postMessage",
            r#"{"channel":"U1","text":"Pick","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"Pick"}},{"type":"actions","elements":[{"type":"static_select","action_id":"menu","placeholder":{"type":"plain_text","text":"Open"},"options":[{"text":{"type":"plain_text","text":"One"},"value":"1"}]}]}]}"#,
        ),
        (
            grouped,
            "chat.postMessage",
            r#"{"channel":"U1","text":"Pick","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"Pick"}},{"type":"actions","elements":[{"type":"static_select","action_id":"menu","placeholder":{"type":"plain_text","text":"Open"},"option_groups":[{"label":{"type":"plain_text","text":"A"},"options":[{"text":{"type":"plain_text","text":"One"},"value":"1","description":{"type":"plain_text","text":"first"}}]},{"label":{"type":"plain_text","text":"B"},"options":[{"text":{"type":"plain_text","text":"Two"},"value":"2"}]}]}]}]}"#,
        ),
        (
            reaction(Some("👍")),
            "reactions.add",
            r#"{"channel":"C1","timestamp":"1.2","name":"+1"}"#,
        ),
        (
            reaction(Some("❤\u{fe0f}")),
            "reactions.add",
            r#"{"channel":"C1","timestamp":"1.2","name":"heart"}"#,
        ),
        (
            reaction(Some(":party_parrot:")),
            "reactions.add",
            r#"{"channel":"C1","timestamp":"1.2","name":"party_parrot"}"#,
        ),
    ] {
        let requests = Slack::render(&sender(), &to_user(content)).unwrap();
        assert_eq!(requests.len(), 1);
        let request = &requests[0];
        assert_eq!(request.url, format!("https://slack.com/api/{method}"));
        assert_eq!(
            (request.method.as_str(), &request.auth),
            ("POST", &Auth::Bearer)
        );
        assert_eq!(
            request.headers,
            [Header::new(
                "content-type",
                "application/json; charset=utf-8"
            )]
        );
        assert_eq!(String::from_utf8_lossy(&request.body), want);
        let verdict = answered(request, Mood::Well);
        assert_eq!(verdict.outcome, Outcome::Sent, "{want}: {}", verdict.reason);
        let has_id = verdict.message_id.is_some_and(|id| id.starts_with("U1:17"));
        assert_eq!(has_id, method == "chat.postMessage");
    }
}

#[test]
fn a_channel_is_posted_to_and_all_pieces_stay_in_the_thread() {
    let message = Message {
        chat: Some("C1".into()),
        reply_to: Some("C1:1355517523.000005".into()),
        ..to_user(Content::Text("ä".repeat(8001)))
    };
    let requests = Slack::render(&sender(), &message).unwrap();
    assert_eq!(requests.len(), 3);
    for request in &requests {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            (&body["channel"], &body["thread_ts"]),
            (&"C1".into(), &"1355517523.000005".into())
        );
        assert_eq!(answered(request, Mood::Well).outcome, Outcome::Sent);
    }
}

#[test]
fn every_mood_is_understood() {
    let requests = Slack::render(&sender(), &to_user(Content::Text("Hi".into()))).unwrap();
    for (mood, want, wait) in [
        (Mood::Well, Outcome::Sent, None),
        (Mood::Throttled, Outcome::RateLimited, Some(30_000)),
        (Mood::Failing, Outcome::Uncertain, None),
        (Mood::TokenExpired, Outcome::AccountStopped, None),
        (Mood::WindowClosed, Outcome::Refused, None),
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
            75,
            Content::Buttons("a".into(), vec![button("1", &"t".repeat(76))]),
        ),
        (
            "button id",
            2000,
            Content::Buttons("a".into(), vec![button(&"i".repeat(2001), "t")]),
        ),
        (
            "interactive text",
            3000,
            Content::Buttons("a".repeat(3001), buttons(1)),
        ),
        ("list rows", 100, menu("Pick", "Open", rows(101))),
        (
            "row title",
            75,
            menu("Pick", "Open", vec![row("1", &"t".repeat(76), None)]),
        ),
        (
            "row description",
            75,
            menu("Pick", "Open", vec![row("1", "t", Some(&"d".repeat(76)))]),
        ),
        (
            "row id",
            150,
            menu("Pick", "Open", vec![row(&"i".repeat(151), "t", None)]),
        ),
        ("caption", 2000, image(url(), Some(&"c".repeat(2001)))),
    ] {
        let error = Slack::render(&sender(), &to_user(content)).unwrap_err();
        let breach = LimitBreach {
            limit: limit.into(),
            max,
            given: max + 1,
        };
        assert_eq!(error, RenderError::TooLong(breach), "{limit}");
    }
    for content in [
        Content::Buttons("a".into(), buttons(25)),
        menu("Pick", "Open", rows(100)),
        image(url(), Some(&"c".repeat(2000))),
    ] {
        assert!(Slack::render(&sender(), &to_user(content)).is_ok());
    }
}

#[test]
fn what_slack_has_not_or_would_refuse_is_refused() {
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
    for content in [
        Content::Location(Location::default()),
        Content::Contacts(vec![]),
        Content::Template(template),
        Content::MarkRead("C1:1.2".into()),
        Content::Typing(None),
        Content::Media(video),
        reaction(None),
        reaction(Some("🦜")),
        reaction(Some("")),
    ] {
        let error = Slack::render(&sender(), &to_user(content.clone())).unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)), "{content:?}");
    }
    for content in [
        Content::Text(" \n".into()),
        Content::Buttons("a".into(), vec![]),
        Content::Buttons("a".into(), vec![button("1", "a"), button("1", "b")]),
        menu("Pick", "Open", vec![]),
        image(MediaLocation::Url("javascript:1".into()), None),
    ] {
        let error = Slack::render(&sender(), &to_user(content.clone())).unwrap_err();
        assert!(matches!(error, RenderError::Invalid(_)), "{content:?}");
    }
    for reply_to in ["1.2", "C1:", ":1.2", "C1:1.", "C1:1.2&a", "C1:a.b"] {
        let message = Message {
            reply_to: Some(reply_to.into()),
            ..to_user(Content::Text("a".into()))
        };
        assert!(Slack::render(&sender(), &message).is_err(), "{reply_to}");
    }
    let message = Message {
        to: Identity::new("phone", "1650"),
        ..to_user(Content::Text("a".into()))
    };
    assert!(Slack::render(&sender(), &message).is_err());
}

proptest! {
    #[test]
    fn a_text_of_any_length_arrives_whole(text in "(\\PC|\n){1,40}", times in 1usize..300) {
        let text = text.repeat(times);
        prop_assume!(!text.trim().is_empty());
        let requests = Slack::render(&sender(), &to_user(Content::Text(text.clone()))).unwrap();
        let pieces = requests.iter().map(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["text"].as_str().unwrap_or_default().replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        });
        let visible = |text: String| text.split_whitespace().collect::<String>();
        prop_assert_eq!(visible(pieces.collect()), visible(text));
    }
}
