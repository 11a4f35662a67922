//! `up --watch` swaps components under load, and no request fails.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use anyhow::{Context, Result, ensure};
use harness::{Options, TestApp, eventually, guest};
use http::Method;
use tempfile::TempDir;

/// Connections at once.
const CONNECTIONS: usize = 200;
/// Requests in all, at least.
const REQUESTS: usize = 10_000;
/// Times that the component is swapped meanwhile.
const SWAPS: usize = 5;

/// Writes a manifest and a component that differ in every version. The component differs in a
/// custom section, which changes nothing that it does (component model, binary format).
fn write(folder: &Path, version: usize) -> Result<()> {
    let mut component = std::fs::read(guest("probe")?)?;
    let note = format!("version {version}");
    let length = u8::try_from(note.len())?;
    component.extend([0, length + 1, length]);
    component.extend(note.as_bytes());
    let manifest = format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "watched"
        [[trigger.http]]
        route = "/..."
        component = "probe"
        [component.probe]
        source = "probe.wasm"
        environment = {{ VERSION = "{version}" }}
        "#
    );
    for (name, bytes) in [("probe.wasm", component), ("spin.toml", manifest.into())] {
        let new = folder.join("new");
        std::fs::write(&new, bytes)?;
        std::fs::rename(&new, folder.join(name))?;
    }
    Ok(())
}

async fn watched(folder: &TempDir) -> Result<TestApp> {
    write(folder.path(), 0)?;
    let options = Options {
        manifest: folder.path().join("spin.toml"),
        arguments: vec!["--watch".to_owned()],
        ..Options::default()
    };
    TestApp::start_with(options).await
}

async fn version(app: &TestApp) -> Result<String> {
    let answer = app.request(Method::GET, "/environment", &[], "").await?;
    let variables: Vec<(String, String)> = serde_json::from_value(answer.json()?)?;
    let version = variables.into_iter().find(|(name, _)| name == "VERSION");
    Ok(version.context("VERSION")?.1)
}

#[tokio::test]
async fn no_request_fails_while_a_component_is_swapped_five_times() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let app = Arc::new(watched(&folder).await?);
    let (answered, done) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let load: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (app, answered, done) = (app.clone(), answered.clone(), done.clone());
            tokio::spawn(async move {
                while !done.load(Relaxed) || answered.load(Relaxed) < REQUESTS {
                    let answer = app.request(Method::GET, "/environment", &[], "").await?;
                    ensure!(answer.status == 200, "{}", answer.status);
                    answered.fetch_add(1, Relaxed);
                }
                Ok(())
            })
        })
        .collect();
    for number in 1..=SWAPS {
        write(folder.path(), number)?;
        let want = number.to_string();
        eventually("the new version answers", async || {
            Ok((version(&app).await? == want).then_some(()))
        })
        .await?;
    }
    done.store(true, Relaxed);
    for requests in load {
        requests.await??;
    }
    assert!(answered.load(Relaxed) >= REQUESTS);
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_not_put_in_place_and_what_is_mended_is() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let app = watched(&folder).await?;
    std::fs::write(
        folder.path().join("spin.toml"),
        "spin_manifest_version = 2\n[nonsense]\n",
    )?;
    std::fs::write(folder.path().join("probe.wasm"), "no component")?;
    assert_eq!(version(&app).await?, "0");
    write(folder.path(), 1)?;
    eventually("the mended version answers", async || {
        Ok((version(&app).await? == "1").then_some(()))
    })
    .await
}
