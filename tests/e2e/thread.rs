//! A long conversation: in the console, and by the API from either end.

use anyhow::{Context, Result};
use chatly_simulator::whatsapp;
use harness::{Browser, TestApp, secrets};
use serde_json::{Value, json};

use crate::console::sign_in;

/// The texts of the thread, whether it is scrolled to its end, and whether there is more.
const THREAD: &str = "const scroll = document.getElementById('thread-scroll');
    return [[...document.querySelectorAll('.message .text')].map((text) => text.textContent),
        scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 2,
        !document.getElementById('thread-more').hidden]";

fn numbers(range: std::ops::Range<u32>) -> Value {
    range.map(|number| format!("number {number}")).collect()
}

fn number(number: u32) -> whatsapp::Item {
    whatsapp::text(&format!("number {number}"))
        .name("Ana Pérez")
        .from_phone("12025550143")
        .id(&format!("wamid.{number}"))
}

#[tokio::test]
async fn a_long_conversation_opens_at_its_end_and_earlier_messages_are_loaded_on_demand()
-> Result<()> {
    let Some(browser) = Browser::start(1280, 800).await? else {
        return Ok(());
    };
    let app = TestApp::start().await?;
    let many = whatsapp::batch(vec![vec![(0..410).map(number).collect()]]);
    app.deliver(&many.signed_with(secrets::WHATSAPP_APP[0]))
        .await?;
    app.settle().await?;
    sign_in(&browser, &app).await?;
    let first = "document.querySelector('#conversations a')";
    browser.until(first).await?;
    browser.run(&format!("{first}.click()"), json!([])).await?;
    let count = |count: u32| format!("document.querySelectorAll('.message').length === {count}");
    browser.until(&count(200)).await?;
    let thread = browser.run(THREAD, json!([])).await?;
    assert_eq!(thread, json!([numbers(210..410), true, true]));

    // What is seen stays where it is when earlier messages come in above it.
    let top = "return [...document.querySelectorAll('.message')]
        .find((row) => row.textContent.includes('number 210')).getBoundingClientRect().top";
    let up = "document.getElementById('thread-scroll').scrollTop = 0";
    browser.run(up, json!([])).await?;
    let before = browser.run(top, json!([])).await?;
    let more = "document.getElementById('thread-more').click()";
    browser.run(more, json!([])).await?;
    browser.until(&count(400)).await?;
    let after = browser.run(top, json!([])).await?;
    // A place to scroll to is a whole pixel, a row's need not be.
    let moved = after.as_f64().context("top")? - before.as_f64().context("top")?;
    assert!(moved.abs() <= 1.0, "{before} {after}");
    browser.run(more, json!([])).await?;
    browser.until(&count(410)).await?;
    let thread = browser.run(THREAD, json!([])).await?;
    assert_eq!(thread, json!([numbers(0..410), false, false]));

    // What happens live is seen wherever it belongs: 201 messages more, and a reaction to the first.
    let more = whatsapp::batch(vec![vec![(410..611).map(number).collect()]]);
    app.deliver(&more.signed_with(secrets::WHATSAPP_APP[0]))
        .await?;
    browser.until(&count(611)).await?;
    for about in ["wamid.0", "wamid.409"] {
        let reaction = whatsapp::kind("reaction")?
            .from_phone("12025550143")
            .about(about)
            .id(&format!("{about}.reaction"));
        app.deliver(&reaction.signed_with(secrets::WHATSAPP_APP[0]))
            .await?;
    }
    browser
        .until("document.querySelectorAll('.message .reactions').length === 2")
        .await?;
    let thread = browser.run(THREAD, json!([])).await?;
    assert_eq!(thread[0], numbers(0..611));
    Ok(())
}

#[tokio::test]
async fn the_api_gives_messages_from_either_end() -> Result<()> {
    let app = TestApp::start().await?;
    let five = whatsapp::batch(vec![vec![(0..5).map(number).collect()]]);
    app.deliver(&five.signed_with(secrets::WHATSAPP_APP[0]))
        .await?;
    app.settle().await?;
    let rows = app.list("/v1/conversations").await?;
    let path = format!(
        "/v1/conversations/{}/messages",
        rows[0]["id"].as_str().context("id")?
    );
    for (order, want) in [("oldest", [0, 1, 2]), ("newest", [4, 3, 2])] {
        let page = app.api(&format!("{path}?order={order}&limit=3")).await?;
        let page = page.json()?;
        let ids: Vec<_> = (0..3)
            .map(|row| page["data"][row]["message"]["id"].clone())
            .collect();
        assert_eq!(json!(ids), json!(want.map(|n| format!("wamid.{n}"))));
        let cursor = page["next_cursor"].as_str().context("cursor")?;
        let other = if order == "oldest" {
            "newest"
        } else {
            "oldest"
        };
        let crossed = format!("{path}?order={other}&cursor={cursor}");
        let crossed = app.api(&crossed).await?;
        assert_eq!(crossed.status, 400, "{order}");
        assert_eq!(crossed.json()?["code"], "invalid_cursor", "{order}");
    }
    let unknown = app.api(&format!("{path}?order=sideways")).await?;
    assert_eq!(unknown.json()?["code"], "invalid_parameter");
    Ok(())
}
