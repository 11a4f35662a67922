//! Work after the response, and the sweep.

use anyhow::Result;

use crate::host::{Host, component, eventually, logged};

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_after_the_response() -> Result<()> {
    let host = Host::start(&component("later", r#""/...""#, "")).await?;
    assert_eq!(
        host.get("/later?50").await?.header("content-length"),
        Some("0")
    );
    eventually("the work is done", async || {
        Ok(host.printed("later") == "worked later\n")
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_after_the_response_is_stopped() -> Result<()> {
    let limits = "[component.looper.tool.chatly]\ncpu_timeout = \"200ms\"";
    let host = Host::start(&component("looper", r#""/...""#, limits)).await?;
    assert_eq!(host.get("/loop-later").await?.status, 200);
    logged(&["component=\"looper\"", "cpu_timeout"]).await?;
    assert_eq!(host.get("/seen").await?.body, "1", "not a fresh instance");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_takes_too_long_is_ended() -> Result<()> {
    let limits = "[component.lengthy.tool.chatly]\nbackground_timeout = \"200ms\"";
    let host = Host::start(&component("lengthy", r#""/...""#, limits)).await?;
    assert_eq!(host.get("/later?3600000").await?.status, 200);
    logged(&["component=\"lengthy\"", "background_timeout"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_comes_at_once_and_again_with_its_secret() -> Result<()> {
    let body = component("sweep", r#""/internal/sweep""#, "")
        + "[application.tool.chatly.schedule]\nsweep = \"1s\"\n"
        + "[variables]\nsweep_secret = { default = \"s3cret\", secret = true }\n";
    let host = Host::start(&body).await?;
    eventually("two sweeps", async || {
        Ok(host
            .printed("sweep")
            .starts_with("swept POST \"Bearer s3cret\"\nswept POST \"Bearer s3cret\"\n"))
    })
    .await
}
