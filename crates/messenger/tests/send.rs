//! What is sent, what is refused, and what the platform's answers mean.
#![expect(
    clippy::unwrap_used,
    reason = "what a test's own functions cannot read fails the test"
)]

use chatly_canonical::{ContactCard, Identity, Location};
use chatly_cases::content::{by_id, by_url, choices, media, reaction};
use chatly_channel::outbound::{
    Auth, Button, Content, MediaLocation, Menu, Message, RenderError, Request, Row, Section,
    Sender, Template,
};
use chatly_channel::{Channel as _, Header, Outcome, Response, Verdict};
use chatly_messenger::Messenger;
use chatly_simulator::{Mood, Sent, find};
use serde_json::{Value, json};

const ACCOUNT: &str = "1067280970047460";
const PERSON: &str = "25011290991234567";

fn sender() -> Sender {
    Sender {
        account: ACCOUNT.into(),
        base_url: Messenger::describe().base_url,
    }
}

fn to_person(content: Content) -> Message {
    Message {
        to: Identity::new("psid", PERSON),
        chat: None,
        content,
        reply_to: None,
        reference: None,
        tag: None,
    }
}

fn menu(rows: usize, title: &str, description: Option<&str>) -> Content {
    let row = |at: usize| Row {
        id: format!("row-{at}"),
        title: title.into(),
        description: description.map(Into::into),
    };
    let section = Section {
        title: Some("Plants".into()),
        rows: (0..rows).map(row).collect(),
    };
    let menu = Menu {
        button: "Choose".into(),
        sections: vec![section],
    };
    Content::Menu("Which one?".into(), menu)
}

/// What the platform answers to a request.
fn send(request: &Request, mood: Mood) -> Response {
    let (_, path) = request.url.split_once(".com").unwrap();
    let mut headers = vec![("Authorization".to_owned(), "Bearer token".to_owned())];
    headers.extend(request.headers.iter().map(|header| {
        let value = String::from_utf8(header.value.clone()).unwrap();
        (header.name.clone(), value)
    }));
    let sent = Sent {
        method: request.method.clone(),
        path: path.to_owned(),
        headers,
        body: request.body.clone(),
    };
    let answer = find("messenger").unwrap().answer(&sent, mood, 7);
    Response {
        status: answer.status,
        headers: answer
            .headers
            .iter()
            .map(|(name, value)| Header::new(name, value))
            .collect(),
        body: answer.body,
    }
}

fn classify(request: &Request, mood: Mood) -> Verdict {
    Messenger::classify(&send(request, mood))
}

/// The bodies of a message's requests, each of which the platform accepts.
fn rendered(message: &Message) -> Result<Vec<Value>, RenderError> {
    let requests = Messenger::render(&sender(), message)?;
    let mut bodies = Vec::new();
    for request in &requests {
        assert_eq!(request.method, "POST");
        assert_eq!(
            request.url,
            format!("https://graph.facebook.com/v26.0/{ACCOUNT}/messages")
        );
        assert_eq!(
            request.headers,
            [Header::new("content-type", "application/json")]
        );
        assert_eq!(request.auth, Auth::Bearer);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let verdict = classify(request, Mood::Well);
        assert_eq!(verdict.outcome, Outcome::Sent, "{body}: {verdict:?}");
        assert_eq!(
            verdict.message_id.is_some(),
            body.get("message").is_some(),
            "{body}"
        );
        bodies.push(body);
    }
    Ok(bodies)
}

/// A body that sends this as a message.
fn says(message: Value) -> Value {
    json!({ "recipient": { "id": PERSON }, "messaging_type": "RESPONSE", "message": message })
}

/// A body that does this.
fn does(action: &str) -> Value {
    json!({ "recipient": { "id": PERSON }, "sender_action": action })
}

fn postbacks(count: usize, title: &str) -> Vec<Value> {
    (0..count)
        .map(|at| json!({ "type": "postback", "title": title, "payload": format!("id-{at}") }))
        .collect()
}

