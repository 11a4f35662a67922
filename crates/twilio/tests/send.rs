//! What goes out, what the platform says to it, and what that means.

use chatly_canonical::{ContactCard, Identity, Location};
use chatly_cases::content::{media, text};
use chatly_channel::outbound::{
    Auth, Button, Content, LimitBreach, MediaLocation, Menu, Message, Outcome, ReactionTo,
    RenderError, Request, Response, Sender, Template, Verdict,
};
use chatly_channel::{Channel as _, Delivery, Header, form};
use chatly_simulator::{Mood, Platform as _, Sent};
use chatly_twilio::Twilio;
use proptest::prelude::*;

const URL: &str = "https://api.example.org/2010-04-01/Accounts/AC1/Messages.json";
const CHAT: &str = "whatsapp:+14155238886/whatsapp:+16505551234";

fn sender(account: &str) -> Sender {
    Sender {
        account: account.into(),
        base_url: "https://api.example.org/".into(),
    }
}

fn in_chat(content: Content) -> Message {
    Message {
        to: Identity::new("phone", "16505551234"),
        chat: Some(CHAT.into()),
        content,
        reply_to: None,
        reference: None,
        tag: None,
    }
}

fn image(caption: Option<&str>) -> Content {
    let url = MediaLocation::Url("https://example.org/a b.jpg?c=d&e".into());
    media("image", url, caption)
}

fn template(name: &str, components: Option<&str>) -> Content {
    Content::Template(Template {
        name: name.into(),
        language: String::new(),
        components: components.map(Into::into),
    })
}

fn place(latitude: f64, name: Option<&str>) -> Content {
    Content::Location(Location {
        latitude,
        longitude: -122.391664,
        name: name.map(Into::into),
        address: None,
    })
}

fn body(request: &Request) -> String {
    String::from_utf8_lossy(&request.body).into_owned()
}

/// What the platform gets when the caller has added the token.
fn sent(request: &Request) -> Sent {
    let headers = request.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(&header.value).into_owned();
        (header.name.clone(), value)
    });
    let auth = match &request.auth {
        Auth::Basic(user) => Some(("Authorization".to_owned(), format!("Basic {user}"))),
        _ => None,
    };
    Sent {
        method: request.method.clone(),
        path: request.url.replace("https://api.example.org", ""),
        headers: headers.chain(auth).collect(),
        body: request.body.clone(),
    }
}

fn answer(request: &Request, mood: Mood) -> Verdict {
    let answer = chatly_simulator::twilio::Twilio.answer(&sent(request), mood, 7);
    let headers = answer.headers.iter();
    Twilio::classify(&Response {
        status: answer.status,
        headers: headers
            .map(|(name, value)| Header::new(name, value))
            .collect(),
        body: answer.body,
    })
}

