//! The real host, measured from outside.
#![expect(
    clippy::indexing_slicing,
    reason = "JSON values answer null for what they lack"
)]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chatly_simulator::Delivery;
use harness::{Options, TestApp, secrets};
use serde_json::json;

use crate::figures::Figures;
use crate::pinned;

/// The repository's app, pinned.
pub async fn host() -> Result<TestApp> {
    TestApp::start_with(Options {
        launcher: pinned::launcher(pinned::SERVER_CORE),
        ..Options::default()
    })
    .await
}

/// Process start to `listening`, again and again on fresh state with a warm cache.
pub async fn starts(count: usize) -> Result<Figures> {
    drop(host().await?);
    let begin = Instant::now();
    let mut times = Vec::new();
    for _ in 0..count {
        let start = Instant::now();
        let app = host().await?;
        times.push(start.elapsed());
        drop(app);
    }
    Ok(Figures::new(times, begin.elapsed(), 0))
}

/// From the first byte of a webhook to its message on an open stream, one at a time.
pub async fn webhook_to_sse(app: &TestApp, messages: usize) -> Result<Figures> {
    let mut stream = app.events(None).await?;
    let begin = Instant::now();
    let mut times = Vec::new();
    for n in 0..messages {
        let delivery = delivery(&format!("idle.{n}"), n % 10);
        let sent = Instant::now();
        app.deliver(&delivery).await?;
        let id = format!("wamid.idle.{n}");
        stream
            .find(|event| event.data["event"]["message"]["id"] == id.as_str())
            .await?;
        times.push(sent.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(Figures::new(times, begin.elapsed(), 0))
}

/// Resident memory in MiB.
pub fn resident_mib(app: &TestApp) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", app.pid()))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024.0)
}

/// What customers ask: makes a body of about 600 bytes.
const TEXT: &str = "Hello! Does it come in another color, and could you deliver two of them to \
                    our shop before the end of the week?";

/// A signed text message like those of Meta's documentation.
pub fn delivery(id: &str, conversation: usize) -> Delivery {
    signed(id, conversation, secrets::WHATSAPP_APP[0])
}

/// One with words of its own.
pub fn saying(id: &str, conversation: usize, text: &str) -> Delivery {
    worded(id, conversation, text, secrets::WHATSAPP_APP[0])
}

/// The same, signed with `secret`.
pub fn signed(id: &str, conversation: usize, secret: &str) -> Delivery {
    worded(id, conversation, TEXT, secret)
}

fn worded(id: &str, conversation: usize, text: &str, secret: &str) -> Delivery {
    let phone = format!("1650{conversation:07}");
    let body = json!({
        "object": "whatsapp_business_account",
        "entry": [{ "id": "102290129340398", "changes": [{ "field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": { "display_phone_number": "15550783881", "phone_number_id": "106540352242922" },
            "contacts": [{ "profile": { "name": "Sheena Nelson" }, "wa_id": phone }],
            "messages": [{ "from": phone, "id": format!("wamid.{id}"), "timestamp": "1749416383",
                "type": "text", "text": { "body": text } }],
        } }] }],
    });
    chatly_simulator::whatsapp::signed(body.to_string().into_bytes(), secret)
}
