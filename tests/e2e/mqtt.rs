//! `spin:mqtt@3.0.0`: messages to a real Mosquitto, and none without the grant.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use harness::{GuestApp, Server, find, guest, skip};
use serde_json::json;

async fn start(port: u16) -> Result<GuestApp> {
    let hosts = format!("allowed_outbound_hosts = [\"mqtt://127.0.0.1:{port}\"]");
    GuestApp::start(guest("mqtt")?, &hosts).await
}

/// A real subscriber that ends after `count` messages; nothing where there is none.
fn subscribe(port: u16, count: usize) -> Result<Option<Child>> {
    let Some(program) = find("mosquitto_sub") else {
        return skip("mosquitto_sub");
    };
    let (port, count) = (port.to_string(), count.to_string());
    let child = Command::new(program)
        .args(["-h", "127.0.0.1", "-p", &port, "-t", "chatly/#", "-v"])
        .args(["-q", "2", "-C", &count, "-W", "60"])
        .stdout(Stdio::piped())
        .spawn()?;
    Ok(Some(child))
}

#[tokio::test]
async fn a_component_publishes_with_every_quality_of_service() -> Result<()> {
    let Some(server) = Server::mosquitto()? else {
        return Ok(());
    };
    let app = start(server.port()).await?;
    let address = format!("mqtt://127.0.0.1:{}?client_id=guest", server.port());
    let messages = json!([
        ["chatly/zero", "a", 0],
        ["chatly/one", "b", 1],
        ["chatly/two", "c", 2],
    ]);
    let Some(mut subscriber) = subscribe(server.port(), 6)? else {
        return Ok(());
    };
    // The subscriber tells nobody when it is there: messages go out until it has six.
    while subscriber.try_wait()?.is_none() {
        let sent = app.calls(
            "/granted",
            json!({ "address": address, "messages": messages }),
        );
        assert_eq!(sent.await?, json!([null, null, null]));
    }
    let lines = BufReader::new(subscriber.stdout.take().context("piped")?).lines();
    let seen: BTreeSet<String> = lines.collect::<std::io::Result<_>>()?;
    let want = ["chatly/one b", "chatly/two c", "chatly/zero a"];
    assert_eq!(seen, want.map(str::to_owned).into());
    Ok(())
}

#[tokio::test]
async fn without_the_grant_the_connection_fails() -> Result<()> {
    let Some(server) = Server::mosquitto()? else {
        return Ok(());
    };
    let app = start(server.port()).await?;
    let here = format!("mqtt://127.0.0.1:{}", server.port());
    let address = format!("{here}?client_id=guest");
    for (path, address) in [
        ("/bare", address.as_str()),
        ("/granted", "mqtt://127.0.0.1:1?client_id=guest"),
        ("/granted", &address.replace("mqtt:", "mqtts:")),
        ("/granted", "nonsense"),
        ("/granted", ""),
    ] {
        let text = format!("address {address} is not permitted");
        let refused = format!("Error::ConnectionFailed({text:?})");
        let answer = app
            .calls(path, json!({ "address": address, "messages": [] }))
            .await?;
        assert_eq!(answer, json!([{ "error": refused }]), "{path}");
    }
    let nameless = app.calls("/granted", json!({ "address": here })).await?;
    assert_eq!(nameless, json!([{ "error": "Error::InvalidAddress" }]));
    Ok(())
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_an_error_of_the_message() -> Result<()> {
    let port = harness::free_port()?;
    let app = start(port).await?;
    let address = format!("mqtt://127.0.0.1:{port}?client_id=guest");
    let messages = json!([["chatly/x", "a", 1]]);
    let answer = app
        .calls(
            "/granted",
            json!({ "address": address, "messages": messages }),
        )
        .await?;
    let error = answer[0]["error"].as_str().context("refused")?;
    assert!(error.starts_with("Error::ConnectionFailed("), "{error}");
    Ok(())
}
