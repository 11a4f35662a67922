//! Guests that trap or know no measure: their callers get an answer, the next one a fresh instance.

use anyhow::Result;

use crate::host::{Host, component, logged};

/// Sends `path`, then asks a fresh instance.
async fn ends_its_instance(
    id: &str,
    limits: &str,
    path: &str,
    status: u16,
    reason: &str,
) -> Result<()> {
    let limits = format!("[component.{id}.tool.chatly]\n{limits}");
    let host = Host::start(&component(id, r#""/...""#, &limits)).await?;
    let answer = host.get(path).await?;
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("x-request-id").map(str::len), Some(32));
    assert_eq!(host.get("/seen").await?.body, "1", "not a fresh instance");
    logged(&[&format!("component=\"{id}\""), reason]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap() -> Result<()> {
    ends_its_instance("trapped", "", "/trap", 500, "unreachable").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop() -> Result<()> {
    ends_its_instance(
        "looped",
        "cpu_timeout = \"200ms\"",
        "/loop",
        500,
        "cpu_timeout",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_without_end() -> Result<()> {
    ends_its_instance(
        "hoarded",
        "max_memory_mib = 32",
        "/allocate",
        500,
        "out_of_memory=true",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_response_in_time() -> Result<()> {
    let id = "late";
    let limits = format!("[component.{id}.tool.chatly]\nresponse_timeout = \"1s\"");
    let host = Host::start(&component(id, r#""/...""#, &limits)).await?;
    let answer = host.get("/sleep?3600000").await?;
    assert_eq!(answer.status, 504);
    assert_eq!(answer.json()?["code"], "response_timeout");
    assert_eq!(host.get("/seen").await?.body, "1", "not a fresh instance");
    logged(&["component=\"late\"", "had run out of time"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_value_of_the_guest_is_500_without_its_text() -> Result<()> {
    let host = Host::start(&component("refusing", r#""/...""#, "")).await?;
    let answer = host.get("/refuse").await?;
    assert_eq!(answer.status, 500);
    assert!(
        !answer.body.contains("refused by the probe"),
        "{}",
        answer.body
    );
    logged(&["component=\"refusing\"", "refused by the probe"]).await
}
