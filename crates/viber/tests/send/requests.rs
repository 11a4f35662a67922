//! What becomes of contents.

use chatly_cases::content::{button, by_id, text};
use chatly_cases::post;
use chatly_channel::outbound::{Auth, Content, Message};
use proptest::prelude::*;
use serde_json::Value;

use crate::{card, media, place, to_user, viber};

const URL: &str = "https://api.example.org/pa/send_message";

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
        let head = format!(
            r#"{{"receiver":"01234567890A=","min_api_version":{version},"sender":{{"name":"Chatly"}},"#
        );
        let request = |want: &str| {
            let auth = Auth::Header("X-Viber-Auth-Token".into());
            post(URL, "application/json", auth, &format!("{head}{want}}}"))
        };
        let want: Vec<_> = want.into_iter().map(request).collect();
        for verdict in viber("Chatly").becomes(name, &to_user(content), &want) {
            let id = verdict.message_id;
            assert!(id.is_some_and(|id| id.len() == 18), "{name}");
        }
    }
}

#[test]
fn a_reference_comes_back_and_a_long_name_is_cut() {
    let message = Message {
        reference: Some("ref-1".into()),
        reply_to: Some("4987381189870374000".into()),
        ..to_user(text("Hi"))
    };
    let requests = viber(&"ä".repeat(40)).takes("a reference", &message);
    let body: Value = serde_json::from_slice(&requests[0].0.body).unwrap();
    assert_eq!(body["tracking_data"], "ref-1");
    assert_eq!(body["sender"]["name"], "ä".repeat(28));
}

proptest! {
    #[test]
    fn a_text_of_any_length_arrives_whole(words in "([a-zäöü ]|😀|\n){1,40}", times in 1usize..600) {
        let words = words.repeat(times);
        prop_assume!(!words.trim().is_empty());
        viber("Chatly").arrives_whole(&words, &to_user(text(&words)), |request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            body["text"].as_str().unwrap().to_owned()
        });
    }
}
