//! What is put into requests, that LINE takes them, and what its answers mean.

use chatly_canonical::{ContactCard, Identity, Location};
use chatly_cases::content::{by_id, by_url, media, text};
use chatly_channel::outbound::{
    Button, Content, LimitBreach, MediaLocation, Menu, Message, ReactionTo, Request, Row, Section,
    Sender, Template,
};
use chatly_channel::{Auth, Channel as _, Header, Outcome, RenderError, Response, Verdict};
use chatly_line::Line;
use chatly_simulator::{Mood, Platform as _, Sent};
use proptest::prelude::*;
use serde_json::Value;

const GROUP: &str = "C4af4980629d0a1f5e2b6c7d8e9f00112";

fn to(content: Content) -> Message {
    Message {
        to: Identity::new("line", "U1"),
        chat: None,
        content,
        reply_to: Some("325708".into()),
        reference: Some("job-1".into()),
        tag: None,
    }
}

fn buttons(count: usize) -> Vec<Button> {
    let button = |at: usize| Button {
        id: format!("id-{at}"),
        title: format!("Title {at}"),
    };
    (0..count).map(button).collect()
}

fn menu(rows: usize, description: Option<&str>) -> Content {
    let row = |at: usize| Row {
        id: format!("id-{at}"),
        title: "Blue".into(),
        description: description.map(Into::into),
    };
    let section = Section {
        title: None,
        rows: (0..rows).map(row).collect(),
    };
    Content::Menu(
        "Which?".into(),
        Menu {
            button: "Choose".into(),
            sections: vec![section],
        },
    )
}

fn place(name: Option<&str>) -> Content {
    Content::Location(Location {
        latitude: 50.5,
        longitude: -7.25,
        name: name.map(Into::into),
        address: None,
    })
}

fn render(message: &Message) -> Result<Vec<Request>, RenderError> {
    let from = Sender {
        account: "U8e742f61d673b39c7fff3cecb7536ef0".into(),
        base_url: "https://api.line.me/".into(),
    };
    Line::render(&from, message)
}

fn key(request: &Request) -> Option<String> {
    let found = request
        .headers
        .iter()
        .find(|it| it.name == "x-line-retry-key")?;
    String::from_utf8(found.value.clone()).ok()
}

/// Sends a request as the caller does that knows the token.
fn send(request: &Request, mood: Mood) -> Verdict {
    assert_eq!(request.auth, Auth::Bearer);
    let header = |it: &Header| {
        (
            it.name.clone(),
            String::from_utf8_lossy(&it.value).into_owned(),
        )
    };
    let mut headers: Vec<_> = request.headers.iter().map(header).collect();
    headers.push(("authorization".into(), "Bearer token".into()));
    let sent = Sent {
        method: request.method.clone(),
        path: request.url.replace("https://api.line.me", ""),
        headers,
        body: request.body.clone(),
    };
    let answer = chatly_simulator::line::Line.answer(&sent, mood, 7);
    let headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let body = String::from_utf8_lossy(&answer.body);
    classify(answer.status, &headers, &body)
}

