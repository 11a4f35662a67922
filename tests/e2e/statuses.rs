//! Delivery states only ever go forward, and wait for their message.

use anyhow::{Context, Result};
use harness::TestApp;
use serde_json::{Value, json};

use crate::payload;

const PHONE: &str = "16505551234";

async fn deliver_status(app: &TestApp, id: &str, state: &str) -> Result<()> {
    let value = payload::value(json!({ "statuses": [payload::status(PHONE, id, state)] }));
    assert_eq!(
        app.deliver(&payload::signed(&payload::envelope(value)))
            .await?
            .status,
        200
    );
    Ok(())
}

async fn message(app: &TestApp, id: &str) -> Result<Value> {
    app.settle().await?;
    let messages = app.messages().await?;
    messages
        .into_iter()
        .find(|message| message["message"]["id"] == id)
        .with_context(|| id.to_owned())
}

#[tokio::test]
async fn a_late_status_never_moves_a_message_back() -> Result<()> {
    let app = TestApp::start().await?;
    for (n, (states, want)) in [
        (vec!["sent", "delivered", "read"], "read"),
        (vec!["read", "delivered", "sent"], "read"),
        (vec!["delivered", "sent"], "delivered"),
        (vec!["played", "read"], "played"),
        (vec!["failed", "sent", "delivered"], "failed"),
        (vec!["sent", "failed", "read"], "failed"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("wamid.out{n}");
        app.deliver(&payload::signed(&payload::echo_envelope(
            PHONE,
            &id,
            "From the phone",
        )))
        .await?;
        for state in &states {
            deliver_status(&app, &id, state).await?;
        }
        let message = message(&app, &id).await?;
        assert_eq!(message["state"], want, "{states:?}");
        assert_eq!(message["direction"], "outbound");
    }
    Ok(())
}

#[tokio::test]
async fn a_status_before_its_message_is_not_lost() -> Result<()> {
    let app = TestApp::start().await?;
    deliver_status(&app, "wamid.out", "delivered").await?;
    app.settle().await?;
    app.deliver(&payload::signed(&payload::echo_envelope(
        PHONE,
        "wamid.out",
        "From the phone",
    )))
    .await?;
    assert_eq!(message(&app, "wamid.out").await?["state"], "delivered");
    Ok(())
}
