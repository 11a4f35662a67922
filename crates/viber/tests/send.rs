//! What goes out, what the platform says to it, and what that means.

use chatly_canonical::{ContactCard, Identity, Location};
use chatly_cases::content::{button, text};
use chatly_channel::outbound::{
    Auth, Content, LimitBreach, MediaLocation, MediaSource, Menu, Message, Outcome, ReactionTo,
    RenderError, Request, Response, Sender, Template, Verdict,
};
use chatly_channel::{Channel as _, Header};
use chatly_simulator::{Mood, Platform as _, Sent};
use chatly_viber::Viber;
use proptest::prelude::*;
use serde_json::Value;

fn sender() -> Sender {
    Sender {
        account: "Chatly".into(),
        base_url: "https://api.example.org/".into(),
    }
}

fn to_user(content: Content) -> Message {
    Message {
        to: Identity::new("viber", "01234567890A="),
        chat: None,
        content,
        reply_to: None,
        reference: None,
        tag: None,
    }
}

fn media(kind: &str, url: &str, caption: Option<&str>) -> Content {
    Content::Media(MediaSource {
        kind: kind.into(),
        location: MediaLocation::Url(url.into()),
        caption: caption.map(Into::into),
        filename: Some("a".into()),
    })
}

fn by_id(kind: &str, id: &str) -> Content {
    Content::Media(MediaSource {
        kind: kind.into(),
        location: MediaLocation::Id(id.into()),
        caption: None,
        filename: None,
    })
}

fn card(name: &str, phone: &str) -> ContactCard {
    ContactCard {
        name: Some(name.into()),
        phones: vec![phone.into()],
        ..ContactCard::default()
    }
}

fn place(latitude: f64) -> Content {
    Content::Location(Location {
        latitude,
        longitude: -77.5,
        ..Location::default()
    })
}

fn render(content: Content) -> Result<Vec<Request>, RenderError> {
    Viber::render(&sender(), &to_user(content))
}

fn answer(request: &Request, mood: Mood) -> Verdict {
    let token = match &request.auth {
        Auth::Header(name) => Some((name.clone(), "token".to_owned())),
        _ => None,
    };
    let headers = request.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(&header.value).into_owned();
        (header.name.clone(), value)
    });
    let sent = Sent {
        method: request.method.clone(),
        path: request.url.replace("https://api.example.org", ""),
        headers: headers.chain(token).collect(),
        body: request.body.clone(),
    };
    let answer = chatly_simulator::viber::Viber.answer(&sent, mood, 7);
    classify(answer.status, &[], &String::from_utf8_lossy(&answer.body))
}

fn classify(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
    let headers = headers.iter();
    Viber::classify(&Response {
        status,
        headers: headers
            .map(|(name, value)| Header::new(name, value))
            .collect(),
        body: body.as_bytes().to_vec(),
    })
}

