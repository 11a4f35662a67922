//! `--runtime-config-file`.

use anyhow::Result;
use harness::{GuestApp, Server, Setup, guest};
use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const VARIABLES: &str = "[variables]\ngreeting = { required = true }\n";
const HOSTS: &str = "allowed_outbound_hosts = \
    [\"http://127.0.0.1:*\", \"http://{{ greeting }}.spin.internal\"]";

/// The key-value guest as `kv`, the probe as `probe`, and a runtime config.
async fn start(config: &str) -> Result<GuestApp> {
    let stores = "key_value_stores = [\"default\", \"second\"]";
    Setup::new()?
        .tables(VARIABLES)
        .component("kv", &guest("key-value")?, stores)
        .component("probe", &guest("probe")?, HOSTS)
        .runtime_config(config)?
        .start()
        .await
}

const GREETING: &str =
    "[[variables_provider]]\ntype = \"static\"\nvalues = { greeting = \"kv\" }\n";

#[tokio::test]
async fn a_store_lies_in_the_file_that_the_config_names() -> Result<()> {
    let config =
        format!("{GREETING}[key_value_store.second]\ntype = \"spin\"\npath = \"kept/second.db\"\n");
    let app = start(&config).await?;
    for label in ["default", "second"] {
        let script = json!([["open", label], ["set", "k", "v"], ["get", "k"]]);
        assert_eq!(app.calls("/kv", script).await?, json!([null, null, [118]]));
    }
    let count = |path: &std::path::Path| -> Result<i64> {
        let file = rusqlite::Connection::open(path)?;
        let query = "SELECT count(*) FROM spin_key_value WHERE store = 'second'";
        Ok(file.query_row(query, [], |row| row.get(0))?)
    };
    // Beside the runtime config, as on Spin.
    assert_eq!(count(&app.folder().join("kept/second.db"))?, 1);
    assert_eq!(count(&app.state().join("sqlite_key_value.db"))?, 0);
    Ok(())
}

/// What Redis answers to a command without arguments that need quoting.
async fn redis(port: u16, command: &str) -> Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let commands = format!("{command}\r\nQUIT\r\n");
    stream.write_all(commands.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_store_lies_on_the_redis_server_that_the_config_names() -> Result<()> {
    let Some(server) = Server::redis()? else {
        return Ok(());
    };
    let port = server.port();
    let config = format!(
        "{GREETING}[key_value_store.second]\ntype = \"redis\"\nurl = \"redis://127.0.0.1:{port}\"\n"
    );
    let app = start(&config).await?;
    let script = json!([
        ["open", "second"],
        ["set", "k", "v"],
        ["get", "k"],
        ["exists", "k"],
        ["keys"],
    ]);
    let want = json!([null, null, [118], true, ["k"]]);
    assert_eq!(app.calls("/kv", script).await?, want);
    // Under the guest's own key, as on Spin.
    assert_eq!(redis(port, "GET k").await?, "$1\r\nv\r\n+OK\r\n");
    let default = json!([["open", "default"], ["exists", "k"]]);
    assert_eq!(app.calls("/kv", default).await?, json!([null, false]));

    // Another host with the same config has the same store.
    let other = start(&config).await?;
    let script = json!([["open", "second"], ["get", "k"], ["delete", "k"]]);
    assert_eq!(
        other.calls("/kv", script).await?,
        json!([null, [118], null])
    );
    let gone = json!([["open", "second"], ["get", "k"]]);
    assert_eq!(app.calls("/kv", gone).await?, json!([null, null]));

    drop(server);
    let script = json!([["open", "second"], ["get", "k"]]);
    let answer = app.calls("/kv", script).await?;
    let error = answer[1]["error"].as_str().unwrap_or_default();
    assert!(error.starts_with("Error::Other("), "{answer}");
    let default = json!([["open", "default"], ["exists", "k"]]);
    assert_eq!(app.calls("/kv", default).await?, json!([null, false]));
    Ok(())
}

#[tokio::test]
async fn a_database_lies_in_the_file_that_the_config_names() -> Result<()> {
    let guest = guest("sqlite-3-0")?;
    let setup = Setup::new()?.component("sql", &guest, "sqlite_databases = [\"default\", \"own\"]");
    let file = setup.folder().join("kept/main.db");
    let config = format!("[sqlite_database.default]\ntype = \"spin\"\npath = {file:?}\n");
    let app = setup.runtime_config(&config)?.start().await?;
    for label in ["default", "own"] {
        let script = json!([
            ["open", label],
            ["execute", "CREATE TABLE t (label)"],
            ["execute", format!("INSERT INTO t VALUES ('{label}')")],
            ["execute", "SELECT label FROM t"],
        ]);
        let answer = app.calls("/sql", script).await?;
        let row = format!("[Value::Text(\"{label}\")]");
        assert_eq!(answer[3]["rows"], json!([row]), "{answer}");
    }
    let state = app.state().join("sqlite");
    let label = |path: &std::path::Path| -> Result<String> {
        let file = rusqlite::Connection::open_with_flags(
            path,
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )?;
        Ok(file.query_row("SELECT label FROM t", [], |row| row.get(0))?)
    };
    assert_eq!(label(&file)?, "default");
    assert_eq!(label(&state.join("own.db"))?, "own");
    assert!(!state.join("default.db").exists());
    Ok(())
}

#[tokio::test]
async fn a_provider_gives_a_variable_its_value() -> Result<()> {
    // The value stands in `allowed_outbound_hosts`: the call goes through only with it.
    let app = start(GREETING).await?;
    let answer = app.text("/probe/call?http://kv.spin.internal/").await?;
    assert!(!answer.contains("HttpRequestDenied"), "{answer}");
    let error = start("").await.map(|_| ());
    let error = format!("{:#}", error.expect_err("without it there is no value"));
    assert!(error.contains("SPIN_VARIABLE_GREETING"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_blocked_network_is_not_reached_though_the_manifest_grants_it() -> Result<()> {
    let app = start(GREETING).await?;
    let url = format!("/probe/call?{}/probe/sized", app.base());
    assert_eq!(app.text(&url).await?, "200 sized");
    for blocked in ["127.0.0.0/8", "private"] {
        let config = format!("{GREETING}[outbound_networking]\nblock_networks = [\"{blocked}\"]\n");
        let app = start(&config).await?;
        let url = format!("/probe/call?{}/probe/sized", app.base());
        let answer = app.text(&url).await?;
        assert!(
            answer.contains("DestinationIpProhibited"),
            "{blocked}: {answer}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn more_memory_than_the_config_gives_is_refused() -> Result<()> {
    let app = start(&format!("max_instance_memory = 16777216\n{GREETING}")).await?;
    let answer = app.request(Method::GET, "/probe/allocate", &[], "").await?;
    assert_eq!(answer.status, 500);
    assert_eq!(app.text("/probe/sized").await?, "sized");
    Ok(())
}

#[tokio::test]
async fn what_is_not_understood_stops_the_start_with_line_and_key() -> Result<()> {
    for (config, want) in [
        (
            "stat_dir = \"x\"\n",
            "runtime-config.toml:1: stat_dir: unknown key; did you mean \"state_dir\"?",
        ),
        (
            "[sqlite_database.default]\ntype = \"libsql\"\n",
            "runtime-config.toml:2: sqlite_database.default.type: not supported by this host",
        ),
    ] {
        let error = start(config).await.map(|_| ());
        let error = format!("{:#}", error.expect_err(want));
        assert!(error.contains(want), "{error}");
    }
    Ok(())
}
