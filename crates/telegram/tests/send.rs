//! What is put into requests, that Telegram takes them, and what its answers mean.

use chatly_canonical::{ContactCard, Identity, Location};
use chatly_cases::content::{button, by_url, media, text};
use chatly_channel::outbound::{
    Button, Content, LimitBreach, MediaLocation, Menu, Message, ReactionTo, Request, Row, Section,
    Sender, Template,
};
use chatly_channel::{Auth, Channel as _, Outcome, RenderError, Response, Verdict};
use chatly_simulator::{Answer, Mood, Platform as _, Sent};
use chatly_telegram::Telegram;
use proptest::prelude::*;

const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
const BUSINESS: &str = "bc_Q2hhdGx5:1111111";

fn to(content: Content) -> Message {
    Message {
        to: Identity::new("telegram", "1111111"),
        chat: None,
        content,
        reply_to: None,
        reference: Some("job-1".into()),
        tag: None,
    }
}

fn in_chat(chat: &str, content: Content) -> Message {
    Message {
        chat: Some(chat.into()),
        ..to(content)
    }
}

fn menu() -> Content {
    let row = |id: &str, description: Option<&str>| Row {
        id: id.into(),
        title: "Blue".into(),
        description: description.map(Into::into),
    };
    Content::Menu(
        "Which?".into(),
        Menu {
            button: "Open".into(),
            sections: vec![Section {
                title: None,
                rows: vec![row("a", None), row("b", Some("like the sky"))],
            }],
        },
    )
}

fn reaction(message_id: &str, emoji: Option<&str>) -> Content {
    Content::Reaction(ReactionTo {
        message_id: message_id.into(),
        emoji: emoji.map(Into::into),
    })
}

fn card() -> ContactCard {
    ContactCard {
        name: Some("Ann; Li".into()),
        phones: vec!["+1".into(), "+2".into()],
        emails: vec!["a@example.org".into()],
        org: None,
    }
}

fn place(name: Option<&str>, address: Option<&str>) -> Content {
    Content::Location(Location {
        latitude: 50.5,
        longitude: -7.25,
        name: name.map(Into::into),
        address: address.map(Into::into),
    })
}

fn render(message: &Message) -> Result<Vec<Request>, RenderError> {
    let from = Sender {
        account: "110201543".into(),
        base_url: "https://api.telegram.org/".into(),
    };
    Telegram::render(&from, message)
}

/// Sends a request as the caller does that knows the token.
fn send(request: &Request, mood: Mood) -> (Answer, Verdict) {
    assert_eq!(request.auth, Auth::Path);
    let url = request.url.replace("{access_token}", TOKEN);
    let headers = request.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(&header.value).into_owned();
        (header.name.clone(), value)
    });
    let sent = Sent {
        method: request.method.clone(),
        path: url.replace("https://api.telegram.org", ""),
        headers: headers.collect(),
        body: request.body.clone(),
    };
    let answer = chatly_simulator::telegram::Telegram.answer(&sent, mood, 7);
    let verdict = Telegram::classify(&Response {
        status: answer.status,
        headers: Vec::new(),
        body: answer.body.clone(),
    });
    (answer, verdict)
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
            to(media("video", MediaLocation::Id("AgAD".into()), None)),
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
            to(menu()),
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
        let requests = render(&message).unwrap();
        assert_eq!(requests.len(), 1, "{name}");
        let url = format!("https://api.telegram.org/bot{{access_token}}/{method}");
        assert_eq!(
            (requests[0].method.as_str(), &requests[0].url),
            ("POST", &url),
            "{name}"
        );
        assert_eq!(
            String::from_utf8(requests[0].body.clone()).unwrap(),
            want,
            "{name}"
        );
        let (answer, verdict) = send(&requests[0], Mood::Well);
        let body = String::from_utf8(answer.body).unwrap();
        assert_eq!(
            (answer.status, verdict.outcome),
            (200, Outcome::Sent),
            "{name}: {body}"
        );
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
    let requests = render(&to(Content::Contacts(vec![card(), card()]))).unwrap();
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
        let requests = render(&message).unwrap();
        assert_eq!(requests.len(), want, "{name}");
        for (at, request) in requests.iter().enumerate() {
            let body = String::from_utf8(request.body.clone()).unwrap();
            assert_eq!(body.contains("reply_parameters"), at == 0, "{name}");
            assert_eq!(send(request, Mood::Well).1.outcome, Outcome::Sent, "{name}");
        }
    }
}

