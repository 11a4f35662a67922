//! Deliveries with many items, some of them broken.

use std::collections::BTreeSet;

use anyhow::Result;
use harness::TestApp;
use serde_json::json;

use crate::payload;

/// Two entries with three changes each, messages and statuses mixed, one message without an id, one
/// that is no object, one of a type from tomorrow.
#[tokio::test]
async fn every_sound_sibling_is_stored_and_the_others_are_kept() -> Result<()> {
    let app = TestApp::start().await?;
    let change = |n: usize| {
        let phone = format!("1650555000{n}");
        payload::value(json!({
            "contacts": [{ "profile": { "name": "Sheena" }, "wa_id": phone }],
            "messages": [payload::text(&phone, &format!("wamid.{n}a"), "a"), payload::text(&phone, &format!("wamid.{n}b"), "b")],
            "statuses": [payload::status(&phone, &format!("wamid.out{n}"), "delivered")],
        }))
    };
    let mut entries = vec![
        (0..3).map(change).collect::<Vec<_>>(),
        (3..6).map(change).collect(),
    ];
    let messages = entries[0][1]["messages"].as_array_mut().expect("a list");
    messages.insert(1, json!({ "from": "16505550001", "timestamp": "1749416383", "type": "text", "text": { "body": "no id" } }));
    messages.insert(2, json!("no object"));
    messages.push(json!({ "from": "16505550001", "id": "wamid.new", "timestamp": "1749416383", "type": "hologram", "hologram": { "depth": 3 } }));
    let delivery = payload::signed(&payload::envelopes(entries));
    assert_eq!(app.deliver(&delivery).await?.status, 200);
    app.settle().await?;

    let texts: BTreeSet<_> = app
        .messages()
        .await?
        .iter()
        .map(|message| {
            message["message"]["id"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    for n in 0..6 {
        for half in ["a", "b"] {
            assert!(
                texts.contains(&format!("wamid.{n}{half}")),
                "wamid.{n}{half} of {texts:?}"
            );
        }
    }
    let inbox = app.list("/v1/inbox").await?;
    let with_raw = |text: &str| {
        inbox.iter().any(|row| {
            ["unknown", "message"]
                .iter()
                .any(|kind| row["event"]["kind"] == *kind)
                && row["event"].to_string().contains(text)
        })
    };
    assert!(with_raw("no id"), "{inbox:#?}");
    assert!(with_raw("no object"), "{inbox:#?}");
    assert!(with_raw("hologram"), "{inbox:#?}");
    assert!(inbox.iter().all(|row| row["state"] == "done"), "{inbox:#?}");
    let statuses = inbox
        .iter()
        .filter(|row| row["event"]["kind"] == "status")
        .count();
    assert_eq!(statuses, 6);
    assert_eq!(inbox.len(), 12 + 6 + 3);
    Ok(())
}

#[tokio::test]
async fn a_field_that_nobody_knows_is_kept_as_unknown() -> Result<()> {
    let app = TestApp::start().await?;
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "102290129340398", "changes": [{ "field": "holograms", "value": { "id": 12345678901234567890u64 } }] }],
    });
    assert_eq!(app.deliver(&payload::signed(&body)).await?.status, 200);
    app.settle().await?;
    let inbox = app.list("/v1/inbox?event_kind=unknown").await?;
    assert_eq!(inbox.len(), 1);
    assert!(
        inbox[0]["event"]["raw"]
            .to_string()
            .contains("12345678901234567890"),
        "{}",
        inbox[0]
    );
    Ok(())
}