#[test]
fn a_content_becomes_the_documented_json_and_is_accepted() {
    let url = "https://example.org/a";
    let keyboard = concat!(
        r#""type":"text","text":"Sure?","keyboard":{"Type":"keyboard","DefaultHeight":false,"Buttons":["#,
        r#"{"Columns":6,"Rows":1,"ActionType":"reply","ActionBody":"y","Text":"Yes","TextSize":"regular","Silent":true}]}"#,
    );
    let buttons = || vec![button("y", "Yes")];
    for (name, content, version, want) in [
        (
            "text",
            text("Größe?"),
            1,
            vec![r#""type":"text","text":"Größe?""#],
        ),
        (
            "picture",
            media("image", url, None),
            1,
            vec![r#""type":"picture","text":"","media":"https://example.org/a""#],
        ),
        (
            "caption",
            media("image", url, Some("Look")),
            1,
            vec![r#""type":"picture","text":"Look","media":"https://example.org/a""#],
        ),
        (
            "a sticker by link",
            media("sticker", url, None),
            1,
            vec![r#""type":"picture","text":"","media":"https://example.org/a""#],
        ),
        (
            "a sticker by id",
            by_id("sticker", "46105"),
            1,
            vec![r#""type":"sticker","sticker_id":46105"#],
        ),
        (
            "video",
            media("video", url, None),
            1,
            vec![r#""type":"url","media":"https://example.org/a""#],
        ),
        (
            "document",
            media("document", url, Some("Offer")),
            1,
            vec![
                r#""type":"url","media":"https://example.org/a""#,
                r#""type":"text","text":"Offer""#,
            ],
        ),
        (
            "voice",
            media("voice", url, Some(" ")),
            1,
            vec![r#""type":"url","media":"https://example.org/a""#],
        ),
        (
            "place",
            place(1.5),
            1,
            vec![r#""type":"location","location":{"lat":1.5,"lon":-77.5}"#],
        ),
        (
            "contacts",
            Content::Contacts(vec![card("Bo", "+1"), card("Al", "+2")]),
            1,
            vec![
                r#""type":"contact","contact":{"name":"Bo","phone_number":"+1"}"#,
                r#""type":"contact","contact":{"name":"Al","phone_number":"+2"}"#,
            ],
        ),
        (
            "buttons",
            Content::Buttons("Sure?".into(), buttons()),
            6,
            vec![keyboard],
        ),
        (
            "quick replies",
            Content::QuickReplies("Sure?".into(), buttons()),
            6,
            vec![keyboard],
        ),
    ] {
        let requests = render(content).unwrap();
        assert_eq!(requests.len(), want.len(), "{name}");
        for (request, want) in requests.iter().zip(want) {
            assert_eq!(
                (request.method.as_str(), request.url.as_str()),
                ("POST", "https://api.example.org/pa/send_message"),
                "{name}"
            );
            assert_eq!(request.auth, Auth::Header("X-Viber-Auth-Token".into()));
            assert_eq!(
                request.headers,
                [Header::new("content-type", "application/json")]
            );
            let body = String::from_utf8(request.body.clone()).unwrap();
            let head = format!(
                r#"{{"receiver":"01234567890A=","min_api_version":{version},"sender":{{"name":"Chatly"}},"#
            );
            assert_eq!(body, format!("{head}{want}}}"), "{name}");
            let verdict = answer(request, Mood::Well);
            assert_eq!(verdict.outcome, Outcome::Sent, "{name}: {verdict:?}");
            assert!(
                verdict.message_id.is_some_and(|id| id.len() == 18),
                "{name}"
            );
        }
    }
}

#[test]
fn a_reference_comes_back_and_a_long_name_is_cut() {
    let message = Message {
        reference: Some("ref-1".into()),
        tag: None,
        reply_to: Some("4987381189870374000".into()),
        ..to_user(text("Hi"))
    };
    let from = Sender {
        account: "ä".repeat(40),
        ..sender()
    };
    let requests = Viber::render(&from, &message).unwrap();
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(body["tracking_data"], "ref-1");
    assert_eq!(body["sender"]["name"], "ä".repeat(28));
    assert_eq!(answer(&requests[0], Mood::Well).outcome, Outcome::Sent);
}

#[test]
fn what_viber_has_not_is_unsupported() {
    let menu = Menu {
        button: "Open".into(),
        sections: vec![],
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
    for content in [
        by_id("image", "1"),
        media("hologram", "https://a", None),
        Content::Reaction(reaction),
        Content::Template(template),
        Content::Menu("a".into(), menu),
        Content::MarkRead("1".into()),
        Content::Typing(None),
    ] {
        let error = render(content).unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)), "{error}");
    }
    let group = Message {
        chat: Some("g".into()),
        ..to_user(text("a"))
    };
    let error = Viber::render(&sender(), &group).unwrap_err();
    assert!(matches!(error, RenderError::Unsupported(_)), "{error}");
}

#[test]
fn what_viber_would_refuse_is_refused() {
    for (name, content) in [
        ("empty text", text(" \n")),
        ("a link that is none", media("image", "javascript:1", None)),
        ("a sticker that is no number", by_id("sticker", "a")),
        ("a place off the map", place(91.0)),
        ("a place that is no number", place(f64::NAN)),
        ("no contact", Content::Contacts(vec![])),
        (
            "a nameless contact",
            Content::Contacts(vec![card("", "+1")]),
        ),
        (
            "a contact without a phone",
            Content::Contacts(vec![card("Bo", "")]),
        ),
        ("no buttons", Content::Buttons("a".into(), vec![])),
        (
            "buttons without text",
            Content::Buttons(" ".into(), vec![button("1", "a")]),
        ),
        (
            "a button without an id",
            Content::Buttons("a".into(), vec![button("", "a")]),
        ),
        (
            "a button without a title",
            Content::Buttons("a".into(), vec![button("1", "")]),
        ),
    ] {
        let error = render(content).unwrap_err();
        assert!(matches!(error, RenderError::Invalid(_)), "{name}: {error}");
    }
    for (scheme, id) in [("phone", "1"), ("viber", " ")] {
        let message = Message {
            to: Identity::new(scheme, id),
            ..to_user(text("a"))
        };
        assert!(Viber::render(&sender(), &message).is_err(), "{scheme}");
    }
    let nobody = Sender {
        account: " ".into(),
        ..sender()
    };
    assert!(Viber::render(&nobody, &to_user(text("a"))).is_err());
}

#[test]
fn a_limit_is_named_with_both_numbers() {
    let url = |length: usize| format!("https://{}", "u".repeat(length - 8));
    let buttons = |count: usize| {
        let all = (0..count).map(|at| button(&at.to_string(), "t"));
        Content::Buttons("a".into(), all.collect())
    };
    let titled =
        |length: usize| Content::Buttons("a".into(), vec![button("1", &"t".repeat(length))]);
    let cards = |name: usize, phone: usize| {
        Content::Contacts(vec![card(&"n".repeat(name), &"1".repeat(phone))])
    };
    let caption = |length: usize| media("image", "https://a", Some(&"ä".repeat(length)));
    for (limit, max, fits, breaks) in [
        ("caption", 768, caption(768), caption(769)),
        (
            "media URL",
            2000,
            media("image", &url(2000), None),
            media("image", &url(2001), None),
        ),
        ("buttons", 12, buttons(12), buttons(13)),
        ("button title", 250, titled(250), titled(251)),
        ("contact name", 28, cards(28, 1), cards(29, 1)),
        ("contact phone", 18, cards(1, 18), cards(1, 19)),
        (
            "text of buttons",
            7000,
            Content::Buttons("a".repeat(7000), vec![button("1", "t")]),
            Content::Buttons("a".repeat(7001), vec![button("1", "t")]),
        ),
    ] {
        for request in render(fits).unwrap() {
            assert_eq!(
                answer(&request, Mood::Well).outcome,
                Outcome::Sent,
                "{limit}"
            );
        }
        let breach = LimitBreach {
            limit: limit.into(),
            max,
            given: max + 1,
        };
        assert_eq!(render(breaks), Err(RenderError::TooLong(breach)));
    }
    let Err(RenderError::TooLong(breach)) = render(text(&"\u{1}".repeat(7000))) else {
        panic!("escapes make this longer than 30 kB");
    };
    assert_eq!(
        (breach.limit.as_str(), breach.max),
        ("request bytes", 30_000)
    );
}

#[test]
fn a_mood_of_the_platform_is_understood() {
    let request = &render(text("Hi")).unwrap()[0];
    for (mood, outcome, code) in [
        (Mood::Well, Outcome::Sent, None),
        (Mood::WindowClosed, Outcome::Sent, None),
        (Mood::Throttled, Outcome::RateLimited, Some("12")),
        (Mood::Failing, Outcome::Uncertain, None),
        (Mood::TokenExpired, Outcome::AccountStopped, Some("2")),
        (Mood::MediaExpired, Outcome::Refused, Some("3")),
    ] {
        let verdict = answer(request, mood);
        assert_eq!(
            (verdict.outcome, verdict.code.as_deref()),
            (outcome, code),
            "{mood:?}"
        );
        assert_eq!(
            verdict.message_id.is_some(),
            outcome == Outcome::Sent,
            "{mood:?}"
        );
    }
}

#[test]
fn a_status_decides_before_http_does() {
    for (outcome, codes) in [
        (Outcome::RateLimited, &[12][..]),
        (
            Outcome::Refused,
            &[1, 3, 4, 5, 6, 11, 13, 14, 16, 17, 18, 19, 20, 21, 22],
        ),
        (Outcome::AccountStopped, &[2, 7, 8, 9, 10, 15, 23, 24]),
        (Outcome::Retry, &[25, 999]),
    ] {
        for code in codes {
            let body = format!(r#"{{"status":{code},"status_message":"x"}}"#);
            let verdict = classify(200, &[], &body);
            assert_eq!(
                (verdict.outcome, verdict.code),
                (outcome, Some(code.to_string())),
                "{code}"
            );
        }
    }
    for (status, body, want) in [
        (
            200,
            r#"{"status":0,"status_message":"ok","message_token":5741311803571721087}"#,
            Outcome::Sent,
        ),
        (500, r#"{"status":0}"#, Outcome::Uncertain),
        (502, "<html>", Outcome::Uncertain),
        (504, "<html>", Outcome::Uncertain),
        (403, r#"{"status":999}"#, Outcome::Refused),
        (403, "", Outcome::AccountStopped),
        (503, "<html>", Outcome::Retry),
        (302, "", Outcome::Retry),
        (429, "", Outcome::RateLimited),
        (401, "", Outcome::AccountStopped),
        (404, "", Outcome::Refused),
        (400, r#"{"status":999}"#, Outcome::Refused),
    ] {
        assert_eq!(classify(status, &[], body).outcome, want, "{status} {body}");
    }
    for body in [
        "",
        "{}",
        "[]",
        "<html>Sign in</html>",
        r#"{"message_token":1}"#,
        r#"{"status":"ok"}"#,
    ] {
        let verdict = classify(200, &[], body);
        assert_eq!(verdict, Verdict::unrecognised(200), "{body}");
    }
    let sent = classify(
        200,
        &[],
        r#"{"status":0,"message_token":5741311803571721087}"#,
    );
    assert_eq!(sent.message_id.as_deref(), Some("5741311803571721087"));
    let wait = classify(200, &[("retry-after", "3")], r#"{"status":12}"#);
    assert_eq!(wait.retry_after_ms, Some(3_000));
}

#[test]
fn a_reason_holds_no_token() {
    for (body, want) in [
        (
            r#"{"status":2,"status_message":"bad 44dafb7e0f40021e-61a47a1e6778d187-f2c5a676a07050b3"}"#,
            "HTTP 200: the account may not send until somebody acts",
        ),
        (
            r#"{"status":3,"status_message":"bad 44dafb7e0f40021e-61a47a1e6778d187-f2c5a676a07050b3 token"}"#,
            "bad … token",
        ),
        (
            r#"{"status":6,"status_message":"notSubscribed"}"#,
            "notSubscribed",
        ),
    ] {
        assert_eq!(classify(200, &[], body).reason, want);
    }
    let silent = classify(404, &[], "").reason;
    assert_eq!(silent, "HTTP 404 without an explanation");
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, wait: Vec<u8>) {
        let headers = vec![Header { name: "retry-after".into(), value: wait }];
        let verdict = Viber::classify(&Response { status, headers, body });
        prop_assert!(verdict.reason.chars().count() <= 300);
    }

    #[test]
    fn a_text_of_any_length_arrives_whole(text in "([a-zäöü ]|😀|\n){1,40}", times in 1usize..600) {
        let text = text.repeat(times);
        prop_assume!(!text.trim().is_empty());
        let mut pieces = String::new();
        for request in render(Content::Text(text.clone())).unwrap() {
            prop_assert_eq!(answer(&request, Mood::Well).outcome, Outcome::Sent);
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            pieces.push_str(body["text"].as_str().unwrap());
        }
        let visible = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(visible(&pieces), visible(&text));
    }
}
