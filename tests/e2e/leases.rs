//! A worker that was paused past its lease.

use std::path::PathBuf;

use anyhow::{Context, Result};
use harness::{Options, TestApp, eventually, guest, root};
use http::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::payload;

/// The repository's manifest with the probe beside the worker, and the worker's wake-ups going nowhere.
fn manifest_with_probe(folder: &TempDir) -> Result<PathBuf> {
    let mut manifest: toml::Table = std::fs::read_to_string(root().join("spin.toml"))?.parse()?;
    crate::manifest::absolute_sources(&mut manifest)?;
    let probe = format!(
        r#"
        source = "{}"
        sqlite_databases = ["default"]
        [dependencies]
        "chatly:store/store@0.1.0" = {{ component = "store-sqlite", inherit_configuration = ["sqlite_databases"] }}
        "#,
        guest("lease-probe")?.display()
    );
    let components = manifest["component"].as_table_mut().context("components")?;
    components.insert("lease-probe".into(), probe.parse::<toml::Table>()?.into());
    // The worker must not take the jobs that the probe is asked to take.
    components.get_mut("worker").context("worker")?["source"] =
        guest("idle")?.display().to_string().into();
    components
        .get_mut("worker")
        .context("worker")?
        .as_table_mut()
        .context("table")?
        .remove("dependencies");
    let triggers = manifest["trigger"]["http"]
        .as_array_mut()
        .context("triggers")?;
    triggers.push(
        toml::Table::from_iter([
            ("route".to_owned(), "/probe/...".into()),
            ("component".to_owned(), "lease-probe".into()),
        ])
        .into(),
    );
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, toml::to_string(&manifest)?)?;
    Ok(path)
}

async fn lease(app: &TestApp, millis: u32) -> Result<Option<String>> {
    let answer = app
        .request(Method::POST, &format!("/probe/lease?{millis}"), &[], "")
        .await?
        .json()?;
    Ok(answer["tokens"][0].as_str().map(str::to_owned))
}

async fn commit(app: &TestApp, token: &str) -> Result<Value> {
    app.request(Method::POST, &format!("/probe/commit?{token}"), &[], "")
        .await?
        .json()
}

#[tokio::test]
async fn a_worker_past_its_lease_cannot_commit() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let manifest = manifest_with_probe(&folder)?;
    let app = TestApp::start_with(Options {
        manifest,
        ..Options::default()
    })
    .await?;
    app.deliver(&payload::text_delivery("16505551234", "wamid.A", "Hi"))
        .await?;

    let paused = lease(&app, 50).await?.context("a job is due")?;
    let other = eventually("the lease has run out", async || lease(&app, 60_000).await).await?;
    assert_ne!(paused, other);
    assert_eq!(commit(&app, &paused).await?["error"], "stale");
    assert_eq!(app.list("/v1/inbox?state=done").await?.len(), 0);

    assert_eq!(commit(&app, &other).await?["committed"], true);
    assert_eq!(commit(&app, &other).await?["error"], "stale");
    assert_eq!(app.list("/v1/inbox?state=done").await?.len(), 1);
    assert_eq!(lease(&app, 50).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_job_that_is_started_three_times_without_an_outcome_is_buried() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let manifest = manifest_with_probe(&folder)?;
    let app = TestApp::start_with(Options {
        manifest,
        ..Options::default()
    })
    .await?;
    app.deliver(&payload::text_delivery("16505551234", "wamid.A", "Poison"))
        .await?;
    app.deliver(&payload::text_delivery(
        "16505551234",
        "wamid.B",
        "Behind it",
    ))
    .await?;
    for start in 0..3 {
        eventually(&format!("start {start}"), async || lease(&app, 20).await).await?;
    }
    let behind = eventually("the next one is free", async || lease(&app, 60_000).await).await?;
    assert_eq!(commit(&app, &behind).await?["committed"], true);
    let buried = app.list("/v1/inbox?state=buried").await?;
    assert_eq!(buried.len(), 1, "{buried:#?}");
    assert_eq!(buried[0]["event"]["message"]["id"], "wamid.A");
    Ok(())
}
