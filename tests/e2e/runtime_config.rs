//! `--runtime-config-file`.

use anyhow::Result;
use harness::{Options, TestApp, guest};
use http::Method;
use serde_json::{Value, json};

const VARIABLES: &str = "[variables]\ngreeting = { required = true }\n";

/// Two components: the key-value guest behind `/kv`, the probe behind `/probe/...`.
fn manifest(hosts: &str) -> Result<String> {
    Ok(format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "runtime-config"
        {VARIABLES}
        [[trigger.http]]
        route = "/kv"
        component = "kv"
        [[trigger.http]]
        route = "/probe/..."
        component = "probe"
        [component.kv]
        source = "{kv}"
        key_value_stores = ["default", "second"]
        [component.probe]
        source = "{probe}"
        environment = {{ X = "1" }}
        allowed_outbound_hosts = ["http://127.0.0.1:*", "http://{{{{ greeting }}}}.spin.internal"]
        {hosts}
        "#,
        kv = guest("key-value")?.display(),
        probe = guest("probe")?.display()
    ))
}

async fn start(config: &str) -> Result<(TestApp, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest("")?)?;
    let file = folder.path().join("runtime-config.toml");
    std::fs::write(&file, config)?;
    let options = Options {
        manifest: path,
        arguments: vec![
            "--runtime-config-file".to_owned(),
            file.display().to_string(),
        ],
        ..Options::default()
    };
    Ok((TestApp::start_with(options).await?, folder))
}

const GREETING: &str =
    "[[variables_provider]]\ntype = \"static\"\nvalues = { greeting = \"kv\" }\n";

async fn calls(app: &TestApp, calls: Value) -> Result<Value> {
    let answer = app
        .request(Method::POST, "/kv", &[], calls.to_string())
        .await?;
    answer.json()
}

async fn probe(app: &TestApp, path: &str) -> Result<String> {
    let answer = app
        .request(Method::GET, &format!("/probe/{path}"), &[], "")
        .await?;
    Ok(String::from_utf8(answer.body.to_vec())?)
}

#[tokio::test]
async fn a_store_lies_in_the_file_that_the_config_names() -> Result<()> {
    let config =
        format!("{GREETING}[key_value_store.second]\ntype = \"spin\"\npath = \"kept/second.db\"\n");
    let (app, folder) = start(&config).await?;
    for label in ["default", "second"] {
        let script = json!([["open", label], ["set", "k", "v"], ["get", "k"]]);
        assert_eq!(calls(&app, script).await?, json!([null, null, [118]]));
    }
    let count = |path: &std::path::Path| -> Result<i64> {
        let file = rusqlite::Connection::open(path)?;
        let query = "SELECT count(*) FROM spin_key_value WHERE store = 'second'";
        Ok(file.query_row(query, [], |row| row.get(0))?)
    };
    // Beside the runtime config, as on Spin.
    assert_eq!(count(&folder.path().join("kept/second.db"))?, 1);
    assert_eq!(count(&app.state().join("sqlite_key_value.db"))?, 0);
    Ok(())
}

#[tokio::test]
async fn a_provider_gives_a_variable_its_value() -> Result<()> {
    // The value stands in `allowed_outbound_hosts`: the call goes through only with it.
    let (app, _folder) = start(GREETING).await?;
    let answer = probe(&app, "call?http://kv.spin.internal/").await?;
    assert!(!answer.contains("HttpRequestDenied"), "{answer}");
    let error = start("").await.map(|_| ());
    let error = format!("{:#}", error.expect_err("without it there is no value"));
    assert!(error.contains("SPIN_VARIABLE_GREETING"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_blocked_network_is_not_reached_though_the_manifest_grants_it() -> Result<()> {
    let (app, _folder) = start(GREETING).await?;
    let url = format!("call?{}/probe/sized", app.base());
    assert_eq!(probe(&app, &url).await?, "200 sized");
    for blocked in ["127.0.0.0/8", "private"] {
        let config = format!("{GREETING}[outbound_networking]\nblock_networks = [\"{blocked}\"]\n");
        let (app, _folder) = start(&config).await?;
        let url = format!("call?{}/probe/sized", app.base());
        let answer = probe(&app, &url).await?;
        assert!(
            answer.contains("DestinationIpProhibited"),
            "{blocked}: {answer}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn more_memory_than_the_config_gives_is_refused() -> Result<()> {
    let (app, _folder) = start(&format!("max_instance_memory = 16777216\n{GREETING}")).await?;
    let answer = app.request(Method::GET, "/probe/allocate", &[], "").await?;
    assert_eq!(answer.status, 500);
    assert_eq!(probe(&app, "sized").await?, "sized");
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
