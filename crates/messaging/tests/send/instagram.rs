//! What is Instagram's own.

use chatly_cases::Caller;
use chatly_cases::content::{by_id, by_url, choices, reaction, template};
use chatly_channel::outbound::Content;
use chatly_instagram::Instagram;
use serde_json::{Value, json};

use crate::{Side, attached, to_person};

impl Side for Instagram {
    const HOST: &str = "https://graph.instagram.com";
    const ACCOUNT: &str = "17841405822304914";
    const PERSON: &str = "1267891234567890";
    const SCHEME: &str = "igsid";
    const TAKES_A_REFERENCE: bool = false;

    fn says(message: Value) -> Value {
        json!({ "recipient": { "id": Self::PERSON }, "message": message })
    }

    fn contents() -> Vec<(&'static str, Content, Vec<Value>)> {
        vec![
            (
                "image by id",
                by_id("image", "1857777774821032"),
                vec![attached::<Self>(
                    "image",
                    json!({ "id": "1857777774821032" }),
                )],
            ),
            (
                "a post",
                by_id("share", "17887498072083520"),
                vec![attached::<Self>(
                    "MEDIA_SHARE",
                    json!({ "id": "17887498072083520" }),
                )],
            ),
            (
                "a heart",
                by_id("sticker", "like_heart"),
                vec![Self::says(
                    json!({ "attachment": { "type": "like_heart" } }),
                )],
            ),
            (
                "reaction",
                reaction("m_1", Some("❤️")),
                vec![
                    json!({ "recipient": { "id": Self::PERSON }, "sender_action": "react", "payload": { "message_id": "m_1", "reaction": "love" } }),
                ],
            ),
            (
                "reaction taken back",
                reaction("m_1", None),
                vec![
                    json!({ "recipient": { "id": Self::PERSON }, "sender_action": "unreact", "payload": { "message_id": "m_1" } }),
                ],
            ),
        ]
    }

    fn long_texts() -> Vec<(&'static str, String, usize)> {
        vec![
            ("exactly one", "ä".repeat(500), 1),
            ("one byte more", format!("{}a", "ä".repeat(500)), 2),
            ("no half character", format!("a{}", "ä".repeat(500)), 2),
            ("no half grapheme", "👨\u{200d}👩\u{200d}👧".repeat(56), 2),
        ]
    }

    fn refusals() -> Vec<(Content, &'static str)> {
        vec![
            (
                reaction("m_1", Some("😀")),
                "the only reaction that can be sent here is ❤",
            ),
            (
                by_id("sticker", "369239263222822"),
                "the only sticker is the one with the id like_heart",
            ),
            (by_url("share", None), "a post is shared by its id"),
            (
                Content::QuickReplies("ä".repeat(501), choices(1, "b")),
                "text takes at most 1000, not 1002",
            ),
            (template("a", "en", None), "template cannot be sent here"),
        ]
    }

    fn people() -> Vec<(&'static str, &'static str, Option<Value>)> {
        vec![
            ("igsid", Self::PERSON, Some(json!({ "id": Self::PERSON }))),
            ("comment", "1_2", Some(json!({ "comment_id": "1_2" }))),
            ("psid", "1", None),
            ("user_ref", "visitor-1", None),
            ("phone", "16505551234", None),
            ("igsid", "", None),
        ]
    }
}

#[test]
fn with_the_token_of_a_page_the_token_names_the_account() {
    let with_page =
        Caller::<Instagram>::new(Instagram::ACCOUNT, "https://graph.facebook.com/", "token");
    let message = to_person::<Instagram>(Content::Text("a".into()));
    let (request, _) = with_page.takes("a text", &message).remove(0);
    assert_eq!(request.url, "https://graph.facebook.com/v26.0/me/messages");
}
