//! How a host stops.

use std::time::Duration;

use anyhow::Result;
use http::Request;
use http_body_util::{BodyExt as _, Full};

use crate::host::{Host, component, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_background_work_are_finished() -> Result<()> {
    let host = Host::start_with(&component("finishing", r#""/...""#, ""), |options| {
        options.stop_timeout = Duration::from_secs(60);
    })
    .await?;
    assert_eq!(host.get("/later?500").await?.status, 200);
    let mut client = host.connect().await?;
    let request = tokio::spawn(async move { client.get("/sleep?500").await });
    eventually("the request is with the guest", async || {
        Ok(host.get("/seen").await?.body.parse::<u32>()? > 0 && !request.is_finished())
    })
    .await?;
    let (stopped, rest) = host.stop();
    let answer = request.await??;
    assert!(answer.body.starts_with("slept"), "{}", answer.body);
    stopped.await?;
    assert_eq!(rest.printed("finishing"), "worked later\n");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_and_streams_of_events_end_at_once() -> Result<()> {
    let host = Host::start_with(&component("ending", r#""/...""#, ""), |options| {
        options.stop_timeout = Duration::from_secs(3600);
    })
    .await?;
    let mut idle = host.connect().await?;
    idle.get("/seen").await?;
    let mut reading = host.connect().await?;
    let response = reading
        .send(Request::get("/events").body(Full::default())?)
        .await?;
    let mut body = response.into_body();
    body.frame().await.expect("a first event")?;
    let (stopped, _rest) = host.stop();
    while let Some(frame) = body.frame().await {
        frame?;
    }
    stopped.await?;
    assert!(
        idle.get("/seen").await.is_err(),
        "the idle connection is closed"
    );
    Ok(())
}

/// A guest that has nothing to send does not hear that its stream has ended. The bound is an hour, so
/// a host that waits for the guest never gets there.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_stream_of_events_does_not_hold_the_stop_up() -> Result<()> {
    let host = Host::start_with(&component("silent", r#""/...""#, ""), |options| {
        options.stop_timeout = Duration::from_secs(3600);
    })
    .await?;
    let mut left = host.connect().await?;
    let mut reading = host.connect().await?;
    for client in [&mut left, &mut reading] {
        let request = Request::get("/silent-events").body(Full::default())?;
        let mut body = client.send(request).await?.into_body();
        body.frame().await.expect("a first event")?;
    }
    drop(left);
    let (stopped, _rest) = host.stop();
    stopped.await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_in_time_is_dropped() -> Result<()> {
    let host = Host::start_with(&component("endless", r#""/...""#, ""), |options| {
        options.stop_timeout = Duration::from_millis(50);
    })
    .await?;
    assert_eq!(host.get("/later?3600000").await?.status, 200);
    let (stopped, rest) = host.stop();
    stopped.await?;
    assert_eq!(rest.printed("endless"), "");
    Ok(())
}
