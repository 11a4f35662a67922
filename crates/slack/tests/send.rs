//! What is sent, what is refused, and what the answers mean.

use chatly_canonical::{Identity, Location};
use chatly_cases::content::{
    button, choices, image, media, menu, message, reaction, row, rows, template, text,
};
use chatly_cases::{Caller, post};
use chatly_channel::outbound::{Auth, Content, MediaLocation, Menu, Message, Section};
use chatly_channel::{Outcome, RenderError};
use chatly_simulator::Mood;
use chatly_slack::Slack;
use proptest::prelude::*;
use serde_json::Value;

const MESSAGE: &str = "C1:1.2";

fn slack() -> Caller<Slack> {
    Caller::new("T1", "https://slack.com", "xoxb-1")
}

fn to_user(content: Content) -> Message {
    message("slack", "U1", content)
}

fn url() -> MediaLocation {
    MediaLocation::Url("https://example.org/a.png".into())
}

#[test]
fn every_content_has_its_request_which_slack_accepts() {
    let section = |title: &str, rows| Section {
        title: Some(title.into()),
        rows,
    };
    let grouped = Menu {
        button: "Open".into(),
        sections: vec![
            section("A", vec![row("1", "One", Some("first"))]),
            section("B", vec![row("2", "Two", None)]),
        ],
    };
    for (content, method, want) in [
        (
            text("Hi <!channel> & co"),
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
            Content::Menu("Pick".into(), grouped),
            "chat.postMessage",
            r#"{"channel":"U1","text":"Pick","blocks":[{"type":"section","text":{"type":"mrkdwn","text":"Pick"}},{"type":"actions","elements":[{"type":"static_select","action_id":"menu","placeholder":{"type":"plain_text","text":"Open"},"option_groups":[{"label":{"type":"plain_text","text":"A"},"options":[{"text":{"type":"plain_text","text":"One"},"value":"1","description":{"type":"plain_text","text":"first"}}]},{"label":{"type":"plain_text","text":"B"},"options":[{"text":{"type":"plain_text","text":"Two"},"value":"2"}]}]}]}]}"#,
        ),
        (
            reaction(MESSAGE, Some("👍")),
            "reactions.add",
            r#"{"channel":"C1","timestamp":"1.2","name":"+1"}"#,
        ),
        (
            reaction(MESSAGE, Some("❤\u{fe0f}")),
            "reactions.add",
            r#"{"channel":"C1","timestamp":"1.2","name":"heart"}"#,
        ),
        (
            reaction(MESSAGE, Some(":party_parrot:")),
            "reactions.add",
            r#"{"channel":"C1","timestamp":"1.2","name":"party_parrot"}"#,
        ),
    ] {
        let url = format!("https://slack.com/api/{method}");
        let request = post(&url, "application/json; charset=utf-8", Auth::Bearer, want);
        let verdict = slack()
            .becomes(want, &to_user(content), &[request])
            .remove(0);
        let has_id = verdict.message_id.is_some_and(|id| id.starts_with("U1:17"));
        assert_eq!(has_id, method == "chat.postMessage");
    }
}

#[test]
fn a_channel_is_posted_to_and_all_pieces_stay_in_the_thread() {
    let message = Message {
        chat: Some("C1".into()),
        reply_to: Some("C1:1355517523.000005".into()),
        ..to_user(text(&"ä".repeat(8001)))
    };
    let requests = slack().takes("a thread", &message);
    assert_eq!(requests.len(), 3);
    for (request, _) in &requests {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(
            (&body["channel"], &body["thread_ts"]),
            (&"C1".into(), &"1355517523.000005".into())
        );
    }
}

#[test]
fn every_mood_is_understood() {
    let request = &slack().render(&to_user(text("Hi"))).unwrap()[0];
    slack().understands(
        request,
        [
            (Mood::Well, Outcome::Sent, None, None),
            (
                Mood::Throttled,
                Outcome::RateLimited,
                Some("ratelimited"),
                Some(30_000),
            ),
            (
                Mood::Failing,
                Outcome::Uncertain,
                Some("internal_error"),
                None,
            ),
            (
                Mood::TokenExpired,
                Outcome::AccountStopped,
                Some("token_expired"),
                None,
            ),
            (
                Mood::WindowClosed,
                Outcome::Refused,
                Some("is_archived"),
                None,
            ),
            (
                Mood::MediaExpired,
                Outcome::Refused,
                Some("invalid_blocks"),
                None,
            ),
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
            Content::Buttons("a".repeat(3001), choices(1, "t")),
        ),
        ("list rows", 100, menu("Pick", "Open", rows(101, "t", None))),
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
        slack().breaks(limit, max, &to_user(content));
    }
    for content in [
        Content::Buttons("a".into(), choices(25, "t")),
        menu("Pick", "Open", rows(100, "t", None)),
        image(url(), Some(&"c".repeat(2000))),
    ] {
        slack().takes("at the bound", &to_user(content));
    }
}

#[test]
fn what_slack_has_not_or_would_refuse_is_refused() {
    for content in [
        Content::Location(Location::default()),
        Content::Contacts(vec![]),
        template("a", "en", None),
        Content::MarkRead("C1:1.2".into()),
        Content::Typing(None),
        media("video", url(), None),
        reaction(MESSAGE, None),
        reaction(MESSAGE, Some("🦜")),
        reaction(MESSAGE, Some("")),
    ] {
        let error = slack().render(&to_user(content.clone())).unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)), "{content:?}");
    }
    for content in [
        text(" \n"),
        Content::Buttons("a".into(), vec![]),
        Content::Buttons("a".into(), vec![button("1", "a"), button("1", "b")]),
        menu("Pick", "Open", vec![]),
        image(MediaLocation::Url("javascript:1".into()), None),
    ] {
        let error = slack().render(&to_user(content.clone())).unwrap_err();
        assert!(matches!(error, RenderError::Invalid(_)), "{content:?}");
    }
    for reply_to in ["1.2", "C1:", ":1.2", "C1:1.", "C1:1.2&a", "C1:a.b"] {
        let message = Message {
            reply_to: Some(reply_to.into()),
            ..to_user(text("a"))
        };
        assert!(slack().render(&message).is_err(), "{reply_to}");
    }
    let message = Message {
        to: Identity::new("phone", "1650"),
        ..to_user(text("a"))
    };
    assert!(slack().render(&message).is_err());
}

proptest! {
    #[test]
    fn a_text_of_any_length_arrives_whole(words in "(\\PC|\n){1,40}", times in 1usize..300) {
        let words = words.repeat(times);
        prop_assume!(!words.trim().is_empty());
        slack().arrives_whole(&words, &to_user(text(&words)), |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let sent = body["text"].as_str().unwrap();
            sent.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        });
    }
}