#[test]
fn each_content_is_the_documented_request() {
    let attached = |kind: &str, payload: Value| {
        says(json!({ "attachment": { "type": kind, "payload": payload } }))
    };
    for (name, content, want) in [
        (
            "text",
            Content::Text("Grüße".into()),
            vec![says(json!({ "text": "Grüße" }))],
        ),
        (
            "image",
            by_url("image", None),
            vec![attached("image", json!({ "url": "https://example.org/a" }))],
        ),
        (
            "video",
            by_url("video", None),
            vec![attached("video", json!({ "url": "https://example.org/a" }))],
        ),
        (
            "voice",
            by_url("voice", None),
            vec![attached("audio", json!({ "url": "https://example.org/a" }))],
        ),
        (
            "document",
            by_url("document", None),
            vec![attached("file", json!({ "url": "https://example.org/a" }))],
        ),
        (
            "caption",
            media(
                "image",
                MediaLocation::Url("https://example.org/a".into()),
                Some("Red"),
            ),
            vec![
                attached("image", json!({ "url": "https://example.org/a" })),
                says(json!({ "text": "Red" })),
            ],
        ),
        (
            "buttons",
            Content::Buttons("Sure?".into(), choices(3, "Yes, of course, now!")),
            vec![attached(
                "template",
                json!({ "template_type": "button", "text": "Sure?", "buttons": postbacks(3, "Yes, of course, now!") }),
            )],
        ),
        (
            "quick replies",
            Content::QuickReplies("Color?".into(), choices(13, "Red")),
            vec![says(json!({ "text": "Color?", "quick_replies": (0..13)
                .map(|at| json!({ "content_type": "text", "title": "Red", "payload": format!("id-{at}") }))
                .collect::<Vec<_>>() }))],
        ),
        (
            "menu",
            menu(1, "Aloe", None),
            vec![
                says(json!({ "text": "Which one?" })),
                attached(
                    "template",
                    json!({ "template_type": "generic", "elements": [{ "title": "Aloe", "subtitle": "Plants",
                    "buttons": [{ "type": "postback", "title": "Choose", "payload": "row-0" }] }] }),
                ),
            ],
        ),
        (
            "mark read",
            Content::MarkRead("m_1".into()),
            vec![does("mark_seen")],
        ),
        ("typing", Content::Typing(None), vec![does("typing_on")]),
        (
            "typing an answer",
            Content::Typing(Some("m_1".into())),
            vec![does("typing_on")],
        ),
        (
            "image by id",
            by_id("image", "1857777774821032"),
            vec![attached(
                "image",
                json!({ "attachment_id": "1857777774821032" }),
            )],
        ),
        (
            "template",
            Content::Template(Template {
                name: "order_update".into(),
                language: "en_US".into(),
                components: Some(
                    r#"[{"type":"body","parameters":[{"type":"text","text":"1"}]}]"#.into(),
                ),
            }),
            vec![
                json!({ "recipient": { "id": PERSON }, "messaging_type": "UTILITY", "message": { "template": {
                "name": "order_update", "language": { "code": "en_US" },
                "components": [{ "type": "body", "parameters": [{ "type": "text", "text": "1" }] }] } } }),
            ],
        ),
        (
            "template without parameters",
            Content::Template(Template {
                name: "hello".into(),
                language: "de".into(),
                components: None,
            }),
            vec![
                json!({ "recipient": { "id": PERSON }, "messaging_type": "UTILITY", "message": { "template": {
                "name": "hello", "language": { "code": "de" } } } }),
            ],
        ),
    ] {
        assert_eq!(rendered(&to_person(content)), Ok(want), "{name}");
    }
}