#[test]
fn what_telegram_would_refuse_is_refused_by_name() {
    let too_long = |limit: &str, max, given| {
        RenderError::TooLong(LimitBreach {
            limit: limit.into(),
            max,
            given,
        })
    };
    let invalid = |words: &str| RenderError::Invalid(words.into());
    let unsupported = |words: &str| RenderError::Unsupported(words.into());
    let buttons = |text: &str, all: Vec<Button>| to(Content::Buttons(text.into(), all));
    let of = |scheme: &str, id: &str| Message {
        to: Identity::new(scheme, id),
        ..to(text("Hi"))
    };
    let long = "😀".repeat(513);
    let not_a_chat = "the recipient is no Telegram chat";
    for (name, message, want) in [
        ("no text", to(text(" \n")), invalid("the text is empty")),
        (
            "another platform's person",
            of("phone", "1650"),
            invalid(not_a_chat),
        ),
        ("no number", of("telegram", "12/../x"), invalid(not_a_chat)),
        ("no id", of("telegram", ""), invalid(not_a_chat)),
        (
            "no name of a channel",
            in_chat("@a/b", text("Hi")),
            invalid(not_a_chat),
        ),
        (
            "caption",
            to(by_url("image", Some(&long))),
            too_long("caption", 1024, 1026),
        ),
        (
            "a sticker's caption",
            to(by_url("sticker", Some("a"))),
            unsupported("a caption of a sticker"),
        ),
        (
            "a kind of media",
            to(by_url("hologram", None)),
            unsupported("media of kind \"hologram\""),
        ),
        (
            "a file",
            to(media(
                "image",
                MediaLocation::Url("file:///etc/passwd".into()),
                None,
            )),
            invalid("the link to the media is no http or https URL"),
        ),
        (
            "no media",
            to(media("image", MediaLocation::Id(String::new()), None)),
            invalid("the media is empty"),
        ),
        (
            "no contact",
            to(Content::Contacts(vec![])),
            invalid("there is no contact"),
        ),
        (
            "a contact without a phone",
            to(Content::Contacts(vec![ContactCard {
                phones: vec![],
                ..card()
            }])),
            invalid("the phone of the contact is empty"),
        ),
        (
            "no button",
            buttons("a", vec![]),
            invalid("there is no button"),
        ),
        (
            "a button's id",
            buttons("a", vec![button(&"ä".repeat(33), "b")]),
            too_long("button id", 64, 66),
        ),
        (
            "a button's title",
            buttons("a", vec![button("a", "")]),
            invalid("the button title is empty"),
        ),
        (
            "equal ids",
            buttons("a", vec![button("a", "b"), button("a", "c")]),
            invalid("the button ids are not unique"),
        ),
        (
            "text above buttons",
            buttons(&"a".repeat(4097), vec![button("a", "b")]),
            too_long("text", 4096, 4097),
        ),
        (
            "template",
            to(Content::Template(Template {
                name: "a".into(),
                language: "en".into(),
                components: None,
            })),
            unsupported("a template"),
        ),
        (
            "read marker of a bot",
            to(Content::MarkRead("1111111:1365".into())),
            unsupported("a read marker without a business connection"),
        ),
        (
            "reaction to a message of another chat",
            to(reaction("2222222:1365", Some("👍"))),
            invalid("the message id is none of this chat"),
        ),
        (
            "a place in space",
            to(Content::Location(Location {
                latitude: 91.0,
                ..Location::default()
            })),
            invalid("the location is not on Earth"),
        ),
    ] {
        assert_eq!(render(&message), Err(want), "{name}");
    }
}

#[test]
fn each_mood_is_told_from_the_others() {
    let request = &render(&to(text("Hi"))).unwrap()[0];
    let business = &render(&in_chat(BUSINESS, text("Hi"))).unwrap()[0];
    for (mood, request, outcome, wait) in [
        (Mood::Well, request, Outcome::Sent, None),
        (Mood::Throttled, request, Outcome::RateLimited, Some(14_000)),
        (Mood::Failing, request, Outcome::Uncertain, None),
        (Mood::TokenExpired, request, Outcome::AccountStopped, None),
        (Mood::MediaExpired, request, Outcome::Refused, None),
        // Bots may write to those who started them at any time; businesses may not.
        (Mood::WindowClosed, request, Outcome::Sent, None),
        (Mood::WindowClosed, business, Outcome::WindowClosed, None),
    ] {
        let (_, verdict) = send(request, mood);
        assert_eq!(
            (verdict.outcome, verdict.retry_after_ms),
            (outcome, wait),
            "{mood:?}"
        );
    }
}

