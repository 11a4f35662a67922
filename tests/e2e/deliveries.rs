//! A message from webhook to API and stream, once.

use anyhow::{Context, Result};
use harness::{TestApp, eventually};

use crate::payload::{self, ACCOUNT};

#[tokio::test]
async fn a_signed_message_arrives_in_api_and_stream() -> Result<()> {
    let app = TestApp::start().await?;
    let mut stream = app.events(None).await?;
    let answer = app
        .deliver(&payload::text_delivery(
            "16505551234",
            "wamid.A",
            "Does it come in another color?",
        ))
        .await?;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-length"), "0");
    assert!(answer.body.is_empty());

    let event = stream
        .find(|event| event.event == "message.created")
        .await?;
    let message = &event.data["event"]["message"];
    assert_eq!(
        message["text"], "Does it come in another color?",
        "{}",
        event.data
    );
    assert_eq!(
        event.data["event"]["key"],
        format!("whatsapp:{ACCOUNT}:wamid.A")
    );

    let conversations = app.list("/v1/conversations").await?;
    assert_eq!(conversations.len(), 1, "{conversations:?}");
    assert_eq!(conversations[0]["platform_client_id"], "default");
    assert_eq!(conversations[0]["channel"], "whatsapp");
    assert_eq!(conversations[0]["account"], ACCOUNT);
    assert_eq!(conversations[0]["status"], "open");

    let contacts = app.list("/v1/contacts").await?;
    assert_eq!(contacts.len(), 1, "{contacts:?}");
    assert_eq!(contacts[0]["name"], "Sheena Nelson");
    assert_eq!(contacts[0]["identities"][0]["scheme"], "phone");
    assert_eq!(contacts[0]["identities"][0]["id"], "16505551234");
    assert_eq!(conversations[0]["contact"]["id"], contacts[0]["id"]);

    let messages = app.messages().await?;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["direction"], "inbound");
    assert_eq!(messages[0]["message"]["id"], "wamid.A");
    assert_eq!(
        messages[0]["message"]["text"],
        "Does it come in another color?"
    );
    Ok(())
}

#[tokio::test]
async fn lists_filter_by_status_and_tenant() -> Result<()> {
    let app = TestApp::start().await?;
    app.deliver(&payload::text_delivery("16505551234", "wamid.A", "Hi"))
        .await?;
    app.settle().await?;
    for (query, want) in [
        ("status=open", 1),
        ("status=resolved", 0),
        ("platform_client_id=default", 1),
        ("platform_client_id=another", 0),
        ("status=open&platform_client_id=default", 1),
    ] {
        let rows = app.list(&format!("/v1/conversations?{query}")).await?;
        assert_eq!(rows.len(), want, "{query}");
    }
    let wrong = app.api("/v1/conversations?status=sleeping").await?;
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.header("content-type"), "application/problem+json");
    Ok(())
}

#[tokio::test]
async fn a_stream_resumes_where_it_broke_off() -> Result<()> {
    let app = TestApp::start().await?;
    let mut stream = app.events(None).await?;
    app.deliver(&payload::text_delivery("16505551234", "wamid.0", "0"))
        .await?;
    let seen = stream
        .find(|event| event.event == "message.created")
        .await?;
    drop(stream);
    for n in 1..=25 {
        app.deliver(&payload::text_delivery(
            "16505551234",
            &format!("wamid.{n}"),
            &n.to_string(),
        ))
        .await?;
    }
    let mut stream = app.events(Some(&seen.id)).await?;
    for n in 26..=50 {
        app.deliver(&payload::text_delivery(
            "16505551234",
            &format!("wamid.{n}"),
            &n.to_string(),
        ))
        .await?;
    }
    let mut last: u64 = seen.id.parse()?;
    for n in 1..=50 {
        let event = stream
            .find(|event| event.event == "message.created")
            .await?;
        assert_eq!(event.data["event"]["message"]["text"], n.to_string());
        let id: u64 = event.id.parse()?;
        assert!(id > last, "{id} after {last}");
        last = id;
    }
    Ok(())
}

#[tokio::test]
async fn a_delivery_that_comes_twice_is_stored_once() -> Result<()> {
    let app = TestApp::start().await?;
    let delivery = payload::text_delivery("16505551234", "wamid.A", "Hi");
    for _ in 0..2 {
        assert_eq!(app.deliver(&delivery).await?.status, 200);
    }
    app.settle().await?;
    assert_eq!(app.messages().await?.len(), 1);
    assert_eq!(app.list("/v1/inbox").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn fifty_copies_at_once_are_stored_once() -> Result<()> {
    let app = std::sync::Arc::new(TestApp::start().await?);
    let copies: Vec<_> = (0..50)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move {
                app.deliver(&payload::text_delivery("16505551234", "wamid.A", "Hi"))
                    .await
            })
        })
        .collect();
    for copy in copies {
        assert_eq!(copy.await??.status, 200);
    }
    app.settle().await?;
    assert_eq!(app.messages().await?.len(), 1);
    assert_eq!(app.list("/v1/conversations").await?.len(), 1);
    assert_eq!(app.list("/v1/contacts").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn two_first_messages_at_once_make_one_contact_and_one_conversation() -> Result<()> {
    let app = TestApp::start().await?;
    for round in 0..10 {
        let phone = format!("1650555{round:04}");
        let [one, two] = ["a", "b"]
            .map(|id| payload::text_delivery(&phone, &format!("wamid.{round}{id}"), "Hi"));
        let (one, two) = tokio::join!(app.deliver(&one), app.deliver(&two));
        assert_eq!((one?.status.as_u16(), two?.status.as_u16()), (200, 200));
    }
    app.settle().await?;
    assert_eq!(app.list("/v1/contacts").await?.len(), 10);
    let conversations = app.list("/v1/conversations").await?;
    assert_eq!(conversations.len(), 10);
    for conversation in conversations {
        assert_eq!(conversation["message_count"], 2, "{conversation}");
    }
    Ok(())
}

#[tokio::test]
async fn messages_of_a_burst_stay_in_arrival_order() -> Result<()> {
    let app = TestApp::start().await?;
    for n in 0..100 {
        app.deliver(&payload::text_delivery(
            "16505551234",
            &format!("wamid.{n}"),
            &n.to_string(),
        ))
        .await?;
    }
    let messages = eventually("all are processed", async || {
        let messages = app.messages().await?;
        Ok((messages.len() == 100).then_some(messages))
    })
    .await?;
    for (n, message) in messages.iter().enumerate() {
        assert_eq!(
            message["message"]["text"].as_str().context("text")?,
            n.to_string()
        );
    }
    Ok(())
}
