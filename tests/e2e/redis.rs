//! `spin:redis@3.0.0`: commands to a real Redis, and none without the grant.

use anyhow::Result;
use harness::{Options, Server, TestApp, guest};
use http::Method;
use serde_json::{Value, json};

/// A host with the guest behind `/granted`, which may reach 127.0.0.1 at `port`, behind
/// `/wildcard`, which may reach all public hosts, and behind `/bare`, which may reach none.
async fn start(port: u16) -> Result<(TestApp, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let mut manifest = "spin_manifest_version = 2\n[application]\nname = \"redis\"\n".to_owned();
    let granted = format!("redis://127.0.0.1:{port}");
    let guest = guest("redis")?;
    for (id, hosts) in [
        ("granted", json!([granted])),
        ("wildcard", json!(["redis://*:*"])),
        ("bare", json!([])),
    ] {
        manifest += &format!(
            "[[trigger.http]]\nroute = \"/{id}\"\ncomponent = \"{id}\"\n[component.{id}]\n\
             source = \"{}\"\nallowed_outbound_hosts = {hosts}\n",
            guest.display()
        );
    }
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest)?;
    let options = Options {
        manifest: path,
        ..Options::default()
    };
    Ok((TestApp::start_with(options).await?, folder))
}

async fn calls(app: &TestApp, path: &str, calls: Value) -> Result<Value> {
    let answer = app
        .request(Method::POST, path, &[], calls.to_string())
        .await?;
    answer.json()
}

#[tokio::test]
async fn a_component_commands_the_server_that_it_was_granted() -> Result<()> {
    let Some(server) = Server::redis()? else {
        return Ok(());
    };
    let (app, _folder) = start(server.port()).await?;
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
    assert_eq!(calls(&app, "/granted", script).await?, want);
    Ok(())
}

#[tokio::test]
async fn what_redis_refuses_is_an_error_of_the_call() -> Result<()> {
    let Some(server) = Server::redis()? else {
        return Ok(());
    };
    let (app, _folder) = start(server.port()).await?;
    let address = format!("redis://127.0.0.1:{}", server.port());
    let script = json!([
        ["open", address],
        ["set", "k", "text"],
        ["incr", "k"],
        ["sadd", "k", ["a"]],
        ["execute", "NONSENSE", []],
        ["get", "k"],
    ]);
    let answer = calls(&app, "/granted", script).await?;
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
    let (app, _folder) = start(server.port()).await?;
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
        let answer = calls(&app, path, json!([["open", address]])).await?;
        assert_eq!(answer, refused, "{path} {address:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wildcard_reaches_no_private_address() -> Result<()> {
    let Some(server) = Server::redis()? else {
        return Ok(());
    };
    let (app, _folder) = start(server.port()).await?;
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let address = format!("redis://{host}:{}", server.port());
        let answer = calls(&app, "/wildcard", json!([["open", address], ["get", "k"]])).await?;
        let error = answer[0]["error"].as_str().unwrap_or_default();
        assert!(error.contains("permission denied"), "{host}: {answer}");
    }
    Ok(())
}
