//! A hostile component in the channel plugin's place gets nowhere, and takes nothing with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use harness::{Answer, Options, TestApp, chatly, guest, root};
use http::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::payload;

/// The repository's manifest with `channel` in the place of `channel-whatsapp`, and a second, sound
/// ingest beside it at `/sound`. With `inherit`, the parent itself has grants worth stealing.
fn manifest_with_channel(folder: &TempDir, channel: &Path) -> Result<PathBuf> {
    let mut manifest: toml::Table = std::fs::read_to_string(root().join("spin.toml"))?.parse()?;
    crate::manifest::absolute_sources(&mut manifest)?;
    let components = manifest["component"].as_table_mut().context("components")?;
    components["channel-whatsapp"]["source"] = channel.display().to_string().into();
    let ingest = components["ingest-whatsapp"]
        .as_table_mut()
        .context("ingest")?;
    ingest["allowed_outbound_hosts"] = toml::Value::Array(vec![
        "http://worker.spin.internal".into(),
        "http://127.0.0.1:*".into(),
        "https://*:*".into(),
    ]);
    ingest.insert(
        "environment".into(),
        toml::Table::from_iter([("GRANTED".to_owned(), "to the parent".into())]).into(),
    );
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, toml::to_string(&manifest)?)?;
    Ok(path)
}

async fn start_hostile(folder: &TempDir) -> Result<TestApp> {
    let manifest = manifest_with_channel(folder, &guest("hostile-channel")?)?;
    TestApp::start_with(Options {
        manifest,
        ..Options::default()
    })
    .await
}

async fn attack(app: &TestApp, how: &str) -> Result<Answer> {
    app.request(
        Method::POST,
        "/webhooks/whatsapp",
        &[("x-attack", how)],
        "{}",
    )
    .await
}

fn inspect(manifest: &Path) -> Result<std::process::Output> {
    Ok(Command::new(chatly())
        .args(["inspect", "--json", "--from"])
        .arg(manifest)
        .output()?)
}

#[test]
fn the_channel_plugin_imports_types_only() -> Result<()> {
    let output = inspect(&root().join("spin.toml"))?;
    let report = String::from_utf8(output.stdout)?;
    assert!(
        output.status.success(),
        "{report}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_str(&report)?;
    let components = report["components"].as_array().context("components")?;
    let channel = components
        .iter()
        .find(|component| component["id"] == "channel-whatsapp")
        .context("listed")?;
    let imports = channel["imports"].as_array().context("imports")?;
    assert!(!imports.is_empty());
    for import in imports {
        let name = import["name"].as_str().context("name")?;
        assert!(name.starts_with("chatly:types/"), "{name}");
        assert_eq!(import["types_only"], true, "{name}");
    }
    Ok(())
}

#[test]
fn inspect_fails_on_an_import_that_is_not_fenced() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let manifest = manifest_with_channel(&folder, &guest("strange-import")?)?;
    let output = inspect(&manifest)?;
    assert!(!output.status.success());
    let text = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
    assert!(text.contains("acme:backdoor/door@1.0.0"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_hostile_channel_is_refused_everything() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let app = start_hostile(&folder).await?;
    for (attempt, want) in [
        ("tcp_0_2", "PermissionDenied"),
        ("udp_0_2", "PermissionDenied"),
        ("lookup_0_2", "PermissionDenied"),
        ("tcp_0_3", "AccessDenied"),
        (
            "http_0_2",
            r#"InternalError(Some("\"wasi:http/outgoing-handler\" is not permitted"))"#,
        ),
        (
            "http_0_3",
            r#"InternalError(Some("\"wasi:http/client\" is not permitted"))"#,
        ),
        ("sqlite", "AccessDenied"),
        ("variable", r#"Undefined("secrets")"#),
        ("read_root", "NotFound"),
        ("write_file", "NotFound"),
        ("read_manifest", "NotFound"),
    ] {
        let answer = attack(&app, &format!("reach {attempt}")).await?;
        assert_eq!(answer.status, 200, "{attempt}: {answer:?}");
        let refusal = answer.json()?;
        assert!(
            refusal.as_str().context("text")?.contains(want),
            "{attempt}: {refusal}"
        );
    }
    for attempt in ["environment", "arguments"] {
        let answer = attack(&app, &format!("reach {attempt}")).await?;
        assert_eq!(answer.json()?, serde_json::json!([]), "{attempt}");
    }
    assert!(!Path::new("/tmp/reached").exists());
    Ok(())
}

/// Each attack ends its instance only: the next request is served, and what was acknowledged before
/// is still there.
#[tokio::test]
async fn a_loop_a_trap_and_endless_memory_cost_one_request() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let app = TestApp::start().await?;
    for n in 0..20 {
        app.deliver(&payload::text_delivery(
            "16505551234",
            &format!("wamid.{n:02}"),
            "Hi",
        ))
        .await?;
    }
    let (_, state) = app.stop()?;
    let manifest = manifest_with_channel(&folder, &guest("hostile-channel")?)?;
    let app = TestApp::start_with(Options {
        manifest,
        state: Some(state),
        ..Options::default()
    })
    .await?;
    for how in ["trap", "allocate", "loop"] {
        let answer = attack(&app, how).await?;
        assert!(answer.status.is_server_error(), "{how}: {answer:?}");
        assert!(
            !answer.header("x-request-id").is_empty(),
            "{how}: {answer:?}"
        );
        let next = attack(&app, "nothing").await?;
        assert_eq!(next.status, 200, "after {how}: {next:?}");
    }
    assert_eq!(app.messages().await?.len(), 20);
    Ok(())
}
