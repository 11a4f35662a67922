//! What is Messenger's own.

use chatly_cases::content::{by_id, choices, reaction, template};
use chatly_channel::outbound::Content;
use chatly_messenger::Messenger;
use serde_json::{Value, json};

use crate::{Side, attached};

impl Side for Messenger {
    const HOST: &str = "https://graph.facebook.com";
    const ACCOUNT: &str = "1067280970047460";
    const PERSON: &str = "25011290991234567";
    const SCHEME: &str = "psid";
    const TAKES_A_REFERENCE: bool = true;

    fn says(message: Value) -> Value {
        json!({ "recipient": { "id": Self::PERSON }, "messaging_type": "RESPONSE", "message": message })
    }

    fn contents() -> Vec<(&'static str, Content, Vec<Value>)> {
        vec![
            (
                "image by id",
                by_id("image", "1857777774821032"),
                vec![attached::<Self>(
                    "image",
                    json!({ "attachment_id": "1857777774821032" }),
                )],
            ),
            (
                "template",
                template(
                    "order_update",
                    "en_US",
                    Some(r#"[{"type":"body","parameters":[{"type":"text","text":"1"}]}]"#),
                ),
                vec![
                    json!({ "recipient": { "id": Self::PERSON }, "messaging_type": "UTILITY", "message": { "template": {
                "name": "order_update", "language": { "code": "en_US" },
                "components": [{ "type": "body", "parameters": [{ "type": "text", "text": "1" }] }] } } }),
                ],
            ),
            (
                "template without parameters",
                template("hello", "de", None),
                vec![
                    json!({ "recipient": { "id": Self::PERSON }, "messaging_type": "UTILITY", "message": { "template": {
                "name": "hello", "language": { "code": "de" } } } }),
                ],
            ),
        ]
    }

    fn long_texts() -> Vec<(&'static str, String, usize)> {
        vec![
            ("exactly one", "ä".repeat(2_000), 1),
            ("one more", "ä".repeat(2_001), 2),
            ("three", "ä".repeat(4_001), 3),
        ]
    }

    fn refusals() -> Vec<(Content, &'static str)> {
        vec![
            (reaction("m_1", Some("❤")), "reaction cannot be sent here"),
            (
                by_id("sticker", "369239263222822"),
                "media of kind \"sticker\" cannot be sent here",
            ),
            (
                Content::QuickReplies("a".repeat(2_001), choices(1, "b")),
                "text takes at most 2000, not 2001",
            ),
            (
                template("a", "en", Some("{}")),
                "the components of the template are no JSON list",
            ),
            (
                template("a", " ", None),
                "the language of the template is empty",
            ),
        ]
    }

    fn people() -> Vec<(&'static str, &'static str, Option<Value>)> {
        vec![
            ("psid", Self::PERSON, Some(json!({ "id": Self::PERSON }))),
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
        ]
    }
}