#[test]
fn a_content_becomes_the_documented_form_and_is_accepted() {
    let to = "To=whatsapp%3A%2B16505551234&From=whatsapp%3A%2B14155238886";
    for (name, content, want) in [
        (
            "text",
            text("Größe 42? a+b"),
            "&Body=Gr%C3%B6%C3%9Fe+42%3F+a%2Bb",
        ),
        (
            "image",
            image(None),
            "&MediaUrl=https%3A%2F%2Fexample.org%2Fa+b.jpg%3Fc%3Dd%26e",
        ),
        (
            "caption",
            image(Some("Look")),
            "&Body=Look&MediaUrl=https%3A%2F%2Fexample.org%2Fa+b.jpg%3Fc%3Dd%26e",
        ),
        (
            "place",
            place(37.78789, Some("375 Beale St")),
            "&Body=375+Beale+St&PersistentAction=geo%3A37.78789%2C-122.391664%7C375+Beale+St",
        ),
        (
            "place without a name",
            place(0.0, None),
            "&Body=0%2C-122.391664&PersistentAction=geo%3A0%2C-122.391664",
        ),
        (
            "template",
            template("HXb5b62575e6e4ff6129ad7c8efe1f983e", None),
            "&ContentSid=HXb5b62575e6e4ff6129ad7c8efe1f983e",
        ),
        (
            "variables by name",
            template("HX1", Some(r#"{"1":"22 July 2026"}"#)),
            "&ContentSid=HX1&ContentVariables=%7B%221%22%3A%2222+July+2026%22%7D",
        ),
        (
            "variables in order",
            template("HX1", Some(r#"["a","b"]"#)),
            "&ContentSid=HX1&ContentVariables=%7B%221%22%3A%22a%22%2C%222%22%3A%22b%22%7D",
        ),
    ] {
        let requests = Twilio::render(&sender("AC1"), &in_chat(content)).unwrap();
        assert_eq!(requests.len(), 1, "{name}");
        let request = &requests[0];
        assert_eq!(
            (request.method.as_str(), request.url.as_str()),
            ("POST", URL),
            "{name}"
        );
        assert_eq!(request.auth, Auth::Basic("AC1".into()), "{name}");
        let header = Header::new("content-type", "application/x-www-form-urlencoded");
        assert_eq!(request.headers, [header], "{name}");
        assert_eq!(body(request), format!("{to}{want}"), "{name}");
        let verdict = answer(request, Mood::Well);
        assert_eq!(verdict.outcome, Outcome::Sent, "{name}: {verdict:?}");
        let prefix = if body(request).contains("MediaUrl") {
            "MM"
        } else {
            "SM"
        };
        assert!(verdict.message_id.unwrap().starts_with(prefix), "{name}");
    }
}

#[test]
fn a_chat_or_the_account_names_the_sender() {
    let phone = Identity::new("phone", "16505551234");
    let bsuid = Identity::new("bsuid", "US.1349");
    for (name, account, to, chat, want) in [
        (
            "sms",
            "AC1:+14155238886",
            &phone,
            None,
            "To=%2B16505551234&From=%2B14155238886",
        ),
        (
            "whatsapp",
            "AC1:whatsapp:+1415",
            &phone,
            None,
            "To=whatsapp%3A%2B16505551234&From=whatsapp%3A%2B1415",
        ),
        (
            "bsuid",
            "AC1:whatsapp:+1415",
            &bsuid,
            None,
            "To=whatsapp%3AUS.1349&From=whatsapp%3A%2B1415",
        ),
        (
            "service",
            "AC1:MG2",
            &phone,
            None,
            "To=%2B16505551234&MessagingServiceSid=MG2",
        ),
        (
            "chat before account",
            "AC1:MG2",
            &phone,
            Some("+1415/+1999"),
            "To=%2B1999&From=%2B1415",
        ),
        ("nobody", "AC1", &phone, None, "To=%2B16505551234"),
    ] {
        let message = Message {
            to: to.clone(),
            chat: chat.map(Into::into),
            ..in_chat(text("Hi"))
        };
        let requests = Twilio::render(&sender(account), &message).unwrap();
        assert_eq!(body(&requests[0]), format!("{want}&Body=Hi"), "{name}");
        assert_eq!(requests[0].url, URL, "{name}");
        assert_eq!(requests[0].auth, Auth::Basic("AC1".into()), "{name}");
        let verdict = answer(&requests[0], Mood::Well);
        if name == "nobody" {
            assert_eq!(verdict.code.as_deref(), Some("21603"));
            assert_eq!(verdict.outcome, Outcome::Refused);
        } else {
            assert_eq!(verdict.outcome, Outcome::Sent, "{name}: {verdict:?}");
        }
    }
}

#[test]
fn what_twilio_has_not_is_unsupported() {
    let by_id = MediaLocation::Id("ME1".into());
    let button = Button {
        id: "1".into(),
        title: "Yes".into(),
    };
    let menu = Menu {
        button: "Open".into(),
        sections: vec![],
    };
    let reaction = ReactionTo {
        message_id: "SM1".into(),
        emoji: None,
    };
    for content in [
        media("image", by_id, None),
        media("hologram", MediaLocation::Url("https://a".into()), None),
        Content::Contacts(vec![ContactCard::default()]),
        Content::Reaction(reaction),
        Content::Buttons("a".into(), vec![button.clone()]),
        Content::QuickReplies("a".into(), vec![button]),
        Content::Menu("a".into(), menu),
        Content::MarkRead("SM1".into()),
        Content::Typing(None),
    ] {
        let error = Twilio::render(&sender("AC1"), &in_chat(content)).unwrap_err();
        assert!(matches!(error, RenderError::Unsupported(_)), "{error}");
    }
    let sms = Message {
        chat: Some("+1415/+1999".into()),
        ..in_chat(place(1.0, None))
    };
    let error = Twilio::render(&sender("AC1"), &sms).unwrap_err();
    assert!(matches!(error, RenderError::Unsupported(_)), "{error}");
}

#[test]
fn what_twilio_would_refuse_is_refused() {
    let javascript = MediaLocation::Url("javascript:1".into());
    for (name, content) in [
        ("empty text", text(" \n")),
        ("a link that is none", media("image", javascript, None)),
        ("a place off the map", place(91.0, None)),
        ("a place that is no number", place(f64::NAN, None)),
        ("a template by name", template("hello", None)),
        ("a template of a path", template("HX/../1", None)),
        ("variables that are none", template("HX1", Some("7"))),
        ("a variable that is no string", template("HX1", Some("[1]"))),
        (
            "variables that break out",
            template("HX1", Some("{},\"a\":1")),
        ),
    ] {
        let error = Twilio::render(&sender("AC1"), &in_chat(content)).unwrap_err();
        assert!(matches!(error, RenderError::Invalid(_)), "{name}: {error}");
    }
    for account in ["", "AC1/../2", "AC1?a", "A C", "AC%2f", ":+1", "AC1:"] {
        let message = Message {
            chat: None,
            ..in_chat(text("a"))
        };
        assert!(
            Twilio::render(&sender(account), &message).is_err(),
            "{account}"
        );
    }
    for (scheme, id) in [
        ("viber", "1"),
        ("phone", "abc"),
        ("bsuid", "us.1"),
        ("phone", ""),
    ] {
        let message = Message {
            to: Identity::new(scheme, id),
            chat: None,
            ..in_chat(text("a"))
        };
        assert!(
            Twilio::render(&sender("AC1"), &message).is_err(),
            "{scheme} {id}"
        );
    }
    for chat in ["", "+1415", "/+1", "+1/"] {
        let message = Message {
            chat: Some(chat.into()),
            ..in_chat(text("a"))
        };
        assert!(Twilio::render(&sender("AC1"), &message).is_err(), "{chat}");
    }
}

#[test]
fn a_limit_is_named_with_both_numbers() {
    for (limit, fits, breaks) in [
        (
            "caption",
            image(Some(&"ä".repeat(1600))),
            image(Some(&"ä".repeat(1601))),
        ),
        (
            "location name",
            place(1.0, Some(&"n".repeat(1600))),
            place(1.0, Some(&"n".repeat(1601))),
        ),
    ] {
        let requests = Twilio::render(&sender("AC1"), &in_chat(fits)).unwrap();
        assert_eq!(
            answer(&requests[0], Mood::Well).outcome,
            Outcome::Sent,
            "{limit}"
        );
        let breach = LimitBreach {
            limit: limit.into(),
            max: 1600,
            given: 1601,
        };
        assert_eq!(
            Twilio::render(&sender("AC1"), &in_chat(breaks)),
            Err(RenderError::TooLong(breach))
        );
    }
}

#[test]
fn a_webhook_is_answered_with_empty_twiml() {
    let reply = Twilio::acknowledge(&Delivery::default());
    assert_eq!(
        (reply.status, reply.body.as_slice()),
        (200, &b"<Response/>"[..])
    );
    let headers = [
        Header::new("content-type", "text/xml"),
        Header::new("content-length", "11"),
    ];
    assert_eq!(reply.headers, headers);
    let get = Delivery {
        method: "GET".into(),
        ..Delivery::default()
    };
    assert_eq!(
        Twilio::handshake(&get, &["a".into()], &["b".into()], 0),
        None
    );
}

#[test]
fn a_mood_of_the_platform_is_understood() {
    let request = &Twilio::render(&sender("AC1"), &in_chat(text("Hi"))).unwrap()[0];
    for (mood, outcome, code) in [
        (Mood::Well, Outcome::Sent, None),
        (Mood::Throttled, Outcome::RateLimited, Some("20429")),
        (Mood::Failing, Outcome::Retry, Some("20500")),
        (Mood::WindowClosed, Outcome::WindowClosed, Some("63016")),
        (Mood::TokenExpired, Outcome::AccountStopped, Some("20003")),
        (Mood::MediaExpired, Outcome::Refused, Some("21620")),
    ] {
        let verdict = answer(request, mood);
        assert_eq!(
            (verdict.outcome, verdict.code.as_deref()),
            (outcome, code),
            "{mood:?}"
        );
        assert_eq!(verdict.message_id.is_some(), mood == Mood::Well, "{mood:?}");
    }
}

fn classify(status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
    let headers = headers.iter();
    Twilio::classify(&Response {
        status,
        headers: headers
            .map(|(name, value)| Header::new(name, value))
            .collect(),
        body: body.as_bytes().to_vec(),
    })
}

#[test]
fn a_code_decides_before_the_status() {
    for (outcome, codes) in [
        (
            Outcome::RateLimited,
            &[20429, 14107, 21611, 30001, 63017, 63018, 63038][..],
        ),
        (Outcome::Retry, &[20500, 20503, 30008, 63010, 63012]),
        (Outcome::WindowClosed, &[63016]),
        (
            Outcome::Refused,
            &[
                20001, 20404, 20422, 21200, 21299, 21401, 21499, 21600, 21699, 30011, 30019, 63009,
                63013, 63015, 63019, 63021, 63027, 63028, 63030, 63033, 63036, 63049, 21211, 21408,
                21602, 21603, 21604, 21606, 21608, 21610, 21612, 21614, 21617, 21620, 30003, 30004,
                30005, 30006, 30007, 63003, 63007, 63024,
            ],
        ),
        (
            Outcome::AccountStopped,
            &[
                10001, 20002, 20003, 20005, 20006, 20008, 20010, 30002, 30034, 63001, 63002, 63020,
                63051, 63112, 90010,
            ],
        ),
    ] {
        for code in codes {
            for status in [400, 500] {
                let body =
                    format!(r#"{{"code":{code},"message":"x","more_info":"y","status":{status}}}"#);
                let verdict = classify(status, &[], &body);
                assert_eq!(
                    (verdict.outcome, verdict.code),
                    (outcome, Some(code.to_string())),
                    "{code}"
                );
            }
        }
    }
}

#[test]
fn an_unknown_answer_is_judged_by_its_status() {
    for (status, body, want) in [
        (
            201,
            r#"{"sid":"SM1","status":"queued","error_code":null}"#,
            Outcome::Sent,
        ),
        (
            201,
            r#"{"sid":"SM1","status":"failed","error_code":21610}"#,
            Outcome::Refused,
        ),
        (
            201,
            r#"{"sid":"SM1","status":"failed","error_code":999999}"#,
            Outcome::Refused,
        ),
        (429, "Too Many Requests", Outcome::RateLimited),
        (500, r#"{"code":999999}"#, Outcome::Uncertain),
        (502, "<html>", Outcome::Uncertain),
        (504, "<html>", Outcome::Uncertain),
        (503, "<html>", Outcome::Retry),
        (408, "", Outcome::Retry),
        (302, "", Outcome::Retry),
        (400, r#"{"code":999999}"#, Outcome::Refused),
        (404, "", Outcome::Refused),
        (401, "", Outcome::AccountStopped),
        (403, "{}", Outcome::AccountStopped),
        (403, r#"{"code":999999}"#, Outcome::Refused),
    ] {
        assert_eq!(classify(status, &[], body).outcome, want, "{status} {body}");
    }
    for body in [
        "",
        "{}",
        "[]",
        "<html>Sign in</html>",
        r#"{"sid":""}"#,
        r#"{"status":"queued"}"#,
    ] {
        let verdict = classify(201, &[], body);
        assert_eq!(verdict, Verdict::unrecognised(201), "{body}");
    }
    let wait = classify(429, &[("Retry-After", "2")], "");
    assert_eq!(wait.retry_after_ms, Some(2_000));
    assert_eq!(
        classify(400, &[("Retry-After", "2")], "").retry_after_ms,
        None
    );
}

#[test]
fn a_reason_holds_no_token_and_no_phone() {
    for (status, body, want) in [
        (
            400,
            r#"{"code":21211,"message":"Invalid 'To' Phone Number: +16505551234"}"#,
            "Invalid 'To' Phone Number: …",
        ),
        (
            401,
            r#"{"code":20003,"message":"Authenticate AC0123456789abcdef0123456789abcdef"}"#,
            "HTTP 401: the account may not send until somebody acts",
        ),
        (404, "", "HTTP 404 without an explanation"),
    ] {
        assert_eq!(classify(status, &[], body).reason, want);
    }
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, wait: Vec<u8>) {
        let headers = vec![Header { name: "retry-after".into(), value: wait }];
        let verdict = Twilio::classify(&Response { status, headers, body });
        prop_assert!(verdict.reason.chars().count() <= 300);
    }

    #[test]
    fn a_text_of_any_length_arrives_whole(text in "(\\PC|\n){1,40}", times in 1usize..200) {
        let text = text.repeat(times);
        prop_assume!(!text.trim().is_empty());
        let requests = Twilio::render(&sender("AC1"), &in_chat(Content::Text(text.clone()))).unwrap();
        let mut pieces = String::new();
        for request in &requests {
            prop_assert_eq!(answer(request, Mood::Well).outcome, Outcome::Sent);
            let pairs = form::pairs(&request.body);
            let body = pairs.into_iter().find(|(name, _)| name == b"Body").unwrap().1;
            pieces.push_str(&String::from_utf8(body).unwrap());
        }
        let visible = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(visible(&pieces), visible(&text));
    }
}
