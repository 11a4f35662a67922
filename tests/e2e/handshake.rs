//! Meta's subscription handshake.

use anyhow::Result;
use harness::{TestApp, secrets};
use http::Method;

async fn subscribe(
    app: &TestApp,
    mode: &str,
    token: &str,
    challenge: &str,
) -> Result<harness::Answer> {
    let path = format!(
        "/webhooks/whatsapp?hub.mode={mode}&hub.verify_token={token}&hub.challenge={challenge}"
    );
    app.request(Method::GET, &path, &[], "").await
}

#[tokio::test]
async fn the_right_token_gets_the_challenge_back() -> Result<()> {
    let app = TestApp::start().await?;
    let longest = "a".repeat(256);
    for challenge in ["1158201444", "a-Z_9", &longest] {
        let answer = subscribe(&app, "subscribe", secrets::WHATSAPP_VERIFY, challenge).await?;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, challenge);
        assert!(
            answer.header("content-type").starts_with("text/plain"),
            "{answer:?}"
        );
        assert_eq!(answer.header("content-length"), challenge.len().to_string());
    }
    Ok(())
}

#[tokio::test]
async fn anything_else_is_refused() -> Result<()> {
    let app = TestApp::start().await?;
    let token = secrets::WHATSAPP_VERIFY;
    let too_long = "a".repeat(257);
    for (name, mode, token, challenge, want) in [
        ("wrong token", "subscribe", "wrong", "1158201444", 403),
        ("empty token", "subscribe", "", "1158201444", 403),
        (
            "prefix of the token",
            "subscribe",
            &token[..5],
            "1158201444",
            403,
        ),
        ("wrong mode", "unsubscribe", token, "1158201444", 403),
        ("markup", "subscribe", token, "%3Cscript%3E", 400),
        ("a space", "subscribe", token, "a%20b", 400),
        ("empty challenge", "subscribe", token, "", 400),
        ("too long", "subscribe", token, &too_long, 400),
    ] {
        let answer = subscribe(&app, mode, token, challenge).await?;
        assert_eq!(answer.status, want, "{name}: {answer:?}");
        assert!(
            !String::from_utf8_lossy(&answer.body).contains("script"),
            "{name}"
        );
    }
    Ok(())
}
