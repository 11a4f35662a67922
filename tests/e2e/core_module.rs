//! Core modules load as components do.

use anyhow::Result;
use harness::{Options, TestApp, guest_for};
use http::Method;

async fn start(source: &std::path::Path) -> Result<(TestApp, tempfile::TempDir)> {
    let folder = tempfile::tempdir()?;
    let manifest = format!(
        r#"
        spin_manifest_version = 2
        [application]
        name = "core-module"
        [[trigger.http]]
        route = "/..."
        component = "a"
        [component.a]
        source = "{}"
        environment = {{ NAME = "value" }}
        "#,
        source.display()
    );
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, manifest)?;
    let options = Options {
        manifest: path,
        ..Options::default()
    };
    Ok((TestApp::start_with(options).await?, folder))
}

#[tokio::test]
async fn a_module_for_preview1_serves_like_the_component_that_it_says_it_is() -> Result<()> {
    let module = guest_for("probe", "wasm32-wasip1")?;
    let version = std::fs::read(&module)?;
    assert_eq!(
        version[4..8],
        [1, 0, 0, 0],
        "a core module, not a component"
    );
    let (app, _folder) = start(&module).await?;
    let get = async |path| app.request(Method::GET, path, &[], "").await;
    assert_eq!(get("/sized").await?.body, "sized");
    // By the adapter: preview1's `environ_get`.
    assert_eq!(get("/environment").await?.body, "[[\"NAME\",\"value\"]]");
    assert_eq!(get("/sleep?10").await?.body, "slept with 3");
    Ok(())
}

#[tokio::test]
async fn a_module_that_does_not_say_what_it_is_stops_the_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let module = folder.path().join("bare.wasm");
    std::fs::write(&module, b"\0asm\x01\0\0\0")?;
    let error = format!(
        "{:#}",
        start(&module).await.map(|_| ()).expect_err("is refused")
    );
    let want = "it is a core module without an embedded component type";
    assert!(
        error.contains(want) && error.contains("bare.wasm"),
        "{error}"
    );
    Ok(())
}
