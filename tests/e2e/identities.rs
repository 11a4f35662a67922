//! One person under several ids.

use anyhow::Result;
use harness::{TestApp, secrets};
use serde_json::{Value, json};

use crate::payload;

const PHONE: &str = "16505551234";
const BSUID: &str = "US.13491208655302741918";

fn message(id: &str, fields: Value) -> Value {
    let mut message =
        json!({ "id": id, "timestamp": "1749416383", "type": "text", "text": { "body": id } });
    if let (Some(message), Value::Object(fields)) = (message.as_object_mut(), fields) {
        message.extend(fields);
    }
    payload::envelope(payload::value(json!({ "messages": [message] })))
}

async fn texts_of_the_only_conversation(app: &TestApp) -> Result<Vec<String>> {
    app.settle().await?;
    let contacts = app.list("/v1/contacts").await?;
    assert_eq!(contacts.len(), 1, "{contacts:#?}");
    let conversations = app.list("/v1/conversations").await?;
    assert_eq!(conversations.len(), 1, "{conversations:#?}");
    let identities = contacts[0]["identities"].to_string();
    assert!(
        identities.contains(PHONE) && identities.contains(BSUID),
        "{identities}"
    );
    let messages = app.messages().await?;
    Ok(messages
        .iter()
        .map(|message| {
            message["message"]["id"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect())
}

/// A phone-only and a BSUID-only event, and a third that says that both are one person.
#[tokio::test]
async fn a_third_event_links_two_contacts_into_one() -> Result<()> {
    let app = TestApp::start().await?;
    app.deliver(&payload::signed(&message("1", json!({ "from": PHONE }))))
        .await?;
    app.deliver(&payload::signed(&message(
        "2",
        json!({ "from_user_id": BSUID }),
    )))
    .await?;
    app.settle().await?;
    assert_eq!(app.list("/v1/contacts").await?.len(), 2);
    app.deliver(&payload::signed(&message(
        "3",
        json!({ "from": PHONE, "from_user_id": BSUID }),
    )))
    .await?;
    app.deliver(&payload::signed(&message(
        "4",
        json!({ "from_user_id": BSUID }),
    )))
    .await?;
    app.deliver(&payload::signed(&message("5", json!({ "from": PHONE }))))
        .await?;
    assert_eq!(
        texts_of_the_only_conversation(&app).await?,
        ["1", "2", "3", "4", "5"]
    );
    Ok(())
}

/// The same in one delivery, so that all wait in the inbox together.
#[tokio::test]
async fn linked_queues_keep_arrival_order() -> Result<()> {
    let app = TestApp::start().await?;
    let messages: Vec<_> = (0..30)
        .map(|n| {
            let sender = match n {
                10 => json!({ "from": PHONE, "from_user_id": BSUID }),
                n if n % 2 == 0 => json!({ "from": PHONE }),
                _ => json!({ "from": BSUID, "from_user_id": BSUID }),
            };
            message(&n.to_string(), sender)["entry"][0]["changes"][0]["value"]["messages"][0]
                .clone()
        })
        .collect();
    let body = payload::envelope(payload::value(json!({ "messages": messages })));
    assert_eq!(app.deliver(&payload::signed(&body)).await?.status, 200);
    let want: Vec<_> = (0..30).map(|n| n.to_string()).collect();
    assert_eq!(texts_of_the_only_conversation(&app).await?, want);
    Ok(())
}

#[tokio::test]
async fn a_rotated_id_stays_one_contact() -> Result<()> {
    let app = TestApp::start().await?;
    app.deliver(&payload::signed(&message(
        "1",
        json!({ "from": PHONE, "from_user_id": "US.OLD" }),
    )))
    .await?;
    let rotation = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "102290129340398", "changes": [{ "field": "user_id_update", "value": payload::value(json!({
            "user_id_update": [{ "wa_id": PHONE, "user_id": { "previous": "US.OLD", "current": BSUID }, "timestamp": "1749416390" }],
        })) }] }],
    });
    assert_eq!(app.deliver(&payload::signed(&rotation)).await?.status, 200);
    app.deliver(&payload::signed(&message(
        "2",
        json!({ "from_user_id": BSUID }),
    )))
    .await?;
    assert_eq!(texts_of_the_only_conversation(&app).await?, ["1", "2"]);
    Ok(())
}

/// SQLite's JSON functions refuse what is nested deeper than 1000 levels, and other readers less: a
/// message must neither block its conversation nor make a page unreadable.
#[tokio::test]
async fn a_deeply_nested_message_blocks_neither_a_merge_nor_a_reader() -> Result<()> {
    let app = TestApp::start().await?;
    let nested = format!("{}1{}", "[".repeat(2_000), "]".repeat(2_000));
    app.deliver(&payload::signed(&message("1", json!({ "from": PHONE }))))
        .await?;
    let strange = json!({ "from_user_id": BSUID, "type": "new", "new": "NESTED" });
    let body = message("2", strange)
        .to_string()
        .replace("\"NESTED\"", &nested);
    let delivery = payload::signed_bytes(body.into_bytes(), secrets::WHATSAPP_APP[0]);
    assert_eq!(app.deliver(&delivery).await?.status, 200);
    app.deliver(&payload::signed(&message(
        "3",
        json!({ "from": PHONE, "from_user_id": BSUID }),
    )))
    .await?;
    assert_eq!(texts_of_the_only_conversation(&app).await?, ["1", "2", "3"]);
    let raw = app.messages().await?[1]["message"]["raw"].to_string();
    assert!(raw.contains(&nested), "{raw}");
    Ok(())
}
