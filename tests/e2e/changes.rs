//! What happens to a message after it was written changes the right rows.

use anyhow::{Context as _, Result, ensure};
use chatly_simulator::{Wish, find};
use harness::{TestApp, secrets};
use serde_json::{Value, json};

use crate::payload;

const PHONE: &str = "16505551234";

/// Something that happens on WhatsApp, from the customer.
async fn happens(app: &TestApp, kind: &str, about: Option<&str>, seed: u64) -> Result<String> {
    let platform = find("whatsapp").context("whatsapp")?;
    let wish = Wish {
        kind: kind.to_owned(),
        from: Some(PHONE.to_owned()),
        about: about.map(str::to_owned),
        seed,
        ..Wish::default()
    };
    let delivery = platform.unsigned(std::slice::from_ref(&wish))?;
    let delivery = platform.sign(delivery, app.base(), secrets::WHATSAPP_APP[0], 0);
    ensure!(app.deliver(&delivery).await?.status == 200, "{kind}");
    app.settle().await?;
    Ok(platform.message_id(&wish)?)
}

async fn message(app: &TestApp, id: &str) -> Result<Value> {
    let mut messages = app.messages().await?.into_iter();
    let found = messages.find(|message| message["message"]["id"] == id);
    found.with_context(|| id.to_owned())
}

#[tokio::test]
async fn an_edit_shows_the_new_text_and_keeps_the_old() -> Result<()> {
    let app = TestApp::start().await?;
    let id = happens(&app, "text", None, 1).await?;
    let before = message(&app, &id).await?;
    happens(&app, "edit", Some(&id), 2).await?;
    let after = message(&app, &id).await?;
    assert_ne!(after["message"]["text"], before["message"]["text"]);
    assert_eq!(after["previous_texts"], json!([before["message"]["text"]]));
    assert!(after["edited_at"].is_u64(), "{after}");
    assert_eq!(app.messages().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_message_that_was_taken_back_is_marked_and_stays() -> Result<()> {
    let app = TestApp::start().await?;
    let id = happens(&app, "text", None, 1).await?;
    let other = happens(&app, "text", None, 2).await?;
    happens(&app, "revoke", Some(&id), 3).await?;
    assert!(message(&app, &id).await?["deleted_at"].is_u64());
    assert!(message(&app, &other).await?["deleted_at"].is_null());
    Ok(())
}

#[tokio::test]
async fn a_reaction_is_put_on_its_message_and_taken_back() -> Result<()> {
    let app = TestApp::start().await?;
    let id = happens(&app, "text", None, 1).await?;
    happens(&app, "reaction", Some(&id), 2).await?;
    let reactions = message(&app, &id).await?["reactions"].clone();
    assert_eq!(reactions.as_array().map(Vec::len), Some(1), "{reactions}");
    happens(&app, "reaction_removed", Some(&id), 3).await?;
    let reactions = message(&app, &id).await?["reactions"].clone();
    assert_eq!(reactions, json!([]));
    Ok(())
}

/// The only event that links an old and a new id of one person.
#[tokio::test]
async fn a_rotated_id_stays_one_contact() -> Result<()> {
    let app = TestApp::start().await?;
    let text = |user: &str, id: &str| {
        payload::value(json!({
            "contacts": [{ "profile": { "username": "sheena" }, "user_id": user }],
            "messages": [{ "from": user, "from_user_id": user, "id": id, "timestamp": "1749416383",
                "type": "text", "text": { "body": "Hi" } }],
        }))
    };
    let rotation = json!({ "field": "user_id_update", "value": {
        "messaging_product": "whatsapp",
        "metadata": { "display_phone_number": "15550783881", "phone_number_id": payload::ACCOUNT },
        "user_id_update": [{ "detail": "changed", "user_id": { "previous": "US.111", "current": "US.222" },
            "timestamp": "1749416384" }],
    }});
    let rotated = json!({ "entry": [{ "id": "1", "changes": [rotation] }] });
    for body in [
        payload::envelope(text("US.111", "wamid.before")),
        rotated,
        payload::envelope(text("US.222", "wamid.after")),
    ] {
        assert_eq!(app.deliver(&payload::signed(&body)).await?.status, 200);
    }
    app.settle().await?;
    assert_eq!(app.list("/v1/contacts").await?.len(), 1);
    assert_eq!(app.list("/v1/conversations").await?.len(), 1);
    assert_eq!(app.messages().await?.len(), 2);
    Ok(())
}

/// Messenger tells how far the customer has read by a time, not by a message.
#[tokio::test]
async fn a_read_watermark_marks_all_before_it() -> Result<()> {
    let app = TestApp::start().await?;
    let platform = find("messenger").context("messenger")?;
    let item = |item: Value| json!({ "object": "page", "entry": [{ "id": "PAGE", "time": 1_749_416_383_000_u64, "messaging": [item] }] });
    let echo = |mid: &str, at: u64| {
        item(
            json!({ "sender": { "id": "PAGE" }, "recipient": { "id": "PSID" }, "timestamp": at,
            "message": { "mid": mid, "text": mid, "is_echo": true, "app_id": 1 } }),
        )
    };
    let read = item(
        json!({ "sender": { "id": "PSID" }, "recipient": { "id": "PAGE" },
        "timestamp": 1_749_416_400_000_u64, "read": { "watermark": 1_749_416_390_000_u64 } }),
    );
    for body in [
        echo("m_1", 1_749_416_380_000),
        echo("m_2", 1_749_416_390_000),
        echo("m_3", 1_749_416_395_000),
        read,
    ] {
        let sample = platform.unsigned(&[Wish {
            kind: "text".into(),
            ..Wish::default()
        }])?;
        let delivery = chatly_simulator::Delivery {
            body: body.to_string().into_bytes(),
            ..sample
        };
        let delivery = platform.sign(delivery, app.base(), secrets::CHANNEL, 0);
        assert_eq!(app.deliver(&delivery).await?.status, 200);
    }
    app.settle().await?;
    for (id, want) in [("m_1", json!("read")), ("m_2", json!("read"))] {
        assert_eq!(message(&app, id).await?["state"], want, "{id}");
    }
    assert_ne!(message(&app, "m_3").await?["state"], "read");
    Ok(())
}
