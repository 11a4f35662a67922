//! No secret in a log line, an error body or a table.

use anyhow::Result;
use harness::{TestApp, secrets};
use http::Method;

use crate::payload;

/// Every value that must stay where it is.
fn all_secrets() -> Vec<&'static str> {
    let mut all = secrets::WHATSAPP_APP.to_vec();
    all.extend([
        secrets::WHATSAPP_VERIFY,
        secrets::WHATSAPP_ACCESS,
        secrets::API_KEY,
        secrets::SWEEP,
    ]);
    all
}

fn scan(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for secret in all_secrets() {
        assert!(!text.contains(secret), "{what} holds a secret");
    }
}

#[tokio::test]
async fn no_secret_leaves_through_logs_errors_or_tables() -> Result<()> {
    let app = TestApp::start().await?;
    let delivery = payload::text_delivery("16505551234", "wamid.A", "Hi");
    app.deliver(&delivery).await?;
    app.settle().await?;
    let handshake = "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1";
    let path = format!(
        "/webhooks/whatsapp?hub.mode=subscribe&hub.verify_token={}&hub.challenge=<",
        secrets::WHATSAPP_VERIFY
    );
    let bearer = format!("Bearer {}", secrets::API_KEY);
    let answers = [
        app.request(Method::POST, "/webhooks/whatsapp", &[], "{}")
            .await?,
        app.request(Method::GET, handshake, &[], "").await?,
        app.request(Method::GET, &path.replace('<', "%3C"), &[], "")
            .await?,
        app.request(Method::PUT, "/webhooks/whatsapp", &[], "")
            .await?,
        app.request(
            Method::GET,
            "/v1/conversations?cursor=zzz",
            &[("authorization", &bearer)],
            "",
        )
        .await?,
        app.request(
            Method::GET,
            "/v1/conversations",
            &[("authorization", "Bearer wrong")],
            "",
        )
        .await?,
        app.request(Method::POST, "/internal/sweep", &[], "")
            .await?,
        app.request(Method::GET, "/nowhere", &[], "").await?,
    ];
    for answer in &answers {
        assert!(answer.status.is_client_error(), "{answer:?}");
        scan("an error body", &answer.body);
        scan("a header", format!("{:?}", answer.headers).as_bytes());
    }
    let (output, state) = app.stop()?;
    scan("the output", output.as_bytes());
    let mut files = vec![state.path().to_owned()];
    while let Some(path) = files.pop() {
        // Compiled components hold no state; they lie outside of the folder.
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            files.extend(
                std::fs::read_dir(&path)?
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect::<Result<Vec<_>, _>>()?,
            );
        } else {
            scan(&path.display().to_string(), &std::fs::read(&path)?);
        }
    }
    Ok(())
}