#[test]
fn a_long_text_is_several_and_only_the_first_one_replies() {
    for (name, text, want) in [
        ("exactly one", "ä".repeat(2_000), 1),
        ("one more", "ä".repeat(2_001), 2),
        ("three", "ä".repeat(4_001), 3),
    ] {
        let message = Message {
            reply_to: Some("m_1".into()),
            reference: Some("job-1".into()),
            ..to_person(Content::Text(text.clone()))
        };
        let bodies = rendered(&message).unwrap();
        let all: String = bodies
            .iter()
            .filter_map(|body| body.pointer("/message/text")?.as_str())
            .collect();
        assert_eq!((bodies.len(), all), (want, text), "{name}");
        for (at, body) in bodies.iter().enumerate() {
            let reply_to = body.pointer("/reply_to/mid").and_then(Value::as_str);
            assert_eq!(reply_to, Some("m_1").filter(|_| at == 0), "{name} {at}");
            let metadata = body.pointer("/message/metadata").and_then(Value::as_str);
            assert_eq!(metadata, Some("job-1"), "{name} {at}");
        }
    }
}

#[test]
fn what_the_platform_would_refuse_is_refused_here() {
    let text = |chars: usize| "a".repeat(chars);
    let one_of = |id: &str, title: &str| {
        vec![Button {
            id: id.into(),
            title: title.into(),
        }]
    };
    for (content, want) in [
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
        (reaction("m_1", Some("❤")), "reaction cannot be sent here"),
        (
            by_id("sticker", "369239263222822"),
            "media of kind \"sticker\" cannot be sent here",
        ),
        (
            Content::QuickReplies(text(2_001), choices(1, "b")),
            "text takes at most 2000, not 2001",
        ),
        (
            Content::Template(Template {
                name: "a".into(),
                language: "en".into(),
                components: Some("{}".into()),
            }),
            "the components of the template are no JSON list",
        ),
        (
            Content::Template(Template {
                name: "a".into(),
                language: " ".into(),
                components: None,
            }),
            "the language of the template is empty",
        ),
    ] {
        let error = rendered(&to_person(content.clone())).unwrap_err();
        assert_eq!(error.to_string(), want, "{content:?}");
    }
}

#[test]
fn only_people_of_this_platform_are_written_to() {
    for (scheme, id, want) in [
        ("psid", PERSON, Some(json!({ "id": PERSON }))),
        ("comment", "1_2", Some(json!({ "comment_id": "1_2" }))),
        ("post", "1_2", Some(json!({ "post_id": "1_2" }))),
        (
            "user_ref",
            "visitor-1",
            Some(json!({ "user_ref": "visitor-1" })),
        ),
        (
            "notification_messages_token",
            "6378911234",
            Some(json!({ "notification_messages_token": "6378911234" })),
        ),
        ("igsid", "1", None),
        ("phone", "16505551234", None),
        ("psid", "", None),
    ] {
        let message = Message {
            to: Identity::new(scheme, id),
            ..to_person(Content::Text("a".into()))
        };
        let recipient = rendered(&message)
            .ok()
            .and_then(|bodies| bodies[0].get("recipient").cloned());
        assert_eq!(recipient, want, "{scheme}");
    }
    let in_group = Message {
        chat: Some("1".into()),
        ..to_person(Content::Text("a".into()))
    };
    assert!(rendered(&in_group).is_err());
}

#[test]
fn an_account_that_is_no_id_reaches_no_path() {
    for account in ["", "../me", "1/2", "1?a", "ä", "1 2"] {
        let from = Sender {
            account: account.into(),
            ..sender()
        };
        let message = to_person(Content::Text("a".into()));
        assert!(Messenger::render(&from, &message).is_err(), "{account}");
    }
}

