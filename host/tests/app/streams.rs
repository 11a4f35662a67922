//! Streams of events.

use anyhow::Result;
use http::Request;
use http_body_util::{BodyExt as _, Full};

use crate::host::{Host, component, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_outlives_every_limit_on_time_while_it_is_read() -> Result<()> {
    let limits =
        "[component.live.tool.chatly]\nbackground_timeout = \"200ms\"\nresponse_timeout = \"1s\"";
    let host = Host::start(&component("live", r#""/...""#, limits)).await?;
    let mut client = host.connect().await?;
    let response = client
        .send(Request::get("/events").body(Full::default())?)
        .await?;
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    // One every 10 ms, so this is far beyond both limits.
    let mut ticks = 0;
    while ticks < 300 {
        let frame = body.frame().await.expect("the stream goes on")?;
        ticks += frame
            .into_data()
            .unwrap()
            .iter()
            .filter(|byte| **byte == b':')
            .count();
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guest_sees_that_its_client_left() -> Result<()> {
    let host = Host::start(&component("left", r#""/...""#, "")).await?;
    let mut client = host.connect().await?;
    let response = client
        .send(Request::get("/events").body(Full::default())?)
        .await?;
    let mut body = response.into_body();
    body.frame().await.expect("a first event")?;
    assert_eq!(host.printed("left"), "stream begins\n");
    drop((body, client));
    eventually("the guest noticed", async || {
        Ok(host.printed("left").ends_with("stream ends\n"))
    })
    .await
}