#[test]
fn what_is_not_of_the_documented_form_is_refused_by_the_platform() {
    let good = render(&to(text("Hi"))).unwrap().remove(0);
    for (name, url, body) in [
        ("no token", "https://api.telegram.org/bot/sendMessage", None),
        (
            "no such method",
            "https://api.telegram.org/bot1:A/sendNothing",
            None,
        ),
        ("no chat", good.url.as_str(), Some(r#"{"text":"Hi"}"#)),
        ("no text", good.url.as_str(), Some(r#"{"chat_id":1}"#)),
        (
            "a number in a string",
            good.url.as_str(),
            Some(r#"{"chat_id":"1","text":"Hi"}"#),
        ),
        ("no JSON", good.url.as_str(), Some("chat_id=1")),
    ] {
        let body = body.map_or(good.body.clone(), |body| body.as_bytes().to_vec());
        let request = Request {
            url: url.into(),
            body,
            ..good.clone()
        };
        assert_ne!(
            send(&request, Mood::Well).1.outcome,
            Outcome::Sent,
            "{name}"
        );
    }
}

#[test]
fn an_error_is_what_its_code_and_its_words_say() {
    let verdict = |status, body: &str| {
        Telegram::classify(&Response {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        })
    };
    let error = |code: u16, words: &str| {
        verdict(
            code,
            &format!(r#"{{"ok":false,"error_code":{code},"description":"{words}"}}"#),
        )
    };
    for (code, words, want) in [
        (
            403,
            "Forbidden: bot was blocked by the user",
            Outcome::Refused,
        ),
        (403, "Forbidden: user is deactivated", Outcome::Refused),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            Outcome::Refused,
        ),
        (400, "Bad Request: chat not found", Outcome::Refused),
        (
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            Outcome::Refused,
        ),
        (
            400,
            "Bad Request: BUSINESS_PEER_USAGE_MISSING",
            Outcome::WindowClosed,
        ),
        (
            400,
            "Bad Request: BUSINESS_CONNECTION_INVALID",
            Outcome::AccountStopped,
        ),
        (401, "Unauthorized", Outcome::AccountStopped),
        (404, "Not Found", Outcome::AccountStopped),
        (409, "Conflict", Outcome::Retry),
        (
            429,
            "Too Many Requests: retry after 3",
            Outcome::RateLimited,
        ),
        (500, "Internal Server Error", Outcome::Uncertain),
        (502, "Bad Gateway", Outcome::Uncertain),
        (503, "Service Unavailable", Outcome::Retry),
    ] {
        let given = error(code, words);
        assert_eq!(
            (given.outcome, given.code),
            (want, Some(code.to_string())),
            "{words}"
        );
    }
    assert_eq!(verdict(502, "<html>").outcome, Outcome::Uncertain);
    assert_eq!(
        verdict(200, r#"{"ok":false,"error_code":400}"#).outcome,
        Outcome::Refused
    );
    for body in [
        "",
        "{}",
        "[]",
        "<html>Sign in</html>",
        r#"{"ok":false}"#,
        r#"{"ok":1}"#,
        r#"{"result":{"message_id":1,"chat":{"id":1}}}"#,
    ] {
        assert_eq!(verdict(200, body), Verdict::unrecognised(200), "{body}");
    }
    assert_eq!(
        verdict(200, r#"{"ok":true,"result":true}"#),
        Verdict::sent(None)
    );
    let told = error(
        400,
        "Bad Request: cannot write to 16505551234 by 110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    );
    assert_eq!(told.reason, "Bad Request: cannot write to … by …");
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(status: u16, body: Vec<u8>, words in "\\PC*") {
        let answer = |body| Telegram::classify(&Response { status, headers: Vec::new(), body });
        answer(body);
        let body = serde_json::json!({ "ok": false, "error_code": status, "description": words });
        prop_assert!(answer(body.to_string().into_bytes()).reason.chars().count() <= 300);
    }

    #[test]
    fn any_text_arrives_whole(content in "(\\PC|😀|\n){1,6000}") {
        prop_assume!(!content.trim().is_empty());
        for request in render(&to(text(&content))).unwrap() {
            prop_assert_eq!(send(&request, Mood::Well).1.outcome, Outcome::Sent);
        }
    }
}
