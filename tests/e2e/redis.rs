//! `spin:redis@3.0.0`: commands to a real Redis, and none without the grant.

use anyhow::Result;
use harness::{GuestApp, Server, Setup, guest};
use serde_json::json;

/// A host with the guest as `granted`, which may reach 127.0.0.1 at `port`, as `wildcard`, which may
/// reach all public hosts, and as `bare`, which may reach none.
async fn start(port: u16) -> Result<GuestApp> {
    let guest = guest("redis")?;
    let hosts = format!("allowed_outbound_hosts = [\"redis://127.0.0.1:{port}\"]");
    Setup::new()?
        .component("granted", &guest, &hosts)
        .component(
            "wildcard",
            &guest,
            "allowed_outbound_hosts = [\"redis://*:*\"]",
        )
        .component("bare", &guest, "")
        .start()
        .await
}

#[tokio::test]
async fn a_component_commands_the_server_that_it_was_granted() -> Result<()> {
    let Some(server) = Server::redis()? else {
        return Ok(());
    };
    let app = start(server.port()).await?;
    let address = format!("redis://127.0.0.1:{}", server.port());
    let script = json!([
        ["open", address],
        ["get", "k"],
        ["set", "k", "v"],
        ["get", "k"],
        ["incr", "n"],
        ["incr", "n"],
        ["sadd", "s", ["a", "b", "a"]],
        ["srem", "s", ["a", "x"]],
        ["smembers", "s"],
        ["publish", "channel", "message"],
        ["execute", "PING", []],
        ["execute", "SET", ["m", 7]],
        ["execute", "MGET", ["m", "missing", "k"]],
        ["execute", "STRLEN", ["k"]],
        ["del", ["k", "n", "missing"]],
    ]);
    let want = json!([
        null, null, null, [118], 1, 2, 2, 1, ["b"], null,
        [{ "status": "PONG" }], [{ "status": "OK" }], ["7", null, "v"], [1], 2
    ]);
    assert_eq!(app.calls("/granted", script).await?, want);
    Ok(())
}

#[tokio::test]
async fn what_redis_refuses_is_an_error_of_the_call() -> Result<()> {
    let Some(server) = Server::redis()? else {
        return Ok(());
    };
    let app = start(server.port()).await?;
    let address = format!("redis://127.0.0.1:{}", server.port());
    let script = json!([
        ["open", address],
        ["set", "k", "text"],
        ["incr", "k"],
        ["sadd", "k", ["a"]],
        ["execute", "NONSENSE", []],
        ["get", "k"],
    ]);
    let answer = app.calls("/granted", script).await?;
    for index in [2, 3, 4] {
        assert!(answer[index]["error"].is_string(), "{answer}");
    }
    assert_eq!(answer[5], json!([116, 101, 120, 116]));
    Ok(())
}

#[tokio::test]
async fn without_the_grant_an_address_is_invalid() -> Result<()> {
    let Some(server) = Server::redis()? else {
        return Ok(());
    };
    let app = start(server.port()).await?;
    let here = format!("redis://127.0.0.1:{}", server.port());
    let refused = json!([{ "error": "Error::InvalidAddress" }]);
    for (path, address) in [
        ("/bare", here.as_str()),
        ("/granted", "redis://127.0.0.1:1"),
        ("/granted", &here.replace("redis:", "rediss:")),
        ("/granted", "redis+unix:///run/redis.sock"),
        ("/granted", "unix:///run/redis.sock"),
        ("/granted", "nonsense"),
        ("/granted", ""),
    ] {
        let answer = app.calls(path, json!([["open", address]])).await?;
        assert_eq!(answer, refused, "{path} {address:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wildcard_reaches_no_private_address() -> Result<()> {
    let Some(server) = Server::redis()? else {
        return Ok(());
    };
    let app = start(server.port()).await?;
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let address = format!("redis://{host}:{}", server.port());
        let answer = app
            .calls("/wildcard", json!([["open", address], ["get", "k"]]))
            .await?;
        let error = answer[0]["error"].as_str().unwrap_or_default();
        assert!(error.contains("permission denied"), "{host}: {answer}");
    }
    Ok(())
}