fn classify(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
    let headers = headers.iter().map(|(name, value)| Header::new(name, value));
    Line::classify(&Response {
        status,
        headers: headers.collect(),
        body: body.as_bytes().to_vec(),
    })
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
            Content::Buttons("Which?".into(), buttons(1)),
            r#"[{"type":"template","altText":"Which?","template":{"type":"buttons","text":"Which?","actions":[{"type":"postback","label":"Title 0","data":"id-0","displayText":"Title 0"}]}}]"#,
        ),
        (
            "quick replies",
            Content::QuickReplies("Which?".into(), buttons(1)),
            r#"[{"type":"text","text":"Which?","quickReply":{"items":[{"type":"action","action":{"type":"postback","label":"Title 0","data":"id-0","displayText":"Title 0"}}]}}]"#,
        ),
        (
            "menu",
            menu(1, Some("like the sky")),
            r#"[{"type":"text","text":"Which?"},{"type":"template","altText":"Which?","template":{"type":"carousel","columns":[{"title":"Blue","text":"like the sky","actions":[{"type":"postback","label":"Choose","data":"id-0","displayText":"Blue"}]}]}}]"#,
        ),
    ] {
        for (chat, recipient) in [(None, "U1"), (Some(GROUP.to_owned()), GROUP)] {
            let requests = render(&Message {
                chat,
                ..to(content.clone())
            })
            .unwrap();
            assert_eq!(requests.len(), 1, "{name}");
            assert_eq!(requests[0].method, "POST");
            assert_eq!(requests[0].url, "https://api.line.me/v2/bot/message/push");
            let body = String::from_utf8(requests[0].body.clone()).unwrap();
            assert_eq!(
                body,
                format!(r#"{{"to":"{recipient}","messages":{want}}}"#),
                "{name}"
            );
            let verdict = send(&requests[0], Mood::Well);
            assert_eq!(verdict.outcome, Outcome::Sent, "{name}: {verdict:?}");
            assert!(verdict.message_id.is_some(), "{name}");
        }
    }
    let typing = render(&to(Content::Typing(None))).unwrap().remove(0);
    assert_eq!(typing.url, "https://api.line.me/v2/bot/chat/loading/start");
    assert_eq!(typing.body, br#"{"chatId":"U1","loadingSeconds":5}"#);
    assert_eq!(send(&typing, Mood::Well).outcome, Outcome::Sent);
}

#[test]
fn a_retry_key_belongs_to_one_push_for_ever() {
    let keyed = |message: &Message| key(&render(message).unwrap()[0]);
    let message = to(text("Hi"));
    let first = keyed(&message).unwrap();
    assert_eq!(keyed(&message).unwrap(), first);
    let parts: Vec<usize> = first.split('-').map(str::len).collect();
    assert_eq!(parts, [8, 4, 4, 4, 12], "{first}");
    let of = |reference: Option<&str>| Message {
        reference: reference.map(Into::into),
        ..message.clone()
    };
    assert_ne!(keyed(&of(Some("job-2"))).unwrap(), first);
    assert_ne!(
        keyed(&Message {
            to: Identity::new("line", "U2"),
            ..message.clone()
        })
        .unwrap(),
        first
    );
    assert_eq!((keyed(&of(None)), keyed(&of(Some("")))), (None, None));
    let long = render(&to(text(&"a ".repeat(2500 * 6)))).unwrap();
    assert_eq!(long.len(), 2);
    assert_ne!(key(&long[0]), key(&long[1]));
}

#[test]
fn a_long_text_is_several_messages_and_five_are_one_push() {
    for (name, content, want) in [
        ("exactly one", "ä".repeat(5000), vec![1]),
        ("one more", "ä".repeat(5001), vec![2]),
        ("two units a character", "😀".repeat(2501), vec![2]),
        ("six", "a".repeat(25_001), vec![5, 1]),
    ] {
        let requests = render(&to(text(&content))).unwrap();
        let counts: Vec<usize> = requests
            .iter()
            .map(|request| {
                assert_eq!(send(request, Mood::Well).outcome, Outcome::Sent, "{name}");
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                body["messages"].as_array().unwrap().len()
            })
            .collect();
        assert_eq!(counts, want, "{name}");
    }
}

#[test]
fn what_line_would_refuse_is_refused_by_name() {
    let too_long = |limit: &str, max, given| {
        RenderError::TooLong(LimitBreach {
            limit: limit.into(),
            max,
            given,
        })
    };
    let invalid = |words: &str| RenderError::Invalid(words.into());
    let unsupported = |words: &str| RenderError::Unsupported(words.into());
    let titled = |title: &str| {
        let button = Button {
            id: "a".into(),
            title: title.into(),
        };
        Content::Buttons("a".into(), vec![button])
    };
    let reaction = ReactionTo {
        message_id: "1".into(),
        emoji: None,
    };
    let template = Template {
        name: "a".into(),
        language: "en".into(),
        components: None,
    };
    for (name, content, want) in [
        ("no text", text(" "), invalid("the text is empty")),
        (
            "five buttons",
            Content::Buttons("a".into(), buttons(5)),
            too_long("buttons", 4, 5),
        ),
        (
            "no button",
            Content::Buttons("a".into(), vec![]),
            invalid("there is no button"),
        ),
        (
            "text above buttons",
            Content::Buttons("ä".repeat(161), buttons(1)),
            too_long("text above buttons", 160, 161),
        ),
        (
            "a title of 21 graphemes",
            titled(&"👩\u{200d}👧".repeat(21)),
            too_long("button title", 20, 21),
        ),
        (
            "14 quick replies",
            Content::QuickReplies("a".into(), buttons(14)),
            too_long("quick replies", 13, 14),
        ),
        ("11 rows", menu(11, None), too_long("list rows", 10, 11)),
        (
            "no row",
            menu(0, None),
            invalid("there is no row in the list"),
        ),
        (
            "a description",
            menu(1, Some(&"a".repeat(61))),
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
        (
            "reaction",
            Content::Reaction(reaction),
            unsupported("a reaction"),
        ),
        (
            "template",
            Content::Template(template),
            unsupported("a template"),
        ),
        (
            "read",
            Content::MarkRead("1".into()),
            unsupported("a read marker without its token"),
        ),
    ] {
        assert_eq!(render(&to(content)), Err(want), "{name}");
    }
    let no_user = invalid("the recipient is no LINE user");
    for person in [
        Identity::new("phone", "1650"),
        Identity::new("line", ""),
        Identity::new("line", "U/1"),
    ] {
        assert_eq!(
            render(&Message {
                to: person,
                ..to(text("Hi"))
            }),
            Err(no_user.clone())
        );
    }
    let in_group = Message {
        chat: Some(GROUP.into()),
        ..to(Content::Typing(None))
    };
    assert_eq!(render(&in_group), Err(unsupported("typing in a group")));
    // Both sides of the bounds.
    for content in [
        Content::Buttons("ä".repeat(160), buttons(4)),
        titled(&"👩\u{200d}👧".repeat(20)),
        Content::QuickReplies("a".into(), buttons(13)),
        menu(10, Some(&"a".repeat(60))),
        place(Some(&"a".repeat(100))),
        by_url("image", Some(&"a".repeat(5000))),
    ] {
        let requests = render(&to(content)).unwrap();
        assert_eq!(send(&requests[0], Mood::Well).outcome, Outcome::Sent);
    }
}

#[test]
fn each_mood_is_told_from_the_others() {
    let request = &render(&to(text("Hi"))).unwrap()[0];
    for (mood, outcome) in [
        (Mood::Well, Outcome::Sent),
        (Mood::Throttled, Outcome::RateLimited),
        (Mood::Failing, Outcome::Retry),
        (Mood::TokenExpired, Outcome::AccountStopped),
        // LINE has neither.
        (Mood::WindowClosed, Outcome::Sent),
        (Mood::MediaExpired, Outcome::Sent),
    ] {
        assert_eq!(send(request, mood).outcome, outcome, "{mood:?}");
    }
}

#[test]
fn what_is_not_of_the_documented_form_is_refused_by_the_platform() {
    let good = render(&to(text("Hi"))).unwrap().remove(0);
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

#[test]
fn an_answer_is_what_its_status_and_its_words_say() {
    let accepted =
        r#"{"message":"The retry key is already accepted","sentMessages":[{"id":"461"}]}"#;
    for (status, body, want) in [
        (
            200,
            r#"{"sentMessages":[{"id":"461","quoteToken":"q"}]}"#,
            Outcome::Sent,
        ),
        (409, accepted, Outcome::Sent),
        (
            400,
            r#"{"message":"The request body has 1 error(s)"}"#,
            Outcome::Refused,
        ),
        (
            401,
            r#"{"message":"Authentication failed"}"#,
            Outcome::AccountStopped,
        ),
        (
            403,
            r#"{"message":"Not authorized to use this API"}"#,
            Outcome::AccountStopped,
        ),
        (404, "{}", Outcome::Refused),
        (413, "", Outcome::Refused),
        (
            429,
            r#"{"message":"The API rate limit has been exceeded. Try again later."}"#,
            Outcome::RateLimited,
        ),
        (
            429,
            r#"{"message":"You have reached your monthly limit."}"#,
            Outcome::AccountStopped,
        ),
        (
            500,
            r#"{"message":"Internal server error"}"#,
            Outcome::Retry,
        ),
        (504, "<html>", Outcome::Retry),
    ] {
        let verdict = classify(status, &[], body);
        assert_eq!(verdict.outcome, want, "{status} {body}");
        let id = (want == Outcome::Sent).then_some("461");
        assert_eq!(verdict.message_id.as_deref(), id, "{status}");
    }
    let request_id = ("X-Line-Request-Id", "123e4567-e89b-42d3-a456-426655440001");
    let typing = classify(202, &[request_id], "{}");
    assert_eq!(typing, Verdict::sent(None));
    for (headers, body) in [
        (&[][..], ""),
        (&[], "{}"),
        (&[], "[]"),
        (&[], "<html>Sign in</html>"),
        (&[], r#"{"sentMessages":[]}"#),
        (&[request_id], "<html>"),
        (&[("x-line-request-id", "")], "{}"),
    ] {
        let verdict = classify(200, headers, body);
        assert_eq!(verdict, Verdict::unrecognised(200), "{body}");
    }
    let accepted = ("x-line-accepted-request-id", request_id.1);
    for (headers, want) in [(&[accepted][..], Outcome::Sent), (&[], Outcome::Refused)] {
        let body = r#"{"message":"The retry key is already accepted"}"#;
        assert_eq!(classify(409, headers, body).outcome, want);
    }
    let waits = classify(429, &[("Retry-After", "3")], "{}");
    assert_eq!(waits.retry_after_ms, Some(3_000));
    let told = classify(
        400,
        &[],
        r#"{"message":"The request body has 1 error(s)","details":[
        {"message":"May not be empty","property":"messages[0].text"},{"message":"U4af4980629d0a1f5e2b6c7d8e9f00112"}]}"#,
    );
    assert_eq!(
        told.reason,
        "The request body has 1 error(s) (messages[0].text: May not be empty; …"
    );
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, words in "\\PC*") {
        Line::classify(&Response { status, headers: Vec::new(), body });
        let body = serde_json::json!({ "message": words, "details": [words] });
        prop_assert!(classify(status, &[], &body.to_string()).reason.chars().count() <= 300);
    }

    #[test]
    fn any_text_is_taken(content in "(\\PC|😀|\n){1,6000}") {
        prop_assume!(!content.trim().is_empty());
        for request in render(&to(text(&content))).unwrap() {
            prop_assert_eq!(send(&request, Mood::Well).outcome, Outcome::Sent);
        }
    }
}