#[test]
fn each_mood_of_the_platform_is_understood() {
    let message = to_person(Content::Text("a".into()));
    let request = &Messenger::render(&sender(), &message).unwrap()[0];
    for (mood, outcome, code, wait) in [
        (Mood::Well, Outcome::Sent, None, None),
        (
            Mood::Throttled,
            Outcome::RateLimited,
            Some("613"),
            Some(60_000),
        ),
        (Mood::Failing, Outcome::Retry, Some("2"), None),
        (Mood::WindowClosed, Outcome::WindowClosed, Some("10"), None),
        (
            Mood::TokenExpired,
            Outcome::AccountStopped,
            Some("190"),
            None,
        ),
        (Mood::MediaExpired, Outcome::Refused, Some("100"), None),
    ] {
        let verdict = classify(request, mood);
        assert_eq!(verdict.outcome, outcome, "{mood:?}");
        assert_eq!(verdict.code.as_deref(), code, "{mood:?}");
        assert_eq!(verdict.retry_after_ms, wait, "{mood:?}");
    }
    let nobody = Request {
        body: b"{}".to_vec(),
        ..request.clone()
    };
    assert_eq!(classify(&nobody, Mood::Well).outcome, Outcome::Refused);
}

#[test]
fn a_success_that_is_not_metas_is_not_sent_and_not_tried_again() {
    let answer = |body: &str| {
        Messenger::classify(&Response {
            status: 200,
            headers: vec![],
            body: body.as_bytes().to_vec(),
        })
    };
    for body in [
        "",
        "{}",
        "[]",
        "<html>Sign in</html>",
        r#"{"recipient_id":""}"#,
        r#"{"error":{}}"#,
    ] {
        assert_eq!(answer(body), Verdict::unrecognised(200), "{body}");
    }
    for body in [r#"{"recipient_id":"1"}"#, r#"{"success":true}"#] {
        assert_eq!(answer(body), Verdict::sent(None), "{body}");
    }
}

#[test]
fn every_code_of_the_reference_has_its_outcome() {
    for (code, subcode, want) in [
        (1, None, Outcome::Retry),
        (2, None, Outcome::Retry),
        (1200, None, Outcome::Retry),
        (4, None, Outcome::RateLimited),
        (4, Some(2018022), Outcome::RateLimited),
        (4, Some(2018354), Outcome::Refused),
        (9, None, Outcome::RateLimited),
        (9, Some(2018352), Outcome::Refused),
        (613, None, Outcome::RateLimited),
        (80002, None, Outcome::RateLimited),
        (80006, None, Outcome::RateLimited),
        (10, Some(2018278), Outcome::WindowClosed),
        (10, Some(2534022), Outcome::WindowClosed),
        (200, Some(2018065), Outcome::WindowClosed),
        (10, None, Outcome::AccountStopped),
        (0, None, Outcome::AccountStopped),
        (3, None, Outcome::AccountStopped),
        (190, Some(463), Outcome::AccountStopped),
        (200, None, Outcome::AccountStopped),
        (368, None, Outcome::AccountStopped),
        (100, None, Outcome::Refused),
        (100, Some(2018001), Outcome::Refused),
        (230, None, Outcome::Refused),
        (551, None, Outcome::Refused),
        (551, Some(1545041), Outcome::Refused),
        (200, Some(1545041), Outcome::Refused),
        (999, None, Outcome::Refused),
    ] {
        let error = json!({ "error": { "message": "(#1) to 25011290991234567", "code": code, "error_subcode": subcode } });
        let verdict = Messenger::classify(&Response {
            status: 400,
            headers: vec![],
            body: error.to_string().into_bytes(),
        });
        assert_eq!(verdict.outcome, want, "{code} {subcode:?}");
        assert!(
            !verdict.reason.contains("25011290991234567"),
            "{}",
            verdict.reason
        );
    }
}

#[test]
fn a_tag_lets_a_persons_message_out_after_the_window() {
    let tagged = Message {
        tag: Some("HUMAN_AGENT".into()),
        ..to_person(Content::Text("Sorry for the wait".into()))
    };
    let body = rendered(&tagged).unwrap().remove(0);
    assert_eq!(
        (&body["messaging_type"], &body["tag"]),
        (&"MESSAGE_TAG".into(), &"HUMAN_AGENT".into())
    );
    let plain = to_person(Content::Text("Hi".into()));
    let body = rendered(&plain).unwrap().remove(0);
    assert_eq!(
        (&body["messaging_type"], &body["tag"]),
        (&"RESPONSE".into(), &Value::Null)
    );
}
